"""What Apprise is asked to send for a message: one note, or for PagerDuty one for each incident; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from guard.message import Message
from guard.model import Level, Occasion, Telling
from guard.notify.mail_text import plain_text

_TYPES: Final = {None: "info", Level.INFO: "info", Level.WARNING: "warning", Level.CRITICAL: "failure"}
_OVER: Final = "success"


@dataclass(frozen=True, slots=True)
class Note:
    """One notification as Apprise takes it; `query` is appended to the URL, `id` tells it from the others."""

    id: str
    title: str
    body: str
    type: str  # Apprise's words: info, success, warning, failure
    query: Mapping[str, str] = field(default_factory=dict)


def notes_of(message: Message, *, url: str) -> tuple[Note, ...]:
    """The notes for a message, in the order in which they are sent; never empty."""
    if url.partition(":")[0].lower() == "pagerduty":
        return tuple(_incidents(message))
    title, _, body = plain_text(message).strip().partition("\n")
    return (Note("", title, body, _type(message.level, ended=message.ended)),)


def _incidents(message: Message) -> Iterator[Note]:
    """An event for each incident, whose id is the deduplication key: so its end closes what its beginning opened.

    First what is over, also of what was never told: PagerDuty takes no offence at the end of what it does not know.
    """
    if not message.tellings:
        # A report is nothing to get up for: as the end of what was never opened PagerDuty passes it over.
        yield _event(message.title, message, is_over=message.ended or message.mark == "report")
        return
    for telling in message.tellings:
        for incident_id in _left_open(telling):
            yield _event(incident_id, message, is_over=True, telling=telling)
    for telling in sorted(message.tellings, key=lambda each: each.occasion is not Occasion.RESOLVED):
        is_over = telling.occasion is Occasion.RESOLVED
        yield _event(telling.incident.id, message, is_over=is_over, telling=telling)


def _left_open(telling: Telling) -> Iterator[str]:
    """Earlier incidents of the alert that may be open there: of those that flapped, an end was never told."""
    yield from telling.desired.missed
    notified = telling.notified
    if notified and not notified.ended and notified.incident_id not in {telling.incident.id, *telling.desired.missed}:
        yield notified.incident_id


def _event(incident_id: str, message: Message, *, is_over: bool, telling: Telling | None = None) -> Note:
    """`action=map` has Apprise resolve what is a success, and trigger all else: from 2.1 on, by the key `dedup`."""
    query = {"action": "map", "dedup": incident_id, "image": "no"}
    body, level, runbook = message.text, message.level, message.runbook
    if telling is not None:
        level, reading = telling.desired.level, telling.alert.reading
        query |= {"source": telling.alert.key.account, "component": telling.alert.key.rule}
        if len(message.tellings) > 1:
            summary = reading.summary if reading else ""
            body, runbook = f"[{level.word}] {telling.alert.key}: {summary}", reading.runbook if reading else ""
    if link := runbook or message.link:
        query["click"] = link
    return Note(f"{incident_id} {is_over}", "", body, _type(level, ended=is_over), query)


def _type(level: Level | None, *, ended: bool) -> str:
    return _OVER if ended else _TYPES[level]
