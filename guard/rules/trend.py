"""Where a field is heading: the robust slope of its past, and when it reaches a target."""

from collections.abc import Sequence
from typing import Final

from guard.units import NEVER_S

_RUN_OUT: Final = ("remaining", "left", "available", "balance")


def runs_out(name: str) -> bool:
    """Whether a field is something that is used up, so that its targets are reached from above; all others grow.

    >>> runs_out("numbers.remaining"), runs_out("stats.messagesLast24h")
    (True, False)
    """
    return name.rpartition(".")[2].lower().endswith(_RUN_OUT)


def median(values: Sequence[float]) -> float:
    """The middle of one value or more, in whatever order; the mean of the two middle ones where their number is even.

    >>> median([3, 1, 100]), median([4, 1])
    (3, 2.5)
    """
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def slope(times: Sequence[float], values: Sequence[float]) -> float | None:
    """Theil and Sen's estimator: the median of the slopes between all pairs of points, which no few odd points move.

    `times` ascend. None where no two points differ in time. (P. K. Sen, Journal of the American Statistical
    Association 63, 1968.) The work grows with the square of the number of points.

    >>> slope([0, 1, 2, 3, 4], [10, 12, 14, 900, 18])
    2.0
    """
    points = list(zip(times, values, strict=True))
    slopes = [
        (value - before) / (at_s - before_s)
        for index, (at_s, value) in enumerate(points)
        for before_s, before in points[:index]
        if at_s > before_s
    ]
    return median(slopes) if slopes else None


def is_there(target: float, *, value: float, from_above: bool) -> bool:
    """Whether a field that stands at `value` is at a target or beyond it."""
    return value <= target if from_above else value >= target


def seconds_until(target: float, *, value: float, slope: float, from_above: bool) -> float:
    """When a field that stands at `value` and moves by `slope` a second is at a target or beyond it.

    0 where it is; NEVER_S where it stands still, moves away, or would take longer than that.

    >>> seconds_until(100, value=40, slope=0.5, from_above=False)
    120.0
    """
    if is_there(target, value=value, from_above=from_above):
        return 0.0
    left, pace = (value - target, -slope) if from_above else (target - value, slope)
    return min(left / pace, NEVER_S) if pace > 0 else NEVER_S
