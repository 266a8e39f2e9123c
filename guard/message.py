"""What people read: tellings in words and numbers, once for all channels; pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from guard.model import NO_DATA, Bound, Incident, Level, Occasion, Reading, State, Telling
from guard.units import duration_text, instant_text, number_text, value_text

_LATE: Final = timedelta(minutes=2)  # a firing told later than this says so
_DIGEST_LINES: Final = 20
_TITLE_ACCOUNTS: Final = 3  # a digest of more accounts names these and counts the rest
_EMOJI: Final = {Level.CRITICAL: "🔴", Level.WARNING: "🟠", Level.INFO: "🔵"}
_OPERATORS: Final = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above", "==": "at", "!=": "not at"}
_UNITS: Final = frozenset({"", "count", "share", "seconds", "duration", "dollars"})  # any other unit is a noun
_BIDI: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_CONTROL: Final = (*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)  # but not the line feed
_SURROGATES: Final = range(0xD800, 0xE000)
_CLEANED: Final[Mapping[int, str | None]] = {
    **dict.fromkeys(_CONTROL, " "),
    **dict.fromkeys(map(ord, _BIDI)),
    **dict.fromkeys(_SURROGATES, "\ufffd"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know; `text` is complete, `at` lets a channel show the instant in the reader's own zone."""

    name: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One alert in a digest."""

    mark: str
    level: Level
    ended: bool
    text: str  # title and summary

    @property
    def emoji(self) -> str:
        """The line's colour, for channels that show it."""
        return _emoji(self.level, ended=self.ended)


@dataclass(frozen=True, slots=True)
class Message:
    """What one message says, in the order in which every channel says it.

    `mark` is what people filter by (`critical`, `escalated critical`, `reminder critical`, `resolved`,
    `digest critical`, `test`). `level` is the level spoken of, None where there is none, and with `ended` the level of
    what is over. All texts but `description` are one line without control characters. Facts without an instant come
    before those with one. A digest has `lines`, worst first, and counts in `more` those that did not fit.
    """

    mark: str
    title: str
    summary: str
    level: Level | None = None
    ended: bool = False
    facts: tuple[Fact, ...] = ()
    lines: tuple[Line, ...] = ()
    more: int = 0
    description: str = ""
    runbook: str = ""

    @property
    def text(self) -> str:
        """The message in one line, as plain text and as the subject of a mail."""
        return f"[{self.mark}] {self.title}: {self.summary}"

    @property
    def emoji(self) -> str:
        """The message's colour, for channels that show it."""
        return _emoji(self.level, ended=self.ended)


def compose(tellings: Sequence[Telling], *, now: datetime, zone_of: Callable[[str], tzinfo]) -> Message:
    """One telling becomes a message of its own, more become a digest; never raises for what names and texts hold.

    `tellings` is not empty. `zone_of` gives an account's zone, in which times are written.
    """
    if len(tellings) > 1:
        return _digest(tellings, now=now, zone_of=zone_of)
    telling = tellings[0]
    return _single(telling, now=now, zone=zone_of(telling.alert.key.account))


def trial(channel: str, *, now: datetime) -> Message:
    """The message of `guard send-test`."""
    return Message(
        mark="test",
        title=one_line(channel),
        summary="this channel works; all is well and nothing needs doing",
        facts=(Fact("Sent", instant_text(now), now),),
    )


def store_failing(fault: str, *, now: datetime) -> Message:
    """The message that goes straight to every channel when nothing can be written down; `fault` holds no secret."""
    return Message(
        mark=Level.CRITICAL.word,
        title="guard.store_failing",
        summary="quota-guard cannot write to its database",
        level=Level.CRITICAL,
        facts=(
            Fact("Fault", one_line(fault)),
            Fact("Meanwhile", "usage is still asked for, but nothing is decided until a write succeeds"),
            Fact("Sent", instant_text(now), now),
        ),
    )


def store_recovered(*, now: datetime) -> Message:
    """The message that goes straight to every channel that was told of `store_failing`, when a write succeeds."""
    return Message(
        mark=Occasion.RESOLVED.value,
        title="guard.store_failing",
        summary="quota-guard can write to its database again",
        level=Level.CRITICAL,
        ended=True,
        facts=(Fact("Sent", instant_text(now), now),),
    )


