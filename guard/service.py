"""When things happen: the scheduler wakes cycles, outbox and reload, and the watchdog wakes the scheduler.

APScheduler runs on the wall clock and stops for good when its own bookkeeping fails, so it only wakes the service, and
a monotonic watchdog re-arms its jobs.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import partial
from typing import Any, Final

from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from guard.config import recipients_of
from guard.console.health import Health
from guard.errors import ExitCode, StorageError
from guard.family import Family
from guard.jobs import Jobs
from guard.logs import log
from guard.outbox import ChannelWatch
from guard.parts import Parts
from guard.polling import CYCLE, Polling
from guard.presses import Presses
from guard.reload import Reload
from guard.reporting import Reporter
from guard.settings import Listen
from guard.sockets import Sockets
from guard.store_failing import StoreFailing
from guard.systemd import Systemd

OUTBOX: Final = "outbox:"  # begins the names of the jobs that deliver
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
    _unwritable: set[str] = field(default_factory=set)  # channels of which nothing could be written at the last try
    _pulses_missed: int = 0  # watches since the last pulse
    _console: asyncio.Task[None] | None = None
    _jobs: Jobs = field(default_factory=Jobs)
    _health: Health = field(init=False)
    _ended: asyncio.Future[ExitCode] = field(init=False)
    _store_failing: StoreFailing = field(init=False)
    _polling: Polling = field(init=False)
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
        self._polling = Polling(
            parts=self.parts,
            jobs=self._jobs,
            health=self._health,
            store_failing=self._store_failing,
            wake_outbox=self._wake_outbox,
        )
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
        self._pulses_missed = 0
        self._open_console()
        self._listen_for_presses()
        for family in self.parts.families:
            self._polling.look(family)
        self._wake_outbox()
        if self._channels.is_due():
            self._jobs.start(CHANNELS, self._look_at_channels)
        if self._reporter.due(self.parts.config) is not None:
            self._jobs.start("report", self._look_at_report)
        if self.rules is not None and self.rules.is_due():
            self._jobs.start(RULES, partial(self._look_at_rules, self.rules))

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

            self._console = asyncio.ensure_future(Console(self.listen, self._health, self.parts).serve())

    def _listen_for_presses(self) -> None:
        """Listens as the rule file says, once a cycle is done: what that imports must not delay the first poll."""
        if self._health.cycles and not self._jobs.is_draining:
            self._sockets.follow(self.parts.config.channels.values())
            self._health.unheard = self._sockets.unheard

    async def _wake_cycle(self, family: Family) -> None:
        self._polling.tick(family)

    async def _wake_prune(self) -> None:
        self._jobs.start("prune", self._prune)

    def _wake_outbox(self) -> None:
        for channel in self.parts.notifiers:
            self._jobs.again(f"{OUTBOX}{channel}", partial(self._work, channel))

    async def _work(self, channel: str) -> None:
        try:
            while not self._jobs.is_draining and await self.parts.outbox.attempt(channel):
                self._jobs.seen(f"{OUTBOX}{channel}")  # a slow receiver is no hanging service
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
        if self._jobs.is_draining:
            return
        self._pulses_missed += 1
        self._jobs.watch(but=RULES)  # a disk that hangs with the rule file on it does not hold up what runs
        hung = self._jobs.hung(after=GIVE_UP_AFTER)
        if self._pulses_missed >= GIVE_UP_AFTER:
            hung.append("pulse")
        if hung:
            log.error("watchdog.gave_up", "the service hangs; it ends so that it is started anew", jobs=",".join(hung))
            self._ended.set_result(ExitCode.UNPLANNED)
            return
        if self._pulses_missed < REARM_AFTER:
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
        self.systemd.stopping()
        self._scheduler.pause()
        if self._console is not None:
            self._console.cancel()
        await self._jobs.drain(finish=OUTBOX, beside=self._sockets.end(), within_s=DRAIN_S)
        self._scheduler.shutdown(wait=False)
