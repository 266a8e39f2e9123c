"""Recipient: what one recipient of a channel is still to get, and which of it comes next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from guard.lifecycle.desired import gap
from guard.model import Delivery, DeliveryState, EventKind, Notification
from guard.outbox.plan import Errand, Target, is_edit, plan, waits
from guard.outbox.settle import events
from guard.store import Unit

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recipient:
    """All that waits for one recipient; `deliveries` are those that are pending, being sent or dead."""

    target: Target
    waiting: Sequence[Notification]
    edits: Sequence[Errand]
    deliveries: Sequence[Delivery]

    def next_due(self, unit: Unit, *, now: datetime) -> Delivery | None:
        """Writes the recipient's plan, and gives the one delivery to try now, if there is one.

        A message that has to wait makes all wait, since it is the channel that is left alone. An edit makes other edits
        wait: it tells nobody anything, so it must hold up no message.
        """
        if any(each.state is DeliveryState.SENDING for each in self.deliveries):
            return None  # what that settles decides what is left to tell
        # What may have arrived is looked for before anything else, for the same reason.
        in_doubt = [each for each in self.deliveries if self.target.finds and is_in_doubt(each)]
        pending = in_doubt or [each for each in self._planned(unit, now=now) if each.state is DeliveryState.PENDING]
        waiting = [each for each in pending if waits(each, now=now)]
        if not all(map(is_edit, waiting)):
            return None
        due = [each for each in pending if not (waiting and is_edit(each))]
        return next(iter(turns(due)), None)

    def _planned(self, unit: Unit, *, now: datetime) -> list[Delivery]:
        """Writes the plan, and gives the deliveries that are open then."""
        planned = plan(self.target, self.waiting, self.deliveries, now=now, edits=self.edits)
        for each in planned.superseded:
            unit.delete_delivery(each.key)
            unit.add_events(events(each, EventKind.SUPERSEDED, now=now))
        for each in planned.deliveries:
            unit.save_delivery(each)
        changed = {each.key for each in (*planned.superseded, *planned.deliveries)}
        return [*(each for each in self.deliveries if each.key not in changed), *planned.deliveries]


def is_in_doubt(delivery: Delivery) -> bool:
    """Whether it may have arrived, and matters: an edit that is made twice does no harm."""
    return delivery.state is DeliveryState.PENDING and delivery.may_have_arrived and not is_edit(delivery)


def begun(notifications: Iterable[Notification], deliveries: Iterable[Delivery]) -> list[Notification]:
    """Those that are held back although a message of the same incident may have arrived, as if they were not.

    A mute that begins then comes too late: what may have been read is sent again, by the same key, until an answer
    says so; else its end would never be told.
    """
    doubtful = {
        (cover.key, delivery.recipient, cover.knowledge.incident_id)
        for delivery in filter(is_in_doubt, deliveries)
        for cover in delivery.covers
    }
    released = [
        replace(each, desired=replace(each.desired, held=False))
        for each in notifications
        if each.desired and each.desired.held and (each.key, each.recipient, each.desired.incident_id) in doubtful
    ]
    return [each for each in released if gap(each.desired, each.notified)]


def turns(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Deliveries in the order in which to make them.

    What was tried longest ago comes first, so that one that always fails holds up no other for ever. Of those that were
    never tried it is the oldest, of those planned at once the worst, and what is over comes last; alike ones go by
    the name of their alert. An edit goes just before the one message that tells of the same alert, to find out whether
    the message to reply to is still there; all other edits go after the messages.
    """
    telling = {each.covers[0].key: each for each in deliveries if len(each.covers) == 1 and not is_edit(each)}

    def turn(delivery: Delivery) -> tuple[bool, datetime, datetime, bool, int, str, bool]:
        with_it = telling.get(delivery.covers[0].key) if is_edit(delivery) else delivery
        return with_it is None, *_rank(with_it or delivery), not is_edit(delivery)

    return sorted(deliveries, key=turn)


def _rank(delivery: Delivery) -> tuple[datetime, datetime, bool, int, str]:
    known = [cover.knowledge for cover in delivery.covers]
    tried_at = delivery.attempted_at or _NEVER
    is_over, worst = all(each.ended for each in known), max(each.level for each in known)
    return tried_at, delivery.created_at, is_over, -worst, str(delivery.covers[0].key)
