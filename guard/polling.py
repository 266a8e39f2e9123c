"""Polling: whose cycle runs when, each as a job, and what follows from how it ended."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import random
from typing import Final

from guard.console.health import Health
from guard.cycle import AccountGoneError, Cycles, log_decision
from guard.errors import StorageError
from guard.family import AT_ONCE, Family
from guard.jobs import Jobs
from guard.logs import log
from guard.parts import Parts
from guard.store_failing import StoreFailing

CYCLE: Final = "cycle:"  # begins the names of the jobs that ask a master account


@dataclass(slots=True, kw_only=True)
class Polling:
    """The cycles of all families. What begins some returns at once; they run as jobs."""

    parts: Parts
    jobs: Jobs
    health: Health
    store_failing: StoreFailing
    wake_outbox: Callable[[], None]

    def tick(self, family: Family) -> None:
        """Begins a cycle of the master account, and then a pass over its sub-accounts."""
        self.jobs.start(f"{CYCLE}{family.name}", partial(self._tick, family))

    def look(self, family: Family) -> None:
        """Begins what has become due between two ticks."""
        if family.master.is_retry_due():
            self.jobs.start(f"{CYCLE}{family.name}", partial(self._retry, family))
        self._wake_subs(family)
        if not self.jobs.is_running(f"{CYCLE}{family.name}"):  # what that raises belongs to the pass that it begins
            self._end_storm(family)

    def _wake_subs(self, family: Family) -> None:
        """Begins a pass over the sub-accounts if it is time, and asks those whose turn has come."""
        if family.begin_pass() and family.is_listing_due():
            self.jobs.start(f"listing:{family.name}", partial(self._list, family))
        if family.has_turn():
            for number in range(AT_ONCE):
                job = f"subs:{family.name}:{number}"
                self.jobs.start(job, partial(self._take_turns, family, job))

    async def _tick(self, family: Family) -> None:
        """A cycle of the master account, and the beginning of a pass over its sub-accounts."""
        self._let_go(family)  # whoever hangs, or is late, holds nothing back for longer than an interval
        await self._cycle(family.master, family)
        await self._restate(family)
        family.want_pass()
        self._wake_subs(family)
        self._end_storm(family)

    async def _restate(self, family: Family) -> None:
        """Tells what was held back of sub-accounts that have no cycles now, once nothing holds it back."""
        with suppress(StorageError):  # the cycles tell it
            decisions = await family.restate(raised=partial(self.parts.outbox.storm.note, family.name))
            for decision in decisions:
                log_decision(decision.account, decision)
            if any(decision.notifications for decision in decisions):
                self.wake_outbox()

    async def _retry(self, family: Family) -> None:
        """A cycle of the master account between two ticks."""
        await self._cycle(family.master, family)
        self._end_storm(family)

    async def _hear_master(self, family: Family) -> None:
        """Has a cycle of the master account run, unless one does already, and waits for its end."""
        self.jobs.start(f"{CYCLE}{family.name}", partial(self._retry, family))
        await self.jobs.ended(f"{CYCLE}{family.name}")

    async def _take_turns(self, family: Family, job: str) -> None:
        async def run(cycles: Cycles) -> None:
            self.jobs.seen(job)  # one by one they may take long
            try:
                await self._cycle(cycles, family)
            except Exception as fault:  # noqa: BLE001 - a defect in one sub-account must not stop the others
                text = "a cycle failed; it will run again"
                log.error("service.unplanned", text, exc=fault, account=cycles.config.name)

        await family.take_turns(run)
        self._end_storm(family)

    def _end_storm(self, family: Family) -> None:
        """Lets go of what waits for the end of the pass, if that has come, or will not come soon."""
        if family.is_pass_over or family.has_outage:
            self._let_go(family)

    def _let_go(self, family: Family) -> None:
        if self.parts.outbox.storm.end(family.name):
            self.wake_outbox()

    async def _list(self, family: Family) -> None:
        try:
            with suppress(AccountGoneError):
                await family.update()
        except StorageError as fault:  # the next cycle of the master account tells it
            log.error("listing.storage", str(fault), account=family.name)

    async def _cycle(self, cycles: Cycles, family: Family) -> None:
        with suppress(StorageError):  # it is asked all the same, and then the commit tells
            await cycles.remember()
        before = cycles.account
        try:
            decision = await family.run(
                cycles,
                hear=partial(self._hear_master, family),
                jitter=random(),  # noqa: S311 - a backoff's jitter guards no secret
                raised=partial(self.parts.outbox.storm.note, family.name),
            )
        except AccountGoneError:
            return
        except StorageError as fault:
            await self.store_failing.failed(before.name, fault)
            self.health.store_failing = self.store_failing.is_failing
            if self.health.store_failing:
                self._beat()
            return
        self.health.cycled(self.parts.clock.monotonic_s())
        log_decision(before, decision)
        if not all(map(self.parts.outbox.storm.holds, decision.notifications)):
            self.wake_outbox()
        if cycles is family.master:
            self._beat()
        await self.store_failing.worked(before.name)
        self.health.store_failing = self.store_failing.is_failing

    def _beat(self) -> None:
        """Gives a sign of life, or tells that nothing can be written down, or nobody told."""
        if self.parts.heartbeat is not None:
            is_well, now_s = not self.health.is_failing, self.parts.clock.monotonic_s()
            self.jobs.start("heartbeat", partial(self.parts.heartbeat.tell, is_well=is_well, now_s=now_s))
