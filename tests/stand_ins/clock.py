"""A clock that shows the instant to which a test has moved it."""

from datetime import datetime, timedelta

from guard.clock import Clock
from tests.builders import NOW


class HandClock(Clock):
    """Stands at NOW until it is moved; the wall clock and the monotonic one are the real ones."""

    def __init__(self, at: datetime = NOW) -> None:
        super().__init__()
        object.__setattr__(self, "at", at)  # a clock is frozen

    def now(self) -> datetime:
        at: datetime = self.__dict__["at"]
        return at

    def move(self, **duration: float) -> None:
        """Moves it on, or back, by what `timedelta` takes: `move(minutes=5)`."""
        object.__setattr__(self, "at", self.now() + timedelta(**duration))
