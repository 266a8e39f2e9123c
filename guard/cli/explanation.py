"""An alert explained: as lines for people, and as one JSON document."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from guard.cli.alerts import alert_document
from guard.cli.built_in import when_it_fires
from guard.cli.channels import delivery_document
from guard.cli.output import ago, print_table, say
from guard.cli.situation import Situation, Target
from guard.cli.under_way import NOW, is_gone, progress
from guard.cli.why import reminder_at, unknown_of, why
from guard.model import Alert, Delivery, Incident, Knowledge, Reading, State, Timer
from guard.rules.trace import Judged, Part, Trace, Truth, shown
from guard.rules.values import Unknown, Value
from guard.units import counted, duration_text, instant_text, iso, value_text

_COLUMNS: Final = ("CHANNEL", "SHOULD KNOW", "KNOWS", "TOLD", "NEXT")
_WIDTH: Final = 10


# --- for people ----------------------------------------------------------------------------------------------------


def print_explanation(it: Situation) -> None:
    """Prints how it stands, why nobody is told now, the rule part by part, and who knows what."""
    say(f"{it.key}: {_state(it)}")
    say(why(it))
    if (warning := it.file.warning(it.tz)) and (it.is_readable or it.unwatched not in why(it)):
        say(warning)
    if built_in := when_it_fires(it.config, it.key.rule, source=str(it.file.path)):
        say(built_in)
    for lines in (_rule_lines(it), _alert_lines(it)):
        if block := list(lines):
            say("\n".join(["", *block]))
    if it.targets:
        say("")
        print_table(_COLUMNS, [_target_row(it, each) for each in it.targets], broken=("TOLD",))
    if deliveries := [line for each in it.targets for line in _delivery_lines(each, now=it.now)]:
        say("\n".join(["", *deliveries]))


def _state(it: Situation) -> str:
    alert = it.alert
    if alert is None or alert.incident is None:
        state = alert.state if alert else State.OK
        return _at_rest(it) if state is State.OK else state.value
    level = f" {alert.level.word}" if alert.level else ""
    return f"{alert.state.value}{level} since {_when(it, alert.incident.started_at)}"


def _at_rest(it: Situation) -> str:
    """`ok` only where the rule is watched and known."""
    if it.unwatched and it.is_readable:
        return "not watched"
    return "not known" if unknown_of(it)[0] else State.OK.value


def _when(it: Situation, at: datetime) -> str:
    return f"{instant_text(at, it.tz)}, {ago(at, now=it.now)}"


def _rule_lines(it: Situation) -> Iterator[str]:
    if it.trace is None or it.rule is None or it.seen is None:
        return
    yield f"By the answer of {_when(it, it.seen.snapshot.at)}:"
    yield from _part_lines("value", it.trace.value)
    yield from _part_lines("when", it.trace.when)
    timers, clear = (it.alert.timers, it.alert.clear) if it.alert else ({}, None)
    policy, applies = it.rule.policy, it.trace.applies is not False
    for level, each in sorted(it.trace.levels.items(), reverse=True):
        yield from _judged_lines(it, each, _held(timers.get(level), policy.hold, "for"), applies=applies)
    kept = _held(clear, policy.keep_firing_for, "keep_firing_for")
    if it.trace.clear:
        yield from _judged_lines(it, it.trace.clear, kept, applies=applies)
    elif kept:
        yield f"  {'clear':{_WIDTH}}no level holds{kept}"
    for name, group in groupby(it.falls, key=attrgetter("field")):
        left = ", ".join(f"{value_text(each.value, 'count')} in {duration_text(each.after)}" for each in group)
        yield f"With no further traffic {name} falls by itself: {left}"


def _part_lines(word: str, parts: Sequence[Part]) -> Iterator[str]:
    for number, each in enumerate(parts):
        label = word if each.depth == 0 else ""
        yield f"  {label:{_WIDTH}}{'  ' * each.depth}{each.text} = {_part_text(each, parts[number + 1 :])}"


def _part_text(part: Part, made_of: Iterable[Part]) -> str:
    """The value, or why it is unknown: said once, at the part that is to blame."""
    if not isinstance(part.value, Unknown):
        return part.shown
    if any(each.depth > part.depth and each.value == part.value for each in made_of):
        return "unknown"
    return part.shown.removesuffix(f" for {part.text}")


def _held(timer: Timer | None, wanted: timedelta, key: str) -> str:
    return f"; has held {duration_text(timer.total)} of {duration_text(wanted)} ({key})" if timer and wanted else ""


def _judged_lines(it: Situation, judged: Judged, held: str, *, applies: bool) -> Iterator[str]:
    """A condition with its bound, whether it holds, and how long it has."""
    unit = it.rule.value_unit if it.rule else ""
    bound = f" = {shown(judged.bound, unit)}" if judged.parts else ""
    yield f"  {judged.word:{_WIDTH}}{judged.condition}{bound}: {_holds(judged.holds, applies=applies)}{held}"
    yield from _part_lines("", judged.parts[1:])


def _holds(truth: Truth, *, applies: bool) -> str:
    match truth:
        case Unknown():
            return "unknown"
        case True:
            return "holds" if applies else "would hold"
        case False:
            return "does not hold" if applies else "would not hold"


def _alert_lines(it: Situation) -> Iterator[str]:
    """What else is stored of the alert."""
    alert = it.alert
    if alert is None:
        return
    if alert.reading and alert.state is not State.OK:
        yield f"It says: {alert.reading.summary}"
    if alert.incident:
        yield f"Incident {alert.incident.id}, at its worst {_peak(alert.incident, alert.reading)}"
    if alert.unknown:
        since = alert.unknown.at - alert.unknown.total
        yield f"Unknown since {_when(it, since)}: {alert.unknown_why}"
    if alert.absent:
        yield f"Absent from the last {alert.absent} listings"


def _peak(incident: Incident, reading: Reading | None) -> str:
    if incident.peak_value is None:
        return incident.peak.word
    return f"{incident.peak.word} ({value_text(incident.peak_value, reading.unit if reading else '')})"


def _target_row(it: Situation, target: Target) -> Sequence[str]:
    known = target.notification
    told_at = known.notified_at if known else None
    return (
        target.name,
        _knowledge(it, known.desired if known else None),
        _knowledge(it, known.notified if known else None),
        _when(it, told_at) if told_at else "never",
        _next(it, target),
    )


def _knowledge(it: Situation, known: Knowledge | None) -> str:
    """What a recipient knows of the present incident, or how the last one ended."""
    if known is None:
        return "nothing"
    if known.ended:
        return f"{known.level.word}, ended"
    is_present = it.alert is not None and it.alert.incident is not None and it.alert.incident.id == known.incident_id
    reminded = f", reminded {known.reminders}×" if known.reminders else ""
    return known.level.word + reminded + ("" if is_present else " of an earlier incident")


def _next(it: Situation, target: Target) -> str:
    if target.gap:
        return f"no longer in {it.file.source(it.tz)}" if is_gone(it, target) else progress(it, target) or NOW
    if it.alert and (at := reminder_at(it, it.alert, target)):
        waits = ", once the data is back" if it.account and it.account.lost and not it.is_built_in else ""
        return f"reminded at {instant_text(at, it.tz)}{waits}"
    if not target.levels and it.file.config and target.channel in it.file.config.fallback:
        return "told as the fallback"
    if not target.levels:
        return "no longer routed there" if it.is_readable else ""
    words = " and ".join(each.word for each in target.levels)
    return "" if target.notification else f"is told of {words}"


def _delivery_lines(target: Target, *, now: datetime) -> Iterator[str]:
    for each in target.deliveries:
        tried = f" after {counted(each.attempts, 'attempt')}" if each.attempts else ""
        yield f"{target.name}: {each.call.value} {each.key[:8]} {_due(each, now=now)}{tried}" + (
            f": {each.why}" if each.why else ""
        )


def _due(delivery: Delivery, *, now: datetime) -> str:
    waits = delivery.due_at > now and delivery.state.value == "pending"
    return f"{delivery.state.value}, due in {duration_text(delivery.due_at - now)}" if waits else delivery.state.value


# --- for machines --------------------------------------------------------------------------------------------------


def explanation_document(it: Situation) -> dict[str, Any]:
    """The same as JSON has it."""
    reason, is_young, since = unknown_of(it)
    return {
        "at": iso(it.now),
        **alert_document(it.alert or Alert(it.key), it.hearing),
        "why": why(it),
        "watched": not it.unwatched,
        "taken_up": not it.unseen,
        "rule_file": it.file.document,
        "fires_when": when_it_fires(it.config, it.key.rule, source=str(it.file.path)) or None,
        "unknown": None if is_young else reason or None,
        "young": reason if is_young else None,
        "unknown_since": iso(since),
        "answer_at": iso(it.seen.snapshot.at) if it.seen else None,
        "rule_now": _trace_document(it, it.trace) if it.trace else None,
        "falls": [
            {"field": each.field, "after_s": each.after.total_seconds(), "value": each.value} for each in it.falls
        ],
        "channels": [_target_document(it, each) for each in it.targets],
    }


def _trace_document(it: Situation, found: Trace) -> dict[str, Any]:
    timers = it.alert.timers if it.alert else {}
    return {
        "value": _parts_document(found.value),
        "when": _parts_document(found.when),
        "applies": _truth(found.applies),
        "levels": {
            level.word: _judged_document(each, timers.get(level))
            for level, each in sorted(found.levels.items(), reverse=True)
        },
        "clear": _judged_document(found.clear, it.alert.clear if it.alert else None) if found.clear else None,
        "for_s": it.policy.hold.total_seconds() if it.policy else None,
        "keep_firing_for_s": it.policy.keep_firing_for.total_seconds() if it.policy else None,
    }


def _parts_document(parts: Iterable[Part]) -> list[dict[str, Any]]:
    return [{"depth": each.depth, "expression": each.text, **_value(each.value)} for each in parts]


def _value(value: Value) -> dict[str, Any]:
    is_unknown = isinstance(value, Unknown)
    return {"is": None if is_unknown else value, "unknown": value.why if isinstance(value, Unknown) else None}


def _judged_document(judged: Judged, timer: Timer | None) -> dict[str, Any]:
    return {
        "condition": str(judged.condition),
        "bound": _known(judged.bound),
        "parts": _parts_document(judged.parts),
        "holds": _truth(judged.holds),
        "held_s": timer.total.total_seconds() if timer else None,
    }


def _truth(truth: Truth) -> bool | None:
    return None if isinstance(truth, Unknown) else truth


def _known(value: float | Unknown) -> float | None:
    return None if isinstance(value, Unknown) else value


def _target_document(it: Situation, target: Target) -> dict[str, Any]:
    known = target.notification
    return {
        "channel": target.channel,
        "recipient": target.recipient or None,
        "levels": [each.word for each in target.levels],
        "should_know": _knowledge_document(known.desired) if known else None,
        "knows": _knowledge_document(known.notified) if known else None,
        "told_at": iso(known.notified_at) if known else None,
        "reminded_at": iso(reminder_at(it, it.alert, target)) if it.alert else None,
        "deliveries": [delivery_document(each) for each in target.deliveries],
    }


def _knowledge_document(known: Knowledge | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {
        "incident": known.incident_id,
        "level": known.level.word,
        "reminders": known.reminders,
        "ended": known.ended,
    }
