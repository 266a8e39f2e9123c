"""The end of alerts whose rule or account is no longer watched."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from guard.config import AccountConfig
from guard.cycle.record import save
from guard.lifecycle.decide import Memory, retire
from guard.lifecycle.desired import gap
from guard.model import CHANNEL_FAILING, CONFIG_INVALID, NO_DATA, Account, Alert, AlertKey, Reason, State
from guard.store import Unit, rename

_BUILT_IN: Final = {NO_DATA: False, CONFIG_INVALID: False, CHANNEL_FAILING: True}  # whether it has a subject


def retire_gone(unit: Unit, accounts: Mapping[str, AccountConfig], *, now: datetime) -> None:
    """Ends the alerts of rules and accounts that are no longer watched; `accounts` are those that are, by name.

    What was at rest is forgotten, so that a rule or an account that comes back begins anew. What a rule that has
    another name now was called before goes on under that name.
    """
    rename(unit, {(name, old): new for name, config in accounts.items() for old, new in config.former.items()})
    by_account: dict[str, dict[AlertKey, Alert]] = {}
    for key, alert in unit.alerts().items():
        by_account.setdefault(key.account, {})[key] = alert
    for name, alerts in by_account.items():
        gone = {key: reason for key in alerts if (reason := _why_gone(key, accounts.get(name)))}
        if gone:
            _retire(unit, name, alerts, gone, now=now)
    for name in unit.accounts().keys() - accounts.keys():
        unit.delete_account(name)


def retire_account(unit: Unit, name: str, *, now: datetime) -> None:
    """Ends the alerts of an account that is no longer watched, and forgets how the asking went."""
    alerts = unit.alerts(name)
    _retire(unit, name, alerts, dict.fromkeys(alerts, Reason.ACCOUNT_REMOVED), now=now)
    unit.delete_account(name)


def _retire(
    unit: Unit, name: str, alerts: Mapping[AlertKey, Alert], gone: Mapping[AlertKey, Reason], *, now: datetime
) -> None:
    live = {key: reason for key, reason in gone.items() if alerts[key].state is not State.OK or alerts[key].flapping}
    notifications = unit.notifications(name)
    memory = Memory(unit.account(name) or Account(name), alerts, notifications=lambda: notifications)
    save(unit, retire(memory, live, now=now))
    untold = {each.key for each in notifications if gap(each.desired, each.notified)}
    unit.delete_alerts(gone.keys() - live.keys() - untold)


def _why_gone(key: AlertKey, config: AccountConfig | None) -> Reason | None:
    if config is None:
        return Reason.ACCOUNT_REMOVED
    if key.rule in config.disabled:
        return Reason.RULE_DISABLED
    subjects = {rule.name: rule.each is not None for rule in config.rules} | _BUILT_IN
    if key.rule not in subjects:
        return Reason.RULE_REMOVED
    return Reason.RULE_CHANGED if key.subject and not subjects[key.rule] else None  # it has no `each` any more
