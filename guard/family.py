"""A master account and its sub-accounts: who belongs to it, and whose turn it is in one pass over them all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from typing import Final

from guard.agentphone import Listing, UsageClient
from guard.clock import Clock
from guard.config import AccountConfig
from guard.cycle import Cycles, retire_account
from guard.lifecycle.asking import is_of_the_key
from guard.lifecycle.roster import Roster, listed
from guard.logs import log
from guard.model import Account, Failure, FailureKind, SubAccount, sub_account_name
from guard.store import Store, Unit

LIST_EVERY: Final = timedelta(minutes=5)
AT_ONCE: Final = 8  # sub-accounts that are asked at the same time
SPREAD: Final = 0.9  # of the interval, over which a pass is spread; the rest is slack
_LISTING_S: Final = 45.0  # less than what the watchdog takes for hanging


@dataclass(slots=True)
class Pass:
    """One pass over the sub-accounts: those whose turn has not come yet, spread evenly over a time."""

    began_s: float
    length_s: float
    waiting: deque[Cycles]
    count: int = field(init=False)

    def __post_init__(self) -> None:
        """Counts who is in it."""
        self.count = len(self.waiting)

    @property
    def is_over(self) -> bool:
        """Whether all had their turn."""
        return not self.waiting

    def due(self, now_s: float) -> deque[Cycles]:
        """Takes out those whose turn has come by now."""
        share = min(1.0, (now_s - self.began_s) / self.length_s)
        left = self.count - ceil(self.count * share)
        return deque(self.waiting.popleft() for _ in range(len(self.waiting) - left))

    def resume(self, now_s: float) -> None:
        """Spreads what is left over the time once more, after it was late or had to wait."""
        self.began_s, self.count = now_s, len(self.waiting)


@dataclass(slots=True)
class Family:
    """One master account, with its sub-accounts if they are watched."""

    config: AccountConfig
    client: UsageClient
    store: Store
    clock: Clock
    master: Cycles = field(init=False)
    _members: tuple[SubAccount, ...] = ()
    _subs: dict[str, Cycles] = field(default_factory=dict)  # the members' cycles, by id, in the order of asking
    _absent: frozenset[str] = frozenset()  # ids of members that the last good listing did not show
    _complaint: str = ""  # about the last listing

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

    @property
    def is_silent(self) -> bool:
        """Whether the master account fails as all do that share its key: then it alone is asked, and tells of it."""
        failure = self.master.account.failure
        return failure is not None and is_of_the_key(failure)

    def silence_counts(self, cycles: Cycles) -> bool:
        """Whether no answer for this account means that this very account gives none."""
        return cycles is self.master or not (self.is_silent or cycles.config.sub_id in self._absent)

    async def remember(self) -> None:
        """Reads what is stored of the master account and of who belongs to it, once; raises StorageError."""
        await self.master.remember()
        subs = self.config.subs
        if subs is None or self._subs:
            return
        known, accounts = await self.store.run(lambda unit: (unit.sub_accounts(self.name), unit.accounts()))
        members = known if subs.ids is None else [SubAccount(self.name, each) for each in subs.ids]

        def cycled_at(member: SubAccount) -> datetime:
            account = accounts.get(sub_account_name(self.name, member.id))
            return account.cycled_at if account and account.cycled_at else datetime.min.replace(tzinfo=UTC)

        self._admit(sorted(members, key=cycled_at))

    async def ask(self, due: deque[Cycles], run: Callable[[Cycles], Awaitable[None]]) -> None:
        """Runs a cycle of each that is due, a few at a time; stops short when the master account falls silent.

        Those who had no turn stay in `due`.
        """

        async def worker() -> None:
            while due and not self.is_silent:
                await run(due.popleft())

        await asyncio.gather(*(worker() for _ in range(min(AT_ONCE, len(due)))))

    # --- who belongs to it -----------------------------------------------------------------------------------------

    async def update(self) -> None:
        """Asks who belongs to the master account, when it is time; no sub-account's cycle may run meanwhile.

        A listing that fails, or is short or empty, changes nothing, and is asked for again at the next call. Raises
        StorageError.
        """
        now = self.clock.now()
        if self.config.subs is None or self.config.subs.ids is not None or not self._is_time(now):
            return
        listing = await self._list(now)
        if complaint := _complaint(listing, is_alone=not self._members):
            self._complain(complaint)
        elif isinstance(listing, Listing):
            await self._apply(listed(self.name, self._members, listing.ids), now=now)

    def _is_time(self, now: datetime) -> bool:
        """Whether the last good listing is old enough, or nobody knows, since the clock went back."""
        at = self.master.account.listed_at
        return at is None or not timedelta() <= now - at < LIST_EVERY

    async def _list(self, now: datetime) -> Listing | Failure:
        try:
            async with asyncio.timeout(_LISTING_S):
                return await self.client.sub_accounts(now=now)
        except TimeoutError:
            return Failure(FailureKind.TIMEOUT, f"sub-accounts could not be listed within {_LISTING_S:.0f} s")

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:  # it is tried again with each pass
            log.warning("listing.failed", complaint, account=self.name)
        self._complaint = complaint

    async def _apply(self, roster: Roster, *, now: datetime) -> None:
        account = replace(self.master.account, listed_at=now)
        await self.store.run(partial(_write_roster, roster=roster, account=account, now=now))
        self.master.note(account)
        if self._complaint:
            log.info("listing.recovered", "sub-accounts can be listed again", account=self.name)
        self._complaint = ""
        for each in roster.gone:
            log.info("account.gone", "three listings in a row did not show it", account=_name(each))
        new = len(roster.members) + len(roster.gone) - len(self._members)
        if new:
            log.info("account.listed", "new sub-accounts are watched from now on", account=self.name, count=new)
        self._admit(roster.members)

    def _admit(self, members: Iterable[SubAccount]) -> None:
        assert self.config.subs is not None  # noqa: S101 - the callers' branch
        self._members = tuple(members)
        self._absent = frozenset(each.id for each in self._members if each.absent)
        self._subs = {each.id: self._subs.get(each.id) or self._cycles(each.id) for each in self._members}

    def _cycles(self, sub_id: str) -> Cycles:
        assert self.config.subs is not None  # noqa: S101 - as above
        return Cycles(self.config.subs.config(sub_id), self.client, self.store, self.clock)


def _complaint(listing: Listing | Failure, *, is_alone: bool) -> str:
    """Why a listing says nothing of who belongs; empty where it does. A master account may well be alone."""
    if isinstance(listing, Failure):
        return listing.text
    if not listing.is_complete:
        return "the list of sub-accounts ends too early"
    return "" if listing.ids or is_alone else "the list of sub-accounts is empty all of a sudden"


def _write_roster(unit: Unit, *, roster: Roster, account: Account, now: datetime) -> None:
    unit.save_account(account)
    unit.save_sub_accounts(roster.members)
    unit.delete_sub_accounts(roster.gone)
    for each in roster.gone:
        retire_account(unit, _name(each), now=now)


def _name(sub_account: SubAccount) -> str:
    return sub_account_name(sub_account.master, sub_account.id)
