"""Plan: which calls a recipient should get for what it does not know or does not show yet; pure."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from guard.model import Alert, CallKind, Cover, Delivery, DeliveryState, Knowledge, Notification, Root

PROBE_EVERY: Final = timedelta(hours=1)
SINGLE_MESSAGES: Final = 3  # more than that waiting for one recipient go as one digest
OPEN: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class Target:
    """Who gets the calls of one plan."""

    channel: str
    recipient: str = ""
    threads: bool = False  # whether what is told of an incident after its first message replies to that one


@dataclass(frozen=True, slots=True)
class Plan:
    """What one recipient's deliveries should be; those in neither list stay as they are."""

    deliveries: tuple[Delivery, ...] = ()  # new ones, and dead ones to be tried again
    superseded: tuple[Delivery, ...] = ()  # the truth has moved on, or goes another way


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that should be made by now."""

    covers: tuple[Cover, ...]
    call: CallKind = CallKind.POST
    receipt: str = ""


def plan(
    target: Target,
    waiting: Iterable[Notification],
    deliveries: Sequence[Delivery],
    *,
    now: datetime,
    edits: Iterable[Wish] = (),
) -> Plan:
    """Plans one recipient's deliveries.

    `waiting` are its notifications between whose halves there is a gap, `deliveries` those that are pending, sending or
    dead, `edits` what `edit` gave. While one is being sent nothing is planned: what it settles decides what is left.
    """
    if any(each.state is DeliveryState.SENDING for each in deliveries):
        return Plan()
    tried = {each.key: each for each in deliveries}
    waiting, edits = list(waiting), list(edits)
    dead = [each for each in deliveries if each.state is DeliveryState.DEAD and not _probe_is_due(each, now=now)]
    given_up = {cover for each in dead if not _is_edit(each) for cover in each.covers}
    wanted = {delivery_key(target, wish): wish for wish in (*edits, *_tell(target, waiting, given_up))}
    pending = [each for each in deliveries if each.state is DeliveryState.PENDING]
    due_at = max([now, *(each.due_at for each in pending if each.attempts and waits(each, now=now))])
    attempts = max((each.attempts for each in pending), default=0)
    # What replaces another is as old as that one: else a truth that keeps moving would be tried for ever.
    created_at = min((each.created_at for each in pending if each.attempts), default=now)
    new = [
        Delivery(
            key=key,
            channel=target.channel,
            recipient=target.recipient,
            covers=wish.covers,
            created_at=created_at,
            due_at=due_at,
            call=wish.call,
            receipt=wish.receipt,
            attempts=attempts,
        )
        for key, wish in wanted.items()
        if key not in tried
    ]
    probes = [
        replace(tried[key], state=DeliveryState.PENDING, created_at=now, due_at=now, settled_at=None)
        for key in wanted
        if key in tried and tried[key].state is DeliveryState.DEAD and tried[key] not in dead
    ]
    still = {Cover(each.key, each.desired) for each in waiting if each.desired}
    outdated = (each for each in dead if each.key not in wanted and still.isdisjoint(each.covers))
    superseded = [each for each in deliveries if each.key not in wanted and each not in dead]
    return Plan((*new, *probes), (*superseded, *outdated))


def edit(notification: Notification, alert: Alert | None) -> Wish | None:
    """The edit that brings the message of an incident to how its alert stands now; None where it shows that."""
    root = notification.root
    if root is None or root.ended:
        return None
    shown = _shown(notification, root, alert)
    if (shown.level, shown.ended) == (root.level, root.ended):
        return None
    return Wish((Cover(notification.key, shown),), CallKind.EDIT, root.receipt)


def _shown(notification: Notification, root: Root, alert: Alert | None) -> Knowledge:
    if alert is not None and alert.incident is not None and alert.incident.id == root.incident_id:
        return Knowledge(root.incident_id, alert.level or root.level)
    desired = notification.desired
    told = desired.level if desired is not None and desired.incident_id == root.incident_id else root.level
    return Knowledge(root.incident_id, told, ended=True)


def _tell(target: Target, waiting: Iterable[Notification], given_up: set[Cover]) -> Iterator[Wish]:
    """The messages that tell, worst first."""
    told = [each for each in sorted(waiting, key=_urgency) if each.desired]
    covers = {cover: each for each in told if each.desired and (cover := Cover(each.key, each.desired)) not in given_up}
    if len(covers) > SINGLE_MESSAGES:
        yield Wish(tuple(covers))
        return
    for cover, notification in covers.items():
        root = notification.root
        if target.threads and root is not None and root.incident_id == cover.knowledge.incident_id:
            yield Wish((cover,), CallKind.REPLY, root.receipt)
        else:
            yield Wish((cover,))


def _urgency(notification: Notification) -> tuple[bool, int, str]:
    desired = notification.desired
    return (desired is None or desired.ended, -desired.level if desired else 0, str(notification.key))


def delivery_key(target: Target, wish: Wish) -> str:
    """The same for the same call and states to the same recipient, whatever else happened; 32 hexadecimal digits."""
    parts = sorted(
        f"{cover.key}\t{known.incident_id}\t{known.level}\t{known.reminders}\t{known.ended}\t{known.missed}"
        for cover in wish.covers
        for known in [cover.knowledge]
    )
    text = "\n".join([target.channel, target.recipient, wish.call, wish.receipt, *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def turns(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """One recipient's deliveries in the order in which to make them.

    The oldest first, and of those planned at once the worst first and what is over last. An edit goes just before the
    one message that tells of the same alert, to find out whether the message to reply to is still there; any other
    edit tells nobody anything, and can wait.
    """
    telling = {each.covers[0].key: _rank(each) for each in deliveries if _is_single(each) and not _is_edit(each)}

    def turn(delivery: Delivery) -> tuple[datetime, bool, int, bool]:
        if not _is_edit(delivery):
            return *_rank(delivery), True
        return *telling.get(delivery.covers[0].key, (delivery.created_at, True, 0)), False

    return sorted(deliveries, key=turn)


def _is_edit(delivery: Delivery) -> bool:
    return delivery.call is CallKind.EDIT


def _is_single(delivery: Delivery) -> bool:
    return len(delivery.covers) == 1


def _rank(delivery: Delivery) -> tuple[datetime, bool, int]:
    known = [cover.knowledge for cover in delivery.covers]
    return delivery.created_at, all(each.ended for each in known), -max(each.level for each in known)


def waits(delivery: Delivery, *, now: datetime) -> bool:
    """Whether it is not due yet. After the clock went back, what was due by it is due now."""
    return delivery.due_at > now >= (delivery.attempted_at or delivery.created_at)


def _probe_is_due(delivery: Delivery, *, now: datetime) -> bool:
    return delivery.settled_at is None or not timedelta() <= now - delivery.settled_at < PROBE_EVERY
