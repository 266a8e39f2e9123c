"""What is recorded of alerts and deliveries, one transition or decision at a time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from guard.model.alert_key import AlertKey
from guard.model.level import Level


class EventKind(StrEnum):
    """What an event records."""

    PENDING = "alert.pending"
    CALMED = "alert.calmed"  # pending → ok, of which nobody is told
    FIRED = "alert.fired"
    ESCALATED = "alert.escalated"
    LOWERED = "alert.lowered"
    RECOVERING = "alert.recovering"
    REFIRED = "alert.refired"  # true again before keep_firing_for had passed: the same incident goes on
    RESOLVED = "alert.resolved"
    REMINDER_DUE = "alert.reminder_due"
    FLAPPING = "alert.flapping"
    STABLE = "alert.stable"  # it flaps no longer
    ACKED = "alert.acked"  # somebody has seen it, and reminders wait
    UNACKED = "alert.unacked"  # which was taken back
    UNKNOWN = "alert.unknown"
    KNOWN = "alert.known"
    DELIVERED = "delivery.sent"
    RETRIED = "delivery.retry"
    UNSURE = "delivery.unsure"
    DIED = "delivery.dead"
    SUPERSEDED = "delivery.superseded"
    GONE = "delivery.gone"  # the message that it would have edited or replied to is no longer there
    HELD = "notification.held"  # a silence or a quiet window keeps it from being told
    RELEASED = "notification.released"
    DROPPED = "notification.dropped"  # its channel is gone from the rule file


@dataclass(frozen=True, slots=True)
class Event:
    """One transition or decision; never changed once written."""

    at: datetime
    key: AlertKey
    kind: EventKind
    incident_id: str = ""
    level: Level | None = None
    value: float | None = None
    channel: str = ""
    text: str = ""  # the reason, for people; holds no secret
