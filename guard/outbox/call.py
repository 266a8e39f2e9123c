"""From a delivery to the call that its channel takes: what it tells, in which message, to whom."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Final

from guard.lifecycle.desired import gap, untold
from guard.message import compose
from guard.model import Alert, AlertKey, CallKind, Cover, Delivery, Incident, Notification, Occasion, Telling
from guard.notify.notifier import Call, Edit, Post, Reply
from guard.store import Unit

_LOUD: Final = (Occasion.ESCALATED, Occasion.REMINDER)


def call_for(
    unit: Unit,
    delivery: Delivery,
    notifications: Mapping[AlertKey, Notification],
    *,
    now: datetime,
    zone_of: Callable[[str], tzinfo],
) -> Call:
    """Composes a delivery; `notifications` are those of its channel and recipient, of every alert that it tells of."""
    if delivery.call is CallKind.EDIT:
        return Edit(compose([_standing(unit, delivery.covers[0])], now=now, zone_of=zone_of), delivery.receipt)
    covered = [notifications[cover.key] for cover in delivery.covers]
    alerts = {account: unit.alerts(account) for account in {each.key.account for each in covered}}
    known = {cover.knowledge.incident_id for cover in delivery.covers}
    incidents = unit.incidents(known.union(*(each.desired.missed for each in covered if each.desired)))
    present = [alerts[each.key.account].get(each.key) or Alert(each.key) for each in covered]
    tellings = [_telling(each, alert, incidents) for each, alert in zip(covered, present, strict=True)]
    message = compose(tellings, now=now, zone_of=zone_of)
    if delivery.call is CallKind.REPLY:
        return Reply(message, delivery.receipt, delivery.recipient, is_loud=tellings[0].occasion in _LOUD)
    return Post(message, delivery.recipient)


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
