"""One cycle's decisions: evaluate every rule, step every alert, and say what each channel should now know."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial

from guard.lifecycle import asking
from guard.lifecycle.flapping import note_flapping
from guard.lifecycle.mutes import Mutes
from guard.lifecycle.step import Step, close, is_at_rest, step
from guard.lifecycle.subjects import step_subjects
from guard.lifecycle.wishing import Wishing
from guard.model import (
    Account,
    Alert,
    AlertKey,
    Evaluation,
    Event,
    Failure,
    Incident,
    Notification,
    Reason,
    Snapshot,
)
from guard.rules.evaluate import Facts, evaluate
from guard.rules.history import History
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
    tz: tzinfo = UTC  # where the times of day are that rules compare
    outage_counts: bool = True  # whether no answer means that this very account gives none


@dataclass(frozen=True, slots=True)
class Memory:
    """What is stored of one account."""

    account: Account
    alerts: Mapping[AlertKey, Alert] = field(default_factory=dict)
    notifications: Callable[[], Iterable[Notification]] = tuple  # asked for only where an alert has an incident
    mutes: Callable[[Collection[str]], Mutes] = lambda _incidents: Mutes()  # with the acks of these; asked for as above
    history: History = field(default_factory=lambda: History({}))  # up to the snapshot that is seen, which is in it

    def after(self, decision: "Decision") -> "Memory":
        """What is remembered of the account after a decision."""
        alerts = {**self.alerts, **{alert.key: alert for alert in decision.alerts}} if decision.alerts else self.alerts
        return replace(self, account=decision.account, alerts=alerts)


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
            memory.account,
            seen,
            now=now,
            every=watched.every,
            no_data_after=watched.no_data_after,
            jitter=jitter,
            outage_counts=watched.outage_counts,
        )
        steps = _standing([rule.policy for rule in watched.rules], memory)
    steps += _step_no_data(watched, memory, account, [each for _, each in steps], now=now)
    return _collect(account, memory, steps, now=now)


def reconsider(watched: Watched, memory: Memory, seen: Snapshot, *, now: datetime) -> Decision:
    """Decides on a snapshot once more, under rules that are new since then; the asking goes on as it was."""
    seen = replace(asking.in_period(memory.account, seen), fresh=frozenset())  # no listing counts twice
    steps = _step_rules(watched, memory, seen, now=now)
    steps += _step_no_data(watched, memory, memory.account, [each for _, each in steps], now=now)
    return _collect(memory.account, memory, steps, now=now)


def restate(watched: Watched, memory: Memory, *, now: datetime) -> Decision:
    """Decides on what fires as it stands: nothing is looked at anew but what people asked for meanwhile.

    Nobody is reminded by that: the next cycle does it, if the account has one.
    """
    steps = _standing([*(rule.policy for rule in watched.rules), watched.no_data], memory)
    return _collect(memory.account, memory, steps, now=now, reminders_wait=True)


def judge(memory: Memory, evaluation: Evaluation, policy: Policy, *, now: datetime, every: timedelta) -> Decision:
    """Steps one alert by an evaluation that needs no answer of the API, as that of the rule file itself."""
    steps = list(_stepped(memory.alerts.get(evaluation.key), evaluation, policy, now=now, every=every))
    return _collect(memory.account, memory, steps, now=now)


def retire(memory: Memory, gone: Mapping[AlertKey, Reason], *, now: datetime) -> Decision:
    """Ends the alerts whose rule or account is gone, each for its reason; what was told as firing is told as ended.

    What comes back one day begins anew, and does not flap because it did so before.
    """
    policies = {key: Policy(rule=key.rule, levels=(), routes={}) for key in gone}
    anew = {key: replace(memory.alerts[key], fired=()) for key in gone}
    steps = [(policies[key], close(anew[key], reason, now=now)) for key, reason in gone.items()]
    return _collect(memory.account, memory, steps, now=now)


def _step_rules(watched: Watched, memory: Memory, snapshot: Snapshot, *, now: datetime) -> list[tuple[Policy, Step]]:
    steps: list[tuple[Policy, Step]] = []
    windows = partial(memory.history.windows, every=watched.every, tz=watched.tz)
    facts = Facts.of(snapshot, budgets=watched.budgets, windows=windows())
    for rule in watched.rules:
        if rule.each is not None:
            alerts = {key.subject: alert for key, alert in memory.alerts.items() if key.rule == rule.name}
            for done in step_subjects(rule, facts, alerts, windows=windows, now=now, every=watched.every):
                before = alerts.get(done.alert.key.subject) or Alert(done.alert.key)
                steps.append((rule.policy, note_flapping(before, done, now=now, every=watched.every)))
            continue
        alert = memory.alerts.get(AlertKey(watched.name, rule.name))
        evaluation = evaluate(rule, facts, at_rest=alert is None or is_at_rest(alert))
        steps += _stepped(alert, evaluation, rule.policy, now=now, every=watched.every)
    return steps


def _standing(policies: Iterable[Policy], memory: Memory) -> list[tuple[Policy, Step]]:
    """What fires, as it stands: without an answer nothing moves, but the time of a mute may be over."""
    by_rule = {policy.rule: policy for policy in policies}
    firing = (alert for alert in memory.alerts.values() if alert.incident is not None)
    return [(by_rule[alert.key.rule], Step(alert)) for alert in firing if alert.key.rule in by_rule]


def _step_no_data(
    watched: Watched, memory: Memory, account: Account, steps: Iterable[Step], *, now: datetime
) -> Iterable[tuple[Policy, Step]]:
    alerts = {key: alert for key, alert in memory.alerts.items() if alert.unknown is not None}
    alerts.update((each.alert.key, each.alert) for each in steps)
    live = {rule.name for rule in watched.rules} if alerts else ()
    unknown = (alert for key, alert in alerts.items() if alert.unknown is not None and key.rule in live)
    evaluation = asking.evaluate_no_data(account, unknown, now=now)
    return _stepped(memory.alerts.get(evaluation.key), evaluation, watched.no_data, now=now, every=watched.every)


def _stepped(
    alert: Alert | None, evaluation: Evaluation, policy: Policy, *, now: datetime, every: timedelta
) -> Iterable[tuple[Policy, Step]]:
    """One step, or none where an alert at rest stays so, as in nearly every rule of nearly every cycle."""
    at_rest = alert is None or is_at_rest(alert)
    if at_rest and not evaluation.unknown and True not in evaluation.holds.values():
        return ()
    before = alert or Alert(evaluation.key)
    done = step(before, evaluation, policy, now=now, every=every)
    return ((policy, note_flapping(before, done, now=now, every=every)),)


def _collect(
    account: Account,
    memory: Memory,
    steps: Sequence[tuple[Policy, Step]],
    *,
    now: datetime,
    reminders_wait: bool = False,
) -> Decision:
    alerts: list[Alert] = []
    incidents: list[Incident] = []
    events: list[Event] = []
    notifications: list[Notification] = []
    going_on = [done.alert.incident.id for _, done in steps if done.alert.incident is not None]
    mutes = memory.mutes(going_on) if going_on else Mutes()
    wishing = Wishing(account, memory.notifications, mutes, now=now, reminders_wait=reminders_wait)
    for policy, done in steps:
        before = memory.alerts.get(done.alert.key) or Alert(done.alert.key)
        alert = wishing.worded(done.alert, policy)
        if alert != before:
            alerts.append(alert)
        events += done.events
        incident = done.closed or alert.incident
        if incident is not None and incident != before.incident:
            incidents.append(incident)
        wishes = wishing.of(before, replace(done, alert=alert), policy)
        events += wishes.events
        notifications += wishes.notifications
    return Decision(account, tuple(alerts), tuple(incidents), tuple(events), tuple(notifications))
