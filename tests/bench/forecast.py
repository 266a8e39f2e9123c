"""How far off the projection of a month is, beside naive ones, on fixed series of days."""

from collections.abc import Callable, Iterator, Mapping
from csv import reader
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import fmean, median
from typing import Final

from guard.payload.daily import daily
from tests.bench.figure import Figure, Yardstick

SERIES: Final = tuple(sorted((Path(__file__).parent / "days").glob("*.csv")))
"""Made-up days of accounts of six kinds, each told of in its file's first line."""

_ON_DAYS: Final = (1, 3, 10)
_FIRST_MONTH: Final = 3  # of the year, so that two months lie before it
_DAY: Final = timedelta(days=1)

Days = Mapping[date, int]


def measure() -> Iterator[Figure]:
    """The figures on the morning of some days of a month: the middle error over all months of all series, in percent.

    The yardstick is what turns out to be the best of three naive projections on that day: the total of the month
    before, what is spent scaled by the share that has passed, and the mean of the last seven days. Nobody knows
    beforehand which that will be, so there is no aim.
    """
    every = [read_days(path) for path in SERIES]
    for number in _ON_DAYS:
        mornings = [(days, morning) for days in every for morning in _mornings(days, number)]
        errors = {name: median(_errors(project, mornings)) for name, project in _NAIVE.items()}
        best = min(errors, key=errors.__getitem__)
        others = ", ".join(f"{name} {error:.1f}" for name, error in errors.items() if name != best)
        yield Figure(
            f"month's end, day {number}",
            median(_errors(_projected, mornings)),
            "%",
            Yardstick(best, errors[best]),
            beside=f"{_held(mornings):.0%} in range; {others}",
        )


def read_days(path: Path) -> Days:
    """One series: how many messages each day had."""
    with path.open(encoding="utf-8") as file:
        return {date.fromisoformat(day): int(count) for day, count in reader(line for line in file if line[0] != "#")}


def _mornings(days: Days, number: int) -> list[datetime]:
    """Nine o'clock on that day of each month that is whole, and has two before it."""
    return [
        datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        for day in days
        if day.day == number and day.month >= _FIRST_MONTH
    ]


def _errors(project: Callable[[Days, datetime], float], mornings: list[tuple[Days, datetime]]) -> list[float]:
    """How far off each is, in percent of what the month came to."""
    return [100 * abs(project(days, at) / _month(days, at.date()) - 1) for days, at in mornings]


def _held(mornings: list[tuple[Days, datetime]]) -> float:
    """The share of the months that ended within their ranges of 80 %."""
    found = [(_fields(days, at), _month(days, at.date())) for days, at in mornings]
    return fmean(
        float(each["month.projectedMessagesLow"]) <= total <= float(each["month.projectedMessagesHigh"])
        for each, total in found
    )


def _projected(days: Days, at: datetime) -> float:
    return float(_fields(days, at)["month.projectedMessages"])


def _fields(days: Days, at: datetime) -> Mapping[str, float | str]:
    """What the guard makes of the days as the API would show them."""
    rows = [{"date": day.isoformat(), "messages": count} for day, count in days.items() if day < at.date()]
    return daily([*rows, {"date": at.date().isoformat(), "messages": _so_far(days, at)}], now=at)


def _so_far(days: Days, at: datetime) -> int:
    """What today has had until then, as if it came evenly."""
    return round(days[at.date()] * _passed(at))


def _passed(at: datetime) -> float:
    return (at - at.replace(hour=0)) / _DAY


def _month(days: Days, of: date) -> int:
    return sum(count for day, count in days.items() if (day.year, day.month) == (of.year, of.month))


def _spent(days: Days, at: datetime) -> int:
    before = sum(days[at.date() - number * _DAY] for number in range(1, at.day))
    return before + _so_far(days, at)


def _length(at: datetime) -> int:
    return (at.replace(day=28) + 4 * _DAY).replace(day=1).toordinal() - at.replace(day=1).toordinal()


def _last_month(days: Days, at: datetime) -> float:
    return _month(days, at.date().replace(day=1) - _DAY)


def _scaled(days: Days, at: datetime) -> float:
    return _spent(days, at) * _length(at) / (at.day - 1 + _passed(at))


def _last_week(days: Days, at: datetime) -> float:
    mean = fmean(days[at.date() - number * _DAY] for number in range(1, 8))
    return _spent(days, at) + mean * (_length(at) - at.day + 1 - _passed(at))


_NAIVE: Final[Mapping[str, Callable[[Days, datetime], float]]] = {
    "last month": _last_month,
    "scaled": _scaled,
    "last 7 days": _last_week,
}
