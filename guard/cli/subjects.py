"""The subjects of a rule with `each`, each with the level of its alert and its value: as a table, and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from guard.cli.output import ago, print_table, say
from guard.lifecycle.step import is_at_rest
from guard.model import Alert, AlertKey, State
from guard.rules.evaluate import evaluate
from guard.units import counted, instant_text, iso, value_text

if TYPE_CHECKING:
    from datetime import datetime

    from guard.cli.situation import Situation
    from guard.store import View

_COLUMNS: Final = ("SUBJECT", "STATE", "LEVEL", "VALUE", "NAME")


@dataclass(frozen=True, slots=True)
class Subject:
    """One of them."""

    key: AlertKey
    state: State
    level: str  # of its alert; empty where none fires
    value: float | None  # by the last answer; where that does not list it, the last one known
    unit: str
    name: str  # what people call it; empty where that is no other than its id
    unknown: str  # why it cannot be evaluated now, or is not listed; empty where it is known


def subjects_of(it: "Situation", view: "View") -> list[Subject]:
    """All that the last answer lists, and those that it does not whose alert is not at rest; the worst first."""
    assert it.rule is not None  # noqa: S101 - the caller's branch
    key = it.key
    alerts = {each.subject: alert for each, alert in view.alerts(key.account).items() if each.rule == key.rule}
    found = [*_listed(it, alerts), *_unlisted(it, alerts)]
    rank = {level.word: level for level in it.rule.conditions}
    return sorted(found, key=lambda each: (-rank.get(each.level, 0), each.state is State.OK, each.key))


def _listed(it: "Situation", alerts: dict[str, Alert]) -> Iterator[Subject]:
    assert it.rule is not None  # noqa: S101 - the caller's branch
    for facts in it.seen.facts_of_all(it.rule) if it.seen else ():
        key = AlertKey(it.key.account, it.rule.name, facts.subject)
        made = evaluate(it.rule, facts)
        value = made.reading.value if made.reading else None
        yield _subject(
            alerts.get(facts.subject) or Alert(key), value, it.rule.value_unit, facts.subject_name, made.unknown
        )


def _unlisted(it: "Situation", alerts: dict[str, Alert]) -> Iterator[Subject]:
    assert it.rule is not None  # noqa: S101 - the caller's branch
    listed = it.seen.subjects(it.rule) if it.seen else ()
    for subject, alert in alerts.items():
        if subject and subject not in listed and not is_at_rest(alert):
            reading = alert.reading
            value, name = (reading.value, reading.subject) if reading else (None, "")
            yield _subject(alert, value, it.rule.value_unit, name, "not in the last listing")


def _subject(alert: Alert, value: float | None, unit: str, name: str, unknown: str) -> Subject:
    return Subject(alert.key, alert.state, alert.level.word if alert.level else "", value, unit, name, unknown)


def print_subjects(it: "Situation", found: list[Subject]) -> None:
    """Prints how many there are, a row for each, and how to go on."""
    each = it.rule.each.value if it.rule and it.rule.each else ""
    if not found:
        say(f"{it.key}: one alert for each {each}; no answer showed one yet")
    else:
        at = f" by the answer of {_when(it, it.seen.snapshot.at)}" if it.seen else ""
        say(f"{it.key}: one alert for each {each}; {counted(len(found), each)}{at}")
    if warning := it.file.warning(it.tz):
        say(warning)
    if found:
        say("")
        print_table(_COLUMNS, [_row(subject) for subject in found])
        say(f"\nWhy one of them is told of, or not: `guard explain {found[0].key}`.")


def _when(it: "Situation", at: "datetime") -> str:
    return f"{instant_text(at, it.tz)}, {ago(at, now=it.now)}"


def _row(subject: Subject) -> tuple[str, ...]:
    value = "" if subject.value is None else value_text(subject.value, subject.unit)
    why = f"unknown: {subject.unknown}" if subject.unknown else ""
    name = " ".join(filter(None, (subject.name, f"({why})" if why else "")))
    state = "not known" if subject.unknown and subject.state is State.OK else subject.state.value
    return (subject.key.subject, state, subject.level, value, name)


def subjects_document(it: "Situation", found: list[Subject]) -> dict[str, Any]:
    """The same as JSON has it."""
    return {
        "at": iso(it.now),
        "alert": str(it.key),
        "each": it.rule.each.value if it.rule and it.rule.each else None,
        "answer_at": iso(it.seen.snapshot.at) if it.seen else None,
        "rule_file": it.file.document,
        "subjects": [
            {
                "alert": str(each.key),
                "subject": each.key.subject,
                "name": each.name or None,
                "state": each.state.value,
                "level": each.level or None,
                "value": each.value,
                "unit": each.unit,
                "unknown": each.unknown or None,
            }
            for each in found
        ],
    }
