"""A few fields of an answer of /v1/usage, as `snapshot` gives them and for less: a year has half a million answers."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from guard.fields import Kind, field_named
from guard.model import Answer, Snapshot
from guard.payload.usage import (
    ELAPSED,
    MOST_FIELDS,
    MOST_LEVELS,
    STRANGERS,
    is_name,
    says_limit,
    share_of_period,
    snapshot,
)
from guard.payload.values import instant, value_of

_REMAINING: Final = "numbers.remaining"
_LIMIT: Final = "numbers.limit"
_FEW: Final = MOST_FIELDS * len('"a":1,')  # characters; a shorter text cannot hold so many fields that one is left out
_PLAIN: Final = 10**8  # below it a count makes sense as what it is, whatever the field

_Leaf = tuple[str, str, int]
"""The last part of a name, the name, and from which integer on a value makes sense at once."""


class Picking:
    """Reads the fields of some names out of usage answers; made once, for many answers."""

    def __init__(self, names: Iterable[str]) -> None:
        """Takes the dotted names; one that no usage answer can say is never there."""
        wanted = set(names)
        self._reads_elapsed = ELAPSED in wanted
        if _REMAINING in wanted:
            wanted.add(_LIMIT)  # without which it means nothing
        trees: dict[tuple[str, ...], list[_Leaf]] = {}
        for name in sorted(wanted - STRANGERS):
            *path, leaf = name.split(".")
            if len(path) < MOST_LEVELS and all(map(is_name, (*path, leaf))):
                trees.setdefault(tuple(path), []).append((leaf, name, _least(name)))
        self._trees = list(trees.items())

    def snapshot(self, answer: Answer, *, account: str, at: datetime, age: timedelta) -> Snapshot:
        """What `snapshot` makes of the answer, with the fields of these names at least, and of that age."""
        payload = answer.payload
        if len(answer.text) >= _FEW:
            whole = snapshot(answer, account=account, at=at)
            return Snapshot(account, at, whole.values, age, whole.period_start_at)
        values = self._values(payload)
        if _LIMIT not in values and _REMAINING in values and says_limit(payload):
            del values[_REMAINING]
        start_at = _instant(payload.get("periodStart"))
        if self._reads_elapsed:
            elapsed = share_of_period(start_at, _instant(payload.get("periodEnd")), at=at)
            if elapsed is not None:
                values[ELAPSED] = elapsed
        return Snapshot(account, at, values, age, start_at)

    def _values(self, payload: Mapping[str, object]) -> dict[str, float | str]:
        values: dict[str, float | str] = {}
        for path, leaves in self._trees:
            tree = _inner(payload, path)
            for part, name, least in leaves:
                raw = tree.get(part)
                if type(raw) is int and least <= raw < _PLAIN:
                    values[name] = float(raw)
                elif (value := value_of(name, raw)) is not None:
                    values[name] = value
        return values


def _inner(payload: Mapping[str, object], path: Iterable[str]) -> Mapping[str, object]:
    """The object under a path; an empty one where there is none."""
    for part in path:
        inner = payload.get(part)
        if not isinstance(inner, dict):
            return {}
        payload = inner
    return payload


def _least(name: str) -> int:
    """The least integer that makes sense for a field; a text has none, so it gets one that is never below _PLAIN."""
    field = field_named(name)
    if field is None:
        return -_PLAIN
    return {Kind.LIMIT: 1, Kind.TEXT: _PLAIN}.get(field.kind, 0)


def _instant(raw: object) -> datetime | None:
    return _read_instant(raw) if isinstance(raw, str) else None


@lru_cache(maxsize=256)
def _read_instant(raw: str) -> datetime | None:
    """One of a period: the same comes with each answer of a month."""
    return instant(value_of("periodStart", raw))