def one_line(text: str) -> str:
    r"""The text without line breaks, control characters, lone surrogates and what turns the direction of writing.

    >>> one_line("two\nlines \x1b[31mred")
    'two lines [31mred'
    """
    return " ".join(_clean(text).split())


def shortened(text: str, *, at_most: int) -> str:
    """The text, cut to so many characters, the last of them an ellipsis.

    >>> shortened("numbers-remaining", at_most=8)
    'numbers…'
    """
    return text if len(text) <= at_most else text[: at_most - 1] + "…"


def _emoji(level: Level | None, *, ended: bool) -> str:
    if ended:
        return "🟢"
    return _EMOJI[level] if level else "⚪"


def _clean(text: str) -> str:
    return text.translate(_CLEANED)


# --- one alert -----------------------------------------------------------------------------------------------------


def _single(telling: Telling, *, now: datetime, zone: tzinfo) -> Message:
    reading = telling.alert.reading
    return Message(
        mark=_mark(telling),
        title=_title(telling),
        summary=_summary(telling),
        level=_level(telling),
        ended=telling.occasion is Occasion.RESOLVED,
        facts=(*_plain_facts(telling, now=now, zone=zone), *_dated_facts(telling, now=now, zone=zone)),
        description=_clean(reading.description).strip() if reading else "",
        runbook=one_line(reading.runbook) if reading else "",
    )


def _mark(telling: Telling) -> str:
    match telling.occasion:
        case Occasion.FIRED | Occasion.STANDING:
            return _level(telling).word
        case Occasion.ESCALATED | Occasion.REMINDER:
            return f"{telling.occasion} {_level(telling).word}"
        case Occasion.RESOLVED:
            return telling.occasion.value


def _level(telling: Telling) -> Level:
    """The level spoken of: what is told for the first time as it was reached, a reminder as it stands now."""
    present = telling.alert.level
    if telling.occasion is Occasion.REMINDER and present is not None:
        return min(present, telling.desired.level)
    return telling.desired.level


def _title(telling: Telling) -> str:
    key = telling.alert.key
    return " / ".join(filter(None, map(one_line, (key.account, key.rule, key.subject))))


def _summary(telling: Telling) -> str:
    reading = telling.alert.reading
    return (one_line(reading.summary) if reading else "") or one_line(telling.alert.key.rule)


def _plain_facts(telling: Telling, *, now: datetime, zone: tzinfo) -> Iterator[Fact]:
    yield Fact("Account", one_line(telling.alert.key.account))
    if (reading := telling.alert.reading) is not None and reading.value is not None:
        yield Fact("Value", _value_against_bounds(reading, reading.value))
    match telling.occasion:
        case Occasion.RESOLVED:
            yield from _ending(telling, now=now, zone=zone)
        case Occasion.REMINDER:
            lasted = duration_text(now - telling.incident.started_at)
            yield Fact("Reminder", f"number {telling.desired.reminders}, firing for {lasted}")
        case Occasion.ESCALATED if telling.notified is not None:
            yield Fact("Before", telling.notified.level.word)
        case Occasion.FIRED if _is_late(telling, now=now):
            fired_at = telling.incident.started_at
            fired = f"{_clock(fired_at, now=now, zone=zone)} {fired_at.astimezone(zone):%Z}"
            yield Fact("Delivery", f"fired {fired}, delivered late")
        case _:
            pass
    if present := _present(telling):
        yield Fact("Now", present)
    if telling.missed:
        yield Fact("Earlier", _earlier(telling.missed, now=now, zone=zone))


def _earlier(missed: Sequence[Incident], *, now: datetime, zone: tzinfo) -> str:
    last = missed[-1]
    which = "the incident before" if len(missed) == 1 else f"{len(missed)} incidents before, the last of them"
    why = f" ({last.reason})" if last.reason else ""
    return f"{which} {_span(last, 'ended', now=now, zone=zone)}{why}"


