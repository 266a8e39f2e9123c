"""A family: a master account and its sub-accounts, who belongs to it, which outages they share, and who is asked."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from guard.agentphone import Listing, UsageClient
from guard.clock import Clock
from guard.config import AccountConfig
from guard.cycle import AccountGoneError, Cycles, Raised, retire_account
from guard.errors import StorageError
from guard.family.turns import Pass
from guard.lifecycle.asking import is_of_the_key
from guard.lifecycle.decide import Decision
from guard.lifecycle.roster import Roster, listed
from guard.logs import log
from guard.model import Failure, FailureKind, SubAccount, sub_account_name
from guard.store import Store, Unit

LIST_EVERY: Final = timedelta(minutes=5)
AT_ONCE: Final = 8  # sub-accounts that are asked at the same time
SPREAD: Final = 0.9  # of the interval, over which a pass is spread; the rest is slack
LIST_WITHIN_S: Final = 45.0  # less than what the watchdog takes for hanging

Run = Callable[[Cycles], Awaitable[None]]
"""Runs one cycle, and raises nothing."""

Hear = Callable[[], Awaitable[None]]
"""Runs a cycle of the master account, or waits for one that runs already."""


@dataclass(slots=True)
class Family:
    """One master account, with its sub-accounts if they are watched."""

    config: AccountConfig
    client: UsageClient
    store: Store
    clock: Clock
    master: Cycles = field(init=False)
    _subs: dict[str, Cycles] = field(default_factory=dict)  # by name, in the order in which they are asked
    _members: tuple[SubAccount, ...] = ()  # the same, as the last listing left them
    _absent: frozenset[str] = frozenset()  # names of those that the last good listing did not show
    _listed_at: datetime | None = None  # when they were last listed, or it was tried
    _list_after: timedelta = LIST_EVERY
    _complaint: str = ""  # about the last listing
    _outage_at: datetime | None = None  # the master account's cycle that last found one
    _pass: Pass = field(default_factory=Pass)
    _is_wanted: bool = False  # another pass, once all had their turn in this one
    _under_way: set[str] = field(default_factory=set)  # names of sub-accounts whose cycle has begun

    def __post_init__(self) -> None:
        """Remembers nothing yet."""
        self.master = Cycles(self.config, self.client, self.store, self.clock)

    @property
    def name(self) -> str:
        """The master account's."""
        return self.config.name

    @property
    def subs(self) -> list[Cycles]:
        """The sub-accounts' cycles, in the order in which they are asked."""
        return list(self._subs.values())

    async def remember(self) -> None:
        """Reads what is stored of the master account and of who belongs to it, once; raises StorageError."""
        account = (await self.master.remember()).account
        self._listed_at = account.listed_at
        self._note_outage()
        if self.config.subs is None or self._subs:
            return
        members, accounts = await self.store.run(lambda unit: (unit.sub_accounts(self.name), unit.accounts()))

        def cycled_at(member: SubAccount) -> datetime:
            account = accounts.get(_name(member))
            return account.cycled_at if account and account.cycled_at else datetime.min.replace(tzinfo=UTC)

        self._admit(sorted(members, key=cycled_at))

    def adopt(self, config: AccountConfig, client: UsageClient, members: Iterable[SubAccount]) -> list[Cycles]:
        """Watches the family in another way from now on, and gives the cycles of all that belong to it.

        `members` are the sub-accounts as they are stored; who is new has a turn in this pass. To be called within
        `writing` of the master account's cycles and of all its sub-accounts'.
        """
        if config.subs is None or self.config.subs is None or config.subs.ids != self.config.subs.ids:
            self._listed_at = None
        known = dict(self._subs)
        self.config, self.client = config, client
        self.master.adopt(config, client)
        self._admit(members)
        for name, cycles in known.items():
            if name in self._subs:
                cycles.adopt(self._sub_config(cycles.config.sub_id), client)
            else:
                cycles.end()
        self._pass.drop(known.keys() - self._subs.keys())
        new = [cycles for name, cycles in self._subs.items() if name not in known]
        if new:
            self._spread([*self._pass.waiting, *new])
        return [self.master, *self._subs.values()]

    def end(self) -> None:
        """Watches nobody of the family any more; to be called within `writing` as `adopt` is."""
        for cycles in (self.master, *self._subs.values()):
            cycles.end()
        self._subs, self._members, self._pass = {}, (), Pass()

    # --- outages that all share ------------------------------------------------------------------------------------

    @property
    def has_outage(self) -> bool:
        """Whether the master account fails as all do that share its key: then it alone is asked, and tells of it."""
        failure = self.master.account.failure
        return failure is not None and is_of_the_key(failure)

    async def run(
        self,
        cycles: Cycles,
        *,
        hear: Hear,
        jitter: float,
        every: timedelta | None = None,
        raised: Raised | None = None,
    ) -> Decision:
        """Runs a cycle of one of the family, as `Cycles.run` does; it is asked unless it has to be left alone.

        When a sub-account begins to fail, the master account is heard before anything is decided.
        """
        counts = None if cycles is self.master else partial(self._outage_counts, cycles, hear)
        decision = await cycles.run(
            ask=cycles.is_due(), jitter=jitter, every=every, outage_counts=counts, raised=raised
        )
        if cycles is self.master:
            self._note_outage()
        return decision

    async def _outage_counts(self, cycles: Cycles, hear: Hear, failure: Failure | None) -> bool:
        """Whether no answer for a sub-account means that this very one gives none.

        Not if its master account fails too, or failed since it was last asked, nor if the last listing did not show it.
        """
        before, name = cycles.account, cycles.config.name
        if failure is not None and not before.failures and not self.has_outage:
            await hear()
        failure = failure or before.failure
        others = self.master.account.failure
        is_shared = self.has_outage or (failure is not None and others is not None and others.kind is failure.kind)
        since = before.cycled_at
        had_outage = since is not None and self._outage_at is not None and since <= self._outage_at
        return not (is_shared or had_outage or name in self._absent)

    async def restate(self, *, raised: Raised | None = None) -> list[Decision]:
        """Has the sub-accounts' mutes end in time also in an outage, in which they have no cycles.

        Gives what was decided, after it was committed. Raises StorageError.
        """
        if not self.has_outage:
            return []
        held = await self.store.run(_held)
        decisions: list[Decision] = []
        for cycles in [each for name, each in self._subs.items() if name in held]:
            with suppress(AccountGoneError):
                _, decision = await cycles.note(lambda _: None, raised=raised)
                decisions.append(decision)
        return decisions

    def _note_outage(self) -> None:
        if self.has_outage:
            self._outage_at = self.master.account.cycled_at

    # --- whose turn it is ------------------------------------------------------------------------------------------

    @property
    def is_pass_over(self) -> bool:
        """Whether every cycle of the pass has ended; also before the first one."""
        return not self._pass.waiting and not self._under_way

    def want_pass(self) -> None:
        """Has another pass begin, at once or as soon as all had their turn in the one before."""
        self._is_wanted = True

    def begin_pass(self) -> bool:
        """Begins the pass that is wanted, if it is time; whether it did.

        While the family has an outage no time passes for those who wait, so that they go on as they were. Whoever
        is still being asked since the pass before has no turn in this one.
        """
        if self.has_outage:
            self._pass.hold(self.clock.monotonic_s())
            return False
        if not self._is_wanted or self._pass.waiting:
            return False
        self._is_wanted = False
        self._spread(self._subs.values())
        return True

    def has_turn(self) -> bool:
        """Whether somebody's turn has come."""
        return not self.has_outage and self._pass.is_due(self.clock.monotonic_s())

    async def take_turns(self, run: Run) -> None:
        """Runs a cycle of everybody whose turn has come, one after another; to be called AT_ONCE times side by side."""
        while self.has_turn() and (cycles := self._pass.take(self.clock.monotonic_s())) is not None:
            name = cycles.config.name
            if name in self._under_way:
                continue
            self._under_way.add(name)
            try:
                await run(cycles)
            finally:
                self._under_way.discard(name)

    async def ask(self, due: deque[Cycles], run: Run) -> None:
        """Runs a cycle of each that is due, a few at a time; stops short when the family has an outage.

        Those who had no turn stay in `due`.
        """

        async def worker() -> None:
            while due and not self.has_outage:
                await run(due.popleft())

        await asyncio.gather(*(worker() for _ in range(min(AT_ONCE, len(due)))))

    def _spread(self, waiting: Iterable[Cycles]) -> None:
        length_s = self.clock.real_s(self.config.every) * SPREAD
        self._pass = Pass(waiting, now_s=self.clock.monotonic_s(), length_s=length_s)

    # --- who belongs to it -----------------------------------------------------------------------------------------

    def is_listing_due(self) -> bool:
        """Whether the last listing is old enough, or nobody knows how old, since the clock went back."""
        if self.config.subs is None or self.config.subs.ids is not None:
            return False
        at = self._listed_at
        return at is None or not timedelta() <= self.clock.now() - at < self._list_after

    async def update(self, *, within_s: float = LIST_WITHIN_S) -> None:
        """Asks who belongs to the master account, if it is time; who is new has a turn in this pass.

        A listing that fails, or is empty all of a sudden, changes nothing; one that is incomplete takes nobody away.
        The next one is asked for after five minutes all the same. Raises StorageError.
        """
        if not self.is_listing_due():
            return
        now = self._listed_at = self.clock.now()
        config = self.config
        listing = await self._list(now, within_s=within_s)
        if self.config is not config:
            return  # what was asked for is perhaps no longer wanted; the next pass asks anew
        if isinstance(listing, Failure):
            self._list_after = max(LIST_EVERY, listing.retry_after or LIST_EVERY)
            self._complain("listing.failed", listing.text)
            await self.master.note_listed(now)
            return
        self._list_after = LIST_EVERY
        self._complain("listing.flawed", _complaint(listing, is_alone=not self._members))
        keep = {each.id for each in self._members if _name(each) in self._under_way}
        await self._apply(
            listed(self.name, self._members, listing.ids, is_complete=listing.is_complete, keep=keep), now=now
        )

    async def _list(self, now: datetime, *, within_s: float) -> Listing | Failure:
        try:
            async with asyncio.timeout(within_s):
                return await self.client.sub_accounts(now=now)
        except TimeoutError:
            return Failure(FailureKind.TIMEOUT, f"sub-accounts could not be listed within {within_s:.0f} s")

    def _complain(self, event: str, complaint: str) -> None:
        if complaint and complaint != self._complaint:  # the next listing is likely to be no better
            log.warning(event, complaint, account=self.name)
        if self._complaint and not complaint:
            log.info("listing.recovered", "sub-accounts can be listed again", account=self.name)
        self._complaint = complaint

    async def _apply(self, roster: Roster, *, now: datetime) -> None:
        before, known, config = self._members, self._subs.keys(), self.config

        def write(unit: Unit) -> None:
            if self.config is config:  # else an edit of the rule file came between, and says who belongs to it
                _write_roster(unit, roster, now=now)

        gone = {_name(each) for each in roster.gone}
        self._admit(each for each in before if _name(each) not in gone)  # nothing may write of the others any more
        self._pass.drop(gone)
        try:
            await self.master.note_listed(now, write)
        except StorageError:
            if self.config is config:
                self._admit(before)
            raise
        if self.config is not config:
            self._listed_at = None  # the next pass asks anew
            return
        self._admit(roster.members)
        for name in sorted(gone):
            log.info("account.gone", "three listings in a row did not show it", account=name)
        new = [cycles for name, cycles in self._subs.items() if name not in known]
        if new:
            log.info("account.listed", "new sub-accounts are watched from now on", account=self.name, count=len(new))
            self._spread([*self._pass.waiting, *new])

    def _admit(self, members: Iterable[SubAccount]) -> None:
        self._members = tuple(members)
        self._absent = frozenset(_name(each) for each in self._members if each.absent)
        self._subs = {_name(each): self._subs.get(_name(each)) or self._cycles(each.id) for each in self._members}

    def _cycles(self, sub_id: str) -> Cycles:
        return Cycles(self._sub_config(sub_id), self.client, self.store, self.clock)

    def _sub_config(self, sub_id: str) -> AccountConfig:
        assert self.config.subs is not None  # noqa: S101 - the callers' branch
        return self.config.subs.config(sub_id)


def _complaint(listing: Listing, *, is_alone: bool) -> str:
    """What is amiss with a listing; empty where nothing is. A master account may well be alone."""
    if not listing.ids and not is_alone:
        return "the list of sub-accounts is empty all of a sudden"
    return "; ".join(listing.notes)


def _held(unit: Unit) -> set[str]:
    """The accounts of which something is held back that has not ended."""
    return {each.key.account for each in unit.notifications() if (it := each.desired) and it.held and not it.ended}


def _write_roster(unit: Unit, roster: Roster, *, now: datetime) -> None:
    unit.save_sub_accounts(roster.members)
    unit.delete_sub_accounts(roster.gone)
    for each in roster.gone:
        retire_account(unit, _name(each), now=now)


def _name(sub_account: SubAccount) -> str:
    return sub_account_name(sub_account.master, sub_account.id)
