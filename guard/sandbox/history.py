"""The answers of /v1/usage/daily and /v1/usage/monthly: sums of the ledgers over days and months of UTC; pure."""

from collections.abc import Sequence
from itertools import pairwise

from guard.sandbox.instant import month_starts, utc
from guard.sandbox.rhythm import DAY_S
from guard.sandbox.statement import Statement


def daily(of: Statement, *, days: int) -> dict[str, object]:
    """So many rows, the oldest first; the last is of the present day up to now."""
    starts_s = [of.midnight_s - number * DAY_S for number in reversed(range(days))]
    return {"data": _rows(of, starts_s, unit="date", form="%Y-%m-%d"), "days": days}


def monthly(of: Statement, *, months: int) -> dict[str, object]:
    """So many rows, the oldest first; the last is of the present month up to now."""
    starts_s = month_starts(of.at_s, months=months)
    return {"data": _rows(of, starts_s, unit="month", form="%Y-%m"), "months": months}


def _rows(of: Statement, starts_s: Sequence[int], *, unit: str, form: str) -> list[dict[str, object]]:
    bounds_s = [*starts_s, of.at_s]
    messages, calls, successful, failed = (
        [late - early for early, late in pairwise([each.count(at_s) for at_s in bounds_s])]
        for each in (of.messages, of.calls, of.successful, of.failed)
    )
    return [
        {
            unit: utc(start_s).strftime(form),
            "messages": messages[row],
            "calls": calls[row],
            "webhooks": successful[row] + failed[row],
        }
        for row, start_s in enumerate(starts_s)
    ]
