"""From a delivery to the call that its channel takes: what it tells, in which message, to whom."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Final, Protocol, assert_never

from guard.lifecycle.desired import gap, untold
from guard.lifecycle.mutes import Mutes
from guard.message import Message, compose, first_url
from guard.model import Alert, AlertKey, CallKind, Cover, Delivery, Incident, Notification, Occasion, Telling
from guard.notify.notifier import Call, Edit, Post, Reply
from guard.outbox.past import Points
from guard.outbox.plan import is_report
from guard.store import Unit

_LOUD: Final = (Occasion.ESCALATED, Occasion.REMINDER, Occasion.FIRED)  # the last where it flapped before


Reporting = Callable[[Unit, Incident], Message]
"""Composes the report about the period that an incident stands for."""


class ValuePast(Protocol):
    """Tells how the value of an alert's rule moved up to an instant."""

    def __call__(self, unit: Unit, key: AlertKey, *, now: datetime) -> Points:
        """The values, oldest first; may be empty."""


def call_for(
    unit: Unit,
    delivery: Delivery,
    notifications: Mapping[AlertKey, Notification],
    *,
    now: datetime,
    zone_of: Callable[[str], tzinfo],
    report: Reporting | None = None,
    past: ValuePast | None = None,
    console_url: str = "",
) -> tuple[Call, str]:
    """Composes a delivery, and gives the wording of the reading that it is written from; of a digest none.

    `notifications` are those of its channel and recipient, of every alert that it tells of.
    """
    if is_report(delivery.covers[0]):
        assert report is not None  # noqa: S101 - whoever has reports told gives the way to compose them
        [period] = unit.incidents([delivery.covers[0].knowledge.incident_id]).values()
        return Post(replace(report(unit, period), link=first_url(console_url)), delivery.recipient), ""
    tellings = _muted(unit, _tellings(unit, delivery, notifications), now=now)
    if past is not None and len(tellings) == 1:
        tellings = [replace(tellings[0], past=past(unit, tellings[0].alert.key, now=now))]
    reading = tellings[0].alert.reading
    wording = reading.wording if reading is not None and len(tellings) == 1 else ""
    message = compose(tellings, now=now, zone_of=zone_of, console_url=console_url)
    match delivery.call:
        case CallKind.EDIT:
            return Edit(message, delivery.receipt), wording
        case CallKind.REPLY:
            is_loud = tellings[0].occasion in _LOUD
            return Reply(message, delivery.receipt, delivery.recipient, is_loud=is_loud), wording
        case CallKind.POST:
            return Post(message, delivery.recipient), wording
        case _ as never:
            assert_never(never)


def _tellings(unit: Unit, delivery: Delivery, notifications: Mapping[AlertKey, Notification]) -> list[Telling]:
    if delivery.call is CallKind.EDIT:
        return [_standing(unit, delivery.covers[0])]
    covered = [notifications[cover.key] for cover in delivery.covers]
    alerts = {account: unit.alerts(account) for account in {each.key.account for each in covered}}
    known = {cover.knowledge.incident_id for cover in delivery.covers}
    incidents = unit.incidents(known.union(*(each.desired.missed for each in covered if each.desired)))
    present = [alerts[each.key.account].get(each.key) or Alert(each.key) for each in covered]
    return [_telling(each, alert, incidents) for each, alert in zip(covered, present, strict=True)]


def _telling(notification: Notification, alert: Alert, incidents: Mapping[str, Incident]) -> Telling:
    desired, notified = notification.desired, notification.notified
    occasion = gap(desired, notified)
    assert desired is not None  # noqa: S101 - nothing is covered where there is nothing to tell
    assert occasion is not None  # noqa: S101 - as above
    return Telling(
        occasion=occasion,
        alert=alert,
        incident=incidents[desired.incident_id],
        desired=desired,
        notified=notified,
        missed=tuple(incidents[each] for each in untold(desired, notified)),
    )


def _standing(unit: Unit, cover: Cover) -> Telling:
    """What the message of an incident says once it shows this state; nobody is told anything by it."""
    shown = cover.knowledge
    alert = unit.alerts(cover.key.account).get(cover.key) or Alert(cover.key)
    incident = unit.incidents([shown.incident_id])[shown.incident_id]
    occasion = Occasion.RESOLVED if shown.ended else Occasion.STANDING
    return Telling(occasion, alert, incident, desired=shown, notified=shown)


def _muted(unit: Unit, tellings: Sequence[Telling], *, now: datetime) -> list[Telling]:
    """The same with what people did about those incidents that go on."""
    going_on = [each.alert.incident.id for each in tellings if each.alert.incident is not None]
    if not going_on:
        return list(tellings)
    mutes = unit.mutes(going_on, now=now)
    return [_with(mutes, each, now=now) for each in tellings]


def _with(mutes: Mutes, telling: Telling, *, now: datetime) -> Telling:
    alert = telling.alert
    if alert.level is None or telling.incident.ended_at is not None:
        return telling
    return replace(telling, ack=mutes.ack(alert, now=now), silence=mutes.silence_on(alert, now=now))
