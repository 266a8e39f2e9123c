"""A usage answer's JSON → Snapshot: tolerant, so that one odd field never costs the others."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from guard.fields import DATES, OPEN_ROOTS, Kind, field_named
from guard.model import Answer, Snapshot

_KNOWN: Final = frozenset((*OPEN_ROOTS, *DATES))
_MOST_FIELDS: Final = 2_000
_MOST_LEVELS: Final = 8
_LONGEST: Final = 200

_UNLIMITED: Final = 999_999_999  # from here on a "limit" is a way to say that there is none; no plan sells a billion

# Escape sequences of terminals (ECMA-48): CSI, then OSC up to its terminator, then the two-letter ones. Each repeated
# class excludes what may follow it, so that no text makes the search slow.
_ANSI: Final = re.compile("(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?")
# What shows nothing and changes what is shown: control characters other than white space, soft hyphen, marks,
# embeddings, overrides and isolates of the bidirectional algorithm, invisible operators, the byte-order mark, lone
# surrogates, tags. The joiners U+200C and U+200D stay: Persian and emoji need them.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: str, *, at_most: int = _LONGEST) -> str:
    r"""One line of text from outside, fit to be kept and shown; cut with an ellipsis beyond `at_most` characters.

    Escape sequences, control characters, bidirectional controls and lone surrogates are gone; every run of white
    space, line breaks included, is one space. Markup is left alone: each channel escapes what it must.

    >>> clean("Support\n\x1b[31mTeam\u202e")
    'Support Team'
    """
    if len(text) <= at_most and _is_plain(text):
        return text
    line = " ".join(_UNSEEN.sub("", _ANSI.sub("", text)).split())
    return line if len(line) <= at_most else line[: at_most - 1] + "…"


def _is_plain(text: str) -> bool:
    """Whether there is surely nothing to clean, as in nearly every text; a shortcut around the slow way to the same."""
    return text.isascii() and text.isprintable() and "  " not in text and text == text.strip()


def snapshot(answer: Answer, *, account: str, at: datetime) -> Snapshot:
    """What a usage answer says that a rule can read, taken at `at` (aware UTC).

    Nested objects become dotted names, and names that `guard.fields` does not list are kept. Lists, booleans and null
    are no fields, and a listed field is absent where its value makes no sense: where a count is negative or no number.
    A limit of zero, null, a wrong type or a billion means that no limit is known: it is absent, and so is what remains
    of the phone numbers then. Never raises.
    """
    values = _fields(answer.payload)
    if "numbers.limit" not in values and _says_limit(answer.payload):
        values.pop("numbers.remaining", None)  # what remains of no limit means nothing
    start_at, end_at = _instant(values.get("periodStart")), _instant(values.get("periodEnd"))
    values.pop("period.elapsed", None)  # the name is ours; the API's own would be a stranger under it
    if start_at is not None and end_at is not None and start_at < end_at:
        values["period.elapsed"] = min(1.0, max(0.0, (at - start_at) / (end_at - start_at)))
    generated_at = _instant(values.get("reportGeneratedAt"))
    answered_at = answer.server_at or at  # the server's own clock where known, so that a wrong clock here ages nothing
    age = max(timedelta(), answered_at - generated_at) if generated_at is not None else timedelta()
    return Snapshot(account=account, at=at, values=values, age=age, period_start_at=start_at)


def _fields(payload: Mapping[str, object]) -> dict[str, float | str]:
    """Every field that can be read, those of the reference first, so that no flood of others crowds them out."""
    fields: dict[str, float | str] = {}
    ordered = sorted(payload, key=_KNOWN.__contains__, reverse=True)
    _read({name: payload[name] for name in ordered}, prefix="", levels=_MOST_LEVELS, into=fields)
    return fields


def _read(tree: Mapping[str, object], *, prefix: str, levels: int, into: dict[str, float | str]) -> None:
    """Adds what a tree holds under dotted names; a name that is not clean or has its own dot could pose as another."""
    for part, raw in tree.items():
        if not part or "." in part or part != clean(part):
            continue
        if isinstance(raw, dict):
            if levels > 1:
                _read(raw, prefix=f"{prefix}{part}.", levels=levels - 1, into=into)
            continue
        value = _value(prefix + part, raw)
        if value is not None and len(into) < _MOST_FIELDS:
            into[prefix + part] = value


def _value(name: str, raw: object) -> float | str | None:
    """What a field says, a finite number or a clean text; None where that makes no sense for this field."""
    field = field_named(name)
    if isinstance(raw, str):
        return clean(raw) if field is None or field.kind is Kind.TEXT else None
    number = _number(raw)
    if number is None or field is None:
        return number
    return number if _makes_sense(field.kind, number) else None


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


def _says_limit(payload: Mapping[str, object]) -> bool:
    """Whether the answer says anything at all about a limit of phone numbers."""
    numbers = payload.get("numbers")
    return isinstance(numbers, Mapping) and "limit" in numbers


def _instant(value: float | str | None) -> datetime | None:
    """An ISO 8601 instant as aware UTC, taken as UTC where it names no zone; None for whatever else it is."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
