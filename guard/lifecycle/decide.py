"""One cycle's decisions: evaluate every rule, step every alert, and say what each channel should now know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from guard.lifecycle import asking
from guard.lifecycle.desired import desire
from guard.lifecycle.step import Step, close, step
from guard.model import (
    NO_DATA,
    Account,
    Alert,
    AlertKey,
    Event,
    Failure,
    Incident,
    Notification,
    Reason,
    Snapshot,
)
from guard.rules.evaluate import evaluate
from guard.rules.policy import Policy
from guard.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched on one account: its rules with all defaults applied, and how it is asked."""

    name: str
    rules: Sequence[Rule]  # the enabled ones
    no_data: Policy
    budgets: Mapping[str, float]
    every: timedelta
    no_data_after: timedelta


@dataclass(frozen=True, slots=True)
class Memory:
    """What is stored of one account."""

    account: Account
    alerts: Mapping[AlertKey, Alert] = field(default_factory=dict)
    notifications: Sequence[Notification] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What one cycle changes; everything that is not in it stays as it is stored."""

    account: Account
    alerts: tuple[Alert, ...] = ()
    incidents: tuple[Incident, ...] = ()
    events: tuple[Event, ...] = ()
    notifications: tuple[Notification, ...] = ()


def decide(
    watched: Watched, memory: Memory, seen: Snapshot | Failure | None, *, now: datetime, jitter: float
) -> Decision:
    """Decides one cycle; `seen` is None where the account was not asked, `jitter` a random share for the backoff."""
    if isinstance(seen, Snapshot):
        account = asking.heard(memory.account, seen, now=now)
        steps = _step_rules(watched, memory, asking.in_period(account, seen), now=now)
    else:
        account = asking.unheard(
            memory.account, seen, now=now, every=watched.every, no_data_after=watched.no_data_after, jitter=jitter
        )
        steps = []
    steps.append(_step_no_data(watched, memory, account, [each for _, each in steps], now=now))
    return _collect(account, memory, steps, now=now)


def retire(memory: Memory, gone: Mapping[AlertKey, Reason], *, now: datetime) -> Decision:
    """Ends the alerts whose rule or account is gone, each for its reason; what was told as firing is told as ended."""
    policies = {key: Policy(rule=key.rule, levels=(), routes={}) for key in gone}
    steps = [(policies[key], close(memory.alerts[key], reason, now=now)) for key, reason in gone.items()]
    return _collect(memory.account, memory, steps, now=now)


def _step_rules(watched: Watched, memory: Memory, snapshot: Snapshot, *, now: datetime) -> list[tuple[Policy, Step]]:
    steps = []
    for rule in watched.rules:
        evaluation = evaluate(rule, snapshot, budgets=watched.budgets)
        alert = memory.alerts.get(evaluation.key) or Alert(evaluation.key)
        steps.append((rule.policy, step(alert, evaluation, rule.policy, now=now, every=watched.every)))
    return steps


def _step_no_data(
    watched: Watched, memory: Memory, account: Account, steps: Iterable[Step], *, now: datetime
) -> tuple[Policy, Step]:
    live = {AlertKey(watched.name, rule.name) for rule in watched.rules}
    alerts = {key: alert for key, alert in memory.alerts.items() if key in live}
    alerts |= {each.alert.key: each.alert for each in steps}
    evaluation = asking.evaluate_no_data(account, alerts.values(), now=now)
    before = memory.alerts.get(evaluation.key) or Alert(evaluation.key)
    return watched.no_data, step(before, evaluation, watched.no_data, now=now, every=watched.every)


def _collect(account: Account, memory: Memory, steps: Sequence[tuple[Policy, Step]], *, now: datetime) -> Decision:
    by_key: dict[AlertKey, list[Notification]] = {}
    for notification in memory.notifications:
        by_key.setdefault(notification.key, []).append(notification)
    decision = Decision(account)
    for policy, done in steps:
        key = done.alert.key
        wishes = desire(
            done.alert,
            done.closed,
            policy,
            by_key.get(key, ()),
            now=now,
            reminders_wait=account.lost and key.rule != NO_DATA,
        )
        before = memory.alerts.get(key) or Alert(key)
        incident = done.closed or done.alert.incident
        decision = replace(
            decision,
            alerts=decision.alerts + ((done.alert,) if done.alert != before else ()),
            incidents=decision.incidents + ((incident,) if incident and incident != before.incident else ()),
            events=decision.events + done.events + wishes.events,
            notifications=decision.notifications + wishes.notifications,
        )
    return decision
