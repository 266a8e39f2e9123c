"""A value's last day as one line; pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from guard.message.blocks import line_of

_PAST: Final = timedelta(hours=24)
_PARTS: Final = 24  # of that time, one block each


def drawn(points: Iterable[tuple[datetime, float]], *, now: datetime) -> str:
    """One block for each hour of the day up to `now`, by the hour's last value; `·` where there is none.

    The lowest block is the lowest value of the day, the highest the highest. Points are in the order of their time and
    finite; those of another time are left out. Empty where fewer than two hours have a value: a line says how it moved.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    >>> drawn(((now - timedelta(hours=23 - hour), hour % 12) for hour in range(4, 24)), now=now)
    '····▄▄▅▅▆▇▇█▁▂▂▃▄▄▅▅▆▇▇█'
    """
    last: dict[int, float] = {}
    for at, value in points:
        if timedelta() <= (ago := now - at) < _PAST:
            last[_PARTS - 1 - int(ago * _PARTS / _PAST)] = value
    if len(last) < 2:  # noqa: PLR2004 - see above
        return ""
    low, high = min(last.values()), max(last.values())
    return line_of([last.get(part) for part in range(_PARTS)], low=low, high=high)