def _ending(telling: Telling, *, now: datetime, zone: tzinfo) -> Iterator[Fact]:
    incident, reading = telling.incident, telling.alert.reading
    peak = incident.peak.word
    if incident.peak_value is not None:
        peak = f"{value_text(incident.peak_value, one_line(reading.unit) if reading else '')} ({peak})"
    yield Fact("Peak", peak)
    yield Fact("Lasted", duration_text((incident.ended_at or now) - incident.started_at))
    if incident.reason is not None:
        yield Fact("Why", incident.reason.value)
    if telling.notified is None or telling.notified.incident_id != incident.id:
        span = _span(incident, "resolved", now=now, zone=zone)
        yield Fact("Delivery", f"{span}; could not be delivered before")


def _dated_facts(telling: Telling, *, now: datetime, zone: tzinfo) -> Iterator[Fact]:
    incident, reading = telling.incident, telling.alert.reading
    ended = telling.occasion is Occasion.RESOLVED
    yield Fact("Fired" if ended else "Since", instant_text(incident.started_at, zone), incident.started_at)
    if ended and incident.ended_at is not None:
        yield Fact("Resolved", instant_text(incident.ended_at, zone), incident.ended_at)
    if reading is not None and telling.alert.key.rule != NO_DATA:  # which is told for want of data
        yield Fact("Data", f"{duration_text(now - reading.at + reading.age)} old")


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


# --- values and times ----------------------------------------------------------------------------------------------


def _value_against_bounds(reading: Reading, value: float) -> str:
    """Gives `1, critical below 2, warning below 3`; a noun is written once."""
    unit = one_line(reading.unit)
    bounds = sorted(reading.bounds.items(), reverse=True)
    return ", ".join(
        (value_text(value, unit), *(f"{level.word} {_bound_text(bound, unit)}" for level, bound in bounds))
    )


def _bound_text(bound: Bound, unit: str) -> str:
    number = value_text(bound.number, unit) if unit in _UNITS else number_text(bound.number)
    return f"{_OPERATORS.get(bound.operator, bound.operator)} {number}"


def _span(incident: Incident, over: str, *, now: datetime, zone: tzinfo) -> str:
    """Gives `fired 14:05, ended 14:20 UTC`, where `over` is the word for the end."""
    ended_at = incident.ended_at or now
    fired, ended = (_clock(at, now=now, zone=zone) for at in (incident.started_at, ended_at))
    return f"fired {fired}, {over} {ended} {ended_at.astimezone(zone):%Z}"


def _clock(at: datetime, *, now: datetime, zone: tzinfo) -> str:
    """Gives `14:05`, and the day before it where that is not today's."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M}"


# --- many alerts ---------------------------------------------------------------------------------------------------


def _digest(tellings: Sequence[Telling], *, now: datetime, zone_of: Callable[[str], tzinfo]) -> Message:
    ranked = sorted(tellings, key=_badness)
    over = sum(telling.occasion is Occasion.RESOLVED for telling in ranked)
    worst = _level(ranked[0])
    ended = over == len(ranked)
    return Message(
        mark="digest resolved" if ended else f"digest {worst.word}",
        title=_accounts(tellings),
        summary=f"{len(ranked)} alerts" + (f", {over} of them resolved" if 0 < over < len(ranked) else ""),
        level=worst,
        ended=ended,
        lines=tuple(_line(each, now=now, zone=zone_of(each.alert.key.account)) for each in ranked[:_DIGEST_LINES]),
        more=max(0, len(ranked) - _DIGEST_LINES),
    )


def _badness(telling: Telling) -> tuple[bool, int, str]:
    """Sorts the worst first and what is over last."""
    return telling.occasion is Occasion.RESOLVED, -_level(telling), str(telling.alert.key)


def _accounts(tellings: Sequence[Telling]) -> str:
    names = sorted({one_line(telling.alert.key.account) for telling in tellings})
    more = len(names) - _TITLE_ACCOUNTS
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_TITLE_ACCOUNTS])} and {more} more"


def _line(telling: Telling, *, now: datetime, zone: tzinfo) -> Line:
    return Line(
        mark=_mark(telling),
        level=_level(telling),
        ended=telling.occasion is Occasion.RESOLVED,
        text=f"{_title(telling)}: {_summary(telling)}"
        + (f" ({_earlier(telling.missed, now=now, zone=zone)})" if telling.missed else ""),
    )
