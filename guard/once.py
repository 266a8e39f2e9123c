"""One pass for cron: a cycle of every account, then what is due, for 30 s at most."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from random import random
from typing import Final

from guard.config import AccountConfig
from guard.cycle import is_due, log_decision, run_cycle
from guard.errors import ExitCode
from guard.logs import log
from guard.model import NO_DATA, Account, Alert, Level
from guard.parts import Parts
from guard.store import Unit

BEGIN_S: Final = (
    20.0  # no attempt begins later, and one takes 10 s at the most: an attempt that is cut may be shown twice
)


async def run_once(parts: Parts) -> ExitCode:
    """Runs one pass; gives 0 if nothing fires, 1 if at most warning does, 2 for critical, 3 without data.

    Raises StorageError when nothing could be committed.
    """
    done = await asyncio.gather(*(_cycle(parts, each) for each in parts.config.accounts), return_exceptions=True)
    await _deliver(parts)
    for fault in done:
        if fault is not None:
            raise fault
    return await parts.store.run(partial(_finish, parts=parts))


async def _cycle(parts: Parts, config: AccountConfig) -> None:
    before = await parts.store.run(lambda unit: unit.account(config.name)) or Account(config.name)
    now = parts.clock.now()
    since = now - before.cycled_at if before.cycled_at else timedelta()
    client = parts.clients[config.name]
    ask = is_due(before, client, now=now)
    if not ask:
        text = "AgentPhone is left alone for a while, since it failed"
        log.warning("once.unasked", text, account=config.name, until=before.ask_at)
    decision = await run_cycle(
        config,
        client=client,
        store=parts.store,
        clock=parts.clock,
        ask=ask,
        jitter=random(),  # noqa: S311 - a backoff's jitter guards no secret
        # Whoever starts the passes decides how far apart they are.
        every=max(config.every, since),
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
    return _verdict(unit, names=[account.name for account in parts.config.accounts])


def _verdict(unit: Unit, *, names: Collection[str]) -> ExitCode:
    firing = [alert for name in names for alert in unit.alerts(name).values() if alert.level is not None]
    accounts = unit.accounts()
    # An account that was never heard of fires only after a while, but nothing is known of it from the start.
    if any(_is_no_data(alert) for alert in firing) or any(accounts[name].good_at is None for name in names):
        return ExitCode.NO_DATA
    if any(alert.level is Level.CRITICAL for alert in firing):
        return ExitCode.CRITICAL
    return ExitCode.FIRING if firing else ExitCode.DONE


def _is_no_data(alert: Alert) -> bool:
    return alert.key.rule == NO_DATA and alert.level is Level.CRITICAL
