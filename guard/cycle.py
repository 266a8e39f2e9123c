"""One cycle: fetch an account's usage, decide, commit poll, alerts, events and desired states in one transaction."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.config import AccountConfig
from guard.config.invalid import CONFIG_INVALID
from guard.config.watched import watched_on
from guard.lifecycle.asking import may_ask
from guard.lifecycle.decide import Decision, Memory, Watched, decide, reconsider, retire
from guard.logs import log
from guard.model import (
    NO_DATA,
    Account,
    Alert,
    AlertKey,
    Failure,
    FailureKind,
    Notification,
    Reason,
    Snapshot,
    State,
)
from guard.payload import snapshot
from guard.rules.history import History, needs
from guard.siblings import Siblings, snapshots
from guard.store import Poll, Store, Unit, rename
from guard.units import duration_text

LONGEST_POLL: Final = timedelta(seconds=35)  # the client's deadlines and some; what is longer was a suspended machine

Raised = Callable[[Iterable[Notification]], None]
"""Is given what a cycle wants its channels to know, in the transaction that writes it."""

SilenceCounts = Callable[[Failure | None], Awaitable[bool]]
"""Whether no good answer means that this very account gives none; is given the failure, None if it was not asked."""


class AccountGoneError(Exception):
    """The account was taken out of the rule file meanwhile: nothing of it may be written any more."""


@dataclass(slots=True)
class Cycles:
    """The cycles of one account, one after another, and what is remembered from one to the next.

    While it is watched nothing else writes an account's alerts, so they are read from the store once; and so are the
    snapshots that its rules look back on.
    """

    config: AccountConfig
    client: UsageClient
    store: Store
    clock: Clock
    _memory: Memory | None = None
    _seen: Snapshot | None = None  # the last good answer
    _has_ended: bool = False
    _account: Account = field(init=False)
    _siblings: Siblings = field(init=False)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Remembers nothing yet."""
        self._account = Account(self.config.name)
        self._siblings = Siblings(self.config, self.client)

    @property
    def account(self) -> Account:
        """How the asking goes, as it was last read or committed."""
        return self._account

    async def remember(self, *, every: timedelta | None = None) -> Memory:
        """Reads what is stored of the account, unless it is remembered; raises StorageError.

        `every` is how far apart its answers are, where that is not as its configuration says.
        """
        while self._memory is None:
            config = self.config
            memory = await self.store.run(partial(self._recall, config=config, now=self.clock.now(), every=every))
            if config is self.config:  # else it is of no use any more
                self._keep(memory)
        return self._memory

    async def note_listed(self, at: datetime, write: Callable[[Unit], object] = lambda _: None) -> None:
        """Writes when its sub-accounts were listed, and in the same transaction what `write` does.

        Raises StorageError when nothing could be committed.
        """
        async with self.writing():
            memory = await self.remember()
            account = replace(memory.account, listed_at=at)
            await self.store.run(partial(_write_listed, account=account, write=write))
            self._keep(replace(memory, account=account))

    def is_retry_due(self) -> bool:
        """Whether it failed and was to wait, and has waited.

        Never while nothing can be written of it: then it would be due for ever, and asked without a break.
        """
        account = self.account
        return self._memory is not None and account.ask_at is not None and may_ask(account, now=self.clock.now())

    def is_due(self) -> bool:
        """Whether to ask now: nothing has to be waited for, or the key was refused and is another one by now."""
        account = self.account
        refused = account.failure is not None and account.failure.kind is FailureKind.UNAUTHORIZED
        return may_ask(account, now=self.clock.now()) or (refused and self.client.has_untried_key())

    async def run(
        self,
        *,
        ask: bool,
        jitter: float,
        every: timedelta | None = None,
        silence_counts: SilenceCounts | None = None,
        raised: Raised | None = None,
    ) -> Decision:
        """Runs one cycle and gives what it decided, after it was committed. Never runs twice at a time.

        With `ask` False the API is left alone, as it wished, and only time passes. `jitter` is a random share for the
        backoff; `every` replaces the account's own interval where cycles come at other times, as from cron. Without
        `silence_counts` all silence is the account's own.

        Raises StorageError when nothing could be committed; then nothing was decided either.
        """
        began_at = self.clock.now()
        client, siblings = self.client, self._siblings
        poll, seen = await self._poll() if ask else (None, None)
        if isinstance(seen, Snapshot) and siblings.needed:
            seen = await self._with(siblings, seen)
        # Who answers more slowly than it is asked decides how far apart the answers are.
        took = min(self.clock.now() - began_at, LONGEST_POLL * self.clock.speed)
        counts = silence_counts is None or isinstance(seen, Snapshot) or await silence_counts(seen)
        async with self.writing():
            if client is not self.client:  # what another key was told, or is told elsewhere, may be another account's
                poll, seen, siblings = None, None, self._siblings
            watched = watched_on(self.config, every=max(every or self.config.every, took), silence_counts=counts)
            if every is not None and every > self.config.every and needs(self.config.rules):
                self._memory = None  # windows of answers so far apart begin with older ones than were read
            # What could not be committed is read anew.
            memory, self._memory = await self.remember(every=every), None
            # A crash before this commit forgets the answer; the next cycle asks again and decides.
            decision = await self.store.run(
                partial(
                    _commit,
                    memory=memory,
                    watched=watched,
                    poll=poll,
                    seen=seen,
                    siblings=siblings,
                    now=poll.at if poll else self.clock.now(),  # a replay knows no other instant than the poll's
                    jitter=jitter,
                    raised=raised,
                )
            )
            siblings.written()
            self._keep(memory.after(decision))
            self._seen = seen if isinstance(seen, Snapshot) else self._seen
        return decision

    async def reconsider(self, *, raised: Raised | None = None) -> Decision | None:
        """Decides again on the last good answer, under rules that are new since then; None where that is too old.

        Raises StorageError when nothing could be committed, and AccountGoneError.
        """
        async with self.writing():
            seen, now = self._seen, self.clock.now()
            if seen is None or not timedelta() <= now - seen.at + seen.age <= self.config.stale_after:
                return None
            watched = watched_on(self.config, every=self.config.every)
            memory, self._memory = await self.remember(), None
            write = partial(_commit_again, memory=memory, watched=watched, seen=seen, now=now, raised=raised)
            decision = await self.store.run(write)
            self._keep(memory.after(decision))
        return decision

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Within, nobody else decides anything of the account, nor changes how it is watched.

        Raises AccountGoneError where it is watched no more.
        """
        async with self._writing:
            if self._has_ended:
                raise AccountGoneError(self.config.name)
            yield

    def adopt(self, config: AccountConfig, client: UsageClient) -> None:
        """Watches the account in another way from now on; to be called within `writing`."""
        self._seen = self._seen if client is self.client else None  # else it may be another account's
        self.config, self.client, self._memory = config, client, None
        self._siblings = Siblings(config, client)

    def end(self) -> None:
        """Watches it no more: what is still being asked is forgotten; to be called within `writing`."""
        self._has_ended = True

    def _keep(self, memory: Memory) -> None:
        self._memory, self._account = memory, memory.account

    def _recall(self, unit: Unit, *, config: AccountConfig, now: datetime, every: timedelta | None) -> Memory:
        self._siblings.recall(unit)
        return recall(unit, config, now=now, every=every)

    async def _with(self, siblings: Siblings, seen: Snapshot) -> Snapshot:
        """The snapshot with what the siblings say, those asked that are due; raises StorageError."""
        async with self.writing():
            await self.remember()  # when each was asked last
        await siblings.ask(at=seen.at)
        return siblings.joined(seen)

    async def _poll(self) -> tuple[Poll, Snapshot | Failure]:
        config = self.config
        outcome = await self.client.usage(now=self.clock.now(), sub_id=config.sub_id)
        at = self.clock.now()
        if isinstance(outcome, Failure):
            return Poll(config.name, at, outcome), outcome
        seen = snapshot(outcome, account=config.name, at=at)
        if seen.age <= config.stale_after:
            return Poll(config.name, at, outcome, age=seen.age), seen
        stale_after = duration_text(config.stale_after)
        text = f"the report is {duration_text(seen.age)} old, older than stale_after ({stale_after})"
        stale = Failure(FailureKind.STALE, text)
        return Poll(config.name, at, stale, age=seen.age), stale


def _commit(
    unit: Unit,
    *,
    memory: Memory,
    watched: Watched,
    poll: Poll | None,
    seen: Snapshot | Failure | None,
    siblings: Siblings,
    now: datetime,
    jitter: float,
    raised: Raised | None,
) -> Decision:
    if poll is not None:
        unit.record_poll(poll)
    siblings.write(unit)
    if isinstance(seen, Snapshot):
        memory.history.add(seen)
    known = replace(memory, notifications=partial(unit.notifications, watched.name))
    decision = decide(watched, known, seen, now=now, jitter=jitter)
    save(unit, decision)
    if raised is not None:
        raised(decision.notifications)
    return decision


def _commit_again(
    unit: Unit, *, memory: Memory, watched: Watched, seen: Snapshot, now: datetime, raised: Raised | None
) -> Decision:
    known = replace(memory, notifications=partial(unit.notifications, watched.name))
    decision = reconsider(watched, known, seen, now=now)
    save(unit, decision)
    if raised is not None:
        raised(decision.notifications)
    return decision


def _write_listed(unit: Unit, *, account: Account, write: Callable[[Unit], object]) -> None:
    unit.save_account(account)
    write(unit)


def recall(unit: Unit, config: AccountConfig, *, now: datetime, every: timedelta | None = None) -> Memory:
    """All that is stored of one account, with the snapshots that its rules look back on."""
    history = History(needs(config.rules))
    if span := history.span(every=every or config.every):
        for seen in snapshots(unit, config, since=now - span):
            history.add(seen)
    account = unit.account(config.name) or Account(config.name)
    return Memory(account, unit.alerts(config.name), history=history)


def save(unit: Unit, decision: Decision) -> None:
    """Writes what a decision changes."""
    unit.save_account(decision.account)
    unit.save_incidents(decision.incidents)
    unit.save_alerts(decision.alerts)
    unit.add_events(decision.events)
    unit.save_desired(decision.notifications)


def retire_gone(unit: Unit, accounts: Mapping[str, AccountConfig], *, now: datetime) -> None:
    """Ends the alerts of rules and accounts that are no longer watched; `accounts` are those that are, by name.

    What was at rest is forgotten, so that a rule or an account that comes back begins anew. What a rule that has
    another name now was called before goes on under that name.
    """
    named = ((name, rule) for name, config in accounts.items() for rule in config.rules if rule.renamed_from)
    rename(unit, {(name, rule.renamed_from): rule.name for name, rule in named})
    by_account: dict[str, dict[AlertKey, Alert]] = {}
    for key, alert in unit.alerts().items():
        by_account.setdefault(key.account, {})[key] = alert
    for name, alerts in by_account.items():
        gone = {key: reason for key in alerts if (reason := _why_gone(key, accounts.get(name)))}
        if gone:
            _retire(unit, name, alerts, gone, now=now)
    for name in unit.accounts().keys() - accounts.keys():
        unit.delete_account(name)


def retire_account(unit: Unit, name: str, *, now: datetime) -> None:
    """Ends the alerts of an account that is no longer watched, and forgets how the asking went."""
    alerts = unit.alerts(name)
    _retire(unit, name, alerts, dict.fromkeys(alerts, Reason.ACCOUNT_REMOVED), now=now)
    unit.delete_account(name)


def _retire(
    unit: Unit, name: str, alerts: Mapping[AlertKey, Alert], gone: Mapping[AlertKey, Reason], *, now: datetime
) -> None:
    live = {key: reason for key, reason in gone.items() if alerts[key].state is not State.OK}
    notifications = unit.notifications(name)
    memory = Memory(unit.account(name) or Account(name), alerts, notifications=lambda: notifications)
    save(unit, retire(memory, live, now=now))
    untold = {each.key for each in notifications if each.desired != each.notified}
    unit.delete_alerts(gone.keys() - live.keys() - untold)


def _why_gone(key: AlertKey, config: AccountConfig | None) -> Reason | None:
    if config is None:
        return Reason.ACCOUNT_REMOVED
    if key.rule in config.disabled:
        return Reason.RULE_DISABLED
    subjects = {rule.name: rule.each is not None for rule in config.rules} | {NO_DATA: False, CONFIG_INVALID: False}
    if key.rule not in subjects:
        return Reason.RULE_REMOVED
    return Reason.RULE_CHANGED if key.subject and not subjects[key.rule] else None  # it has no `each` any more


def log_decision(before: Account, decision: Decision) -> None:
    """Logs what a committed cycle saw and decided; `before` is the account as it stood until then."""
    account = decision.account
    if account.failure is not None and account.failures != before.failures:
        failure = account.failure
        log.warning("poll.failed", failure.text, account=account.name, kind=failure.kind, in_a_row=account.failures)
    elif before.failures and not account.failures:
        log.info("poll.recovered", "AgentPhone answers again", account=account.name, failures=before.failures)
    summaries = {alert.key: alert.reading.summary for alert in decision.alerts if alert.reading}
    for event in decision.events:
        level = {"alert_level": event.level.word} if event.level else {}
        value = {} if event.value is None else {"value": event.value}
        log.info(event.kind, event.text or summaries.get(event.key, ""), alert=event.key, **level, **value)
