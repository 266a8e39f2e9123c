"""Settle: what an attempt's outcome makes of a delivery; pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from guard.lifecycle.backoff import backoff
from guard.lifecycle.strait import GIVE_UP_AFTER, GIVEN_UP
from guard.model import CallKind, Delivery, DeliveryState, Event, EventKind
from guard.notify.notifier import Gone, Outcome, Rejected, Retry, Sent, Unsure

FINDABLE_AFTER: Final = timedelta(seconds=5)
LOOK_FOR: Final = timedelta(minutes=15)  # while the channel cannot be looked through
_LONGEST_WAIT: Final = timedelta(minutes=5)


def settled(
    delivery: Delivery, outcome: Outcome, *, now: datetime, jitter: float, finds: bool = False
) -> tuple[Delivery, EventKind]:
    """The delivery after an attempt's outcome, and the event that records it; `jitter` is a random share.

    Where the channel `finds` messages, one that may have arrived waits until it could be found.

    One whose message to edit or to reply to is gone is done with: another way is planned then.
    """
    match outcome:
        case Sent():
            sent = replace(delivery, may_have_arrived=False)
            return _done(sent, DeliveryState.SENT, "", now), EventKind.DELIVERED
        case Rejected(why):
            return _done(delivery, DeliveryState.DEAD, why, now), EventKind.DIED
        case Gone(why):
            return _done(delivery, DeliveryState.DEAD, why, now), EventKind.GONE
        case Retry(why) | Unsure(why) if now - delivery.created_at >= GIVE_UP_AFTER:
            return _done(delivery, DeliveryState.DEAD, why + GIVEN_UP, now), EventKind.DIED
        case Retry(why, after):
            return again(delivery, why, now + (after or _wait(delivery, jitter))), EventKind.RETRIED
        case Unsure(why):
            return unsure(delivery, why, now + _wait(delivery, jitter), finds=finds), EventKind.UNSURE
        case _ as never:
            assert_never(never)


def _done(delivery: Delivery, state: DeliveryState, why: str, now: datetime) -> Delivery:
    return replace(delivery, state=state, settled_at=now, why=why)


def again(delivery: Delivery, why: str, due_at: datetime) -> Delivery:
    """The delivery, waiting for another try at `due_at`."""
    return replace(delivery, state=DeliveryState.PENDING, due_at=due_at, why=why)


def unsure(delivery: Delivery, why: str, due_at: datetime, *, finds: bool) -> Delivery:
    """The same for one that may have arrived: what was just sent is not yet found."""
    findable_at = (delivery.attempted_at or due_at) + FINDABLE_AFTER
    return replace(again(delivery, why, max(due_at, findable_at) if finds else due_at), may_have_arrived=True)


def _wait(delivery: Delivery, jitter: float) -> timedelta:
    return backoff(delivery.attempts, longest=_LONGEST_WAIT, jitter=jitter)


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
            text="; ".join(filter(None, (delivery.why, _what(delivery, kind)))),
        )
        for cover in delivery.covers
    ]


def _what(delivery: Delivery, kind: EventKind) -> str:
    """What else there is to say than that a message was sent to a channel."""
    if delivery.call is CallKind.EDIT:
        return "the message was edited" if kind is EventKind.DELIVERED else "an edit of the message"
    return f"to {delivery.recipient}" if delivery.recipient else ""
