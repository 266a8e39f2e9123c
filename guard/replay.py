"""Stored or scripted answers through the very decisions of the service: what happens, and what each channel is told."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from guard.config import AccountConfig
from guard.config.watched import watched_on
from guard.lifecycle.asking import in_period, may_ask
from guard.lifecycle.decide import Decision, Memory, Watched, decide
from guard.lifecycle.desired import gap
from guard.lifecycle.step import is_at_rest
from guard.model import (
    Account,
    Alert,
    AlertKey,
    Answer,
    Endpoint,
    Failure,
    Incident,
    Notification,
    Occasion,
    Snapshot,
    Telling,
)
from guard.payload import Part, joined, part, snapshot
from guard.rules.evaluate import Facts
from guard.rules.history import History, needs
from guard.rules.quiet import is_quiet
from guard.rules.rule import Rule
from guard.store import Poll

_LONGEST_WAIT: Final = 1.0
"""The share of the backoff's random half: always the same, so that a replay is."""

Seen = Snapshot | Failure


@dataclass(frozen=True, slots=True)
class Told:
    """A message about one alert that a channel which accepts everything at once would have been given."""

    at: datetime
    channel: str
    recipient: str  # empty where the channel has only one
    telling: Telling


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle saw, and what came of it; `seen` is None where the account was left alone."""

    at: datetime
    seen: Seen | None
    decision: Decision
    told: tuple[Told, ...] = ()


@dataclass(slots=True)
class Replay:
    """The cycles of one account in memory, one after another, each at the time that it is given.

    It decides as the service does, with rules that nobody edits meanwhile and channels that accept every message at
    once. The same answers at the same times give the same decisions.
    """

    config: AccountConfig
    _watched: Watched = field(init=False)
    _asleep: Watched = field(init=False)  # the same without rules
    _sleepers: tuple["_Sleeper", ...] = field(init=False)
    _memory: Memory = field(init=False)
    _notifications: dict[tuple[AlertKey, str, str], Notification] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Begins with an account of which nothing is known."""
        self._watched = watched_on(self.config, every=self.config.every)
        self._asleep = replace(self._watched, rules=())
        self._sleepers = tuple(_Sleeper(rule, AlertKey(self.config.name, rule.name)) for rule in self.config.rules)
        self._memory = Memory(
            Account(self.config.name), notifications=self._stored, history=History(needs(self.config.rules))
        )

    @property
    def account(self) -> Account:
        """How the asking goes."""
        return self._memory.account

    @property
    def history(self) -> History:
        """The windows that the rules look back on, up to the last snapshot."""
        return self._memory.history

    @property
    def looks_back(self) -> timedelta:
        """How much older answers `remember` wants; zero if no rule looks back."""
        return self.history.span(every=self.config.every)

    def remember(self, snapshot: Snapshot) -> None:
        """Takes an answer from before the first cycle, on which rules look back; nothing is decided by it."""
        self.history.add(snapshot)

    def facts(self, snapshot: Snapshot) -> Facts:
        """What rules see of the last snapshot."""
        watched = self._watched
        return Facts.of(
            in_period(self.account, snapshot),
            budgets=watched.budgets,
            windows=self.history.windows(every=watched.every, tz=watched.tz),
        )

    def may_ask(self, now: datetime) -> bool:
        """Whether the service would ask now, as far as the last failure lets it."""
        return may_ask(self.account, now=now)

    def cycle(self, seen: Seen | None, *, now: datetime) -> Cycle:
        """Decides one cycle; `seen` is None where the account is not asked."""
        watched = self._watched
        if isinstance(seen, Snapshot):
            self.history.add(seen)
            watched = self._awake(seen)
        decision = decide(watched, self._memory, seen, now=now, jitter=_LONGEST_WAIT)
        self._memory = self._memory.after(decision)
        if not decision.notifications:
            return Cycle(now, seen, decision)
        return Cycle(now, seen, decision, tuple(self._accepted(decision, now=now)))

    def _awake(self, seen: Snapshot) -> Watched:
        """What is watched, less the rules that are at rest and stay so, which is nearly all of them nearly always.

        To decide on those would change nothing; a year has half a million cycles.
        """
        if seen.period_start_at != self.account.period_start_at:
            return self._watched
        facts, alerts = self.facts(seen), self._memory.alerts
        rules = [each.rule for each in self._sleepers if not each.sleeps(alerts.get(each.key), facts)]
        return replace(self._watched, rules=rules) if rules else self._asleep

    def _stored(self) -> Iterable[Notification]:
        return self._notifications.values()

    def _accepted(self, decision: Decision, *, now: datetime) -> Iterator[Told]:
        """What is told, and noted as told at once."""
        incidents = {incident.id: incident for incident in decision.incidents}
        for wish in decision.notifications:
            occasion = gap(wish.desired, wish.notified)
            if occasion is not None:
                yield Told(now, wish.channel, wish.recipient, self._telling(wish, occasion, incidents))
            known = replace(wish, notified=wish.desired, notified_at=now)
            self._notifications[wish.key, wish.channel, wish.recipient] = known

    def _telling(self, wish: Notification, occasion: Occasion, incidents: dict[str, Incident]) -> Telling:
        alert, desired = self._memory.alerts[wish.key], wish.desired
        assert desired is not None  # noqa: S101 - there is an occasion
        incident = incidents.get(desired.incident_id) or alert.incident
        assert incident is not None  # noqa: S101 - one that did not change in this cycle is the open one
        return Telling(occasion, alert, incident, desired, wish.notified)


