"""Seconds of Unix time as the API writes instants, and back to calendar days; pure."""

from datetime import UTC, datetime


def instant(at_s: int) -> str:
    """ISO 8601 in UTC.

    >>> instant(0)
    '1970-01-01T00:00:00Z'
    """
    return f"{utc(at_s):%Y-%m-%dT%H:%M:%SZ}"


def utc(at_s: int) -> datetime:
    """The aware instant."""
    return datetime.fromtimestamp(at_s, UTC)


def month_starts(at_s: int, *, months: int) -> list[int]:
    """The first seconds of so many calendar months of UTC, the last of which holds `at_s`, in the order of time.

    >>> [instant(start_s) for start_s in month_starts(86_400, months=2)]
    ['1969-12-01T00:00:00Z', '1970-01-01T00:00:00Z']
    """
    at = utc(at_s)
    last = at.year * 12 + at.month - 1
    numbers = range(last - months + 1, last + 1)
    return [int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) for number in numbers]


def next_month(at_s: int) -> int:
    """The first second of the calendar month after the one that holds `at_s`."""
    return month_starts(month_starts(at_s, months=1)[0] + 32 * 86_400, months=1)[0]
