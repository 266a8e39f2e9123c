"""How an alert stands, as the message about it says it: the same facts in the same order; pure."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo

from guard.lifecycle.mutes import Mutes
from guard.message import Message, compose
from guard.model import Ack, Alert, Incident, Knowledge, Level, Occasion, Silence, State, Telling
from guard.units import instant_text

Past = tuple[tuple[datetime, float], ...]


def standing(alert: Alert, *, mutes: Mutes, past: Past, now: datetime, zone_of: Callable[[str], tzinfo]) -> Message:
    """The message about an alert as it stands now, whether or not anybody is told.

    What is at rest has no facts about an incident: there is none.
    """
    since = since_at(alert)
    # Of what is not firing yet no incident is stored, although a message speaks of one.
    incident = alert.incident or Incident("", alert.key, since or now, max(alert.timers, default=Level.INFO))
    shown = Knowledge(incident.id, alert.level or incident.peak)
    telling = Telling(
        Occasion.STANDING,
        alert,
        incident,
        desired=shown,
        notified=shown,
        ack=mutes.ack(alert, now=now),
        silence=mutes.silence_on(alert, now=now),
        past=past,
    )
    message = compose([telling], now=now, zone_of=zone_of)
    return message if since else replace(message, facts=tuple(each for each in message.facts if each.at is None))


def since_at(alert: Alert) -> datetime | None:
    """When the incident began, or the condition of what is pending, or since when it is unknown; None at rest."""
    if alert.incident is not None:
        return alert.incident.started_at
    timers = [*alert.timers.values(), *([alert.unknown] if alert.unknown else [])]
    longest = max(timers, key=lambda timer: timer.total, default=None)
    return longest.at - longest.total if longest else None


def state_text(alert: Alert) -> str:
    """Gives `firing critical`, `pending`, `unknown` or `at rest`."""
    if alert.level is not None:
        return f"{alert.state.value} {alert.level.word}"
    if alert.state is State.PENDING:
        return alert.state.value
    return "unknown" if alert.unknown else "at rest"


def notes(alert: Alert, mutes: Mutes, *, now: datetime, zone: tzinfo) -> Iterator[str]:
    """What else there is to know beside its state."""
    if ack := mutes.ack(alert, now=now):
        yield _acked(ack, zone=zone)
    if silence := mutes.silence_on(alert, now=now):
        yield _silenced(silence, zone=zone)
    if alert.flapping:
        yield "flapping"
    if alert.unknown:
        yield f"unknown: {alert.unknown_why}" if alert.unknown_why else "unknown"


def _acked(ack: Ack, *, zone: tzinfo) -> str:
    until = f"until {instant_text(ack.until_at, zone)}" if ack.until_at else ""
    return _said("acknowledged", ack.by, until, ack.reason)


def _silenced(silence: Silence, *, zone: tzinfo) -> str:
    return _said("silenced", silence.by, f"until {instant_text(silence.ends_at, zone)}", silence.reason)


def _said(what: str, by: str, until: str, reason: str) -> str:
    said = " ".join(filter(None, (what, f"by {by}" if by.strip() else "", until)))
    return f"{said}: {reason}" if reason.strip() else said
