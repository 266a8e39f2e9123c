"""One account's recent snapshots as windows in memory, which functions look back on: bisected, never scanned."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from guard.model import Snapshot
from guard.rules.rule import Rule, longest

ANSWERS_NEEDED: Final = 3
"""A counter that fell has fallen for good once so many answers in a row stay below where it was."""

_EXACT: Final = 1e15  # above it a float no longer tells one integer from the next


def needs(rules: Iterable[Rule]) -> dict[str, timedelta]:
    """How far back rules look, by field: what a History is made for. Fields that no function reads are absent."""
    return longest(window for rule in rules for window in rule.looks_back.items())


class History:
    """The windows of one account. Each good snapshot is added once, in order of time, before it is evaluated.

    It keeps 16 bytes for each answer and counter within the longest window of that counter, and an eighth more.
    """

    __slots__ = ("_counters",)

    def __init__(self, needs: Mapping[str, timedelta]) -> None:
        """Takes the fields that are looked back on, each with its longest window."""
        self._counters = {name: _Counter(window.total_seconds()) for name, window in needs.items()}

    def add(self, snapshot: Snapshot) -> None:
        """Appends a snapshot; a field that is missing in it gets no point.

        Where the clock went back, the windows begin anew: how long ago the older answers were is no longer known, and
        growth over more time than a window says could fire what should not.
        """
        if not self._counters:
            return
        at_s = snapshot.at.timestamp()
        for name, counter in self._counters.items():
            value = snapshot.values.get(name)
            if value is not None and not isinstance(value, str):
                counter.add(at_s, value)

    def span(self, *, every: timedelta) -> timedelta:
        """How far back it wants to be filled where answers come `every` so often; zero if it needs nothing.

        The longest window, as much older as its beginning may be, and enough answers more to tell a dip from a fall.
        """
        longest_s = max((counter.window_s for counter in self._counters.values()), default=0)
        if not longest_s:
            return timedelta()
        return timedelta(seconds=longest_s + _tolerance_s(longest_s, every.total_seconds())) + ANSWERS_NEEDED * every

    def windows(self, *, every: timedelta) -> "RecentWindows":
        """What functions see of it at the last snapshot that was added, where answers come `every` so often."""
        return RecentWindows(self._counters, every.total_seconds())


class RecentWindows:
    """The windows that end with the last snapshot; valid until the next one is added."""

    __slots__ = ("_counters", "_every_s")

    def __init__(self, counters: Mapping[str, "_Counter"], every_s: float) -> None:
        """Takes the counters by field, and how far apart answers are."""
        self._counters = counters
        self._every_s = every_s

    def increase(self, name: str, window_s: float) -> float | None:
        """Value now less the value at the last answer at or before the window's beginning; nothing is extrapolated.

        None if there is no such answer, or only one that is older than that by more than 3 × every and a tenth of the
        window. A fall adds nothing.
        """
        counter = self._counters.get(name)
        return counter.increase(window_s, _tolerance_s(window_s, self._every_s)) if counter else None


def _tolerance_s(window_s: float, every_s: float) -> float:
    return max(3 * every_s, window_s / 10)


class _Counter:
    """One lifetime counter over its window, as a total that grows with it and never falls."""

    __slots__ = ("_base", "_below", "_lowest", "_times", "_total", "_totals", "window_s")

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self._times = array("d")  # seconds, ascending
        self._totals = array("d")  # at those times
        self._total = 0.0
        self._base: float | None = None  # the value from which growth counts
        self._below = 0  # answers in a row below it
        self._lowest = 0.0  # of those

    def add(self, at_s: float, value: float) -> None:
        self._total += self._growth(value)
        if self._total > _EXACT or (self._times and at_s < self._times[-1]):
            self._forget()
        self._times.append(at_s)
        self._totals.append(self._total)
        self._trim(at_s - self.window_s)

    def increase(self, window_s: float, tolerance_s: float) -> float | None:
        if not self._times:
            return None
        begins_s = self._times[-1] - window_s
        first = bisect_right(self._times, begins_s) - 1
        if first < 0 or begins_s - self._times[first] > tolerance_s:
            return None
        return self._totals[-1] - self._totals[first]

    def _growth(self, value: float) -> float:
        """What one more answer adds. A dip that comes back adds only what goes beyond where the counter was."""
        if self._base is None or value >= self._base:
            grown = value - (value if self._base is None else self._base)
            self._base, self._below = value, 0
            return grown
        self._lowest = min(value, self._lowest) if self._below else value
        self._below += 1
        if self._below < ANSWERS_NEEDED:
            return 0.0
        self._base, self._below = value, 0
        return value - self._lowest

    def _forget(self) -> None:
        """Begins anew: the clock went back, or a nonsense value left no room to count by ones."""
        del self._times[:], self._totals[:]
        self._total = 0.0

    def _trim(self, begins_s: float) -> None:
        """Lets go of all before the last answer at or before the window's beginning; now and then, not each time."""
        if self._times[0] < begins_s - self.window_s / 8:
            unneeded = bisect_right(self._times, begins_s) - 1
            del self._times[:unneeded], self._totals[:unneeded]
