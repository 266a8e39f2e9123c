"""Ledgers: how many of one thing an account has had by each second of its life; sums of all kinds are differences."""

from dataclasses import dataclass
from typing import Protocol

from guard.sandbox.rhythm import AN_AVERAGE_DAY, DAY_S, weight
from guard.sandbox.steps import Steps


class Ledger(Protocol):
    """Counts from 0 up over an account's whole life, and never falls."""

    def count(self, at_s: int) -> int:
        """How many there were by that second of Unix time, before or after the story's start."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What is usual: so many until the story starts, and so many on an average day."""

    total: int
    a_day: int

    def between(self, start_s: int, end_s: int) -> int:
        """What is usual from one second to another; negative when the end comes first."""
        return self.a_day * (weight(end_s) - weight(start_s)) // AN_AVERAGE_DAY


@dataclass(frozen=True, slots=True)
class Grown:
    """A ledger that grows from the story's start as usual, or as a series rises, or both."""

    rate: Rate
    start_s: int
    total: int  # at the start
    growth: Steps | None = None
    as_usual: bool = True

    def count(self, at_s: int) -> int:
        """How many by then; the life began when all that was there at the start had not come yet."""
        if at_s < self.start_s:
            return max(0, self.total - self.rate.between(at_s, self.start_s))
        usual = self.rate.between(self.start_s, at_s) if self.as_usual else 0
        return self.total + usual + (self.growth.risen(at_s - self.start_s) if self.growth else 0)


@dataclass(frozen=True, slots=True)
class Rolling:
    """A ledger whose last 24 hours are at every second of the story what a series shows.

    Each count is that of a day before and the series' value. What the series loses during the story must have come a
    day before, so the day before the story holds just that, at that time; the rest of it is spread as usual.
    Give only a series that `can_roll`.
    """

    rate: Rate
    start_s: int
    older: int  # a day before the start
    window: Steps

    def count(self, at_s: int) -> int:
        """How many by then."""
        story_s = at_s - self.start_s
        if story_s < -DAY_S:
            return max(0, self.older - self.rate.between(at_s, self.start_s - DAY_S))
        if story_s < 0:
            return self.older + self._day_before(story_s + DAY_S)
        days, since_s = divmod(story_s, DAY_S)
        return self.older + self._day_before(since_s) + self._rolled(since_s, days=days)

    def _day_before(self, since_s: int) -> int:
        """What came in the first so many seconds of the day before the start."""
        first_s = self.start_s - DAY_S
        rest = self.window.values[0] - self.window.fallen(DAY_S - 1)
        whole, part = weight(self.start_s) - weight(first_s), weight(first_s + since_s) - weight(first_s)
        return self.window.fallen(since_s) + rest * part // whole

    def _rolled(self, since_s: int, *, days: int) -> int:
        """The window's value at that second of the story's first day, of the next, and so on for `days` days more."""
        shown = range(since_s, min(since_s + days * DAY_S + 1, self.window.length_s), DAY_S)
        held = days + 1 - len(shown)  # these lie behind the series' end; there may be thousands
        return held * self.window.values[-1] + sum(self.window.value(second) for second in shown)


def can_roll(window: Steps) -> bool:
    """Whether one history exists that makes the last 24 hours what the series shows, at every second.

    What falls must have come a day before, so it all has to fall within a day, and there must be as much to begin with.
    """
    fallen = window.fallen(DAY_S - 1)
    return not window.lap_s and fallen <= window.values[0] and fallen == window.fallen(window.length_s)
