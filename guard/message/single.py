"""A message about one alert."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Final

from guard.message.message import Fact, Firing, Message
from guard.message.past import drawn
from guard.message.telling import clock, earlier, level_of, mark, span, summary, title
from guard.message.text import clean, one_line
from guard.model import CHANNEL_FAILING, NO_DATA, Bound, Occasion, Reading, State, Telling
from guard.units import duration_text, instant_text, value_text, without_noun

_UNTIL_STABLE: Final = "you hear no more of it until it gets worse, or is stable for 30 min"
_LATE: Final = timedelta(minutes=2)  # a firing told later than this says so
_WITHOUT_DATA: Final = (NO_DATA, CHANNEL_FAILING)  # which no answer of AgentPhone stands behind
_OPERATORS: Final = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above", "==": "at", "!=": "not at"}


def single(telling: Telling, *, now: datetime, zone: tzinfo) -> Message:
    """The message that tells of one alert, with times in this zone."""
    reading = telling.alert.reading
    return Message(
        mark=mark(telling),
        title=title(telling),
        summary=summary(telling),
        level=level_of(telling),
        ended=telling.occasion is Occasion.RESOLVED,
        facts=(*_plain_facts(telling, now=now, zone=zone), *_dated_facts(telling, now=now, zone=zone)),
        description=clean(reading.description).strip() if reading else "",
        runbook=one_line(reading.runbook) if reading else "",
        firing=_firing(telling),
    )


def _firing(telling: Telling) -> Firing | None:
    if telling.occasion is Occasion.RESOLVED or telling.incident.ended_at is not None:
        return None
    return Firing(telling.alert.key, telling.incident.id, is_acked=telling.ack is not None)


def _plain_facts(telling: Telling, *, now: datetime, zone: tzinfo) -> Iterator[Fact]:
    yield Fact("Account", one_line(telling.alert.key.account))
    if telling.alert.key.subject:  # commands call it so, while the title says what people do
        yield Fact("Subject", one_line(telling.alert.key.subject))
    yield from _values(telling, now=now)
    yield from _circumstances(telling, now=now, zone=zone)
    if present := _present(telling):
        yield Fact("Now", present)
    if telling.missed:
        yield Fact("Earlier", earlier(telling.missed, now=now, zone=zone))
    reading = telling.alert.reading
    if reading is not None and reading.labels:
        yield Fact("Labels", one_line(", ".join(f"{name}={text}" for name, text in reading.labels.items())))


def _circumstances(telling: Telling, *, now: datetime, zone: tzinfo) -> Iterator[Fact]:
    """What there is to know of this occasion."""
    match telling.occasion:
        case Occasion.RESOLVED:
            yield from _ending(telling, now=now, zone=zone)
        case Occasion.REMINDER:
            lasted = duration_text(now - telling.incident.started_at)
            yield Fact("Reminder", f"number {telling.desired.reminders}, firing for {lasted}")
        case Occasion.ESCALATED if telling.notified is not None:
            yield Fact("Before", telling.notified.level.word)
        case Occasion.FLAPPING:
            yield Fact("Flapping", f"fires and ends time and again; {_UNTIL_STABLE}")
        case Occasion.FIRED if telling.notified is not None and telling.notified.flapping:
            yield Fact("Before", "flapping, and stable by now")
        case Occasion.FIRED if _is_late(telling, now=now):
            yield Fact("Delivery", f"fired {clock(telling.incident.started_at, now=now, zone=zone)}, told only now")
        case _:
            pass


def _values(telling: Telling, *, now: datetime) -> Iterator[Fact]:
    if (reading := telling.alert.reading) is not None and reading.value is not None:
        yield Fact("Value", _value_against_bounds(reading, reading.value))
    if line := drawn(telling.past, now=now):
        yield Fact("Last 24 h", line)


def _ending(telling: Telling, *, now: datetime, zone: tzinfo) -> Iterator[Fact]:
    incident, reading = telling.incident, telling.alert.reading
    peak = incident.peak.word
    if incident.peak_value is not None:
        peak = f"{value_text(incident.peak_value, one_line(reading.unit) if reading else '')} ({peak})"
    yield Fact("Peak", peak)
    yield Fact("Lasted", duration_text((incident.ended_at or now) - incident.started_at))
    if incident.reason is not None:
        yield Fact("Why", incident.reason.value)
    if telling.notified is None or not (telling.notified.flapping or telling.notified.incident_id == incident.id):
        both = span(incident, "resolved", now=now, zone=zone)
        yield Fact("Delivery", f"{both}; could not be delivered before")


def _dated_facts(telling: Telling, *, now: datetime, zone: tzinfo) -> Iterator[Fact]:
    incident, reading = telling.incident, telling.alert.reading
    ended = telling.occasion is Occasion.RESOLVED
    yield Fact("Fired" if ended else "Since", instant_text(incident.started_at, zone), incident.started_at)
    if ended and incident.ended_at is not None:
        yield Fact("Resolved", instant_text(incident.ended_at, zone), incident.ended_at)
    if reading is not None and telling.alert.key.rule not in _WITHOUT_DATA:
        yield Fact("Data", f"{duration_text(now - reading.at + reading.age)} old")
    if telling.ack is not None and not ended:
        yield _done_by("Acknowledged", telling.ack.by, "at", telling.ack.at, zone=zone)
    if telling.silence is not None and not ended:
        yield _done_by("Silenced", telling.silence.by, "until", telling.silence.ends_at, zone=zone)


def _done_by(what: str, by: str, when: str, at: datetime, *, zone: tzinfo) -> Fact:
    """Gives `Silenced by ann until`, with the instant, which Slack shows in the reader's own zone."""
    who = f"by {one_line(by)}" if by.strip() else ""
    return Fact(" ".join(filter(None, (what, who, when))), instant_text(at, zone), at)


