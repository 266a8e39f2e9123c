"""Failing: notes which channels refuse or are behind, as alerts, and has others told of what waits there."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from guard.config import Config, recipients_of
from guard.config.failing import evaluate_failing, failing_key, failing_policy
from guard.lifecycle.decide import Decision, Memory, judge, retire
from guard.lifecycle.desired import desire, gap
from guard.lifecycle.strait import Strait, strait
from guard.model import (
    CHANNEL_FAILING,
    Account,
    Alert,
    AlertKey,
    Delivery,
    Evaluation,
    Knowledge,
    Level,
    Notification,
    Occasion,
    Reason,
    State,
)
from guard.outbox.plan import OPEN
from guard.reporting import REPORT_KEY, period_of, wish
from guard.rules.policy import Policy
from guard.store import Unit

_EVERY: Final = timedelta(hours=1)  # between two passes for cron, perhaps; the rule has no timers but for flapping


class Noted(NamedTuple):
    """What one look has found and changed."""

    straits: tuple[Strait, ...]  # of all channels of the rule file, in its order
    failing: Mapping[str, str]  # those whose alert fires, each with how it fails; for people
    decisions: tuple[Decision, ...]  # on their alerts
    is_news: bool  # whether some channel is to be told something


def note_failing(unit: Unit, config: Config, *, now: datetime) -> Noted:
    """Has guard.channel_failing fire and end, channel by channel, and the fallback told what a failing one is not."""
    deliveries = unit.deliveries(states=OPEN)
    alerts = unit.alerts_by_rule(CHANNEL_FAILING)
    straits = tuple(_straits(config, deliveries, now=now))
    busy = {key: each for key, each in alerts.items() if each.state is not State.OK or each.flapping}
    decisions = [*_ended(unit, config, busy, now=now)]
    for each in straits:
        key = next((key for key in busy if key.subject == each.channel), failing_key(config, each.channel))
        if each.is_failing or key in busy:
            evaluation = evaluate_failing(key, config.channels[each.channel], each, now=now)
            policy = _to_whom(failing_policy(config, each), each, straits, alerts, now=now)
            decisions.append(_judged(unit, evaluation, policy, alerts, now=now))
    alerts |= {alert.key: alert for decision in decisions for alert in decision.alerts}
    failing = {key.subject: each.reading.summary for key, each in alerts.items() if each.level and each.reading}
    is_news = _stand_in(unit, config, failing, now=now) or any(each.notifications for each in decisions)
    return Noted(straits, failing, tuple(decisions), is_news)


def _straits(config: Config, deliveries: Iterable[Delivery], *, now: datetime) -> Iterator[Strait]:
    by_channel: dict[str, list[Delivery]] = {name: [] for name in config.channels}
    for each in deliveries:
        if each.channel in by_channel:
            by_channel[each.channel].append(each)
    return (strait(name, found, now=now) for name, found in by_channel.items())


def _to_whom(
    policy: Policy, found: Strait, straits: Iterable[Strait], alerts: Mapping[AlertKey, Alert], *, now: datetime
) -> Policy:
    """Leads to those who can be told of it by now; the others are, once they can, if it is still true then.

    Who is yet to be reached, as it may be for the same cause, is not one of them, nor who failed too and takes messages
    only since this channel was tried last: it may be well again too. Nobody is while that is not known.
    """
    unreached = {each.channel: each.unreached for each in straits}
    well_since = _well_since(straits, alerts, now=now)

    def names(channel: str) -> tuple[str, ...]:
        is_known = found.refused or (found.failed_at and found.failed_at >= well_since.get(channel, found.failed_at))
        return tuple(each for each in policy.recipients[channel] if is_known and each not in unreached[channel])

    return replace(policy, recipients={channel: names(channel) for channel in policy.recipients})


def _well_since(
    straits: Iterable[Strait], alerts: Mapping[AlertKey, Alert], *, now: datetime
) -> Mapping[str, datetime]:
    """Since when channels that have failed before take messages again; by a clock that went back nobody knows that."""
    clear = {each.channel for each in straits if each.is_clear}
    over = {key.subject: each.reading.at for key, each in alerts.items() if each.level is None and each.reading}
    just_now = {key.subject: now for key, each in alerts.items() if each.level is not None and key.subject in clear}
    return {channel: at for channel, at in (over | just_now).items() if at <= now}


def _judged(
    unit: Unit, evaluation: Evaluation, policy: Policy, alerts: Mapping[AlertKey, Alert], *, now: datetime
) -> Decision:
    memory = _memory(unit, evaluation.key.account, alerts, now=now)
    decision = judge(memory, evaluation, policy, now=now, every=_EVERY)
    unit.save_changes(decision)
    return decision


def _ended(unit: Unit, config: Config, busy: Mapping[AlertKey, Alert], *, now: datetime) -> Iterator[Decision]:
    """Ends the alerts of channels that are no longer in the rule file."""
    for key in busy:
        if key.subject not in config.channels:
            decision = retire(_memory(unit, key.account, busy, now=now), {key: Reason.SUBJECT_GONE}, now=now)
            unit.save_changes(decision)
            yield decision


def _memory(unit: Unit, account: str, alerts: Mapping[AlertKey, Alert], *, now: datetime) -> Memory:
    """Of the account itself nothing is read, nor written: its cycles know better how its asking goes."""
    return Memory(Account(account), alerts, partial(unit.notifications, account), partial(unit.mutes, now=now))


# --- the last resort -----------------------------------------------------------------------------------------------


def _stand_in(unit: Unit, config: Config, failing: Collection[str], *, now: datetime) -> bool:
    """Has the fallback know what fires and a failing channel is yet to be told of; whether that is news to it.

    What is held back waits there too, and what is over by now is told where it was told before.
    """
    waiting = _waiting(unit, failing) if config.fallback and failing else {}
    known = _by_key(each for name in config.fallback for each in unit.notifications_on(name)) if waiting else {}
    wanted = {key: each for key, each in waiting.items() if not _all_know(known.get(key, ()), each, config)}
    is_news = False
    if report := wanted.pop(REPORT_KEY, None):
        is_news = _report_too(unit, config, report)
    for account in {key.account for key in wanted}:
        alerts = unit.alerts(account)
        for key in (key for key in wanted if key.account == account):
            alert = alerts.get(key)
            if alert and alert.incident and alert.incident.id == wanted[key].incident_id:
                wishes = desire(alert, _policy(config, alert, wanted[key].level), known.get(key, ()), now=now)
                unit.save_desired(wishes.notifications)
                unit.add_events(wishes.events)
                is_news = is_news or bool(wishes.notifications)
    return is_news


def _report_too(unit: Unit, config: Config, wanted: Knowledge) -> bool:
    """Has the fallback told of the period that a failing channel is yet to be told of; whether that is news to it."""
    period = unit.incidents([wanted.incident_id])[wanted.incident_id]
    recipients = {name: recipients_of(config.channels[name]) for name in config.fallback}
    return wish(unit, period_of(period), recipients)


def _waiting(unit: Unit, failing: Iterable[str]) -> dict[AlertKey, Knowledge]:
    """The highest level of each alert that one of these channels is yet to be told of, and not only reminded."""
    waiting = (each for name in failing for each in unit.waiting(name))
    untold = [each for each in waiting if gap(each.desired, each.notified) not in (None, Occasion.REMINDER)]
    desired = ((each.key, each.desired) for each in untold if each.desired)
    return dict(sorted(desired, key=lambda each: each[1].level))


def _by_key(notifications: Iterable[Notification]) -> dict[AlertKey, list[Notification]]:
    found: dict[AlertKey, list[Notification]] = {}
    for each in notifications:
        found.setdefault(each.key, []).append(each)
    return found


def _all_know(known: Iterable[Notification], wanted: Knowledge, config: Config) -> bool:
    """Whether all of the fallback should know it already, as with every look but the first."""
    desired = [each.desired for each in known if each.desired and not each.desired.held]
    there = [each for each in desired if each.incident_id == wanted.incident_id and each.level >= wanted.level]
    return len(there) == sum(len(recipients_of(config.channels[name])) for name in config.fallback)


def _policy(config: Config, alert: Alert, level: Level) -> Policy:
    """Leads an alert to the fallback, at this level or at the present one if that is lower."""
    level = min(level, alert.level or level)
    recipients = {name: recipients_of(config.channels[name]) for name in config.fallback}
    return Policy(alert.key.rule, (level,), {level: config.fallback}, recipients)
