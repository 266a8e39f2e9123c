"""Where days and months of UTC begin."""

from datetime import datetime, timedelta


def midnight(at: datetime) -> datetime:
    """The first instant of its day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def month_start(at: datetime) -> datetime:
    """The first instant of its month."""
    return midnight(at).replace(day=1)


def has_just_begun(at: datetime) -> bool:
    """Whether it is the first day of its month, in which nobody may have done anything yet."""
    return at - month_start(at) < timedelta(days=1)


def next_month(at: datetime) -> datetime:
    """The first instant of the month after its own.

    >>> next_month(datetime(2026, 12, 31, 23)).isoformat()
    '2027-01-01T00:00:00'
    """
    start = month_start(at)
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
