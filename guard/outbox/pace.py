"""Pace: one message a second at most to one place, for receivers that ask for it; in memory."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from guard.notify.notifier import Notifier, Paced

EVERY: Final = timedelta(seconds=1)
_EARLY: Final = timedelta(milliseconds=100)
"""So much sooner is not too soon: whoever looks once a second is not always on time. It is made up for afterwards."""


@dataclass(slots=True)
class Pace:
    """When each place takes its next message; edits are none."""

    _next_at: dict[str, datetime] = field(default_factory=dict)

    def takes(self, notifier: Notifier, *, now: datetime) -> bool:
        """Whether a message may go out now; if so, it counts as gone."""
        if self.wait(notifier, now=now):
            return False
        if isinstance(notifier, Paced):
            next_at = self._next_at.get(notifier.place, now)
            self._next_at[notifier.place] = min(max(next_at, now), now + _EARLY) + EVERY
        return True

    def wait(self, notifier: Notifier, *, now: datetime) -> timedelta:
        """How long it is until a message may go out."""
        if not isinstance(notifier, Paced):
            return timedelta()
        wait = self._next_at.get(notifier.place, now) - now
        return wait if _EARLY < wait <= EVERY + _EARLY else timedelta()  # if it is longer, the clock went back
