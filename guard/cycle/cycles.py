"""The cycles of one account, one after another, and what is remembered from one to the next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.config import AccountConfig
from guard.config.watched import watched_on
from guard.cycle.record import recall, save, within
from guard.lifecycle.asking import may_ask
from guard.lifecycle.decide import Decision, Memory, Watched, decide, reconsider, restate
from guard.model import Account, Failure, FailureKind, Notification, Snapshot
from guard.payload import snapshot
from guard.rules.history import needs
from guard.siblings import Siblings
from guard.store import Poll, Store, Unit
from guard.units import duration_text

LONGEST_POLL: Final = timedelta(seconds=35)  # the client's deadlines and some; what is longer was a suspended machine

T = TypeVar("T")

Raised = Callable[[Iterable[Notification]], None]
"""Is given what a cycle wants its channels to know, in the transaction that writes it."""

OutageCounts = Callable[[Failure | None], Awaitable[bool]]
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
        outage_counts: OutageCounts | None = None,
        raised: Raised | None = None,
    ) -> Decision:
        """Runs one cycle and gives what it decided, after it was committed. Never runs twice at a time.

        With `ask` False the API is left alone, as it wished, and only time passes. `jitter` is a random share for the
        backoff; `every` replaces the account's own interval where cycles come at other times, as from cron. Without
        `outage_counts` every outage is the account's own.

        Raises StorageError when nothing could be committed; then nothing was decided either.
        """
        began_at = self.clock.now()
        client, siblings = self.client, self._siblings
        poll, seen = await self._poll(siblings) if ask else (None, None)
        # Who answers more slowly than it is asked decides how far apart the answers are.
        took = min(self.clock.now() - began_at, LONGEST_POLL * self.clock.speed)
        counts = outage_counts is None or isinstance(seen, Snapshot) or await outage_counts(seen)
        async with self.writing():
            if client is not self.client:  # what another key was told, or is told elsewhere, may be another account's
                poll, seen, siblings = None, None, self._siblings
            watched = watched_on(self.config, every=max(every or self.config.every, took), outage_counts=counts)
            if every is not None and every > self.config.every and needs(self.config.rules):
                self._memory = None  # windows of answers so far apart begin with older ones than were read
            # What could not be committed is read anew.
            memory, self._memory = await self.remember(every=every), None
            now = poll.at if poll else self.clock.now()  # a replay knows no other instant than the poll's
            write = partial(_commit, memory=memory, watched=watched, poll=poll, seen=seen, siblings=siblings)
            # A crash before this commit forgets the answer; the next cycle asks again and decides.
            decision = await self.store.run(partial(write, now=now, jitter=jitter, raised=raised))
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

    async def note(self, write: Callable[[Unit], T], *, raised: Raised | None = None) -> tuple[T, Decision]:
        """Writes what people ask for, and in the same transaction what that changes of what fires.

        Gives what `write` does. Raises StorageError when nothing could be committed, and AccountGoneError.
        """
        async with self.writing():
            watched = watched_on(self.config, every=self.config.every)
            memory, self._memory = await self.remember(), None
            work = partial(
                _commit_note, write=write, memory=memory, watched=watched, now=self.clock.now(), raised=raised
            )
            noted, decision = await self.store.run(work)
            self._keep(memory.after(decision))
        return noted, decision

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

    async def _poll(self, siblings: Siblings) -> tuple[Poll, Snapshot | Failure]:
        poll, seen = await self._ask()
        return poll, await self._with(siblings, seen) if isinstance(seen, Snapshot) and siblings.needed else seen

    async def _ask(self) -> tuple[Poll, Snapshot | Failure]:
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
    known = within(unit, memory, now=now)
    decision = decide(watched, known, seen, now=now, jitter=jitter)
    _save(unit, decision, raised)
    return decision


def _commit_again(
    unit: Unit, *, memory: Memory, watched: Watched, seen: Snapshot, now: datetime, raised: Raised | None
) -> Decision:
    known = within(unit, memory, now=now)
    decision = reconsider(watched, known, seen, now=now)
    _save(unit, decision, raised)
    return decision


def _commit_note(
    unit: Unit,
    *,
    write: Callable[[Unit], T],
    memory: Memory,
    watched: Watched,
    now: datetime,
    raised: Raised | None,
) -> tuple[T, Decision]:
    noted = write(unit)
    decision = restate(watched, within(unit, memory, now=now), now=now)
    _save(unit, decision, raised)
    return noted, decision


def _save(unit: Unit, decision: Decision, raised: Raised | None) -> None:
    save(unit, decision)
    if raised is not None:
        raised(decision.notifications)


def _write_listed(unit: Unit, *, account: Account, write: Callable[[Unit], object]) -> None:
    unit.save_account(account)
    write(unit)
