"""From the nouns of `guard.model` to rows and back; `x_row` and `x_of` are each other's reverse."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

from guard.model import (
    Account,
    Ack,
    Alert,
    AlertKey,
    Answer,
    CallKind,
    Delivery,
    DeliveryState,
    Endpoint,
    Event,
    EventKind,
    Failure,
    FailureKind,
    Incident,
    Knowledge,
    Level,
    Notification,
    Outdated,
    Reason,
    Root,
    Silence,
    State,
    SubAccount,
    Timer,
)
from guard.store import document
from guard.store.poll import Poll
from guard.store.rule_file import RuleFile
from guard.store.tables import MICROSECOND

_KEPT: Final = 64  # answers; of a thousand, all different, the processor's cache holds too few

_NO_AGE: Final = timedelta()

RECORDED: Final = (
    "at",
    "answer_id",
    "age",
    "server_at",
    "failure_kind",
    "failure_text",
    "failure_retry_after",
)
"""The columns of a poll that `RecentAnswers` takes, in this order."""

Values = dict[str, Any]
"""A row to be written, by column name."""


def key_row(key: AlertKey) -> Values:
    """The three columns that name an alert."""
    return {"account": key.account, "rule": key.rule, "subject": key.subject}


def key_of(row: Row[Any]) -> AlertKey:
    """The alert that a row is about."""
    return AlertKey(row.account, row.rule, row.subject)


def _level(number: int | None) -> Level | None:
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
        "silence": account.silence,
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
        silence=row.silence,
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


class RecentAnswers:
    """One endpoint's polls from the driver's own rows, with the newest answers kept, so that an equal one is read once.

    A year of polls is read by it, which SQLAlchemy's rows and types would make three times as long.
    """

    def __init__(self, account: str, endpoint: Endpoint) -> None:
        """Takes whose polls they are; has read none yet."""
        self._account, self._endpoint = account, endpoint
        self._answers: dict[int, Answer] = {}

    def poll_of(self, row: tuple[Any, ...]) -> Poll:
        """A poll, from RECORDED and a payload.

        By the server's clock an answer of /v1/usage that is kept came when its first poll did, since the poll has its
        age; a sibling's came with its own poll, for it is read by the day and the month that the server was in.
        """
        at, answer_id, age, server_at, kind, text, retry_after, payload = row
        outcome: Answer | Failure
        if answer_id is None:
            outcome = Failure(FailureKind(kind), text, None if retry_after is None else retry_after * MICROSECOND)
        elif answer_id in self._answers:
            outcome = self._answers[answer_id]
            if self._endpoint is not Endpoint.USAGE:
                outcome = replace(outcome, server_at=server_at and _instant_of(server_at))
        else:
            outcome = self._kept(answer_id, Answer(json.loads(payload), payload, server_at and _instant_of(server_at)))
        return Poll(self._account, _instant_of(at), outcome, self._endpoint, age * MICROSECOND if age else _NO_AGE)

    def _kept(self, answer_id: int, answer: Answer) -> Answer:
        if len(self._answers) >= _KEPT:
            self._answers.clear()
        self._answers[answer_id] = answer
        return answer


def _instant_of(text: str) -> datetime:
    """An instant as it lies in the file: UTC, and without saying so."""
    return datetime.fromisoformat(f"{text}+00:00")


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
        level=_level(row.level),
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
        level=_level(row.level),
        value=row.value,
        channel=row.channel,
        text=row.text,
    )


def recipient_row(notification: Notification) -> Values:
    """The columns that name a notification."""
    return {
        **key_row(notification.key),
        "channel": notification.channel,
        "recipient": notification.recipient,
    }


def _knowledge_row(half: str, knowledge: Knowledge | None) -> Values:
    return {
        f"{half}_incident_id": knowledge and knowledge.incident_id,
        f"{half}_level": knowledge and knowledge.level,
        f"{half}_reminders": knowledge and knowledge.reminders,
        f"{half}_ended": knowledge and knowledge.ended,
        f"{half}_missed": knowledge and document.missed_text(knowledge.missed),
        f"{half}_flapping": knowledge and knowledge.flapping,
    }


def desired_row(notification: Notification) -> Values:
    """The half that the cycle writes."""
    held = {"desired_held": notification.desired and notification.desired.held}
    return recipient_row(notification) | _knowledge_row("desired", notification.desired) | held


def notified_row(notification: Notification) -> Values:
    """The half that the outbox writes."""
    knowledge = _knowledge_row("notified", notification.notified)
    return recipient_row(notification) | knowledge | {"notified_at": notification.notified_at}


def notification_of(row: Row[Any]) -> Notification:
    """A notification, both halves."""
    return Notification(
        key=key_of(row),
        channel=row.channel,
        recipient=row.recipient,
        desired=_knowledge_of(row, "desired"),
        notified=_knowledge_of(row, "notified"),
        notified_at=row.notified_at,
        root=_root_of(row),
    )


def root_row(notification: Notification) -> Values:
    """The message that an incident stands in; the outbox writes it too, but not with each message."""
    root = notification.root
    return recipient_row(notification) | {
        "root_incident_id": root and root.incident_id,
        "root_receipt": root and root.receipt,
        "root_level": root and root.level,
        "root_ended": root and root.ended,
        "root_wording": root and root.wording,
    }


def outdated_of(row: Row[Any]) -> Outdated:
    """A notification whose message is outdated, from its row joined with its alert's."""
    return Outdated(notification_of(row), _level(row.present), row.wording or "")


def _root_of(row: Row[Any]) -> Root | None:
    if row.root_incident_id is None:
        return None
    return Root(row.root_incident_id, row.root_receipt, Level(row.root_level), row.root_ended, row.root_wording)


def _knowledge_of(row: Row[Any], half: str) -> Knowledge | None:
    values = row._mapping  # noqa: SLF001 - public, as its documentation says; the underscore keeps column names free
    if values[f"{half}_incident_id"] is None:
        return None
    return Knowledge(
        incident_id=values[f"{half}_incident_id"],
        level=Level(values[f"{half}_level"]),
        reminders=values[f"{half}_reminders"],
        ended=values[f"{half}_ended"],
        missed=document.missed_of(values[f"{half}_missed"]),
        flapping=values[f"{half}_flapping"],
        held=half == "desired" and values["desired_held"],
    )


def delivery_row(delivery: Delivery) -> Values:
    """A delivery, whole."""
    return {
        "key": delivery.key,
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "covers": document.covers_text(delivery.covers),
        "created_at": delivery.created_at,
        "due_at": delivery.due_at,
        "call": delivery.call.value,
        "receipt": delivery.receipt,
        "may_have_arrived": delivery.may_have_arrived,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "attempted_at": delivery.attempted_at,
        "settled_at": delivery.settled_at,
        "why": delivery.why,
        "wording": delivery.wording,
    }


def delivery_of(row: Row[Any]) -> Delivery:
    """A delivery, whole."""
    return Delivery(
        key=row.key,
        channel=row.channel,
        recipient=row.recipient,
        covers=document.covers_of(row.covers),
        created_at=row.created_at,
        due_at=row.due_at,
        call=CallKind(row.call),
        receipt=row.receipt,
        may_have_arrived=row.may_have_arrived,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        attempted_at=row.attempted_at,
        settled_at=row.settled_at,
        why=row.why,
        wording=row.wording,
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
        below=_level(row.below),
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
