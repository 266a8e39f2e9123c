"""One pass for cron: a cycle of every account, then what is due; neither begins anything after 20 s."""

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import random
from typing import Final

from guard.cycle import Cycles, log_decision
from guard.errors import ExitCode
from guard.family import Family
from guard.logs import log
from guard.model import NO_DATA, Alert, Level, master_name
from guard.outbox import ChannelWatch
from guard.parts import Parts
from guard.reporting import Reporter
from guard.store import Unit

# No cycle and no attempt begins later. What began is waited for, since an attempt that is cut may be shown twice: one
# in Slack takes 10 s at the most, a mail to a server that falls silent in the middle of it 47 s.
BEGIN_S: Final = 20.0
LIST_S: Final = 10.0  # for a listing, so that a slow one leaves time for those who are known


async def run_once(parts: Parts) -> ExitCode:
    """Runs one pass; gives 0 if nothing fires, 1 if at most warning does, 2 for critical, 3 without data.

    Gives one sign of life, if that is asked for. Raises StorageError when nothing could be committed.
    """
    try:
        is_heard, code = await _pass(parts)
    except Exception:
        await _beat(parts, is_well=False)
        raise
    await _beat(parts, is_well=is_heard)
    return code


async def _beat(parts: Parts, *, is_well: bool) -> None:
    if parts.heartbeat is not None:
        await (parts.heartbeat.beat() if is_well else parts.heartbeat.fail())


async def _pass(parts: Parts) -> tuple[bool, ExitCode]:
    """The pass itself: whether some channel works, and how things stand."""
    until_s = parts.clock.monotonic_s() + BEGIN_S
    done = await asyncio.gather(
        *(_Round(parts, each, until_s).run() for each in parts.families), return_exceptions=True
    )
    await Reporter(parts.store, parts.clock).look(parts.config)
    until_s = parts.clock.monotonic_s() + BEGIN_S
    await _deliver(parts, until_s=until_s)
    noted = await ChannelWatch(parts.store, parts.clock).look(parts.config)
    if noted.is_news and parts.clock.monotonic_s() < until_s:
        await _deliver(parts, until_s=until_s)
    for fault in done:
        if fault is not None:
            raise fault
    is_heard = not noted.failing.keys() >= parts.config.channels.keys()
    return is_heard, await parts.store.run(partial(_finish, parts=parts))


@dataclass(slots=True)
class _Round:
    """The cycles of one family in one pass; the time may not suffice for all of them."""

    parts: Parts
    family: Family
    until_s: float
    _left: int = 0
    _fault: Exception | None = None  # the first one
    _hearing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """A cycle of the master account, then of each sub-account; what is raised is raised when all had their turn."""
        await self.family.remember()
        await self._cycle(self.family.master)
        for decision in await self.family.restate():
            log_decision(decision.account, decision)
        if not self.family.has_outage:
            await self.family.update(within_s=LIST_S)
        await self.family.ask(deque(self.family.subs), self._turn)
        if self._left:
            text = "the time did not suffice for all sub-accounts; the next pass begins with the others"
            log.warning("once.unasked", text, account=self.family.name, left=self._left)
        if self._fault is not None:
            raise self._fault

    async def _turn(self, cycles: Cycles) -> None:
        if self.parts.clock.monotonic_s() >= self.until_s:
            self._left += 1
            return
        try:
            await self._cycle(cycles)
        except Exception as fault:  # noqa: BLE001 - what ails one account must not stop the others
            self._fault = self._fault or fault

    async def _cycle(self, cycles: Cycles) -> None:
        await cycles.remember()
        before, clock = cycles.account, self.parts.clock
        since = clock.now() - before.cycled_at if before.cycled_at else timedelta()
        if not cycles.is_due():
            text = "AgentPhone is left alone for a while, since it failed"
            log.warning("once.unasked", text, account=before.name, until=before.ask_at)
        decision = await self.family.run(
            cycles,
            hear=self._hear,
            jitter=random(),  # noqa: S311 - a backoff's jitter guards no secret
            # Whoever starts the passes decides how far apart they are.
            every=max(cycles.config.every, since),
        )
        log_decision(before, decision)

    async def _hear(self) -> None:
        """A cycle of the master account, or the end of one that runs already."""
        is_heard = self._hearing.locked()
        async with self._hearing:
            if not is_heard:
                await self._cycle(self.family.master)


async def _deliver(parts: Parts, *, until_s: float) -> None:
    """Tries what is due on every channel; what the time does not suffice for is left for the next pass."""
    done = await asyncio.gather(
        *(_send(parts, channel, until_s=until_s) for channel in parts.notifiers), return_exceptions=True
    )
    for fault in done:
        if fault is not None:
            raise fault


async def _send(parts: Parts, channel: str, *, until_s: float) -> None:
    while await parts.outbox.attempt(channel) or await parts.outbox.wait(channel):
        if parts.clock.monotonic_s() >= until_s:
            log.warning("once.left", "the time is up; the next pass sends what is left", channel=channel)
            return


def _finish(unit: Unit, *, parts: Parts) -> ExitCode:
    unit.prune(parts.clock.now())
    return _verdict(unit, masters={family.name for family in parts.families})


def _verdict(unit: Unit, *, masters: Collection[str]) -> ExitCode:
    firing = [alert for alert in unit.alerts().values() if alert.level is not None]
    # An account that was never heard of fires only after a while, but nothing is known of it from the start. A
    # sub-account that had no turn yet has no row.
    unheard = (each for each in unit.accounts().values() if each.good_at is None and master_name(each.name) in masters)
    if any(_is_no_data(alert) for alert in firing) or any(unheard):
        return ExitCode.NO_DATA
    if any(alert.level is Level.CRITICAL for alert in firing):
        return ExitCode.CRITICAL
    return ExitCode.FIRING if firing else ExitCode.DONE


def _is_no_data(alert: Alert) -> bool:
    return alert.key.rule == NO_DATA and alert.level is Level.CRITICAL
