"""An alert's page: how it stands, who was told what, and what happened."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from guard.config import Config
from guard.console.standing import notes, standing, state_text
from guard.message import Message
from guard.model import (
    NO_DATA,
    Alert,
    AlertKey,
    Event,
    Incident,
    Knowledge,
    Level,
    Notification,
)
from guard.outbox import value_past
from guard.store import Unit
from guard.units import duration_text, exact_instant_text, instant_text, value_text

EVENTS: Final = 50
INCIDENTS: Final = 10
_AT_REST: Final = "It is at rest: nothing fires here."


@dataclass(frozen=True, slots=True)
class Told:
    """What one recipient of a channel should know, knows, and when it was last told."""

    who: str
    should_know: str
    knows: str
    told: str


@dataclass(frozen=True, slots=True)
class AlertPage:
    """What there is to show of one alert; lists are newest first."""

    state: str
    level: Level | None
    lines: tuple[str, ...]  # how it stands, beside its state
    message: Message
    told: tuple[Told, ...]
    incidents: tuple[tuple[str, str, str, str], ...]  # began, lasted, at its worst, why it ended
    events: tuple[tuple[str, str, str], ...]  # when, what, more of it
    has_more_events: bool
    explain: str  # the command line that tells why nobody is told


def read_alert_page(
    unit: Unit, key: AlertKey, *, config: Config, now: datetime, zone_of: Callable[[str], tzinfo]
) -> AlertPage | None:
    """Reads it, in one short read; None for an alert of which neither the database nor the rule file knows."""
    stored, incidents = unit.alert(key), unit.incidents_of(key, limit=INCIDENTS)
    is_watched = _is_watched(unit, key, config)
    if stored is None and not incidents and not is_watched:
        return None
    alert, zone = stored or Alert(key), zone_of(key.account)
    mutes = unit.mutes([alert.incident.id] if alert.incident else [], now=now)
    events = unit.events(limit=EVENTS + 1, key=key)
    unit_of = alert.reading.unit if alert.reading else ""
    return AlertPage(
        state=state_text(alert),
        level=alert.level,
        lines=tuple(_lines(alert, [*notes(alert, mutes, now=now, zone=zone)], is_watched=is_watched)),
        message=standing(
            alert, mutes=mutes, past=value_past(unit, key, config=config, now=now), now=now, zone_of=zone_of
        ),
        told=tuple(_told(each, alert, zone=zone) for each in unit.notifications_of(key)),
        incidents=tuple(_incident_row(each, unit_of, now=now, zone=zone) for each in incidents),
        events=tuple(_event_row(each, unit_of, zone=zone) for each in events[:EVENTS]),
        has_more_events=len(events) > EVENTS,
        explain=f"guard explain {shlex.quote(str(key))}",
    )


def _is_watched(unit: Unit, key: AlertKey, config: Config) -> bool:
    """Whether the rule file has such a rule on an account that was asked; of subjects only what is stored tells."""
    account = config.account(key.account)
    if account is None or key.subject or unit.account(key.account) is None:
        return False
    return key.rule == NO_DATA or any(rule.name == key.rule for rule in account.rules)


def _lines(alert: Alert, said: list[str], *, is_watched: bool) -> list[str]:
    if alert.level is None and not said and not alert.timers:
        return [_AT_REST if is_watched or alert.key.subject else f"{_AT_REST} The rule file has no such rule now."]
    return [f"{each[:1].upper()}{each[1:]}." for each in said]


def _told(known: Notification, alert: Alert, *, zone: tzinfo) -> Told:
    return Told(
        who=f"{known.channel} ({known.recipient})" if known.recipient else known.channel,
        should_know=_knowledge(known.desired, alert),
        knows=_knowledge(known.notified, alert),
        told=instant_text(known.notified_at, zone) if known.notified_at else "never",
    )


def _knowledge(known: Knowledge | None, alert: Alert) -> str:
    """What of the present incident, or how the last one ended."""
    if known is None:
        return "nothing"
    if known.ended:
        return f"{known.level.word}, ended"
    is_present = alert.incident is not None and alert.incident.id == known.incident_id
    parts = (
        known.level.word,
        f"reminded {known.reminders}×" if known.reminders else "",
        "flapping" if known.flapping else "",
        "held back" if known.held else "",
        "" if is_present else "an earlier incident",
    )
    return ", ".join(filter(None, parts))


def _incident_row(incident: Incident, unit: str, *, now: datetime, zone: tzinfo) -> tuple[str, str, str, str]:
    worst = incident.peak.word
    if incident.peak_value is not None:
        worst = f"{worst}, {value_text(incident.peak_value, unit)}"
    why = incident.reason.value if incident.reason else "ended" if incident.ended_at else "goes on"
    lasted = duration_text((incident.ended_at or now) - incident.started_at)
    return instant_text(incident.started_at, zone), lasted, worst, why


def _event_row(event: Event, unit: str, *, zone: tzinfo) -> tuple[str, str, str]:
    parts = (
        event.level.word if event.level else "",
        "" if event.value is None else value_text(event.value, unit),
        f"to {event.channel}" if event.channel else "",
        event.text,
    )
    return exact_instant_text(event.at, zone), event.kind.value, "; ".join(filter(None, parts))