@dataclass(slots=True)
class _Sleeper:
    """A rule that may be left alone while nothing happens to it."""

    rule: Rule
    key: AlertKey
    _names: tuple[str, ...] = ()  # of all that decides, where that is the snapshot alone
    _last: tuple[float | str | None, ...] | None = None  # what they were when it was seen asleep

    def __post_init__(self) -> None:
        if not self.rule.looks_back:
            self._names = tuple(self.rule.reads)

    def sleeps(self, alert: Alert | None, facts: Facts) -> bool:
        """Whether its alert is at rest and stays so."""
        if self.rule.each is not None or not (alert is None or is_at_rest(alert)):
            return False
        now = tuple(map(facts.values.get, self._names))
        if now and now == self._last:
            return True
        if not is_quiet(self.rule, facts):
            return False
        self._last = now
        return True


def recorded(
    config: AccountConfig, usage: Iterable[Poll], siblings: Iterable[Poll] = ()
) -> Iterator[tuple[datetime, Seen]]:
    """What the service made of the polls that it recorded: those of /v1/usage, and of all siblings, by their time."""
    parts: dict[Endpoint, Part] = {}
    said = iter(siblings)
    following = next(said, None)
    for poll in usage:
        while following is not None and following.at <= poll.at:
            if isinstance(following.outcome, Answer):
                parts[following.endpoint] = part(following.endpoint, following.outcome, at=following.at)
            following = next(said, None)
        yield poll.at, _seen(config, poll, parts)


def _seen(config: AccountConfig, poll: Poll, parts: Mapping[Endpoint, Part]) -> Seen:
    if isinstance(poll.outcome, Failure):
        return poll.outcome
    # An equal answer is stored once, with another poll's Date; the age was measured when it came.
    usage = replace(snapshot(poll.outcome, account=poll.account, at=poll.at), age=poll.age)
    return joined(usage, parts.values(), stale_after=config.stale_after) if parts else usage


def replayed(replay: Replay, seen: Iterable[tuple[datetime, Seen]]) -> Iterator[Cycle]:
    """The cycles of an account whose polls were recorded, in order of time.

    Where a failure made the service leave the account alone, no poll was recorded of the cycles in between. They are
    those of the account's own rhythm, as it was before it failed.
    """
    ticks_at: datetime | None = None  # an instant of the rhythm: of the last poll that was no second try
    for at, what in seen:
        if ticks_at is not None:
            yield from _left_alone(replay, ticks_at, until=at)
        if not replay.account.failures:
            ticks_at = at
        yield replay.cycle(what, now=at)


def _left_alone(replay: Replay, ticks_at: datetime, *, until: datetime) -> Iterator[Cycle]:
    """The cycles up to an instant in which the account was not asked, since it was to be left alone."""
    every, ask_at, last_at = replay.config.every, replay.account.ask_at, replay.account.cycled_at
    if ask_at is None or last_at is None:
        return
    tick = ticks_at + ((last_at - ticks_at) // every + 1) * every
    while tick < min(ask_at, until):
        yield replay.cycle(None, now=tick)
        tick += every