def _present(telling: Telling) -> str:
    """How the alert stands by now, where that differs from what the message speaks of; else empty."""
    alert, parts = telling.alert, list[str]()
    if alert.level is not None and alert.incident is not None and alert.incident.id != telling.incident.id:
        parts.append(f"firing again at {alert.level.word}")
    elif alert.level is not None and telling.occasion is not Occasion.RESOLVED:
        if alert.level < telling.desired.level:
            parts.append(f"at {alert.level.word}")
        if alert.state is State.RECOVERING:
            parts.append("recovering")
    if alert.unknown is not None:
        why = one_line(alert.unknown_why)
        parts.append("cannot be evaluated at present" + (f": {why}" if why else ""))
    return "; ".join(parts)


def _is_late(telling: Telling, *, now: datetime) -> bool:
    """Whether the firing is surely told late.

    An incident that began at a lower level, of which this channel is not told, is old when it rises to one of which
    the channel is told; that is no delay. So a level above the lowest counts as reached at the start only where its
    condition has held for as long as that of the lowest.
    """
    if now - telling.incident.started_at <= _LATE:
        return False
    alert, level = telling.alert, telling.desired.level
    lowest = min(alert.reading.bounds, default=level) if alert.reading else level
    if level <= lowest:
        return True
    held, lowest_held = alert.timers.get(level), alert.timers.get(lowest)
    return held is not None and lowest_held is not None and held.total >= lowest_held.total


def _value_against_bounds(reading: Reading, value: float) -> str:
    """Gives `1, critical below 2, warning below 3`; a noun is written once."""
    unit = one_line(reading.unit)
    bounds = sorted(reading.bounds.items(), reverse=True)
    return ", ".join(
        (value_text(value, unit), *(f"{level.word} {_bound_text(bound, unit)}" for level, bound in bounds))
    )


def _bound_text(bound: Bound, unit: str) -> str:
    return f"{_OPERATORS.get(bound.operator, bound.operator)} {value_text(bound.number, without_noun(unit))}"
