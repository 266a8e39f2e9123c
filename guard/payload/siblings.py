"""An answer of a sibling endpoint → Part, and the newest parts joined to a Snapshot."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from guard.fields import NO_AGENTS
from guard.model import Answer, Each, Endpoint, Fields, Snapshot
from guard.payload.cleaning import clean
from guard.payload.daily import daily
from guard.payload.months import has_just_begun, midnight, next_month
from guard.payload.values import count_of, value_of

MOST_SUBJECTS: Final = 10_000
"""So many numbers, or agents, are told apart; no more of a listing are read."""

_MOST_APART: Final = timedelta(days=1)
_NUMBER: Final = ("phoneNumber", "country", "status", "agentId", "agentName", "messages", "calls")
_AGENT: Final = ("agentName", "messages", "calls", "totalSeconds")
_SUMS: Final = ("messages", "calls", "totalSeconds")
_STATS: Final = ("failed", "total")

Names = Collection[str] | None
Row = Mapping[str, object]
Subjects = Mapping[Each, Mapping[str, Fields]]


@dataclass(frozen=True, slots=True)
class Part:
    """What one answer of a sibling endpoint says that a rule can read; `subjects` as in a Snapshot."""

    endpoint: Endpoint
    at: datetime  # when it was answered
    values: Fields
    subjects: Subjects = field(default_factory=dict)
    until_at: datetime | None = None  # from then on it speaks of a day, or a month, that is over; None: never

    def holds(self, at: datetime, *, stale_after: timedelta) -> bool:
        """Whether it still says something about that instant."""
        return at - self.at <= stale_after and (self.until_at is None or at < self.until_at)


def part(endpoint: Endpoint, answer: Answer, *, at: datetime, names: Names = None) -> Part:
    """What a sibling's answer says, given at `at` (aware UTC); `endpoint` is any but USAGE.

    Where there are `names`, a subject's fields of other names may be absent, which is worth it for many answers.

    An odd value costs its field, an odd row itself, and of two rows for one day or subject the second; what is no list
    of rows, or an empty one, says nothing at all: it shows no subject, rather than that there is none. Only agents,
    who are counted by the month, may be none. Of the present day and month is what the server's own clock says, where
    the answer names it. Never raises.
    """
    now = _provider_now(answer, at)
    values, subjects = _READERS[endpoint](answer.payload, now, names)
    ends_at = _ENDS.get(endpoint)
    return Part(endpoint, at, values, subjects, at + (ends_at(now) - now) if ends_at else None)


def joined(usage: Snapshot, parts: Iterable[Part], *, stale_after: timedelta) -> Snapshot:
    """The snapshot with all that the parts say and that still holds; `parts` has one for each endpoint at most.

    A part is fresh if it is of the snapshot's own instant.
    """
    values, subjects, fresh = dict(usage.values), dict(usage.subjects), set(usage.fresh)
    for each in parts:
        if each.holds(usage.at, stale_after=stale_after):
            values.update(each.values)
            subjects.update(each.subjects)
            fresh.update({each.endpoint} if each.at == usage.at else ())
    return replace(usage, values=values, subjects=subjects, fresh=frozenset(fresh))


def _provider_now(answer: Answer, at: datetime) -> datetime:
    """The server's own clock, unless that is further from ours than any clock that somebody looks after."""
    server_at = answer.server_at
    return server_at if server_at is not None and abs(server_at - at) <= _MOST_APART else at


def _days(payload: Mapping[str, object], now: datetime, _names: Names) -> tuple[Fields, Subjects]:
    return daily(_rows(payload), now=now), {}


def _numbers(payload: Mapping[str, object], _now: datetime, names: Names) -> tuple[Fields, Subjects]:
    return {}, _subjects(Each.NUMBER, dict(_identified(_rows(payload), "numberId")), _NUMBER, names)


def _agents(payload: Mapping[str, object], now: datetime, names: Names) -> tuple[Fields, Subjects]:
    """The agents, and the sums over them and over the numbers that have none, whose row names no agent.

    Without any row nobody has done anything yet in this month. On its first day that is a sum of 0; later it might as
    well be a slip of the server, so nothing is said then but that there are none.
    """
    if payload.get("data") == []:
        sums = dict.fromkeys((f"agents.{name}" for name in _SUMS), 0.0) if has_just_begun(now) else {}
        return {NO_AGENTS: 0.0, **sums}, {Each.AGENT: {}}
    rows = list(_rows(payload))
    by_id = dict(_identified(rows, "agentId"))
    counted = [*by_id.values(), *(row for row in rows if row.get("agentId") is None)]
    counts = [_counts(row, "agents", _SUMS) for row in counted]
    sums = {name: sum(each.get(name, 0.0) for each in counts) for name in {name for each in counts for name in each}}
    return sums, _subjects(Each.AGENT, by_id, _AGENT, names)


def _webhooks(payload: Mapping[str, object], _now: datetime, _names: Names) -> tuple[Fields, Subjects]:
    return _counts(payload, "webhooks", _STATS), {}


def _rows(payload: Mapping[str, object]) -> Iterator[Row]:
    data = payload.get("data")
    return (row for row in data if isinstance(row, Mapping)) if isinstance(data, list) else iter(())


def _identified(rows: Iterable[Row], name: str) -> Iterator[tuple[str, Row]]:
    """Each row with an id, the first of those that share one, under its clean id; at most MOST_SUBJECTS."""
    seen: set[str] = set()
    for row in rows:
        raw = row.get(name)
        subject = clean(raw) if isinstance(raw, str) else ""
        if subject and subject not in seen and len(seen) < MOST_SUBJECTS:
            seen.add(subject)
            yield subject, row


def _subjects(each: Each, rows: Mapping[str, Row], parts: Iterable[str], names: Names) -> Subjects:
    """What the rows say under the fields' names, or some of them; no entry at all where there is no row."""
    named = [(part, f"{each}.{part}") for part in parts if names is None or f"{each}.{part}" in names]
    found = {
        subject: {name: value for part, name in named if (value := value_of(name, row.get(part))) not in {None, ""}}
        for subject, row in rows.items()
    }
    return {each: found} if found else {}


def _counts(row: Row, root: str, names: Iterable[str]) -> dict[str, float]:
    """What a row says under the names of a root's fields; those that make no sense are absent."""
    counts = {f"{root}.{name}": count_of(f"{root}.{name}", row.get(name)) for name in names}
    return {name: count for name, count in counts.items() if count is not None}


_READERS: Final[Mapping[Endpoint, Callable[[Mapping[str, object], datetime, Names], tuple[Fields, Subjects]]]] = {
    Endpoint.DAILY: _days,
    Endpoint.BY_NUMBER: _numbers,
    Endpoint.BY_AGENT: _agents,
    Endpoint.WEBHOOKS: _webhooks,
}
_ENDS: Final[Mapping[Endpoint, Callable[[datetime], datetime]]] = {
    Endpoint.DAILY: lambda now: midnight(now) + timedelta(days=1),
    Endpoint.BY_AGENT: next_month,
}
