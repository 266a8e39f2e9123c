"""Plan: which calls a recipient should get for what it does not know or does not show yet; pure."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from guard.model import REPORT, AlertKey, CallKind, Cover, Delivery, DeliveryState, Knowledge, Notification, Outdated

PROBE_EVERY: Final = timedelta(hours=1)
SINGLE_MESSAGES: Final = 3  # more than that waiting for one recipient go as one digest
_REFUSALS: Final = 24  # of an edit that nobody asks for any more, and that is tried once an hour
OPEN: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class Target:
    """Who gets the calls of one plan, and what can be done there."""

    channel: str
    recipient: str = ""
    threads: bool = False  # whether what is told of an incident after its first message replies to that one
    edits: bool = False  # whether that message can be brought to say something else
    finds: bool = False  # whether a message can be looked for


@dataclass(frozen=True, slots=True)
class Plan:
    """What one recipient's deliveries should be; those in neither list stay as they are."""

    deliveries: tuple[Delivery, ...] = ()  # new ones, and dead ones to be tried again
    superseded: tuple[Delivery, ...] = ()  # the truth has moved on, or goes another way


@dataclass(frozen=True, slots=True)
class Errand:
    """A call that should be made by now."""

    covers: tuple[Cover, ...]
    call: CallKind = CallKind.POST
    receipt: str = ""
    wording: str = ""  # of an edit: that of the reading that it writes the message from


def plan(
    target: Target,
    waiting: Iterable[Notification],
    deliveries: Sequence[Delivery],
    *,
    now: datetime,
    edits: Iterable[Errand] = (),
) -> Plan:
    """Plans one recipient's deliveries.

    `waiting` are its notifications between whose halves there is a gap, `deliveries` those that are pending or dead,
    `edits` what `edit` gave.
    """
    waiting, edits = list(waiting), list(edits)
    dead = {each.key: each for each in deliveries if _is_dead(each, now=now)}
    given_up = {cover for each in dead.values() if not is_edit(each) for cover in each.covers}
    unheard = _unheard(waiting, dead.values())
    unfinished = _unfinished(deliveries, edits) if target.edits else ()
    errands = (*edits, *unfinished, *_tell(target, waiting, given_up | unheard.keys()))
    wanted = {delivery_key(target, errand): errand for errand in errands}
    known = {each.key: each for each in deliveries}
    new = [_begun(target, errand, deliveries, key=key, now=now) for key, errand in wanted.items() if key not in known]
    probes = [
        replace(each, state=DeliveryState.PENDING, created_at=now, due_at=now, settled_at=None)
        for each in deliveries
        if each.key in wanted and each.state is DeliveryState.DEAD and each.key not in dead
    ]
    still = {cover for each in waiting if (cover := cover_of(each))} | set(unheard.values())
    superseded = [
        each
        for each in deliveries
        if each.key not in wanted and (each.key not in dead or is_edit(each) or still.isdisjoint(each.covers))
    ]
    return Plan((*new, *probes), tuple(superseded))


def edit(outdated: Outdated) -> Errand:
    """The edit that brings the message of an incident to how its alert stands now, in the words of now."""
    notification, level = outdated.notification, outdated.level
    root, desired = notification.root, notification.desired
    assert root is not None  # noqa: S101 - without a message none is outdated
    told = desired.level if desired is not None and desired.incident_id == root.incident_id else root.level
    shown = Knowledge(root.incident_id, level or told, ended=level is None)
    return Errand((Cover(notification.key, shown),), CallKind.EDIT, root.receipt, outdated.wording)


def _unheard(waiting: Iterable[Notification], dead: Iterable[Delivery]) -> dict[Cover, Cover]:
    """The ends of incidents whose firing the channel has refused, each with that firing.

    Nobody there expects an end. What is tried again, in time or since the channel was mended, tells of both.
    """
    refused = {cover for each in dead if not is_edit(each) and not each.may_have_arrived for cover in each.covers}
    firings = {Cover(each.key, each.desired): unheard_firing(each) for each in waiting if each.desired}
    return {end: firing for end, firing in firings.items() if firing in refused}


def unheard_firing(notification: Notification) -> Cover | None:
    """The firing of which a recipient should know the end and never heard; None where there is none."""
    desired, notified = notification.desired, notification.notified
    if desired is None or not desired.ended or (notified and notified.incident_id == desired.incident_id):
        return None
    return Cover(notification.key, replace(desired, ended=False))


