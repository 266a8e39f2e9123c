"""Deliver: writes an attempt down, makes it, and writes down what became of it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from random import random
from typing import Any, Final

from guard.clock import Clock
from guard.lifecycle.desired import gap
from guard.logs import log
from guard.model import AlertKey, CallKind, Delivery, DeliveryState, EventKind, Notification, Root
from guard.notify.notifier import Call, Notifier, Outcome, Rejected, Retry, Sent, Unsure
from guard.outbox.call import Reporting, ValuePast, call_for
from guard.outbox.pace import Pace
from guard.outbox.plan import OPEN, Target, edit, is_edit
from guard.outbox.recipient import Recipient, begun, is_in_doubt, turns
from guard.outbox.recover import park
from guard.outbox.settle import LOOK_FOR, events, settled
from guard.outbox.storm import Storm
from guard.store import Store, Unit

_NAMED: Final = 3  # alerts of a digest in its line of the log; `guard history` names all


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A call to make now, written down already; without one, an earlier attempt that is to be looked for."""

    delivery: Delivery
    call: Call | None


@dataclass(slots=True)
class Outbox:
    """Sends what waits, channel by channel."""

    store: Store
    notifiers: Mapping[str, Notifier]
    zone_of: Callable[[str], tzinfo]  # an account's zone for the times in its messages
    clock: Clock
    report: Reporting | None = None  # composes reports, where those are told
    console_url: str = ""  # where people find the console; empty: nobody said
    past: ValuePast | None = None  # for messages of one alert, which then show how its value moved
    storm: Storm = field(default_factory=Storm)
    pace: Pace = field(default_factory=Pace)
    _unsettled: dict[str, tuple[Delivery, Outcome]] = field(default_factory=dict)  # answered, not yet written
    _held: set[str] = field(default_factory=set)  # channels on which a message waits for its pace alone
    _sending: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))  # by channel

    async def attempt(self, channel: str) -> bool:
        """Makes the one attempt that is due on a channel, if there is one; True if there was, so that more may be due.

        Nothing is due on a channel that is gone, or whose attempt is under way. Raises StorageError when the attempt
        could not be written down (then it was not made), or its outcome could not (then the next call writes it before
        anything else).
        """
        if channel not in self.notifiers or self._sending[channel].locked():
            return False
        async with self._sending[channel]:
            return await self._attempt(channel)

    async def wait(self, channel: str) -> bool:
        """Waits where nothing but the pace held a message back, about a second at most; False if there is none."""
        if channel not in self._held:
            return False
        self._held.remove(channel)
        left = self.pace.wait(self.notifiers[channel], now=self.clock.now())
        await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=self.clock.real_s(left))
        return True

    @asynccontextmanager
    async def quiet(self, channel: str) -> AsyncIterator[None]:
        """Within, the channel sends nothing, and what became of its last attempt is written down.

        Waits for an attempt that is under way. Raises StorageError.
        """
        async with self._sending[channel]:
            await self._settle(channel)
            yield

    async def _attempt(self, channel: str) -> bool:
        self._held.discard(channel)
        await self._settle(channel)
        attempt = await self.store.run(partial(self._begin, channel=channel, now=self.clock.now()))
        if attempt is None:
            return False
        # A crash here, or in the send, leaves `sending`: it may have arrived, and the key lets the receiver notice.
        outcome = await self._make(attempt)
        if outcome is None:
            await self.store.run(partial(_write_absent, delivery=attempt.delivery))
            return True
        self._unsettled[channel] = (attempt.delivery, outcome)
        # A crash here sends twice, unless the channel can find what it was sent.
        await self._settle(channel)
        return True

    async def _make(self, attempt: _Attempt) -> Outcome | None:
        """Makes the call, or looks for an earlier one: None if that did not arrive, or if nobody knows for too long."""
        delivery, notifier = attempt.delivery, self.notifiers[attempt.delivery.channel]
        attempted_at = delivery.attempted_at or delivery.created_at
        found: Sent | Retry | None
        try:
            if attempt.call is not None:
                return await notifier.deliver(attempt.call, key=delivery.key)
            found = await notifier.find(key=delivery.key, thread=delivery.receipt, attempted_at=attempted_at)
        except Exception as fault:  # noqa: BLE001 - a defect in one notifier must not stop the others
            log.error("delivery.unplanned", "the notifier failed", exc=fault, channel=delivery.channel)
            why = f"the notifier failed: {type(fault).__name__}"
            if attempt.call is not None:
                return Unsure(why)
            found = Retry(why)
        if isinstance(found, Retry) and not timedelta() <= self.clock.now() - attempted_at < LOOK_FOR:
            # All else that this channel should know waits for the answer: better that one comes twice.
            log.warning("delivery.unseen", f"{found.why}; it counts as not arrived", channel=delivery.channel)
            return None
        return found

    async def _settle(self, channel: str) -> None:
        if channel not in self._unsettled:
            return
        delivery, outcome = self._unsettled[channel]
        notifier, now = self.notifiers[channel], self.clock.now()
        after, kind = settled(delivery, outcome, now=now, jitter=random(), finds=notifier.finds)  # noqa: S311 - a backoff's jitter guards no secret
        is_news = kind is EventKind.DELIVERED or after.why != delivery.why
        receipt = outcome.receipt if isinstance(outcome, Sent) and notifier.threads else ""
        write = partial(_write_settled, delivery=after, kind=kind, is_news=is_news, receipt=receipt, now=now)
        await self.store.run(write)
        del self._unsettled[channel]
        _log_settled(after, kind)

    def _begin(self, unit: Unit, *, channel: str, now: datetime) -> _Attempt | None:
        """Plans, and writes down the attempt that is due first; None if nothing is due."""
        notifier = self.notifiers[channel]
        waiting = [each for each in unit.waiting(channel) if gap(each.desired, each.notified)]
        outdated = unit.outdated(channel) if notifier.edits else []
        # An attempt that was written down although its commit failed was never made; none is under way just now.
        park(unit, channel, "nobody knows whether it was sent", finds=notifier.finds, now=now)
        deliveries = unit.deliveries(channel=channel, states=OPEN)
        if any(map(is_in_doubt, deliveries)):
            waiting += begun(unit.notifications_on(channel), deliveries)
        due: list[Delivery] = []
        names = {each.recipient for each in waiting} | {each.notification.recipient for each in outdated}
        for name in sorted(names | {each.recipient for each in deliveries}):
            recipient = Recipient(
                Target(channel, name, threads=notifier.threads, edits=notifier.edits, finds=notifier.finds),
                [each for each in waiting if each.recipient == name and not self.storm.holds(each)],
                [edit(each) for each in outdated if each.notification.recipient == name],
                [each for each in deliveries if each.recipient == name],
            )
            due += filter(None, [recipient.next_due(unit, now=now)])
        if not due:
            return None
        delivery = turns(due)[0]
        if notifier.finds and is_in_doubt(delivery):
            return _Attempt(replace(delivery, attempts=delivery.attempts + 1), None)
        if not is_edit(delivery) and not self.pace.takes(notifier, now=now):
            self._held.add(channel)  # and all that comes after it, so that the order stays
            return None
        theirs = {each.key: each for each in waiting if each.recipient == delivery.recipient}
        return self._written(unit, delivery, theirs, now=now)

    def _written(
        self, unit: Unit, delivery: Delivery, notifications: Mapping[AlertKey, Notification], *, now: datetime
    ) -> _Attempt | None:
        sending = replace(delivery, state=DeliveryState.SENDING, attempts=delivery.attempts + 1, attempted_at=now)
        try:
            call, wording = call_for(
                unit,
                sending,
                notifications,
                now=now,
                zone_of=self.zone_of,
                report=self.report,
                past=self.past,
                console_url=self.console_url,
            )
        except Exception as fault:  # noqa: BLE001 - a message that cannot be written must not hold up its channel
            log.error("delivery.unwritable", "a message could not be composed", exc=fault, channel=delivery.channel)
            why = f"the message could not be composed: {type(fault).__name__}"
            dead, kind = settled(sending, Rejected(why), now=now, jitter=0)
            _write_settled(unit, delivery=dead, kind=kind, is_news=True, receipt="", now=now)
            return None
        sending = replace(sending, wording=wording)  # the words may have changed since it was planned
        unit.save_delivery(sending)
        return _Attempt(sending, call)


