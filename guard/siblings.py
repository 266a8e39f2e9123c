"""The sibling endpoints of one account: which its rules need, when each is asked, and what it said last."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import Final

from guard.agentphone import UsageClient
from guard.config import AccountConfig
from guard.fields import FIELDS, LISTINGS
from guard.logs import log
from guard.model import Answer, Endpoint, Failure, Snapshot
from guard.payload import Part, Picking, joined, part
from guard.rules.history import SLOW_EVERY, History, needs
from guard.rules.rule import Rule
from guard.store import Poll, Unit, View

RETRY: Final = timedelta(minutes=1)
"""How long a sibling that failed is left alone."""

_LATENESS: Final = timedelta(seconds=10)  # of a cycle: it must not put what is due off until the next one


def needed(rules: Iterable[Rule]) -> frozenset[Endpoint]:
    """The siblings that rules read: in what decides, in their texts, and for the subjects that there are."""
    rules = tuple(rules)
    names = frozenset[str]().union(*(rule.reads | rule.summary.reads | rule.description.reads for rule in rules))
    return _endpoints_of(names) | {LISTINGS[rule.each] for rule in rules if rule.each is not None}


def _endpoints_of(names: Iterable[str]) -> frozenset[Endpoint]:
    return frozenset(FIELDS[name].endpoint for name in names if name in FIELDS) - {Endpoint.USAGE}


def is_due(poll: Poll | None, said: Part | None, *, at: datetime, late: timedelta = timedelta()) -> bool:
    """Whether a sibling's time has come, its day or month is over, or the clock went back behind its last poll.

    `said` is what it answered last, `late` how late a cycle may come without putting it off until the next one.
    """
    if poll is None or at < poll.at:
        return True
    if isinstance(poll.outcome, Failure):
        return at - poll.at + late >= max(RETRY, poll.outcome.retry_after or RETRY)
    is_over = said is not None and said.until_at is not None and at >= said.until_at
    return is_over or at - poll.at + late >= SLOW_EVERY


@dataclass(slots=True)
class Siblings:
    """Asks the siblings that an account's rules need, and joins what they said last to its snapshots.

    A sibling that fails costs only itself: it is logged, and what it said before holds until it is older than the
    account's `stale_after`.
    """

    config: AccountConfig
    client: UsageClient
    needed: frozenset[Endpoint] = field(init=False)
    _polls: dict[Endpoint, Poll] = field(init=False, default_factory=dict)  # the last of each, good or failed
    _parts: dict[Endpoint, Part] = field(init=False, default_factory=dict)  # of the last good answers
    _unwritten: dict[Endpoint, Poll] = field(init=False, default_factory=dict)
    _is_recalled: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Knows nothing yet."""
        self.needed = needed(self.config.rules)

    def recall(self, unit: Unit) -> None:
        """Reads, the first time, what each said last, so that none is asked sooner for a restart."""
        if self._is_recalled:
            return
        for endpoint in self.needed:
            for poll in unit.polls(self.config.name, count=1, endpoint=endpoint):
                self._polls[endpoint] = poll
            for at, answer in unit.recent_answers(self.config.name, count=1, endpoint=endpoint):
                self._parts[endpoint] = part(endpoint, answer, at=at)
        self._is_recalled = True

    async def ask(self, *, at: datetime) -> None:
        """Asks those that are due, all at once. Their polls are of the instant `at`, as that of /v1/usage before."""
        due = [endpoint for endpoint in self.needed if self._is_due(endpoint, at)]
        for poll in await asyncio.gather(*(self._poll(endpoint, at) for endpoint in due)):
            self._note(poll)

    def joined(self, usage: Snapshot) -> Snapshot:
        """The snapshot with what they said last."""
        return joined(usage, self._parts.values(), stale_after=self.config.stale_after)

    def write(self, unit: Unit) -> None:
        """Records the polls that are in no committed transaction yet; of each sibling the last one."""
        for poll in self._unwritten.values():
            unit.record_poll(poll)

    def written(self) -> None:
        """What was recorded is committed."""
        self._unwritten.clear()

    def _is_due(self, endpoint: Endpoint, at: datetime) -> bool:
        poll, said = self._polls.get(endpoint), self._parts.get(endpoint)
        return is_due(poll, said, at=at, late=min(_LATENESS, self.config.every / 2))

    async def _poll(self, endpoint: Endpoint, at: datetime) -> Poll:
        outcome = await self.client.sibling(endpoint, now=at, sub_id=self.config.sub_id)
        return Poll(self.config.name, at, outcome, endpoint)

    def _note(self, poll: Poll) -> None:
        before, endpoint, outcome = self._polls.get(poll.endpoint), poll.endpoint, poll.outcome
        if isinstance(outcome, Failure):
            log.warning("sibling.failed", outcome.text, account=poll.account, endpoint=endpoint, kind=outcome.kind)
        else:
            self._parts[endpoint] = part(endpoint, outcome, at=poll.at)
            if before is not None and isinstance(before.outcome, Failure):
                log.info("sibling.recovered", "it answers again", account=poll.account, endpoint=endpoint)
        self._polls[endpoint] = self._unwritten[endpoint] = poll


def past(unit: View, config: AccountConfig, *, until: datetime, every: timedelta | None = None) -> History:
    """The windows that an account's rules look back on at an instant, filled with the answers that are stored.

    `every` is how far apart those are, where that is not as the configuration says.
    """
    history = History(needs(config.rules))
    spans = history.spans(every=every or config.every)
    if spans:
        for seen in snapshots(unit, config, since={each: until - span for each, span in spans.items()}):
            history.add(seen)
    return history


def snapshots(unit: View, config: AccountConfig, *, since: Mapping[Endpoint, datetime]) -> Iterator[Snapshot]:
    """What an account's rules look back on, since these instants, oldest first; it is read as it is asked for.

    Each has the fields that rules look back on, and not always others: those of /v1/usage, and those of the siblings
    among the endpoints that they said at that very instant. Raises ValueError where there is no endpoint at all.
    """
    names = frozenset[str]().union(*(rule.looks_back for rule in config.rules))
    picking = Picking(names)
    siblings = [each for each in since if each is not Endpoint.USAGE]
    said = merge(*(_parts(unit, config.name, each, names, since[each]) for each in siblings), key=attrgetter("at"))
    following = next(said, None)
    for at, answer, age in _good(unit, config.name, Endpoint.USAGE, min(since.values())):
        fresh = list[Part]()
        while following is not None and following.at <= at:
            fresh += [following] if following.at == at else []
            following = next(said, None)
        usage = picking.snapshot(answer, account=config.name, at=at, age=age)
        yield joined(usage, fresh, stale_after=config.stale_after) if fresh else usage


def _parts(unit: View, account: str, endpoint: Endpoint, names: frozenset[str], since: datetime) -> Iterator[Part]:
    for at, answer, _ in _good(unit, account, endpoint, since):
        yield part(endpoint, answer, at=at, names=names)


def _good(
    unit: View, account: str, endpoint: Endpoint, since: datetime
) -> Iterator[tuple[datetime, Answer, timedelta]]:
    for poll in unit.recorded(account, since=since, endpoint=endpoint):
        if isinstance(poll.outcome, Answer):
            yield poll.at, poll.outcome, poll.age
