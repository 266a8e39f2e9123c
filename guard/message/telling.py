"""A telling in words: its mark, level, title and summary, and what was missed before; for one alert and for many."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from guard.message.text import one_line
from guard.model import AlertKey, Incident, Level, Occasion, Telling


def mark(telling: Telling) -> str:
    """What people filter by, without its brackets."""
    match telling.occasion:
        case Occasion.FIRED | Occasion.STANDING:
            return level_of(telling).word
        case Occasion.ESCALATED | Occasion.REMINDER:
            return f"{telling.occasion} {level_of(telling).word}"
        case Occasion.RESOLVED | Occasion.FLAPPING:
            return telling.occasion.value


def level_of(telling: Telling) -> Level:
    """The level spoken of: what is told for the first time as it was reached, a reminder as it stands now."""
    present = telling.alert.level
    if telling.occasion is Occasion.REMINDER and present is not None:
        return min(present, telling.desired.level)
    return telling.desired.level


def title(telling: Telling) -> str:
    """Gives `main / numbers-remaining`, with a third part where there is a subject: its name, else its id."""
    key, reading = telling.alert.key, telling.alert.reading
    subject = (one_line(reading.subject) if reading else "") or key.subject
    return alert_name(replace(key, subject=subject))


def alert_name(key: AlertKey) -> str:
    """The alert as messages write it: `main / numbers-remaining`."""
    return " / ".join(filter(None, map(one_line, (key.account, key.rule, key.subject))))


def summary(telling: Telling) -> str:
    """What the rule says of it, or its name where nothing was ever read."""
    reading = telling.alert.reading
    return (one_line(reading.summary) if reading else "") or one_line(telling.alert.key.rule)


def earlier(missed: Sequence[Incident], *, now: datetime, zone: tzinfo) -> str:
    """Says of the incidents, which are some, that they came and went before."""
    last = missed[-1]
    which = "the incident before" if len(missed) == 1 else f"{len(missed)} incidents before, the last of them"
    why = f" ({last.reason})" if last.reason else ""
    return f"{which} {span(last, 'ended', now=now, zone=zone)}{why}"


def span(incident: Incident, over: str, *, now: datetime, zone: tzinfo) -> str:
    """Gives `fired 14:05, ended 14:20 UTC`, where `over` is the word for the end."""
    ended_at = incident.ended_at or now
    return f"fired {_clock(incident.started_at, now=now, zone=zone)}, {over} {clock(ended_at, now=now, zone=zone)}"


def clock(at: datetime, *, now: datetime, zone: tzinfo) -> str:
    """Gives `14:05 UTC`, and the day before it where that is not today's."""
    return f"{_clock(at, now=now, zone=zone)} {at.astimezone(zone):%Z}"


def _clock(at: datetime, *, now: datetime, zone: tzinfo) -> str:
    """The same without the zone, where another time behind it names that."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M}"
