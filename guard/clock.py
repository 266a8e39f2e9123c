"""The only one who asks the time: real, or sped up for the demo."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """Tells the time as aware UTC.

    With `speed` other than 1 it starts at the real time and runs that many times as fast, so that a demo shows an hour
    in a minute. At speed 1 it follows the wall clock, also through the wall clock's jumps.
    """

    speed: float = 1.0
    _started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _started_s: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        if self.speed == 1:
            return datetime.now(UTC)
        return self._started_at + timedelta(seconds=(time.monotonic() - self._started_s) * self.speed)

    def monotonic_s(self) -> float:
        """Real seconds since some fixed moment; never goes back, whatever the wall clock does."""
        return time.monotonic()

    def real_s(self, duration: timedelta) -> float:
        """How many real seconds pass while this clock shows `duration` passing."""
        return duration.total_seconds() / self.speed

    def wall_now(self) -> datetime:
        """The wall clock's present instant, aware UTC, whatever this clock shows: schedulers live by it."""
        return datetime.now(UTC)
