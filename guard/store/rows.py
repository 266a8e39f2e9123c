"""From the nouns of `guard.model` to rows and back; `x_row` and `x_of` are each other's reverse."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from guard.model import (
    Account,
    Ack,
    Alert,
    AlertKey,
    Answer,
    Endpoint,
    Event,
    EventKind,
    Failure,
    FailureKind,
    Incident,
    Level,
    Reason,
    Silence,
    State,
    SubAccount,
    Timer,
)
from guard.store import document
from guard.store.poll import Poll
from guard.store.rule_file import RuleFile

Values = dict[str, Any]
"""A row to be written, by column name."""


def key_row(key: AlertKey) -> Values:
    """The three columns that name an alert."""
    return {"account": key.account, "rule": key.rule, "subject": key.subject}


def key_of(row: Row[Any]) -> AlertKey:
    """The alert that a row is about."""
    return AlertKey(row.account, row.rule, row.subject)


def level_of(number: int | None) -> Level | None:
    """The level by its number; None where there is none."""
    return None if number is None else Level(number)


def _failure_row(failure: Failure | None) -> Values:
    return {
        "failure_kind": failure and failure.kind.value,
        "failure_text": failure and failure.text,
        "failure_retry_after": failure and failure.retry_after,
    }


def _failure_of(row: Row[Any]) -> Failure | None:
    if row.failure_kind is None:
        return None
    return Failure(FailureKind(row.failure_kind), row.failure_text, row.failure_retry_after)


def account_row(account: Account) -> Values:
    """An account, whole."""
    return {
        "name": account.name,
        "cycled_at": account.cycled_at,
        "good_at": account.good_at,
        "silence": account.outage,
        "lost": account.lost,
        "good_streak": account.good_streak,
        "failures": account.failures,
        **_failure_row(account.failure),
        "ask_at": account.ask_at,
        "period_start_at": account.period_start_at,
        "period_lag": account.period_lag,
        "listed_at": account.listed_at,
    }


def account_of(row: Row[Any]) -> Account:
    """An account, whole."""
    return Account(
        name=row.name,
        cycled_at=row.cycled_at,
        good_at=row.good_at,
        outage=row.silence,
        lost=row.lost,
        good_streak=row.good_streak,
        failures=row.failures,
        failure=_failure_of(row),
        ask_at=row.ask_at,
        period_start_at=row.period_start_at,
        period_lag=row.period_lag,
        listed_at=row.listed_at,
    )


def sub_account_row(sub_account: SubAccount) -> Values:
    """A sub-account, whole."""
    return {"master": sub_account.master, "id": sub_account.id, "absent": sub_account.absent}


def sub_account_of(row: Row[Any]) -> SubAccount:
    """A sub-account, whole."""
    return SubAccount(row.master, row.id, row.absent)


def poll_row(poll: Poll, answer_id: int | None) -> Values:
    """A poll; its answer is a row of its own."""
    answer, failure = (poll.outcome, None) if isinstance(poll.outcome, Answer) else (None, poll.outcome)
    return {
        "account": poll.account,
        "endpoint": poll.endpoint,
        "at": poll.at,
        "answer_id": answer_id,
        "server_at": answer and answer.server_at,
        **_failure_row(failure),
        "age": poll.age,
    }


def poll_of(row: Row[Any]) -> Poll:
    """A poll, from its row joined with its answer's payload."""
    return Poll(row.account, row.at, _failure_of(row) or answer_of(row), Endpoint(row.endpoint), row.age)


def answer_of(row: Row[Any]) -> Answer:
    """The answer of a good poll, from the same joined row."""
    return Answer(json.loads(row.payload), row.payload, row.server_at)


def incident_row(incident: Incident) -> Values:
    """An incident, whole."""
    return {
        "id": incident.id,
        **key_row(incident.key),
        "started_at": incident.started_at,
        "peak": int(incident.peak),
        "peak_value": incident.peak_value,
        "ended_at": incident.ended_at,
        "reason": incident.reason and incident.reason.value,
    }


def incident_of(row: Row[Any]) -> Incident:
    """An incident, whole."""
    return Incident(
        id=row.id,
        key=key_of(row),
        started_at=row.started_at,
        peak=Level(row.peak),
        peak_value=row.peak_value,
        ended_at=row.ended_at,
        reason=None if row.reason is None else Reason(row.reason),
    )


