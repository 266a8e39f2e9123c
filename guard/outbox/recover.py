"""At start and at an edit of the rule file: what a crash left behind, channels that changed or are gone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from guard.lifecycle.desired import gap
from guard.model import Delivery, DeliveryState, Event, EventKind, Notification
from guard.outbox.plan import OPEN
from guard.outbox.settle import events, unsure
from guard.store import Unit


@dataclass(frozen=True, slots=True)
class Receiver:
    """What a start has to know of a channel of the rule file."""

    fingerprint: str
    recipients: tuple[str, ...] = ("",)
    finds: bool = False  # whether it can look for what it was sent


def recover(unit: Unit, receivers: Mapping[str, Receiver], *, now: datetime) -> None:
    """Makes the outbox ready after a start; `receivers` are the channels of the rule file, by name.

    What was being sent when the service ended may have arrived: it counts as unsure. A channel whose configuration
    changed gets its dead deliveries tried again. What was meant for a channel or a recipient that is gone is dropped,
    with an event.
    """
    _drop_gone(unit, receivers, now=now)
    for channel, receiver in receivers.items():
        park(unit, channel, "the service ended while it was sent; it may have arrived", finds=receiver.finds, now=now)
    _revive_changed(unit, receivers)


def park(unit: Unit, channel: str, why: str, *, finds: bool, now: datetime) -> None:
    """Makes what a channel was being sent, though nobody sends it, wait for another try: it may have arrived."""
    for delivery in unit.deliveries(channel=channel, states=(DeliveryState.SENDING,)):
        parked = unsure(delivery, why, now, finds=finds)
        unit.save_delivery(parked)
        unit.add_events(events(parked, EventKind.UNSURE, now=now))


def readdress(unit: Unit, receivers: Mapping[str, Receiver], *, now: datetime) -> None:
    """Makes the outbox fit a rule file that takes effect; no channel that changed may be sending meanwhile."""
    _drop_gone(unit, receivers, now=now)
    _revive_changed(unit, receivers)


def _revive_changed(unit: Unit, receivers: Mapping[str, Receiver]) -> None:
    known = unit.channel_fingerprints()
    for channel, receiver in receivers.items():
        if known.get(channel) != receiver.fingerprint:
            revive(unit, channel)
            unit.save_channel_fingerprint(channel, receiver.fingerprint)


def revive(unit: Unit, channel: str) -> None:
    """Has the dead deliveries of a channel tried again at the next pass."""
    for delivery in unit.deliveries(channel=channel, states=(DeliveryState.DEAD,)):
        unit.save_delivery(replace(delivery, settled_at=None))


def _drop_gone(unit: Unit, receivers: Mapping[str, Receiver], *, now: datetime) -> None:
    def is_gone(each: Notification | Delivery) -> bool:
        return each.channel not in receivers or each.recipient not in receivers[each.channel].recipients

    gone = list(filter(is_gone, unit.notifications()))
    unit.delete_notifications(gone)
    for delivery in filter(is_gone, unit.deliveries(states=OPEN)):
        unit.delete_delivery(delivery.key)
    unit.add_events(
        Event(
            at=now,
            key=each.key,
            kind=EventKind.DROPPED,
            incident_id=each.desired.incident_id,
            level=each.desired.level,
            channel=each.channel,
            text=f"{each.recipient or 'the channel'} is no longer in the rule file",
        )
        for each in gone
        if each.desired and gap(each.desired, each.notified)
    )
