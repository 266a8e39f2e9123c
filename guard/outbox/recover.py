"""At start: what a crash left behind, channels that changed, channels that are gone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from guard.lifecycle.desired import gap
from guard.model import DeliveryState, Event, EventKind
from guard.outbox.plan import OPEN
from guard.outbox.settle import again, events
from guard.store import Unit


def recover(unit: Unit, fingerprints: Mapping[str, str], *, now: datetime) -> None:
    """Makes the outbox ready after a start; `fingerprints` are those of the channels of the rule file, by name.

    What was being sent when the service ended may have arrived: it counts as unsure. A channel whose configuration
    changed gets its dead deliveries tried again. What was meant for a channel that is gone is dropped, with an event.
    """
    for delivery in unit.deliveries(states=(DeliveryState.SENDING,)):
        unsure = again(delivery, "the service ended while it was sent; it may have arrived", now)
        unit.save_delivery(unsure)
        unit.add_events(events(unsure, EventKind.UNSURE, now=now))
    known = unit.channel_fingerprints()
    for channel, fingerprint in fingerprints.items():
        if known.get(channel) != fingerprint:
            revive(unit, channel)
            unit.save_channel_fingerprint(channel, fingerprint)
    _drop_channels(unit, fingerprints, now=now)


def revive(unit: Unit, channel: str) -> None:
    """Has the dead deliveries of a channel tried again at the next pass."""
    for delivery in unit.deliveries(channel=channel, states=(DeliveryState.DEAD,)):
        unit.save_delivery(replace(delivery, settled_at=None))


def _drop_channels(unit: Unit, channels: Mapping[str, str], *, now: datetime) -> None:
    gone = [each for each in unit.notifications() if each.channel not in channels]
    unit.delete_notifications(gone)
    for delivery in unit.deliveries(states=OPEN):
        if delivery.channel not in channels:
            unit.delete_delivery(delivery.key)
    unit.add_events(
        Event(
            at=now,
            key=each.key,
            kind=EventKind.DROPPED,
            incident_id=each.desired.incident_id,
            level=each.desired.level,
            channel=each.channel,
            text="the channel is no longer in the rule file",
        )
        for each in gone
        if each.desired and gap(each.desired, each.notified)
    )
