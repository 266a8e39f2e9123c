"""The alerts of a rule with `each`: of every subject that is listed, and of those that no longer are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from guard.lifecycle.roster import GONE_AFTER
from guard.lifecycle.step import Step, close, is_at_rest, step
from guard.model import Alert, AlertKey, Each, Endpoint, Evaluation, Fields, Reason, State
from guard.payload.months import has_just_begun, month_start
from guard.rules.evaluate import Facts, evaluate
from guard.rules.rule import Rule
from guard.rules.values import Windows

LISTINGS: Final = {Each.NUMBER: Endpoint.BY_NUMBER, Each.AGENT: Endpoint.BY_AGENT}
"""The endpoint whose answer shows which subjects there are."""


class WindowsOf(Protocol):
    """Gives a subject's own history."""

    def __call__(self, *, subject: tuple[Each, str]) -> Windows:
        """Takes the kind of the subject and its id."""


def step_subjects(
    rule: Rule,
    facts: Facts,
    alerts: Mapping[str, Alert],
    *,
    windows: WindowsOf,
    now: datetime,
    every: timedelta,
) -> Iterator[Step]:
    """Moves the alerts of a rule that has `each`; those at rest that stay so are not among the steps.

    `facts` are the account's, `alerts` all that are stored of the rule, by subject. Without a listing the rule is
    unknown as a whole: every alert that is not at rest, and where there is none, one of the rule without a subject.
    A subject that a listing does not show is unknown, until three in a row did not; then its alert ends. An empty one
    shows that nobody did anything yet in its month: what the month before came to is over.
    """
    assert rule.each is not None  # noqa: S101 - the caller's branch
    listed = facts.snapshot.subjects.get(rule.each)
    open_alerts = {subject: alert for subject, alert in alerts.items() if not is_at_rest(alert)}
    if listed is None:
        whole = alerts.get("") or Alert(facts.key(rule))
        yield from _step_unlisted(rule, open_alerts.values() or (whole,), now=now, every=every)
        return
    if "" in open_alerts:  # the rule as a whole is known again
        yield step(open_alerts.pop(""), _calm(rule, facts), rule.policy, now=now, every=every)
    yield from _step_listed(rule, rule.each, facts, listed, alerts, windows=windows, now=now, every=every)
    missed = 1 if LISTINGS[rule.each] in facts.snapshot.fresh else 0
    for subject, alert in open_alerts.items():
        if subject not in listed:
            if listed:
                yield _step_absent(rule, alert, absent=alert.absent + missed, now=now, every=every)
            else:
                yield _step_emptied(rule, alert, at=facts.snapshot.at, now=now, every=every)


def _step_unlisted(rule: Rule, alerts: Iterable[Alert], *, now: datetime, every: timedelta) -> Iterator[Step]:
    for alert in alerts:
        unknown = _unknown(rule, alert.key, f"no good listing of {rule.each}s")
        yield step(alert, unknown, rule.policy, now=now, every=every)


def _step_listed(
    rule: Rule,
    each: Each,
    facts: Facts,
    listed: Mapping[str, Fields],
    alerts: Mapping[str, Alert],
    *,
    windows: WindowsOf,
    now: datetime,
    every: timedelta,
) -> Iterator[Step]:
    for subject in listed:
        alert = alerts.get(subject)
        at_rest = alert is None or is_at_rest(alert)
        about = facts.about(each, subject, windows=windows(subject=(each, subject)))
        evaluation = evaluate(rule, about, at_rest=at_rest)
        if at_rest and not evaluation.unknown and True not in evaluation.holds.values():
            continue
        done = step(alert or Alert(evaluation.key), evaluation, rule.policy, now=now, every=every)
        yield replace(done, alert=replace(done.alert, absent=0)) if done.alert.absent else done


def _step_emptied(rule: Rule, alert: Alert, *, at: datetime, now: datetime, every: timedelta) -> Step:
    if _is_of_past_month(rule, alert, at):
        has_recovered = alert.state is State.RECOVERING and alert.period_start_at is None
        return close(replace(alert, absent=0), Reason.RECOVERED if has_recovered else Reason.NEW_PERIOD, now=now)
    if not has_just_begun(at):
        return _step_absent(rule, alert, absent=alert.absent, now=now, every=every)
    # What a clock ahead of the server's took for this month's, or what is not counted by it; it is no fault yet.
    young = replace(_unknown(rule, alert.key, f"no {rule.each} is listed yet in this month"), is_young=True)
    return step(alert, young, rule.policy, now=now, every=every)


def _is_of_past_month(rule: Rule, alert: Alert, at: datetime) -> bool:
    """Whether what it was last known by was counted in a month that is over."""
    # One that recovers has no period any more.
    counted_at = alert.period_start_at or (alert.reading.at if alert.reading and rule.calendar else None)
    return counted_at is not None and counted_at < month_start(at)


def _step_absent(rule: Rule, alert: Alert, *, absent: int, now: datetime, every: timedelta) -> Step:
    if absent >= GONE_AFTER:
        # What comes back one day begins anew, and does not flap because it did so before.
        done = close(replace(alert, absent=0, fired=()), Reason.SUBJECT_GONE, now=now)
        return replace(done, is_gone=True)
    unknown = _unknown(rule, alert.key, f"the {rule.each} is not in the last listing")
    done = step(alert, unknown, rule.policy, now=now, every=every)
    return replace(done, alert=replace(done.alert, absent=absent))


def _unknown(rule: Rule, key: AlertKey, why: str) -> Evaluation:
    return Evaluation(key, dict.fromkeys(rule.conditions), None, None, unknown=why)


def _calm(rule: Rule, facts: Facts) -> Evaluation:
    return Evaluation(facts.key(rule), dict.fromkeys(rule.conditions, False), clear=True, reading=None)
