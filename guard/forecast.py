"""What a count will be: a month's end from the days before, and a rolling sum's from what leaves its window; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, stdev
from typing import Final

MOST_DAYS: Final = 28
"""So many of the last full days make the mean: four whole weeks, so that each day of the week weighs the same."""

FEWEST_DAYS: Final = 3
"""Fewer full days make no projection."""

_DAYS_IN_ONE: Final = 4
"""Days of traffic resemble those before them, so that so many tell no more than one that stood alone would."""

# Student's t that 80 % lie within, for 1, 2, … degrees of freedom (any table of quantiles, p = 0.9): the spread is
# estimated from as few days as there are.
_T_80: Final = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440)


@dataclass(frozen=True, slots=True)
class Projection:
    """A total as it will probably be: in four of five cases it ends between `low` and `high`."""

    low: float
    middle: float
    high: float


def projection(days: Sequence[float], *, spent: float, left_days: float) -> Projection | None:
    """What a month will have come to at its end; None where fewer than three full days are known.

    `days` are the totals of full days, oldest first, of which the last 28 count, and none before the first with any
    traffic: an account that is ten days old did not rest for eighteen. `spent` is the month's total so far,
    `left_days` what is left of the month, today's rest included.

    The middle is spent + mean × left. The range is t × s × left × √(1 / (n/4) + 1 / (left/4)) to both sides, where s is
    the standard deviation of n days: one part for the mean's own doubt, one for what the days to come will do; and it
    never begins below what is spent.

    >>> month = projection([100, 100, 130, 110], spent=440, left_days=20)
    >>> [round(total) for total in (month.low, month.middle, month.high)]
    [1686, 2640, 3594]
    >>> projection([100, 100], spent=200, left_days=20) is None
    True
    """
    known = _since_traffic(days)[-MOST_DAYS:]
    if len(known) < FEWEST_DAYS:
        return None
    middle = spent + fmean(known) * left_days
    aside = _t_80(len(known)) * stdev(known) * math.sqrt(_DAYS_IN_ONE * (left_days**2 / len(known) + left_days))
    return Projection(low=max(spent, middle - aside), middle=middle, high=middle + aside)


def _since_traffic(days: Sequence[float]) -> Sequence[float]:
    """The days from the first with traffic on; all of them where there never was any."""
    first = next((number for number, count in enumerate(days) if count), 0)
    return days[first:]


def _t_80(days: int) -> float:
    freedom = max(1, days // _DAYS_IN_ONE - 1)
    return _T_80[min(freedom, len(_T_80)) - 1]


def roll_off(
    value: float, totals: Sequence[tuple[datetime, float]], *, window: timedelta, horizon: timedelta
) -> float | None:
    """What a rolling sum will be `horizon` from now if nothing more happens; None where history is too short to tell.

    `value` is the sum over `window` now. `totals` are (instant, counter) of the lifetime counter of the same thing, in
    order of time, the last of them now: what it grew by between now - window and now - window + horizon is what will
    have left the sum by then, to the message. A fall of the counter takes nothing along.

    >>> day, hour = timedelta(days=1), timedelta(hours=1)
    >>> now = datetime(2026, 11, 23)
    >>> grown = [(now - day, 500), (now - 23 * hour, 520), (now - 22 * hour, 525), (now, 600)]
    >>> [roll_off(100, grown, window=day, horizon=hours * hour) for hours in (1, 2, 24)]
    [80, 75, 0.0]
    """
    if horizon >= window:
        return 0.0
    if not totals or totals[0][0] > (begins_at := totals[-1][0] - window):
        return None
    ends_at = begins_at + horizon
    gone = sum(max(0.0, late - early) for (_, early), (at, late) in pairwise(totals) if begins_at < at <= ends_at)
    return max(0.0, value - gone)
