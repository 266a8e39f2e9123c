"""An answer of /v1/usage → Snapshot: tolerant, so that one odd field never costs the others."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from guard.fields import DATES, FIELDS, OPEN_ROOTS, Kind
from guard.model import Answer, Endpoint, Snapshot
from guard.payload.cleaning import clean
from guard.payload.values import instant, value_of

ELAPSED: Final = "period.elapsed"
"""The one field that is made of an answer's dates."""

MOST_FIELDS: Final = 2_000
"""So many fields of an answer are read at most."""

MOST_LEVELS: Final = 8
"""So many parts a field's name has at most."""

_KNOWN: Final = frozenset((*OPEN_ROOTS, *DATES))
_USUAL_NAME: Final = 64  # characters; a longer one is not kept

STRANGERS: Final = frozenset(
    name for name, field in FIELDS.items() if field.endpoint is not Endpoint.USAGE or field.kind is Kind.PERIOD
)
"""Names of ours, or of other endpoints: what /v1/usage itself might say under them would be a stranger."""


def snapshot(answer: Answer, *, account: str, at: datetime) -> Snapshot:
    """What a usage answer says that a rule can read, taken at `at` (aware UTC).

    Nested objects become dotted names, and names that `guard.fields` does not list are kept. Lists, booleans and null
    are no fields, and a listed field is absent where its value makes no sense: where a count is negative or no number.
    A limit of zero, null, a wrong type or a billion means that no limit is known: it is absent, and so is what remains
    of the phone numbers then. Never raises.
    """
    values = _fields(answer.payload)
    if "numbers.limit" not in values and says_limit(answer.payload):
        values.pop("numbers.remaining", None)  # what remains of no limit means nothing
    start_at, end_at = instant(values.get("periodStart")), instant(values.get("periodEnd"))
    for name in STRANGERS & values.keys():
        del values[name]
    elapsed = share_of_period(start_at, end_at, at=at)
    if elapsed is not None:
        values[ELAPSED] = elapsed
    generated_at = instant(values.get("reportGeneratedAt"))
    answered_at = answer.server_at or at  # the server's own clock where known, so that a wrong clock here ages nothing
    age = max(timedelta(), answered_at - generated_at) if generated_at is not None else timedelta()
    return Snapshot(account=account, at=at, values=values, age=age, period_start_at=start_at)


def share_of_period(start_at: datetime | None, end_at: datetime | None, *, at: datetime) -> float | None:
    """How much of the reporting period has passed; None where there is no such period."""
    if start_at is None or end_at is None or start_at >= end_at:
        return None
    return min(1.0, max(0.0, (at - start_at) / (end_at - start_at)))


def says_limit(payload: Mapping[str, object]) -> bool:
    """Whether the answer says anything at all about a limit of phone numbers."""
    numbers = payload.get("numbers")
    return isinstance(numbers, Mapping) and "limit" in numbers


def _fields(payload: Mapping[str, object]) -> dict[str, float | str]:
    """Every field that can be read, those of the reference first, so that no flood of others crowds them out."""
    fields: dict[str, float | str] = {}
    ordered = sorted(payload, key=_KNOWN.__contains__, reverse=True)
    _read({name: payload[name] for name in ordered}, prefix="", levels=MOST_LEVELS, into=fields)
    return fields


def _read(tree: Mapping[str, object], *, prefix: str, levels: int, into: dict[str, float | str]) -> None:
    """Adds what a tree holds under dotted names; a name that is not clean or has its own dot could pose as another."""
    for part, raw in tree.items():
        if not (is_name(part) if len(part) <= _USUAL_NAME else is_name.__wrapped__(part)):
            continue
        if isinstance(raw, dict):
            if levels > 1:
                _read(raw, prefix=f"{prefix}{part}.", levels=levels - 1, into=into)
            continue
        value = value_of(prefix + part, raw)
        if value is not None and len(into) < MOST_FIELDS:
            into[prefix + part] = value


@lru_cache(maxsize=4_096)
def is_name(part: str) -> bool:
    """Whether an object's key can be a part of a field's name; the same keys come with each answer."""
    return bool(part) and "." not in part and part == clean(part)
