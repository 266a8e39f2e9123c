"""Deliver: writes an attempt down, makes it, and writes down what became of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from functools import partial
from random import random

from guard.clock import Clock
from guard.lifecycle.desired import gap, untold
from guard.logs import log
from guard.message import Message, compose
from guard.model import Alert, Delivery, DeliveryState, EventKind, Incident, Notification, Telling
from guard.notify.notifier import Notifier, Outcome, Post, Rejected, Unsure
from guard.outbox.plan import OPEN, plan, waits
from guard.outbox.settle import events, settled
from guard.store import Store, Unit


@dataclass(slots=True)
class Outbox:
    """Sends what waits, channel by channel."""

    store: Store
    notifiers: Mapping[str, Notifier]
    zone_of: Callable[[str], tzinfo]  # an account's zone for the times in its messages
    clock: Clock
    _unsettled: dict[str, tuple[Delivery, Outcome]] = field(
        default_factory=dict
    )  # answered, not yet written, by channel

    async def attempt(self, channel: str) -> bool:
        """Makes the one attempt that is due on a channel, if there is one; True if there was, so that more may be due.

        Never runs twice at a time for one channel. Raises StorageError when the attempt could not be written down (then
        it was not made), or its outcome could not (then the next call writes it before anything else).
        """
        await self._settle(channel)
        begun = await self.store.run(partial(self._begin, channel=channel, now=self.clock.now()))
        if begun is None:
            return False
        delivery, message = begun
        # A crash here, or in the send, leaves `sending`: it is sent again, and the key lets the receiver notice.
        outcome = await self._send(delivery, message)
        self._unsettled[channel] = (delivery, outcome)
        # A crash here sends twice.
        await self._settle(channel)
        return True

    async def _send(self, delivery: Delivery, message: Message) -> Outcome:
        try:
            return await self.notifiers[delivery.channel].deliver(Post(message), key=delivery.key)
        except Exception as fault:  # noqa: BLE001 - a defect in one notifier must not stop the others
            log.error("delivery.unplanned", "the notifier failed", exc=fault, channel=delivery.channel)
            return Unsure(f"the notifier failed: {type(fault).__name__}")

    async def _settle(self, channel: str) -> None:
        if channel not in self._unsettled:
            return
        delivery, outcome = self._unsettled[channel]
        now = self.clock.now()
        after, kind = settled(delivery, outcome, now=now, jitter=random())  # noqa: S311 - a backoff's jitter guards no secret
        is_news = kind is EventKind.DELIVERED or after.why != delivery.why
        await self.store.run(partial(_write_settled, delivery=after, kind=kind if is_news else None, now=now))
        del self._unsettled[channel]
        _log_settled(after, kind)

    def _begin(self, unit: Unit, *, channel: str, now: datetime) -> tuple[Delivery, Message] | None:
        """Plans, and writes down the attempt that is due first; None if nothing is due."""
        waiting = [each for each in unit.waiting(channel) if gap(each.desired, each.notified)]
        delivery = _first_due(_planned(unit, channel, waiting, now=now), now=now)
        if delivery is None:
            return None
        sending = replace(delivery, state=DeliveryState.SENDING, attempts=delivery.attempts + 1, attempted_at=now)
        unit.save_delivery(sending)
        try:
            return sending, compose(_tellings(unit, sending, waiting), now=now, zone_of=self.zone_of)
        except Exception as fault:  # noqa: BLE001 - a message that cannot be written must not hold up its channel
            log.error("delivery.unwritable", "a message could not be composed", exc=fault, channel=channel)
            why = f"the message could not be composed: {type(fault).__name__}"
            dead, kind = settled(sending, Rejected(why), now=now, jitter=0)
            _write_settled(unit, delivery=dead, kind=kind, now=now)
            return None


def _planned(unit: Unit, channel: str, waiting: Iterable[Notification], *, now: datetime) -> list[Delivery]:
    """Writes a channel's plan, and gives the deliveries that are open then."""
    stored = unit.deliveries(channel=channel, states=OPEN)
    planned = plan(channel, waiting, stored, now=now)
    for each in planned.superseded:
        unit.delete_delivery(each.key)
        unit.add_events(events(each, EventKind.SUPERSEDED, now=now))
    for each in planned.deliveries:
        unit.save_delivery(each)
    changed = {each.key for each in (*planned.superseded, *planned.deliveries)}
    return [*(each for each in stored if each.key not in changed), *planned.deliveries]


def _first_due(deliveries: Iterable[Delivery], *, now: datetime) -> Delivery | None:
    """The delivery to try now. A channel that made one wait makes all wait, so that order is kept."""
    pending = [each for each in deliveries if each.state is DeliveryState.PENDING]
    if any(each.state is DeliveryState.SENDING for each in deliveries) or any(waits(each, now=now) for each in pending):
        return None
    return min(pending, key=_turn, default=None)


def _turn(delivery: Delivery) -> tuple[datetime, bool, int]:
    """Sorts the oldest first, and of those planned at once the worst first and what is over last."""
    known = [cover.knowledge for cover in delivery.covers]
    return delivery.created_at, all(each.ended for each in known), -max(each.level for each in known)


def _tellings(unit: Unit, delivery: Delivery, waiting: Iterable[Notification]) -> list[Telling]:
    by_key = {(each.key, each.recipient): each for each in waiting}
    covered = [by_key[cover.key, delivery.recipient] for cover in delivery.covers]
    alerts = {account: unit.alerts(account) for account in {each.key.account for each in covered}}
    ids = {name for each in covered if each.desired for name in (each.desired.incident_id, *each.desired.missed)}
    incidents = unit.incidents(ids)
    return [_telling(each, alerts[each.key.account].get(each.key) or Alert(each.key), incidents) for each in covered]


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


def _write_settled(unit: Unit, *, delivery: Delivery, kind: EventKind | None, now: datetime) -> None:
    """Writes what became of an attempt; `kind` is None where it is the same as that of the attempt before."""
    unit.save_delivery(delivery)
    unit.add_events(events(delivery, kind, now=now) if kind else ())
    if delivery.state is DeliveryState.SENT:
        unit.save_notified(
            Notification(cover.key, delivery.channel, delivery.recipient, notified=cover.knowledge, notified_at=now)
            for cover in delivery.covers
        )


def _log_settled(delivery: Delivery, kind: EventKind) -> None:
    write = {EventKind.DELIVERED: log.info, EventKind.DIED: log.error}.get(kind, log.warning)
    again = f"; again at {delivery.due_at:%H:%M:%S}" if delivery.state is DeliveryState.PENDING else ""
    write(
        kind,
        f"{delivery.why}{again}" if delivery.why else "the channel accepted the message",
        channel=delivery.channel,
        alerts=",".join(str(cover.key) for cover in delivery.covers),
        attempt=delivery.attempts,
        key=delivery.key,
    )
