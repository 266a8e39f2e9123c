"""Rows of the outbox: from notifications and deliveries to rows and back, named as those of `guard.store.rows`."""

from typing import Any

from sqlalchemy import Row

from guard.model import CallKind, Delivery, DeliveryState, Knowledge, Level, Notification, Outdated, Root
from guard.store import document
from guard.store.rows import Values, key_of, key_row, level_of


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
    return Outdated(notification_of(row), level_of(row.present), row.wording or "")


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