def _unfinished(deliveries: Iterable[Delivery], edits: Iterable[Errand]) -> Iterator[Errand]:
    """The edits that were begun and that nobody would ask for any more, but that have to be made all the same.

    One that may have been made leaves open what its message shows, until some edit of it is answered. One that says
    that an incident is over stays true when the next incident's message has taken the root's place; where it is refused
    time and again, the message is left as it is.
    """
    asked_for = {errand.receipt for errand in edits}
    for each in deliveries:
        is_refused = each.state is DeliveryState.DEAD and each.attempts >= _REFUSALS
        stays_true = each.covers[0].knowledge.ended and not is_refused
        if is_edit(each) and each.receipt not in asked_for and (each.may_have_arrived or stays_true):
            yield Errand(each.covers, CallKind.EDIT, each.receipt, each.wording)


def _begun(target: Target, errand: Errand, deliveries: Iterable[Delivery], *, key: str, now: datetime) -> Delivery:
    """A new delivery, which keeps the channel's backoff. What replaces another is as old as that one.

    Else a truth that keeps moving would be tried for ever.
    """
    edits, alerts = errand.call is CallKind.EDIT, {cover.key for cover in errand.covers}
    incidents = {cover.knowledge.incident_id for cover in errand.covers}
    alike = [each for each in deliveries if is_edit(each) is edits]
    pending = [each for each in alike if each.state is DeliveryState.PENDING and each.attempts]
    if edits:
        replaced = [each for each in alike if each.receipt == errand.receipt]
    else:
        replaced = [each for each in pending if _tells_of(each, incidents)]
    return Delivery(
        key=key,
        channel=target.channel,
        recipient=target.recipient,
        covers=errand.covers,
        created_at=min((each.created_at for each in pending if _is_about(each, alerts)), default=now),
        due_at=max([now, *(each.due_at for each in pending if waits(each, now=now))]),
        call=errand.call,
        receipt=errand.receipt,
        may_have_arrived=any(each.may_have_arrived for each in replaced),
        attempts=max((each.attempts for each in pending), default=0),
        wording=errand.wording,
    )


def _tells_of(delivery: Delivery, incidents: Collection[str]) -> bool:
    return any(cover.knowledge.incident_id in incidents for cover in delivery.covers)


def _is_about(delivery: Delivery, alerts: Collection[AlertKey]) -> bool:
    return any(cover.key in alerts for cover in delivery.covers)


def _tell(target: Target, waiting: Iterable[Notification], given_up: set[Cover]) -> Iterator[Errand]:
    """The messages that tell, worst first; a report is one of its own, whatever else there is to tell."""
    by_cover = {cover: each for each in sorted(waiting, key=_urgency) if (cover := cover_of(each))}
    covers = {cover: each for cover, each in by_cover.items() if cover not in given_up}
    reports = [cover for cover in covers if is_report(cover)]
    if len(covers) - len(reports) > SINGLE_MESSAGES:
        yield Errand(tuple(cover for cover in covers if cover not in reports))
        yield from (Errand((cover,)) for cover in reports)
        return
    for cover, notification in covers.items():
        root = notification.root
        if target.threads and root is not None and root.incident_id == cover.knowledge.incident_id:
            yield Errand((cover,), CallKind.REPLY, root.receipt)
        else:
            yield Errand((cover,))


def cover_of(notification: Notification) -> Cover | None:
    """What a message would bring the recipient to know; that something is held back is nothing to know."""
    desired = notification.desired
    return Cover(notification.key, replace(desired, held=False)) if desired else None


def _urgency(notification: Notification) -> tuple[bool, int, str]:
    desired = notification.desired
    return (desired is None or desired.ended, -desired.level if desired else 0, str(notification.key))


def delivery_key(target: Target, errand: Errand) -> str:
    """The same for the same call and states to the same recipient, whatever else happened; 32 hexadecimal digits.

    An incident's id stands for its alert, so that a rule that gets another name sends nothing twice. Another wording
    makes another edit, but no other message: nobody is told twice because the words changed meanwhile.
    """
    parts = sorted(
        f"{known.incident_id}\t{known.level}\t{known.reminders}\t{known.ended}\t{known.missed}\t{known.flapping}"
        for cover in errand.covers
        for known in [cover.knowledge]
    )
    text = "\n".join([target.channel, target.recipient, errand.call, errand.receipt, errand.wording, *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_edit(delivery: Delivery) -> bool:
    """Whether it tells nobody anything."""
    return delivery.call is CallKind.EDIT


def is_report(cover: Cover) -> bool:
    """Whether it is about a period, and no alert."""
    return cover.key.rule == REPORT


def waits(delivery: Delivery, *, now: datetime) -> bool:
    """Whether it is not due yet. After the clock went back, what was due by it is due now."""
    return delivery.due_at > now >= (delivery.attempted_at or delivery.created_at)


def _is_dead(delivery: Delivery, *, now: datetime) -> bool:
    """Whether it is, and it is not yet time for a probe."""
    if delivery.state is not DeliveryState.DEAD or delivery.settled_at is None:
        return False
    return timedelta() <= now - delivery.settled_at < PROBE_EVERY