def alert_row(alert: Alert) -> Values:
    """An alert; its incident is a row of its own."""
    return {
        **key_row(alert.key),
        "state": alert.state.value,
        "level": alert.level,
        "timers": document.timers_text(alert.timers),
        "clear_total": alert.clear and alert.clear.total,
        "clear_at": alert.clear and alert.clear.at,
        "unknown_total": alert.unknown and alert.unknown.total,
        "unknown_at": alert.unknown and alert.unknown.at,
        "unknown_why": alert.unknown_why,
        "incident_id": alert.incident and alert.incident.id,
        "reading": alert.reading and document.reading_text(alert.reading),
        "limits": document.limits_text(alert.limits),
        "period_start_at": alert.period_start_at,
        "fingerprint": alert.fingerprint,
        "absent": alert.absent,
        "fired": document.instants_text(alert.fired),
        "flapping": alert.flapping and document.flapping_text(alert.flapping),
        "wording": alert.reading.wording if alert.reading else "",
    }


def _timer(total: timedelta | None, at: datetime | None) -> Timer | None:
    return None if total is None or at is None else Timer(total, at)


def alert_of(row: Row[Any], incidents: Mapping[str, Incident]) -> Alert:
    """An alert, from its row and the incidents that are open."""
    return Alert(
        key=key_of(row),
        state=State(row.state),
        level=level_of(row.level),
        timers=document.timers_of(row.timers),
        clear=_timer(row.clear_total, row.clear_at),
        unknown=_timer(row.unknown_total, row.unknown_at),
        unknown_why=row.unknown_why,
        incident=None if row.incident_id is None else incidents[row.incident_id],
        reading=None if row.reading is None else document.reading_of(row.reading, wording=row.wording),
        limits=document.limits_of(row.limits),
        period_start_at=row.period_start_at,
        fingerprint=row.fingerprint,
        absent=row.absent,
        fired=document.instants_of(row.fired),
        flapping=None if row.flapping is None else document.flapping_of(row.flapping),
    )


def event_row(event: Event) -> Values:
    """An event, whole."""
    return {
        "at": event.at,
        **key_row(event.key),
        "kind": event.kind.value,
        "incident_id": event.incident_id,
        "level": event.level,
        "value": event.value,
        "channel": event.channel,
        "text": event.text,
    }


def event_of(row: Row[Any]) -> Event:
    """An event, whole."""
    return Event(
        at=row.at,
        key=key_of(row),
        kind=EventKind(row.kind),
        incident_id=row.incident_id,
        level=level_of(row.level),
        value=row.value,
        channel=row.channel,
        text=row.text,
    )


def rule_file_row(rule_file: RuleFile) -> Values:
    """A version of the rule file, whole."""
    return {
        "at": rule_file.at,
        "digest": rule_file.digest,
        "text": rule_file.text,
        "changes": json.dumps(rule_file.changes, ensure_ascii=False),
    }


def rule_file_of(row: Row[Any]) -> RuleFile:
    """A version of the rule file, whole."""
    return RuleFile(row.at, row.digest, row.text, tuple(json.loads(row.changes)))


def silence_row(silence: Silence) -> Values:
    """A silence, less its number."""
    return {
        "pattern": silence.pattern,
        "labels": json.dumps(dict(silence.labels), ensure_ascii=False),
        "below": silence.below and int(silence.below),
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "reason": silence.reason,
        "by": silence.by,
        "ended_at": silence.ended_at,
    }


def silence_of(row: Row[Any]) -> Silence:
    """A silence, whole."""
    return Silence(
        pattern=row.pattern,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        labels=json.loads(row.labels),
        below=level_of(row.below),
        reason=row.reason,
        by=row.by,
        id=row.id,
        ended_at=row.ended_at,
    )


def ack_row(ack: Ack) -> Values:
    """An ack, less its number."""
    return {
        "incident_id": ack.incident_id,
        "level": int(ack.level),
        "at": ack.at,
        "by": ack.by,
        "reason": ack.reason,
        "until_at": ack.until_at,
        "ended_at": ack.ended_at,
    }


def ack_of(row: Row[Any]) -> Ack:
    """An ack, whole."""
    return Ack(
        incident_id=row.incident_id,
        level=Level(row.level),
        at=row.at,
        by=row.by,
        reason=row.reason,
        until_at=row.until_at,
        id=row.id,
        ended_at=row.ended_at,
    )
