"""A rule's new name: what is stored of its alerts moves under it, so that nobody is told an end and a new firing."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from guard.lifecycle.desired import gap
from guard.lifecycle.step import is_at_rest
from guard.model import Alert, AlertKey, Cover, Delivery, DeliveryState, Notification
from guard.store.unit import Unit

_OPEN: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD)


def rename(unit: Unit, former: Mapping[tuple[str, str], str]) -> None:
    """Moves alerts with their open incidents, what channels know of them, and open deliveries, under another rule.

    `former` gives a rule's name by the account and the name that the rule had before. An alert whose new key has an
    alert already stays as it is, unless that one is at rest and everybody knows its end: some rule had that name
    before. Incidents keep their ids, events and ended incidents the old name.
    """
    alerts = unit.alerts() if former else {}
    news = {key: former.get((key.account, key.rule), "") for key in alerts}
    moves = {key: replace(key, rule=rule) for key, rule in news.items() if rule}
    notifications = unit.notifications() if moves else []
    taken = _taken(alerts, notifications)
    moves = {old: new for old, new in moves.items() if new not in taken}
    if not moves:
        return
    unit.delete_alerts(moves)
    unit.save_alerts(_under(alerts[old], new) for old, new in moves.items())
    known = [each for each in notifications if each.key in moves]
    unit.delete_notifications(known)
    under = [replace(each, key=moves[each.key]) for each in known]
    unit.save_desired(under)
    unit.save_notified(under)
    unit.save_roots(under)
    for delivery in unit.deliveries(states=_OPEN):
        if any(cover.key in moves for cover in delivery.covers):
            unit.save_delivery(_covering(delivery, moves))


def _taken(alerts: Mapping[AlertKey, Alert], notifications: Iterable[Notification]) -> set[AlertKey]:
    """The alerts in whose place no other can be put: something goes on, or somebody is yet to be told."""
    waiting = {each.key for each in notifications if gap(each.desired, each.notified)}
    return {key for key, alert in alerts.items() if key in waiting or not is_at_rest(alert)}


def _under(alert: Alert, key: AlertKey) -> Alert:
    incident = replace(alert.incident, key=key) if alert.incident else None
    return replace(alert, key=key, incident=incident)


def _covering(delivery: Delivery, moves: Mapping[AlertKey, AlertKey]) -> Delivery:
    covers = tuple(Cover(moves.get(cover.key, cover.key), cover.knowledge) for cover in delivery.covers)
    return replace(delivery, covers=covers)
