"""Plan: which messages a channel should get for what it does not know yet; pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from guard.model import Cover, Delivery, DeliveryState, Notification

PROBE_EVERY: Final = timedelta(hours=1)
SINGLE_MESSAGES: Final = 3  # more than that waiting for one recipient go as one digest
OPEN: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one channel's deliveries should be; those in neither list stay as they are."""

    deliveries: tuple[Delivery, ...] = ()  # new ones, and dead ones to be tried again
    superseded: tuple[Delivery, ...] = ()  # the truth has moved on, or goes another way


def plan(channel: str, waiting: Iterable[Notification], deliveries: Sequence[Delivery], *, now: datetime) -> Plan:
    """Plans one channel's deliveries.

    `waiting` are its notifications between whose halves there is a gap, `deliveries` those that are pending, sending or
    dead. While one is being sent nothing is planned: what it settles decides what is left to tell.
    """
    if any(each.state is DeliveryState.SENDING for each in deliveries):
        return Plan()
    tried = {each.key: each for each in deliveries}
    dead = [each for each in deliveries if each.state is DeliveryState.DEAD and not _probe_is_due(each, now=now)]
    given_up = {(each.recipient, cover) for each in dead for cover in each.covers}
    wanted = _messages(channel, waiting, given_up)
    pending = [each for each in deliveries if each.state is DeliveryState.PENDING]
    due_at = max([now, *(each.due_at for each in pending if each.attempts and waits(each, now=now))])
    attempts = max((each.attempts for each in pending), default=0)
    # What replaces another is as old as that one: else a truth that keeps moving would be tried for ever.
    created_at = min((each.created_at for each in pending if each.attempts), default=now)
    new = [
        Delivery(key, channel, recipient, covers, created_at=created_at, due_at=due_at, attempts=attempts)
        for key, (recipient, covers) in wanted.items()
        if key not in tried
    ]
    probes = [
        replace(tried[key], state=DeliveryState.PENDING, created_at=now, due_at=now, settled_at=None)
        for key in wanted
        if key in tried and tried[key].state is DeliveryState.DEAD
    ]
    still = {(each.recipient, Cover(each.key, each.desired)) for each in waiting if each.desired}
    outdated = (each for each in dead if not any((each.recipient, cover) in still for cover in each.covers))
    superseded = [each for each in deliveries if each.key not in wanted and each not in dead]
    return Plan((*new, *probes), (*superseded, *outdated))


def _messages(
    channel: str, waiting: Iterable[Notification], given_up: set[tuple[str, Cover]]
) -> dict[str, tuple[str, tuple[Cover, ...]]]:
    """The messages to send, worst first: by delivery key, the recipient and what the message covers."""
    by_recipient: dict[str, list[Cover]] = {}
    for each in sorted(waiting, key=_urgency):
        cover = Cover(each.key, each.desired) if each.desired else None
        if cover and (each.recipient, cover) not in given_up:
            by_recipient.setdefault(each.recipient, []).append(cover)
    messages = {}
    for recipient, covers in by_recipient.items():
        groups = [covers] if len(covers) > SINGLE_MESSAGES else [[cover] for cover in covers]
        for group in groups:
            messages[delivery_key(channel, recipient, group)] = (recipient, tuple(group))
    return messages


def _urgency(notification: Notification) -> tuple[bool, int, str]:
    desired = notification.desired
    return (desired is None or desired.ended, -desired.level if desired else 0, str(notification.key))


def delivery_key(channel: str, recipient: str, covers: Iterable[Cover]) -> str:
    """The same for the same states on the same channel, whatever happened in between; 32 hexadecimal digits."""
    parts = sorted(
        f"{cover.key}\t{known.incident_id}\t{known.level}\t{known.reminders}\t{known.ended}\t{known.missed}"
        for cover in covers
        for known in [cover.knowledge]
    )
    return hashlib.sha256("\n".join([channel, recipient, *parts]).encode()).hexdigest()[:32]


def waits(delivery: Delivery, *, now: datetime) -> bool:
    """Whether it is not due yet. After the clock went back, what was due by it is due now."""
    return delivery.due_at > now >= (delivery.attempted_at or delivery.created_at)


def _probe_is_due(delivery: Delivery, *, now: datetime) -> bool:
    return delivery.settled_at is None or not timedelta() <= now - delivery.settled_at < PROBE_EVERY
