"""One field's past in memory: when it was what, as long as functions look back on it; bisected, never scanned."""

from array import array
from bisect import bisect_left, bisect_right
from math import floor
from typing import Final

from guard.model import Endpoint
from guard.rules import trend
from guard.rules.sliding import Sliding

ANSWERS_NEEDED: Final = 3
"""A counter that fell has fallen for good once so many answers in a row stay below where it was."""

SAMPLES: Final = 40
"""So many points at most make a trend; more would cost their square and say hardly more."""

_EXACT: Final = 1e15  # above it a float no longer tells one integer from the next


class Points:
    """What one field was at each answer within its window: 16 bytes a point, and an eighth more."""

    __slots__ = ("_gone", "_slopes", "_sums", "_times", "_values", "endpoint", "is_slow", "window_s")

    def __init__(self, window_s: float, endpoint: Endpoint = Endpoint.USAGE) -> None:
        """Takes the longest window that is asked for, and the endpoint whose answers bring the points."""
        self.window_s = window_s
        self.endpoint = endpoint
        self.is_slow = endpoint is not Endpoint.USAGE  # asked less often
        self._times = array("d")  # seconds, ascending
        self._values = array("d")  # at those times
        self._gone = 0  # how many there were before those
        self._sums: dict[tuple[type[Sliding], float], Sliding] = {}  # by what they are, and by window
        self._slopes: dict[float, tuple[int, float | None]] = {}  # by window, each with the step it was made in

    def add(self, at_s: float, value: float) -> None:
        """Appends one answer, which is not older than the one before."""
        self._times.append(at_s)
        self._values.append(value)
        begins_s = at_s - self.window_s
        if self._times[0] < begins_s - self.window_s / 8:
            self._drop(bisect_right(self._times, begins_s) - 1)

    def is_past(self, now_s: float) -> bool:
        """Whether the last answer is older than all that is looked back on; also where there is none."""
        return not self._times or self._times[-1] < now_s - self.window_s

    def at(self, at_s: float, *, tolerance_s: float) -> float | None:
        """What it was then: at the last answer at or before that instant, which is not older by more than that."""
        index = self._index(at_s, tolerance_s)
        return None if index is None else self._values[index]

    def over(self, kind: type[Sliding], now_s: float, window_s: float, *, tolerance_s: float) -> float | None:
        """What the values within the window up to now sum up to; of none, the one that stood at its beginning."""
        if self._index(now_s - window_s, tolerance_s) is None:
            return None
        found = self._sums.get((kind, window_s))
        if found is None:
            found = self._sums[kind, window_s] = kind()
        first = min(bisect_left(self._times, now_s - window_s), len(self._times) - 1)
        return found.over(self._values, begin=self._gone + first, gone=self._gone)

    def slope(self, now_s: float, window_s: float, *, tolerance_s: float) -> float | None:
        """The robust slope of the window, of the answers at up to SAMPLES instants, where there are two of them.

        The instants are multiples of a step, whenever it is asked for, so that a replay finds the same trend; and it is
        made once a step.
        """
        if self._index(now_s - window_s, tolerance_s) is None:
            return None
        step = floor(now_s / (window_s / SAMPLES))
        made_in, found = self._slopes.get(window_s, (None, None))
        if made_in != step:
            found = self._sampled_slope(step, window_s / SAMPLES)
            self._slopes[window_s] = step, found
        return found

    def _sampled_slope(self, step: int, step_s: float) -> float | None:
        instants = (each * step_s for each in range(step - SAMPLES + 1, step + 1))
        # An answer that stands at several instants, as after an outage, is one point.
        picked = dict.fromkeys(bisect_right(self._times, instant) - 1 for instant in instants)
        return trend.slope([self._times[each] for each in picked], [self._values[each] for each in picked])

    def _index(self, at_s: float, tolerance_s: float) -> int | None:
        index = bisect_right(self._times, at_s) - 1
        return None if index < 0 or at_s - self._times[index] > tolerance_s else index

    def forget(self) -> None:
        """Lets go of all answers: how long ago they were is no longer known, or they are nonsense."""
        self._drop(len(self._times))
        self._slopes.clear()

    def _drop(self, count: int) -> None:
        """Lets go of the oldest answers."""
        del self._times[:count], self._values[:count]
        self._gone += count


class Counter(Points):
    """A lifetime counter, which has beside its values a total that grows with it and never falls: 24 bytes a point."""

    __slots__ = ("_base", "_below", "_lowest", "_total", "_totals")

    def __init__(self, window_s: float, endpoint: Endpoint = Endpoint.USAGE) -> None:
        """Takes what Points take."""
        super().__init__(window_s, endpoint)
        self._totals = array("d")
        self._total = 0.0
        self._base: float | None = None  # the value from which growth counts
        self._below = 0  # answers in a row below it
        self._lowest = 0.0  # of those

    def increase(self, now_s: float, window_s: float, *, tolerance_s: float) -> float | None:
        """By how much it grew since the last answer at or before the window's beginning."""
        first = self._index(now_s - window_s, tolerance_s)
        return None if first is None else self._totals[-1] - self._totals[first]

    def add(self, at_s: float, value: float) -> None:
        """Appends one answer, which is not older than the one before."""
        self._total += self._growth(value)
        if self._total > _EXACT:  # a nonsense value left no room to count by ones
            self.forget()
        self._totals.append(self._total)
        super().add(at_s, value)

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

    def forget(self) -> None:
        """Lets go of all answers, but not of where the counter stood: a dip is still a dip."""
        super().forget()
        self._total = 0.0

    def _drop(self, count: int) -> None:
        super()._drop(count)
        del self._totals[:count]
