"""Stored or scripted answers through the very decisions of the service: what happens, and what each channel is told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
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
    Event,
    Failure,
    Incident,
    Notification,
    Occasion,
    Snapshot,
    Telling,
)
from guard.payload import Part, Picking, joined, part
from guard.rules.evaluate import Facts
from guard.rules.names import BUDGETS
from guard.rules.quiet import Quiet
from guard.rules.rule import Rule
from guard.rules.sight import Sight
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
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()  # those that changed
    told: tuple[Told, ...] = ()


@dataclass(slots=True)
class Replay:
    """The cycles of one account in memory, one after another, each at the time that it is given.

    It decides as the service does, with rules that nobody edits meanwhile and channels that accept every message at
    once. The same answers at the same times give the same decisions. A year has half a million cycles, and in nearly
    all of them nothing changes: those are counted, not decided.
    """

    config: AccountConfig
    shared: InitVar[Sight | None] = None  # of `together`
    sight: Sight = field(init=False)
    """What the rules see of the answers up to the last."""
    _watched: Watched = field(init=False)
    _budgets: dict[str, float] = field(init=False)  # by the names that rules read
    _quiet: dict[str, Quiet] = field(init=False)  # by the rule's name
    _resting: list[tuple[str, Quiet]] = field(init=False)  # those whose alerts are at rest
    _account: Account = field(init=False)  # before the calm cycles
    _alerts: Mapping[AlertKey, Alert] = field(init=False, default_factory=dict)
    _notifications: dict[tuple[AlertKey, str, str], Notification] = field(init=False, default_factory=dict)
    _incidents: dict[str, Incident] = field(init=False, default_factory=dict)  # by id: what flaps is told of later
    _restless: frozenset[str] = field(init=False, default=frozenset())  # the names of the others
    _calm: int = field(init=False, default=0)  # cycles in a row in which all stayed as it was
    _calm_at: datetime | None = field(init=False, default=None)  # the last of them
    _ticks_at: datetime | None = field(init=False, default=None)  # an instant of the rhythm in which it is asked

    def __post_init__(self, shared: Sight | None) -> None:
        """Begins with an account of which nothing is known."""
        config = self.config
        self.sight = shared or _sight(config)
        self._watched = watched_on(config, every=config.every)
        self._budgets = {BUDGETS + name: number for name, number in config.budgets.items()}
        self._quiet = {rule.name: self.sight.check(rule, constants=self._budgets) for rule in config.rules}
        self._resting = list(self._quiet.items())
        self._account = Account(config.name)

    @property
    def account(self) -> Account:
        """How the asking goes."""
        if self._calm:
            streak = self._account.good_streak + self._calm
            self._account = replace(self._account, cycled_at=self._calm_at, good_at=self._calm_at, good_streak=streak)
            self._calm = 0
        return self._account

    @property
    def looks_back(self) -> timedelta:
        """How much older answers `remember` wants; zero if no rule looks back."""
        return self.sight.span

    def remember(self, snapshot: Snapshot) -> None:
        """Takes an answer from before the first cycle, on which rules look back; nothing is decided by it."""
        self.sight.add(snapshot)

    def facts(self, snapshot: Snapshot) -> Facts:
        """What rules see of the last snapshot."""
        watched = self._watched
        return Facts.of(in_period(self.account, snapshot), budgets=watched.budgets, windows=self.sight.windows)

    def may_ask(self, now: datetime) -> bool:
        """Whether the service would ask now, as far as the last failure lets it."""
        return may_ask(self.account, now=now)

    def polled(self, seen: Seen, *, at: datetime) -> Sequence[Cycle]:
        """The cycle of a recorded poll, behind those before it in which the account was left alone.

        Where a failure made the service leave the account alone, no poll was recorded of the cycles in between. They
        are those of the account's own rhythm, as it was before it failed.
        """
        if self._ticks_at is None or self._account.ask_at is None:
            self._ticks_at = at
            return (self.cycle(seen, now=at),)
        return (*self._left_alone(self._ticks_at, until=min(self._account.ask_at, at)), self.cycle(seen, now=at))

    def _left_alone(self, ticks_at: datetime, *, until: datetime) -> Iterator[Cycle]:
        """The cycles up to an instant in which the account was not asked; one of its rhythm was at `ticks_at`."""
        every, last_at = self.config.every, self.account.cycled_at
        assert last_at is not None  # noqa: S101 - it failed then
        tick = ticks_at + ((last_at - ticks_at) // every + 1) * every
        while tick < until:
            yield self.cycle(None, now=tick)
            tick += every

    def cycle(self, seen: Seen | None, *, now: datetime) -> Cycle:
        """Decides one cycle; `seen` is None where the account is not asked."""
        rules: Sequence[Rule] = self._watched.rules
        if isinstance(seen, Snapshot):
            self.sight.add(seen)
            if seen.period_start_at == self._account.period_start_at:
                rules = self._awake(seen)
                if not rules and self._is_steady():
                    self._calm, self._calm_at = self._calm + 1, now
                    return Cycle(now, seen)
        return self._decided(replace(self._watched, rules=rules), seen, now=now)

    def _awake(self, seen: Snapshot) -> list[Rule]:
        """The rules that are not at rest, or do not stay so: to decide on the others would change nothing."""
        values, windows = {**seen.values, **self._budgets}, self.sight.windows
        woken = [name for name, is_quiet in self._resting if not is_quiet(values, windows)]
        names = self._restless.union(woken)
        return [rule for rule in self._watched.rules if rule.name in names] if names else []

    def _is_steady(self) -> bool:
        """Whether one more good answer changes nothing but how many there were, and when the last one was."""
        # Where the account is lost, its alert is not at rest.
        return self._account.good_streak > 0 and not (self._account.period_lag or self._restless)

    def _decided(self, watched: Watched, seen: Seen | None, *, now: datetime) -> Cycle:
        memory = Memory(self.account, self._alerts, self._stored, history=self.sight.history)
        decision = decide(watched, memory, seen, now=now, jitter=_LONGEST_WAIT)
        self._account = decision.account
        if decision.alerts:
            self._alerts = memory.after(decision).alerts
            self._restless = frozenset(key.rule for key, alert in self._alerts.items() if not is_at_rest(alert))
            self._resting = [each for each in self._quiet.items() if each[0] not in self._restless]
        told = tuple(self._accepted(decision, now=now)) if decision.notifications else ()
        return Cycle(now, seen, decision.events, decision.alerts, told)

    def _stored(self) -> Iterable[Notification]:
        return self._notifications.values()

    def _accepted(self, decision: Decision, *, now: datetime) -> Iterator[Told]:
        """What is told, and noted as told at once."""
        self._incidents.update((incident.id, incident) for incident in decision.incidents)
        for wish in decision.notifications:
            occasion = gap(wish.desired, wish.notified)
            known = wish
            if occasion is not None and wish.desired is not None:
                yield Told(now, wish.channel, wish.recipient, self._telling(wish, occasion))
                known = replace(wish, notified=replace(wish.desired, held=False), notified_at=now)
            self._notifications[wish.key, wish.channel, wish.recipient] = known

    def _telling(self, wish: Notification, occasion: Occasion) -> Telling:
        alert, desired = self._alerts[wish.key], wish.desired
        assert desired is not None  # noqa: S101 - there is an occasion
        return Telling(occasion, alert, self._incidents[desired.incident_id], desired, wish.notified)


def together(*configs: AccountConfig) -> tuple[Replay, ...]:
    """Replays of the same answers under several rule files, at least one, which are given each poll one by one.

    What their rules see is made once; so the account's rhythm and zone are the same in all of them.
    """
    shared = _sight(*configs)
    return tuple(Replay(config, shared) for config in configs)


def _sight(*configs: AccountConfig) -> Sight:
    return Sight([config.rules for config in configs], every=configs[0].every, tz=configs[0].tz)


def recorded(
    config: AccountConfig, usage: Iterable[Poll], siblings: Iterable[Poll] = ()
) -> Iterator[tuple[datetime, Seen]]:
    """What the service made of the polls that it recorded: those of /v1/usage, and of all siblings, by their time.

    A snapshot has the fields of /v1/usage that the account's rules read, and not always others.
    """
    picking = Picking(_read_by(config.rules))
    parts: dict[Endpoint, Part] = {}
    said = iter(siblings)
    following = next(said, None)
    for poll in usage:
        while following is not None and following.at <= poll.at:
            if isinstance(following.outcome, Answer):
                parts[following.endpoint] = part(following.endpoint, following.outcome, at=following.at)
            following = next(said, None)
        if isinstance(poll.outcome, Failure):
            yield poll.at, poll.outcome
            continue
        # An equal answer is stored once, with another poll's Date; the age was measured when it came.
        seen = picking.snapshot(poll.outcome, account=poll.account, at=poll.at, age=poll.age)
        yield poll.at, joined(seen, parts.values(), stale_after=config.stale_after) if parts else seen


def _read_by(rules: Iterable[Rule]) -> Iterator[str]:
    """The names of all fields that rules read, in what decides and in texts, and of the limits behind them."""
    for rule in rules:
        names = (*rule.reads, *rule.summary.reads, *rule.description.reads, *rule.limits)
        yield from (name for name in names if not name.startswith(BUDGETS))


def replayed(replay: Replay, seen: Iterable[tuple[datetime, Seen]]) -> Iterator[Cycle]:
    """The cycles of an account whose polls were recorded, in order of time."""
    for at, what in seen:
        yield from replay.polled(what, at=at)
