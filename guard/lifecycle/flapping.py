"""Flapping: an alert that fires and ends time and again is told once, until it is stable or gets worse; pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from guard.lifecycle.step import Step
from guard.model import Alert, Event, EventKind, Flapping, Timer

INCIDENTS: Final = 4  # so many beginnings
WITHIN: Final = timedelta(minutes=60)
STABLE_FOR: Final = timedelta(minutes=30)


def note_flapping(before: Alert, done: Step, *, now: datetime, every: timedelta) -> Step:
    """The step, with the alert's flapping brought to `now`; `before` is the alert as it was before the step.

    Of a subject that is gone nobody will ever see that it is stable: its flapping is over, and the end is told.
    """
    if done.is_gone:
        return done
    alert, incident = done.alert, done.alert.incident
    has_begun = incident is not None and (before.incident is None or before.incident.id != incident.id)
    if has_begun:
        recent = [at for at in before.fired if timedelta() <= now - at < WITHIN]
        alert = replace(alert, fired=(*recent, now)[-INCIDENTS:])
    flapping = _advance(before, alert, has_begun=has_begun, has_ended=done.closed is not None, now=now, every=every)
    if flapping == alert.flapping and alert is done.alert:
        return done
    kind = {(False, True): EventKind.FLAPPING, (True, False): EventKind.STABLE}
    changed = kind.get((before.flapping is not None, flapping is not None))
    # Who was stable, or got worse, begins to count anew.
    fired = () if changed is EventKind.STABLE else alert.fired
    noted = replace(alert, fired=fired, flapping=flapping)
    return replace(done, alert=noted, events=(*done.events, *((_event(noted, changed, now=now),) if changed else ())))


def _advance(
    before: Alert, alert: Alert, *, has_begun: bool, has_ended: bool, now: datetime, every: timedelta
) -> Flapping | None:
    """How it flaps by now; None where it does not."""
    was = before.flapping
    if was is None:
        is_found = has_begun and len(alert.fired) == INCIDENTS and alert.level is not None
        level, incident = alert.level, alert.incident
        return Flapping(level, Timer(timedelta(), now), incident.id) if is_found and level and incident else None
    if alert.level is not None and alert.level > was.level:
        return None
    if has_begun or has_ended:
        last = alert.incident.id if alert.incident else was.incident_id
        return replace(was, stable=Timer(timedelta(), now), incident_id=last)
    if alert.unknown is not None:
        return was
    stable = was.stable.known(now, every=every)
    return None if stable.total >= STABLE_FOR else replace(was, stable=stable)


def _event(alert: Alert, kind: EventKind, *, now: datetime) -> Event:
    return Event(
        at=now,
        key=alert.key,
        kind=kind,
        incident_id=alert.incident.id if alert.incident else "",
        level=alert.level,
        value=alert.reading.value if alert.reading else None,
        text="",
    )
