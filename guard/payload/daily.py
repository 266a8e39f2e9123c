"""The rows of /v1/usage/daily → today's counts, the month's, and what the month will come to."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from guard.forecast import projection
from guard.model import Fields
from guard.payload.months import midnight, month_start, next_month
from guard.payload.values import count_of

_COLUMNS: Final = ("messages", "calls", "webhooks")
_PROJECTED: Final = {"messages": "projectedMessages", "calls": "projectedCalls"}
_DAY: Final = timedelta(days=1)
_LOOKED_AT: Final = 59  # days before today: with today those that the answer is asked to hold

Counts = Mapping[date, float]


def daily(rows: Iterable[Mapping[str, object]], *, now: datetime) -> Fields:
    """`today.*` and `month.*` at `now` by the provider's clock; each row is one day of UTC, in any order.

    A day without a row is not taken for one without traffic: without today's, today is unknown, and the month is what
    its other rows say. Rows of days to come are passed over.
    """
    by_column = _by_column(rows, today=now.date())
    fields: dict[str, float | str] = {"month.elapsed": _elapsed(now)} if any(by_column.values()) else {}
    for column, counts in by_column.items():
        if now.date() in counts:
            fields[f"today.{column}"] = counts[now.date()]
        of_month = [count for day, count in counts.items() if day >= month_start(now).date()]
        if of_month:
            fields[f"month.{column}"] = sum(of_month)
            fields.update(_projected(column, counts, spent=sum(of_month), now=now))
    return fields


def _by_column(rows: Iterable[Mapping[str, object]], *, today: date) -> dict[str, dict[date, float]]:
    """The counts of each column by day; where two rows are of one day the first that has the column stands."""
    found: dict[str, dict[date, float]] = {column: {} for column in _COLUMNS}
    for row in rows:
        day = _day(row.get("date"))
        if day is None or day > today:
            continue
        for column, counts in found.items():
            count = count_of(f"today.{column}", row.get(column))
            if count is not None:
                counts.setdefault(day, count)
    return found


def _day(raw: object) -> date | None:
    """A date, or the date of an instant."""
    try:
        return date.fromisoformat(raw[:10]) if isinstance(raw, str) else None
    except ValueError:
        return None


def _elapsed(now: datetime) -> float:
    start = month_start(now)
    return (now - start) / (next_month(now) - start)


def _projected(column: str, counts: Counts, *, spent: float, now: datetime) -> Iterator[tuple[str, float]]:
    """What the month will come to, and between what, from the last full days; nothing where they are too few."""
    today = now.date()
    full = [counts[day] for day in (today - number * _DAY for number in range(_LOOKED_AT, 0, -1)) if day in counts]
    until_at = now if today in counts else midnight(now)  # what is spent goes so far
    found = projection(full, spent=spent, left_days=(next_month(now) - until_at) / _DAY)
    name = _PROJECTED.get(column)
    if found is not None and name is not None:
        yield from ((f"month.{name}", found.middle), (f"month.{name}Low", found.low), (f"month.{name}High", found.high))
