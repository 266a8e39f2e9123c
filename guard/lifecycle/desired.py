"""What each channel should know of an alert, and the step from what it knows; never a word of text.

The cycle writes what is desired; the outbox brings what was notified to it. Outages, crashes and restarts therefore
need no code of their own: whatever a channel has missed, the gap says what to tell it now.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from guard.model import Alert, Event, EventKind, Incident, Knowledge, Level, Notification, Occasion, State
from guard.rules.policy import Policy

REMEMBERED: Final = 500  # incidents that a channel missed; a day of one every three minutes


@dataclass(frozen=True, slots=True)
class Wishes:
    """The notifications of one alert whose desired half changed, and the reminders that fell due."""

    notifications: tuple[Notification, ...] = ()
    events: tuple[Event, ...] = ()


def gap(desired: Knowledge | None, notified: Knowledge | None) -> Occasion | None:
    """What to tell a channel that knows `notified` and should know `desired`; None if there is nothing to tell.

    A level that the channel was told already, or a higher one, is nothing new within an incident.
    """
    if desired is None:
        return None
    if notified is None or notified.incident_id != desired.incident_id:
        return Occasion.RESOLVED if desired.ended else Occasion.FIRED
    if desired.ended:
        return None if notified.ended else Occasion.RESOLVED
    if desired.level > notified.level:
        return Occasion.ESCALATED
    return Occasion.REMINDER if desired.reminders > notified.reminders else None


def untold(desired: Knowledge, notified: Knowledge | None) -> tuple[str, ...]:
    """Those of the missed incidents, oldest first, of whose end no message has told the channel yet."""
    heard = notified.missed if notified is not None else ()
    return tuple(each for each in desired.missed if each not in heard)


def desire(
    alert: Alert,
    closed: Incident | None,
    policy: Policy,
    notifications: Iterable[Notification],
    *,
    now: datetime,
    reminders_wait: bool,
) -> Wishes:
    """Says what every channel should now know of one alert.

    `closed` is the incident that ended in this step, `notifications` are all that are stored for the alert. Reminders
    go by the alert's present level, and count anew when the level that is told rises; `reminders_wait` holds them back,
    while the account gives no data.
    """
    known = {(notification.channel, notification.recipient): notification for notification in notifications}
    if closed is not None:
        return Wishes(tuple(ended for each in known.values() if (ended := _end(each, closed)) != each))
    if alert.incident is None:
        return Wishes()
    told = [_tell(known.get(target), target, alert, level) for target, level in _routed(alert, policy).items()]
    changed = tuple(each for each in told if each != known.get((each.channel, each.recipient)))
    if reminders_wait or alert.state is not State.FIRING:
        return Wishes(changed)
    every = policy.remind.every.get(alert.level) if alert.level else None
    due = tuple(_remind(each) for each in told if every and _reminder_is_due(each, policy, every=every, now=now))
    events = tuple(_reminder_event(each, now=now) for each in due)
    return Wishes(changed + due, events)


def _routed(alert: Alert, policy: Policy) -> dict[tuple[str, str], Level]:
    """The highest level at or below the alert's that leads to each channel and recipient."""
    return {
        (channel, recipient): level
        for level in sorted(policy.routes)
        if alert.level is not None and level <= alert.level
        for channel in policy.routes[level]
        for recipient in policy.recipients.get(channel, ("",))
    }


def _tell(before: Notification | None, target: tuple[str, str], alert: Alert, level: Level) -> Notification:
    assert alert.incident is not None  # noqa: S101 - the caller's branch
    notification = before or Notification(alert.key, *target)
    desired = notification.desired
    if desired is None or desired.incident_id != alert.incident.id:
        return replace(notification, desired=Knowledge(alert.incident.id, level, missed=_missed(notification)))
    if level <= desired.level:
        return notification
    return replace(notification, desired=replace(desired, level=level, reminders=0))


def _missed(notification: Notification) -> tuple[str, ...]:
    """The incidents that a new one overtakes before the channel has heard of them, so that it still will."""
    desired = notification.desired
    if desired is None or gap(desired, notification.notified) is None:
        return ()
    return (*untold(desired, notification.notified), desired.incident_id)[-REMEMBERED:]


def _end(notification: Notification, closed: Incident) -> Notification:
    """Whoever was told of the incident, or is about to be, is told of its end, wherever the routes lead now."""
    desired = notification.desired
    if desired is None or desired.incident_id != closed.id:
        return notification
    return replace(notification, desired=replace(desired, ended=True))


def _reminder_is_due(notification: Notification, policy: Policy, *, every: timedelta, now: datetime) -> bool:
    notified = notification.notified
    if notified is None or notification.notified_at is None or notified != notification.desired:
        return False
    # After the clock went back far nobody knows how long ago that was.
    return notified.reminders < policy.remind.at_most and abs(now - notification.notified_at) >= every


def _remind(notification: Notification) -> Notification:
    assert notification.desired is not None  # noqa: S101 - a reminder is due only where something was told
    return replace(notification, desired=replace(notification.desired, reminders=notification.desired.reminders + 1))


def _reminder_event(notification: Notification, *, now: datetime) -> Event:
    assert notification.desired is not None  # noqa: S101 - as above
    return Event(
        at=now,
        key=notification.key,
        kind=EventKind.REMINDER_DUE,
        incident_id=notification.desired.incident_id,
        level=notification.desired.level,
        channel=notification.channel,
        text=f"to {notification.recipient}" if notification.recipient else "",
    )
