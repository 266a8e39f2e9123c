"""What each channel should know of an alert, and the step from what it knows; never a word of text.

The cycle writes what is desired; the outbox brings what was notified to it. Outages, crashes, restarts and mutes
therefore need no code of their own: whatever a channel has missed, the gap says what to tell it now.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from guard.model import Alert, Event, EventKind, Knowledge, Level, Notification, Occasion, State
from guard.rules.policy import Policy

REMEMBERED: Final = 500  # incidents that a channel missed; a day of one every three minutes

Hold = Callable[[Level], str]
"""Why a level of the alert is not to be told now; empty where it is."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The notifications of one alert whose desired half changed, and what there is to record of that."""

    notifications: tuple[Notification, ...] = ()
    events: tuple[Event, ...] = ()


def gap(desired: Knowledge | None, notified: Knowledge | None) -> Occasion | None:  # noqa: PLR0911 - one return for each occasion
    """What to tell a channel that knows `notified` and should know `desired`; None if there is nothing to tell.

    A level that the channel was told already, or a higher one, is nothing new within an incident, nor while the alert
    flaps. What is held back is told only as the end of what the channel knows.
    """
    if desired is None:
        return None
    knows = notified is not None and (notified.incident_id == desired.incident_id or is_flapping(notified))
    if desired.held and not (knows and desired.ended):
        return None
    if notified is None or not knows:
        return _first(desired, notified)
    if desired.ended:
        return None if notified.ended else Occasion.RESOLVED
    if desired.flapping and desired.incident_id != notified.incident_id:
        return Occasion.FLAPPING  # it was stable meanwhile, and the channel has not heard of that
    if desired.level > notified.level:
        return Occasion.ESCALATED
    if notified.flapping and not desired.flapping:
        return Occasion.FIRED
    return Occasion.REMINDER if desired.reminders > notified.reminders else None


def _first(desired: Knowledge, notified: Knowledge | None) -> Occasion | None:
    """The occasion for a channel that knows nothing of the incident."""
    if notified is not None and desired.incident_id in notified.missed:
        return None
    if desired.ended:
        return Occasion.RESOLVED
    return Occasion.FLAPPING if desired.flapping else Occasion.FIRED


def is_flapping(known: Knowledge) -> bool:
    """Whether it stands for all incidents until the alert is stable, and not for its own alone."""
    return known.flapping and not known.ended


def untold(desired: Knowledge, notified: Knowledge | None) -> tuple[str, ...]:
    """Those of the missed incidents, oldest first, of whose end no message has told the channel yet."""
    heard = notified.missed if notified is not None else ()
    return tuple(each for each in desired.missed if each not in heard)


def desire(
    alert: Alert,
    policy: Policy,
    notifications: Iterable[Notification],
    *,
    now: datetime,
    ended: str = "",
    reminders_wait: bool = False,
    hold: Hold = lambda _level: "",
) -> Wishes:
    """Says what every channel should now know of one alert.

    `ended` is the incident that ended in this step, or the last one of those through which the alert flapped;
    `notifications` are all that are stored for the alert. Reminders go by the alert's present level and where that
    leads, and count anew when the level that is told rises; `reminders_wait` holds them back, while the account gives
    no data or somebody has seen the incident. While the alert flaps, nobody is told of more than that.
    """
    known = {(notification.channel, notification.recipient): notification for notification in notifications}
    if alert.incident is None:
        if not ended or alert.flapping is not None:
            return Wishes()
        return Wishes(tuple(over for each in known.values() if (over := _end(each, ended)) != each))
    changed: list[Notification] = []
    events: list[Event] = []
    routed = _routed(alert, policy)
    for target, level in (_waiting(alert, known) | routed).items():
        before = known.get(target) or Notification(alert.key, *target)
        after, why = _tell(_unreminded(before), alert, level, hold)
        events += _mute_events(before, after, why, now=now)
        if target in routed and not reminders_wait and _reminder_is_due(after, alert, policy, hold, now=now):
            after = _remind(after)
            if after.desired != before.desired:
                events.append(_event(after, EventKind.REMINDER_DUE, now=now))
        if after != before:
            changed.append(after)
    return Wishes(tuple(changed), tuple(events))


def _routed(alert: Alert, policy: Policy) -> dict[tuple[str, str], Level]:
    """The highest level at or below the alert's that leads to each channel and recipient."""
    return {
        (channel, recipient): level
        for level in sorted(policy.routes)
        if alert.level is not None and level <= alert.level
        for channel in policy.routes[level]
        for recipient in policy.recipients.get(channel, ("",))
    }


def _waiting(alert: Alert, known: Mapping[tuple[str, str], Notification]) -> dict[tuple[str, str], Level]:
    """The level that each channel is yet to be told of this incident, wherever the routes lead now.

    What waits for a channel that is down can be held back although the alert's level has fallen below those that lead
    there.
    """
    return {
        target: each.desired.level
        for target, each in known.items()
        if each.desired is not None and not each.desired.ended and gap(each.desired, each.notified)
        if alert.incident is not None and each.desired.incident_id == alert.incident.id
    }