def _write_absent(unit: Unit, *, delivery: Delivery) -> None:
    """Writes that an attempt did not arrive: it is planned, and perhaps made, as if for the first time."""
    unit.save_delivery(replace(delivery, may_have_arrived=False))


def _write_settled(
    unit: Unit, *, delivery: Delivery, kind: EventKind, is_news: bool, receipt: str, now: datetime
) -> None:
    """Writes what became of an attempt; it is no news where it is the same as that of the attempt before."""
    unit.save_delivery(delivery)
    unit.add_events(events(delivery, kind, now=now) if is_news else ())
    if kind is EventKind.GONE:
        unit.delete_delivery(delivery.key)
        _write_root(unit, delivery, "")
    elif delivery.state is DeliveryState.SENT and is_edit(delivery):
        _write_root(unit, delivery, delivery.receipt)
    elif delivery.state is DeliveryState.SENT:
        unit.save_notified(
            Notification(cover.key, delivery.channel, delivery.recipient, notified=cover.knowledge, notified_at=now)
            for cover in delivery.covers
        )
        # A digest is only that message. A reply has another receipt than its root where that was gone all along.
        if receipt and receipt != delivery.receipt and len(delivery.covers) == 1:
            _write_root(unit, delivery, receipt)


def _write_root(unit: Unit, delivery: Delivery, receipt: str) -> None:
    """Writes in which message the incident of a delivery stands by now, and what it shows; in none where that is gone.

    What became of a message that has lost the root's place to that of the next incident changes nothing.
    """
    cover = delivery.covers[0]
    key, known = cover.key, cover.knowledge
    place = (key, delivery.channel, delivery.recipient)
    stored = unit.notifications(key.account)
    before = next((each.root for each in stored if (each.key, each.channel, each.recipient) == place), None)
    if delivery.call is not CallKind.POST and (before is None or before.receipt != delivery.receipt):
        return
    root = Root(known.incident_id, receipt, known.level, known.ended, delivery.wording) if receipt else None
    unit.save_roots([Notification(*place, root=root)])


def _log_settled(delivery: Delivery, kind: EventKind) -> None:
    write = {EventKind.DELIVERED: log.info, EventKind.DIED: log.error}.get(kind, log.warning)
    first, more = delivery.covers[:_NAMED], len(delivery.covers) - _NAMED
    whom: dict[str, Any] = {"recipient": delivery.recipient} if delivery.recipient else {}
    again = f"; again at {delivery.due_at:%H:%M:%S}" if delivery.state is DeliveryState.PENDING else ""
    write(
        kind,
        f"{delivery.why}{again}" if delivery.why else "the channel accepted the message",
        channel=delivery.channel,
        **whom,
        call=delivery.call,
        alerts=",".join(str(cover.key) for cover in first) + (f" and {more:,} more" if more > 0 else ""),
        attempt=delivery.attempts,
        key=delivery.key,
    )
