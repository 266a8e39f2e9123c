"""The parts of an alert or a delivery that are kept as JSON: timers, readings, limits, what a delivery covers.

Levels are their words, instants ISO 8601, lengths of time whole microseconds. Numbers come back exactly.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from guard.model import AlertKey, Bound, Cover, Flapping, Knowledge, Level, Reading, Timer
from guard.store.tables import MICROSECOND

_text: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _instant(at: datetime) -> str:
    if at.utcoffset() is None:
        raise ValueError(f"{at} has no time zone")
    return at.isoformat()


def timers_text(timers: Mapping[Level, Timer]) -> str:
    """Each level's timer. Raises ValueError for an instant without a zone, as all of this module does."""
    return _text({level.word: [timer.total // MICROSECOND, _instant(timer.at)] for level, timer in timers.items()})


def timers_of(text: str) -> dict[Level, Timer]:
    """What `timers_text` wrote."""
    return {
        Level[word.upper()]: Timer(timedelta(microseconds=total), datetime.fromisoformat(at))
        for word, (total, at) in json.loads(text).items()
    }


def instants_text(instants: Iterable[datetime]) -> str:
    """Instants, in their order."""
    return _text([_instant(at) for at in instants])


def instants_of(text: str) -> tuple[datetime, ...]:
    """What `instants_text` wrote."""
    return tuple(map(datetime.fromisoformat, json.loads(text)))


def flapping_text(flapping: Flapping) -> str:
    """All that is known of an alert that flaps."""
    stable = [flapping.stable.total // MICROSECOND, _instant(flapping.stable.at)]
    return _text({"level": flapping.level.word, "stable": stable, "incident": flapping.incident_id})


def flapping_of(text: str) -> Flapping:
    """What `flapping_text` wrote."""
    document: dict[str, Any] = json.loads(text)
    total, at = document["stable"]
    timer = Timer(timedelta(microseconds=total), datetime.fromisoformat(at))
    return Flapping(Level[document["level"].upper()], timer, document["incident"])


def reading_text(reading: Reading) -> str:
    """All that a reading holds but its wording, which is a column of its own."""
    return _text(
        {
            "at": _instant(reading.at),
            "summary": reading.summary,
            "value": reading.value,
            "unit": reading.unit,
            "bounds": {level.word: [bound.operator, bound.number] for level, bound in reading.bounds.items()},
            "description": reading.description,
            "runbook": reading.runbook,
            "age": reading.age // MICROSECOND,
            "subject": reading.subject,
            "labels": dict(reading.labels),
        }
    )


def reading_of(text: str, *, wording: str = "") -> Reading:
    """What `reading_text` wrote, with its wording."""
    document: dict[str, Any] = json.loads(text)
    bounds = {Level[word.upper()]: Bound(*bound) for word, bound in document["bounds"].items()}
    return Reading(
        at=datetime.fromisoformat(document["at"]),
        summary=document["summary"],
        value=document["value"],
        unit=document["unit"],
        bounds=bounds,
        description=document["description"],
        runbook=document["runbook"],
        age=timedelta(microseconds=document["age"]),
        subject=document.get("subject", ""),  # absent in what was written before there were subjects and labels
        labels=document.get("labels", {}),
        wording=wording,
    )


def limits_text(limits: Mapping[str, float]) -> str:
    """Limits by field name."""
    return _text(dict(limits))


def limits_of(text: str) -> dict[str, float]:
    """What `limits_text` wrote."""
    limits: dict[str, float] = json.loads(text)
    return limits


def missed_text(incident_ids: tuple[str, ...]) -> str:
    """Incidents, in their order."""
    return _text(incident_ids)


def missed_of(text: str) -> tuple[str, ...]:
    """What `missed_text` wrote."""
    return tuple(json.loads(text))


def covers_text(covers: tuple[Cover, ...]) -> str:
    """What a delivery covers, in its order."""
    return _text(
        [
            {
                "account": cover.key.account,
                "rule": cover.key.rule,
                "subject": cover.key.subject,
                "incident": cover.knowledge.incident_id,
                "level": cover.knowledge.level.word,
                "reminders": cover.knowledge.reminders,
                "ended": cover.knowledge.ended,
                "missed": cover.knowledge.missed,
                "flapping": cover.knowledge.flapping,
            }
            for cover in covers
        ]
    )


def covers_of(text: str) -> tuple[Cover, ...]:
    """What `covers_text` wrote."""
    return tuple(
        Cover(
            AlertKey(part["account"], part["rule"], part["subject"]),
            Knowledge(
                incident_id=part["incident"],
                level=Level[part["level"].upper()],
                reminders=part["reminders"],
                ended=part["ended"],
                missed=tuple(part["missed"]),
                flapping=part["flapping"],
            ),
        )
        for part in json.loads(text)
    )
