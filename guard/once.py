"""One pass for cron: a cycle of every account, then what is due, for 30 s at most."""

import asyncio
from collections import deque
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from random import random
from typing import Final

from guard.cycle import Cycles, log_decision
from guard.errors import ExitCode
from guard.family import Family
from guard.logs import log
from guard.model import NO_DATA, Alert, Level, master_name
from guard.parts import Parts
from guard.store import Unit

BEGIN_S: Final = (
    20.0  # no attempt begins later, and one takes 10 s at the most: an attempt that is cut may be shown twice
)


async def run_once(parts: Parts) -> ExitCode:
    """Runs one pass; gives 0 if nothing fires, 1 if at most warning does, 2 for critical, 3 without data.

    Raises StorageError when nothing could be committed.
    """
    until_s = parts.clock.monotonic_s() + BEGIN_S
    done = await asyncio.gather(
        *(_ask(parts, each, until_s=until_s) for each in parts.families), return_exceptions=True
    )
    await _deliver(parts)
    for fault in done:
        if fault is not None:
            raise fault
    return await parts.store.run(partial(_finish, parts=parts))


async def _ask(parts: Parts, family: Family, *, until_s: float) -> None:
    """A cycle of the master account, then of each sub-account; the time may not suffice for all of them."""
    await family.remember()
    await _cycle(parts, family.master, family)
    if family.is_silent:
        return
    await family.update()
    left = 0

    async def run(cycles: Cycles) -> None:
        nonlocal left
        if parts.clock.monotonic_s() < until_s:
            await _cycle(parts, cycles, family)
        else:
            left += 1

    await family.ask(deque(family.subs), run)
    if left:
        text = "the time did not suffice for all sub-accounts; the next pass begins with the others"
        log.warning("once.unasked", text, account=family.name, left=left)


async def _cycle(parts: Parts, cycles: Cycles, family: Family) -> None:
    await cycles.remember()
    before = cycles.account
    now = parts.clock.now()
    since = now - before.cycled_at if before.cycled_at else timedelta()
    ask = cycles.is_due()
    if not ask:
        text = "AgentPhone is left alone for a while, since it failed"
        log.warning("once.unasked", text, account=before.name, until=before.ask_at)
    decision = await cycles.run(
        ask=ask,
        jitter=random(),  # noqa: S311 - a backoff's jitter guards no secret
        # Whoever starts the passes decides how far apart they are.
        every=max(cycles.config.every, since),
        silence_counts=family.silence_counts(cycles),
    )
    log_decision(before, decision)


async def _deliver(parts: Parts) -> None:
    """Tries what is due on every channel; what the time does not suffice for is left for the next pass."""
    until_s = parts.clock.monotonic_s() + BEGIN_S
    done = await asyncio.gather(
        *(_send(parts, channel, until_s=until_s) for channel in parts.notifiers), return_exceptions=True
    )
    for fault in done:
        if fault is not None:
            raise fault


async def _send(parts: Parts, channel: str, *, until_s: float) -> None:
    while await parts.outbox.attempt(channel):
        if parts.clock.monotonic_s() >= until_s:
            log.warning("once.left", "what is left is sent by the next pass", channel=channel)
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
