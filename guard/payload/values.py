"""What one value of an answer says: a finite number, a clean text or an instant, or nothing that makes sense."""

import math
from datetime import UTC, datetime
from typing import Final

from guard.fields import Kind, field_named
from guard.payload.cleaning import clean

_UNLIMITED: Final = 999_999_999  # from here on a "limit" is a way to say that there is none; no plan sells a billion
_EXACT: Final = 1e15  # above it a float no longer tells one count from the next, and sums leave its range


def value_of(name: str, raw: object) -> float | str | None:
    """What a field says, a finite number or a clean text; None where that makes no sense for this field."""
    field = field_named(name)
    if isinstance(raw, str):
        return clean(raw) if field is None or field.kind is Kind.TEXT else None
    number = _number(raw)
    if number is None or field is None:
        return number
    return number if _makes_sense(field.kind, number) else None


def count_of(name: str, raw: object) -> float | None:
    """What a field that is summed up says; None where that makes no sense, as with a count beyond 10¹⁵."""
    value = value_of(name, raw)
    return value if isinstance(value, float) and value <= _EXACT else None


def _number(raw: object) -> float | None:
    if not isinstance(raw, int | float) or isinstance(raw, bool):
        return None
    try:
        number = float(raw)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _makes_sense(kind: Kind, number: float) -> bool:
    """Whether a field may have this number: a count is one from zero, a limit one from above zero, a text none."""
    if kind is Kind.LIMIT:
        return 0 < number < _UNLIMITED
    return kind is not Kind.TEXT and number >= 0


def instant(value: float | str | None) -> datetime | None:
    """An ISO 8601 instant as aware UTC, taken as UTC where it names no zone; None for whatever else it is."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