def _tell(notification: Notification, alert: Alert, level: Level, hold: Hold) -> tuple[Notification, str]:
    """What the channel should know of the incident that goes on, and why it is not to be told, if it is not."""
    assert alert.incident is not None  # noqa: S101 - the caller's branch
    desired, notified = notification.desired, notification.notified
    base = _about(notification, alert.incident.id)
    if alert.flapping is not None and desired is not None and is_flapping(desired):
        base = wanted = desired
    elif base is None:
        wanted = Knowledge(alert.incident.id, level, missed=_missed(notification), flapping=alert.flapping is not None)
    else:
        wanted = _risen(base, notified, level)
    wanted = replace(wanted, held=False)
    why = hold(wanted.level) if gap(wanted, notified) else ""
    if not why:
        return replace(notification, desired=wanted), ""
    if desired is not None and desired is not base and gap(desired, notified):
        return notification, ""  # the end of the incident before goes first
    if wanted.missed:
        return replace(notification, desired=_ends_of_missed(wanted, notified)), ""
    return replace(notification, desired=replace(base or wanted, held=True)), why


def _about(notification: Notification, incident_id: str) -> Knowledge | None:
    """What the channel should know of an incident, or else knows of it."""
    halves = (notification.desired, notification.notified)
    return next((each for each in halves if each is not None and each.incident_id == incident_id), None)


def _risen(base: Knowledge, notified: Knowledge | None, level: Level) -> Knowledge:
    """The same incident at this level, if that is higher; of what was held back and never told, at this very one."""
    is_untold = base.held and (notified is None or notified.incident_id != base.incident_id)
    if level > base.level or is_untold:
        return replace(base, level=level, reminders=0, flapping=False)
    return replace(base, flapping=False)


def _missed(notification: Notification) -> tuple[str, ...]:
    """The incidents that a new one overtakes before the channel has heard of them, so that it still will."""
    desired = notification.desired
    if desired is None or gap(desired, notification.notified) is None:
        return ()
    return (*untold(desired, notification.notified), desired.incident_id)[-REMEMBERED:]


def _ends_of_missed(wanted: Knowledge, notified: Knowledge | None) -> Knowledge:
    """The end of those incidents alone that were overtaken by one that is not to be told."""
    last = wanted.missed[-1]
    level = notified.level if notified is not None and notified.incident_id == last else wanted.level
    return Knowledge(last, level, ended=True, missed=wanted.missed[:-1])


def _end(notification: Notification, incident_id: str) -> Notification:
    """Whoever was told of the incident, or is about to be, is told of its end, wherever the routes lead now."""
    desired = notification.desired
    if desired is not None and is_flapping(desired):
        over = Knowledge(incident_id, desired.level, ended=True, missed=desired.missed, held=desired.held)
        return replace(notification, desired=over)
    base = _about(notification, incident_id)
    return notification if base is None else replace(notification, desired=replace(base, ended=True))


def _mute_events(before: Notification, after: Notification, why: str, *, now: datetime) -> list[Event]:
    was_held = before.desired is not None and before.desired.held and not before.desired.ended
    is_held = after.desired is not None and after.desired.held
    same = before.desired and after.desired and before.desired.incident_id == after.desired.incident_id
    if is_held and not (was_held and same):
        return [_event(after, EventKind.HELD, now=now, text=why)]
    if was_held and not is_held:
        return [_event(after, EventKind.RELEASED, now=now)]
    return []


def _reminder_is_due(notification: Notification, alert: Alert, policy: Policy, hold: Hold, *, now: datetime) -> bool:
    notified = notification.notified
    every = policy.remind.every.get(alert.level) if alert.level else None
    if every is None or alert.state is not State.FIRING or alert.flapping is not None:
        return False
    if notified is None or notification.notified_at is None or notified != notification.desired:
        return False
    # After the clock went back far nobody knows how long ago that was.
    is_due = notified.reminders < policy.remind.at_most and abs(now - notification.notified_at) >= every
    return is_due and alert.level is not None and not hold(alert.level)


def _remind(notification: Notification) -> Notification:
    assert notification.desired is not None  # noqa: S101 - a reminder is due only where something was told
    return replace(notification, desired=replace(notification.desired, reminders=notification.desired.reminders + 1))


def _unreminded(notification: Notification) -> Notification:
    """The same with the reminders that went out, and no other.

    Whether one is due is asked anew each time, for how things stand by now: one that waits for a channel that is down
    is taken back once there is nothing to remind of. What arrived although it was taken back meanwhile counts.
    """
    desired, notified = notification.desired, notification.notified
    if desired is None or notified is None or desired.ended:
        return notification
    if desired.incident_id != notified.incident_id or desired.level > notified.level:
        return notification
    return replace(notification, desired=replace(desired, level=notified.level, reminders=notified.reminders))


def _event(notification: Notification, kind: EventKind, *, now: datetime, text: str = "") -> Event:
    assert notification.desired is not None  # noqa: S101 - it is what the event is about
    whom = f"to {notification.recipient}" if notification.recipient else ""
    return Event(
        at=now,
        key=notification.key,
        kind=kind,
        incident_id=notification.desired.incident_id,
        level=notification.desired.level,
        channel=notification.channel,
        text="; ".join(filter(None, (text, whom))),
    )
