"""What is stored of one account for its cycles: read before the first one, and written with each."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from guard.config import AccountConfig
from guard.lifecycle.decide import Decision, Memory
from guard.model import Account
from guard.siblings import past
from guard.store import Unit


def recall(unit: Unit, config: AccountConfig, *, now: datetime, every: timedelta | None = None) -> Memory:
    """All that is stored of one account, with the snapshots that its rules look back on."""
    account = unit.account(config.name) or Account(config.name)
    return Memory(account, unit.alerts(config.name), history=past(unit, config, until=now, every=every))


def within(unit: Unit, memory: Memory, *, now: datetime) -> Memory:
    """The same with what others write too, as it stands in this transaction: what is told, and what is muted."""
    notifications = partial(unit.notifications, memory.account.name)
    return replace(memory, notifications=notifications, mutes=partial(unit.mutes, now=now))


def save(unit: Unit, decision: Decision) -> None:
    """Writes what a decision changes."""
    unit.save_account(decision.account)
    unit.save_changes(decision)
