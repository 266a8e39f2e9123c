"""When things happen: the scheduler wakes cycles, outbox and reload, and the watchdog wakes the scheduler.

APScheduler runs on the wall clock and stops for good when its own bookkeeping fails, so it only wakes the service, and
a monotonic watchdog re-arms its jobs.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import partial
from random import random
from typing import Any, Final

from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from guard.config import recipients_of
from guard.console.health import Health
from guard.cycle import AccountGoneError, Cycles, log_decision
from guard.errors import ExitCode, StorageError
from guard.family import AT_ONCE, Family
from guard.logs import log
from guard.outbox import ChannelWatch
from guard.parts import Parts
from guard.presses import Presses
from guard.reload import Reload
from guard.reporting import Reporter
from guard.settings import Listen
from guard.sockets import Sockets
from guard.store_failing import StoreFailing
from guard.systemd import Systemd

Work = Callable[[], Coroutine[Any, Any, None]]

OUTBOX: Final = "outbox:"  # begins the names of the jobs that deliver
CYCLE: Final = "cycle:"  # and of those that ask a master account
CHANNELS: Final = "channels"  # the job that looks whether they fail
RULES: Final = "rules"  # the job that looks at the rule file
PULSE_S: Final = 1.0
WATCH_S: Final = 5.0
REARM_AFTER: Final = 2  # watches without a pulse between them
GIVE_UP_AFTER: Final = 12
FIRST_PRUNE: Final = timedelta(minutes=2)
PRUNE_EVERY: Final = timedelta(hours=1)
DRAIN_S: Final = 6.0  # of the 8 s that a stop may take; the rest is for closing on a busy machine


@dataclass(slots=True)
class Service:
    """The service of one rule file on one database; the parts are the caller's to open and close."""

    parts: Parts
    listen: Listen | None = None  # where its console answers, if anywhere
    systemd: Systemd = field(default_factory=Systemd)
    rules: Reload | None = None  # watches the rule file, if it may change meanwhile
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # by job; a job never runs twice at a time
    _again: dict[str, Work] = field(default_factory=dict)  # wanted while it ran, so it runs once more
    _watched: Counter[str] = field(default_factory=Counter)  # watches since the last pulse, and since each job began
    _unwritable: set[str] = field(default_factory=set)  # channels of which nothing could be written at the last try
    _draining: bool = False
    _console: asyncio.Task[None] | None = None
    _health: Health = field(init=False)
    _ended: asyncio.Future[ExitCode] = field(init=False)
    _store_failing: StoreFailing = field(init=False)
    _channels: ChannelWatch = field(init=False)
    _reporter: Reporter = field(init=False)
    _sockets: Sockets = field(init=False)
    _scheduler: AsyncIOScheduler = field(init=False)

    async def run(self, stop: asyncio.Event) -> ExitCode:
        """Runs until `stop` is set, then finishes what is in flight; gives 70 if the watchdog gave up.

        Raises StorageError when the database cannot be made ready.
        """
        self._ended = asyncio.get_running_loop().create_future()
        self._store_failing = StoreFailing(self.parts.notifiers, self._recipients(), self.parts.clock)
        self._channels = ChannelWatch(self.parts.store, self.parts.clock)
        self._reporter = Reporter(self.parts.store, self.parts.clock)
        self._sockets = Sockets(Presses(self.parts, self._wake_outbox), self.parts.clock)
        for family in self.parts.families:
            await family.remember()
        self._health = Health(self._shortest_s(), self.parts.clock.monotonic_s())
        self._schedule()
        if self.rules is not None:
            self.rules.changed = self._follow
        self.systemd.ready()
        stopping = asyncio.ensure_future(stop.wait())
        ends: set[asyncio.Future[Any]] = {stopping, self._ended}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await self._drain()
        return self._ended.result() if self._ended.done() else ExitCode.DONE

    def _schedule(self) -> None:
        now = self.parts.clock.wall_now()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # Without a grace time a late run is dropped; without coalescing a suspend ends in a burst.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for family in self.parts.families:
            self._schedule_cycles(family)
        self._scheduler.add_job(self._pulse, "interval", id="pulse", seconds=PULSE_S, next_run_time=now)
        self._scheduler.add_job(
            self._wake_prune,
            "interval",
            id="prune",
            seconds=PRUNE_EVERY.total_seconds(),
            next_run_time=now + FIRST_PRUNE,
        )
        self._scheduler.start()
        asyncio.get_running_loop().call_later(WATCH_S, self._watch)

    def _schedule_cycles(self, family: Family) -> None:
        self._scheduler.add_job(
            partial(self._wake_cycle, family),
            "interval",
            id=f"{CYCLE}{family.name}",
            seconds=self.parts.clock.real_s(family.config.every),
            next_run_time=self.parts.clock.wall_now(),
        )

    def _shortest_s(self) -> float:
        return self.parts.clock.real_s(min(family.config.every for family in self.parts.families))

    def _recipients(self) -> dict[str, Sequence[str]]:
        return {name: recipients_of(channel) for name, channel in self.parts.config.channels.items()}

    def _follow(self) -> None:
        """Makes jobs and watchers fit the parts after an edit of the rule file; unchanged accounts keep their time."""
        jobs = {job.id: job for job in self._scheduler.get_jobs() if job.id.startswith(CYCLE)}
        for family in self.parts.families:
            every = timedelta(seconds=self.parts.clock.real_s(family.config.every))
            job = jobs.pop(f"{CYCLE}{family.name}", None)
            if job is None:
                self._schedule_cycles(family)
            elif job.trigger.interval != every:
                self._space(job, every)
        for job in jobs.values():
            job.remove()
            name = job.id.removeprefix(CYCLE)
            self.parts.outbox.storm.end(name)  # no pass over it will end any more
            self._store_failing.forget(name)
        self._health.every_s = self._shortest_s()
        self._store_failing.notifiers, self._store_failing.recipients = self.parts.notifiers, self._recipients()
        self._wake_outbox()

    def _space(self, job: Job, every: timedelta) -> None:
        """Has a job come `every` so often, counted from when it last came: edits in a row must not put it off."""
        due_at = job.next_run_time - job.trigger.interval + every
        job.reschedule("interval", seconds=every.total_seconds())
        job.modify(next_run_time=max(due_at, self.parts.clock.wall_now()))

    # What the scheduler calls must return at once; the work runs in tasks of the service's own.

    async def _pulse(self) -> None:
        del self._watched["pulse"]
        self._open_console()
        self._listen_for_presses()
        for family in self.parts.families:
            if family.master.is_retry_due():
                self._start(f"{CYCLE}{family.name}", partial(self._retry, family))
            self._wake_subs(family)
            if f"{CYCLE}{family.name}" not in self._running:  # what that raises belongs to the pass that it begins
                self._end_storm(family)
        self._wake_outbox()
        if self._channels.is_due():
            self._start(CHANNELS, self._look_at_channels)
        if self._reporter.due(self.parts.config) is not None:
            self._start("report", self._look_at_report)
        if self.rules is not None and self.rules.is_due():
            self._start(RULES, partial(self._look_at_rules, self.rules))

    async def _look_at_report(self) -> None:
        if await self._reporter.look(self.parts.config):
            self._wake_outbox()

    async def _look_at_channels(self) -> None:
        with suppress(StorageError):  # the cycles tell it
            noted = await self._channels.look(self.parts.config)
            self._health.straits, self._health.failing = noted.straits, noted.failing
            if noted.is_news:
                self._wake_outbox()

    def look_at_rules(self) -> None:
        """Has the rule file looked at with the next pulse; what is new in it is looked at once more a second later."""
        if self.rules is not None:
            self.rules.watch.hurry()

    async def _look_at_rules(self, rules: Reload) -> None:
        try:
            await rules.look()
        except StorageError as fault:  # the cycles tell it
            log.error("rules.storage", str(fault))
        self._health.rule_faults = rules.faults

    def _open_console(self) -> None:
        """Begins to answer once a cycle is done."""
        if self.listen is not None and self._console is None and self._health.cycles:
            from guard.console.server import Console  # noqa: PLC0415 - its import must not delay the first poll

            self._console = asyncio.ensure_future(Console(self.listen, self._health, self.parts.clock).serve())

    def _listen_for_presses(self) -> None:
        """Listens as the rule file says, once a cycle is done: what that imports must not delay the first poll."""
        if self._health.cycles and not self._draining:
            self._sockets.follow(self.parts.config.channels.values())
            self._health.unheard = self._sockets.unheard

    async def _wake_cycle(self, family: Family) -> None:
        self._start(f"{CYCLE}{family.name}", partial(self._tick, family))

    def _wake_subs(self, family: Family) -> None:
        """Begins a pass over the sub-accounts if it is time, and asks those whose turn has come."""
        if family.begin_pass() and family.is_listing_due():
            self._start(f"listing:{family.name}", partial(self._list, family))
        if family.has_turn():
            for number in range(AT_ONCE):
                job = f"subs:{family.name}:{number}"
                self._start(job, partial(self._take_turns, family, job))

    async def _wake_prune(self) -> None:
        self._start("prune", self._prune)

    def _wake_outbox(self) -> None:
        for channel in self.parts.notifiers:
            job, work = f"{OUTBOX}{channel}", partial(self._work, channel)
            if not self._start(job, work):
                self._again[job] = work  # it may have looked just before there was something to send

    def _start(self, job: str, work: Work) -> bool:
        if job in self._running or self._draining:
            return False
        task = asyncio.ensure_future(work())
        self._running[job] = task
        task.add_done_callback(partial(self._done, job))
        return True

    def _done(self, job: str, task: asyncio.Task[None]) -> None:
        del self._running[job]
        del self._watched[job]
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("service.unplanned", "a job failed; it will run again", exc=fault, job=job)
        if (work := self._again.pop(job, None)) is not None:
            self._start(job, work)

    async def _tick(self, family: Family) -> None:
        """A cycle of the master account, and the beginning of a pass over its sub-accounts."""
        self._let_go(family)  # whoever hangs, or is late, holds nothing back for longer than an interval
        await self._cycle(family.master, family)
        family.want_pass()
        self._wake_subs(family)
        self._end_storm(family)

    async def _retry(self, family: Family) -> None:
        """A cycle of the master account between two ticks."""
        await self._cycle(family.master, family)
        self._end_storm(family)

    async def _hear_master(self, family: Family) -> None:
        """Has a cycle of the master account run, unless one does already, and waits for its end."""
        self._start(f"{CYCLE}{family.name}", partial(self._retry, family))
        await asyncio.wait({self._running[f"{CYCLE}{family.name}"]})

    async def _take_turns(self, family: Family, job: str) -> None:
        async def run(cycles: Cycles) -> None:
            self._watched[job] = 0  # one by one they may take long
            try:
                await self._cycle(cycles, family)
            except Exception as fault:  # noqa: BLE001 - a defect in one sub-account must not stop the others
                text = "a cycle failed; it will run again"
                log.error("service.unplanned", text, exc=fault, account=cycles.config.name)

        await family.take_turns(run)
        self._end_storm(family)

    def _end_storm(self, family: Family) -> None:
        """Lets go of what waits for the end of the pass, if that has come, or will not come soon."""
        if family.is_pass_over or family.is_silent:
            self._let_go(family)

    def _let_go(self, family: Family) -> None:
        if self.parts.outbox.storm.end(family.name):
            self._wake_outbox()

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
            await self._store_failing.failed(before.name, fault)
            self._health.store_failing = self._store_failing.is_failing
            if self._health.store_failing:
                self._beat()
            return
        self._health.cycled(self.parts.clock.monotonic_s())
        log_decision(before, decision)
        if not all(map(self.parts.outbox.storm.holds, decision.notifications)):
            self._wake_outbox()
        if cycles is family.master:
            self._beat()
        await self._store_failing.worked(before.name)
        self._health.store_failing = self._store_failing.is_failing

    def _beat(self) -> None:
        """Gives a sign of life, or tells that nothing can be written down, or nobody told."""
        if self.parts.heartbeat is not None:
            is_well, now_s = not self._health.is_failing, self.parts.clock.monotonic_s()
            self._start("heartbeat", partial(self.parts.heartbeat.tell, is_well=is_well, now_s=now_s))

    async def _work(self, channel: str) -> None:
        try:
            while not self._draining and await self.parts.outbox.attempt(channel):
                self._watched[f"{OUTBOX}{channel}"] = 0  # a slow receiver is no hanging service
            self._unwritable.discard(channel)
        except StorageError as fault:
            if channel not in self._unwritable:  # it is tried each second
                log.error("outbox.storage", str(fault), channel=channel)
            self._unwritable.add(channel)

    async def _prune(self) -> None:
        try:
            await self.parts.store.run(lambda unit: unit.prune(self.parts.clock.now()))
        except StorageError as fault:
            log.error("store.prune_failed", str(fault))

    def _watch(self) -> None:
        """Re-arms the scheduler's jobs when they no longer come, as after a jump of the clock, or gives up.

        It counts its own rounds instead of seconds: of a process that was stopped for hours nothing hangs.
        """
        if self._draining:
            return
        # A disk that hangs with the rule file on it does not hold up what runs.
        self._watched.update(["pulse", *(job for job in self._running if job != RULES)])
        hung = [name for name, rounds in self._watched.items() if rounds >= GIVE_UP_AFTER]
        if hung:
            log.error("watchdog.gave_up", "the service hangs; it ends so that it is started anew", jobs=",".join(hung))
            self._ended.set_result(ExitCode.UNPLANNED)
            return
        if self._watched["pulse"] < REARM_AFTER:
            self.systemd.alive(self._health.line(self.parts.clock.monotonic_s()))
        else:
            log.warning("watchdog.rearmed", "the scheduler did not come, as after a jump of the clock")
            now = self.parts.clock.wall_now()
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=now)
        asyncio.get_running_loop().call_later(WATCH_S, self._watch)

    async def _drain(self) -> None:
        """Stops waking, lets deliveries in flight finish, and parks those that do not: they then count as unsure.

        A poll is not waited for: its answer is forgotten, and the next start asks again.
        """
        self._draining = True
        self.systemd.stopping()
        self._scheduler.pause()
        if self._console is not None:
            self._console.cancel()
        for job, task in self._running.items():
            if not job.startswith(OUTBOX):
                task.cancel()
        tasks = {*self._running.values(), *self._sockets.end()}
        if self._running:
            log.info("service.draining", "finishing what is in flight", jobs=",".join(self._running))
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._scheduler.shutdown(wait=False)
