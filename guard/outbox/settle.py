"""Settle: what an attempt's outcome makes of a delivery; pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from guard.model import Delivery, DeliveryState, Event, EventKind
from guard.notify.notifier import Outcome, Rejected, Retry, Sent, Unsure

GIVE_UP_AFTER: Final = timedelta(hours=24)
_FIRST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(minutes=5)


def settled(delivery: Delivery, outcome: Outcome, *, now: datetime, jitter: float) -> tuple[Delivery, EventKind]:
    """The delivery after an attempt's outcome, and the event that records it; `jitter` is a random share."""
    match outcome:
        case Sent():
            return replace(delivery, state=DeliveryState.SENT, settled_at=now, why=""), EventKind.DELIVERED
        case Rejected(why):
            return replace(delivery, state=DeliveryState.DEAD, settled_at=now, why=why), EventKind.DIED
        case Retry(why) | Unsure(why) if now - delivery.created_at >= GIVE_UP_AFTER:
            text = f"{why}; given up after {GIVE_UP_AFTER.days} day"
            return replace(delivery, state=DeliveryState.DEAD, settled_at=now, why=text), EventKind.DIED
        case Retry(why, after):
            return again(delivery, why, now + (after or _wait(delivery, jitter))), EventKind.RETRIED
        case Unsure(why):
            return again(delivery, why, now + _wait(delivery, jitter)), EventKind.UNSURE
        case _ as never:
            assert_never(never)


def again(delivery: Delivery, why: str, due_at: datetime) -> Delivery:
    """The delivery, waiting to be sent again at `due_at`."""
    return replace(delivery, state=DeliveryState.PENDING, due_at=due_at, why=why)


def _wait(delivery: Delivery, jitter: float) -> timedelta:
    doubled = _FIRST_WAIT * (1 << min(max(delivery.attempts - 1, 0), 16))
    return min(_LONGEST_WAIT, doubled) * (0.5 + jitter / 2)


def events(delivery: Delivery, kind: EventKind, *, now: datetime) -> list[Event]:
    """One event of this kind for each alert that the delivery covers."""
    return [
        Event(
            at=now,
            key=cover.key,
            kind=kind,
            incident_id=cover.knowledge.incident_id,
            level=cover.knowledge.level,
            channel=delivery.channel,
            text=delivery.why,
        )
        for cover in delivery.covers
    ]
