"""What a webhook says: a message as JSON for machines; pure.

`type` says which keys there are: new ones may come, none changes its meaning under the same type. What there is nothing
to say of is null. docs/webhook.md shows a body of each type.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Final

from guard.message import Line, Message
from guard.model import Bound, Incident, Level, Occasion, Reading, Telling
from guard.units import iso

Fragment = Mapping[str, object]
"""A part of a body."""

_NOTICE: Final = "guard.notice"
_REPORT: Final = "guard.report"
_DIGEST: Final = "alert.digest"
_UNREAD: Final = Reading(at=datetime.min, summary="")  # noqa: DTZ901 - its instant is not looked at


def body_of(message: Message, *, now: datetime) -> bytes:
    """The body in UTF-8: one alert, a list of them, or neither where the message is about none."""
    match message.tellings:
        case () if message.mark == "report":
            kind, data = _REPORT, _report(message)
        case ():
            kind, data = _NOTICE, _notice(message)
        case (telling,):
            kind, data = f"alert.{telling.occasion}", {**_said(message), **_alert(telling)}
        case tellings:
            kind, data = _DIGEST, _digest(message, tellings)
    said = {"type": kind, "timestamp": iso(now), "data": data}
    text = json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="replace")  # a lone surrogate in a name is no UTF-8


def _said(message: Message) -> Fragment:
    return {"text": message.text, "console": message.link or None}


def _notice(message: Message) -> Fragment:
    return {
        **_said(message),
        "mark": message.mark,
        "level": _word(message.level),
        "ended": message.ended,
        "facts": {fact.name: fact.text for fact in message.facts},
    }


def _report(message: Message) -> Fragment:
    return {**_notice(message), "lines": [_line(line) for line in message.lines]}


def _line(line: Line) -> Fragment:
    return {"about": line.mark, "level": _word(line.level), "text": line.text}


def _digest(message: Message, tellings: Sequence[Telling]) -> Fragment:
    """All alerts, also those that people are only told the number of."""
    alerts = [{"occasion": str(telling.occasion), **_alert(telling)} for telling in tellings]
    return {**_said(message), "level": _word(message.level), "ended": message.ended, "alerts": alerts}


def _alert(telling: Telling) -> Fragment:
    alert, incident, level = telling.alert, telling.incident, telling.desired.level
    reading = alert.reading or _UNREAD
    return {
        "account": alert.key.account,
        "rule": alert.key.rule,
        "subject": alert.key.subject or None,
        "subject_name": reading.subject or None,
        "level": level.word,
        "summary": reading.summary or None,
        "description": reading.description or None,
        "value": _number(reading.value),
        "unit": reading.unit or None,
        "threshold": _threshold(reading.bounds.get(level)),
        "thresholds": {each.word: _threshold(bound) for each, bound in sorted(reading.bounds.items())},
        "read_at": iso(reading.at) if alert.reading else None,
        **_incident(incident),
        "peak": incident.peak.word,
        "peak_value": _number(incident.peak_value),
        "reminder": telling.desired.reminders if telling.occasion is Occasion.REMINDER else None,
        "labels": dict(reading.labels),
        "runbook": reading.runbook or None,
        "missed": [_incident(each) for each in telling.missed],
    }


def _incident(incident: Incident) -> Fragment:
    return {
        "incident": incident.id,
        "started_at": iso(incident.started_at),
        "ended_at": iso(incident.ended_at),
        "reason": str(incident.reason) if incident.reason else None,
    }


def _threshold(bound: Bound | None) -> Fragment | None:
    return {"operator": bound.operator, "number": _number(bound.number)} if bound else None


def _number(number: float | None) -> float | None:
    """The number; none where it is infinite, as a time is that never comes: JSON has no such numbers."""
    return number if number is not None and isfinite(number) else None


def _word(level: Level | None) -> str | None:
    return level.word if level else None
