"""Durations, numbers and instants: read from rule files, and written for people and for machines."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd])")  # nine digits of days are all that a timedelta holds
_PARTS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_EXACT: Final = 1e15  # above it a float no longer tells one integer from the next
_WHOLE_FROM: Final = 100  # below it a fraction may matter, as in a mean of calls
_MEASURES: Final = frozenset({"count", "share", "seconds", "duration", "dollars"})  # any other unit is a noun
_LONGEST_S: Final = timedelta.max.total_seconds()  # of all that can be written as a duration

NEVER_S: Final = 1e15
"""The seconds until what does not come: a number, so that it can be compared; longer than any duration."""


def parse_duration(text: str) -> timedelta:
    """Reads `90s`, `15m`, `36h` or `7d`.

    Raises ValueError for anything else, with a text that says what is expected.

    >>> parse_duration("90m")
    datetime.timedelta(seconds=5400)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def duration_text(duration: timedelta) -> str:
    """Writes a duration for people, with its two largest parts; below a second it is `0 s`.

    >>> duration_text(timedelta(minutes=90))
    '1 h 30 min'
    """
    left = max(0, round(duration.total_seconds()))
    for (size, word), (next_size, next_word) in pairwise(_PARTS):
        if left >= size:
            rest = left % size // next_size
            return f"{left // size} {word}" + (f" {rest} {next_word}" if rest else "")
    return f"{left} s"


def number_text(value: float) -> str:
    """Writes a number for people: thousands set apart by commas, at most three significant digits behind the point.

    >>> number_text(1200), number_text(0.12345)
    ('1,200', '0.123')
    """
    if value == int(value) and abs(value) < _EXACT:
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}"


def count_text(value: float) -> str:
    """Writes what is counted: from 100 up without a fraction, which only an estimate has.

    >>> count_text(18429.25), count_text(2.5)
    ('18,429', '2.50')
    """
    return number_text(round(value)) if abs(value) >= _WHOLE_FROM else number_text(value)


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "rule"), counted(3000, "rule")
    ('1 rule', '3,000 rules')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def share_text(share: float) -> str:
    """Writes a share (0 to 1) as percent.

    >>> share_text(0.0573)
    '5.7 %'
    """
    return f"{share * 100:,.1f}".removesuffix(".0") + " %"


def value_text(value: float, unit: str = "") -> str:
    """Writes a value in its unit: `share`, `seconds`, `duration`, `dollars`, `count` (or none), or a noun to append.

    As a duration, what is longer than all durations is `never`.

    >>> value_text(0.2, "share"), value_text(12.5, "dollars"), value_text(3, "numbers"), value_text(90, "seconds")
    ('20 %', '$12.50', '3 numbers', '1 min 30 s')
    """
    match unit:
        case "share":
            return share_text(value)
        case "seconds" | "duration" if value > _LONGEST_S:
            return "never"
        case "seconds" | "duration":
            return duration_text(timedelta(seconds=min(max(value, 0), 1e10)))
        case "dollars":
            return f"-${-value:,.2f}" if value < 0 else f"${value:,.2f}"
        case "" | "count":
            return count_text(value)
        case noun:
            return f"{count_text(value)} {noun}"


def without_noun(unit: str) -> str:
    """The unit of a number that stands beside another one in the same unit, so that a noun is written once.

    >>> without_noun("numbers"), without_noun("share")
    ('', 'share')
    """
    return unit if unit in _MEASURES else ""


def instant_text(at: datetime, tz: tzinfo | None = UTC) -> str:
    """Writes an instant in a zone, to the minute: `2026-11-23 14:05 UTC`; None is this machine's zone."""
    return f"{at.astimezone(tz):%Y-%m-%d %H:%M %Z}"


def exact_instant_text(at: datetime, tz: tzinfo = UTC) -> str:
    """The same to the second: `2026-11-23 14:05:59 UTC`."""
    return f"{at.astimezone(tz):%Y-%m-%d %H:%M:%S %Z}"


def iso(at: datetime | None) -> str | None:
    """Writes an instant as JSON has it, ISO 8601 in UTC; None stays None.

    >>> iso(datetime(2026, 11, 23, 14, 5, 59, tzinfo=UTC))
    '2026-11-23T14:05:59Z'
    """
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
