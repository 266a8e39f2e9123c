from dataclasses import replace

import pytest

from guard.message import store_failing, store_recovered, trial
from guard.model import Level, Occasion
from guard.notify.apprise_notes import Note, notes_of
from tests.builders import NOW, knowledge
from tests.notify.examples import digest, message
from tests.notify.tellings import SPEND, ended, telling, told

PAGER = "pagerduty://routing@key"


def events(*notes: Note) -> list[tuple[str, str]]:
    """What each does at PagerDuty: the incident, and whether it is triggered at a level or over."""
    return [(note.query["dedup"], note.type) for note in notes]


def test_a_message_is_one_note_with_its_first_line_as_title() -> None:
    (note,) = notes_of(message(), url="json://localhost")
    assert note.title == "[critical] main / numbers-remaining"
    assert note.body.startswith("1 of 12 phone numbers left\n\nAccount: main\n")
    assert note.body.endswith("Runbook: https://example.com/numbers")
    assert note.query == {}


@pytest.mark.parametrize(
    ("level", "is_over", "kind"),
    [
        (Level.CRITICAL, False, "failure"),
        (Level.WARNING, False, "warning"),
        (Level.INFO, False, "info"),
        (None, False, "info"),
        (Level.CRITICAL, True, "success"),
    ],
)
def test_a_note_s_type_is_its_level(level: Level | None, is_over: bool, kind: str) -> None:
    (note,) = notes_of(message(level=level, ended=is_over), url="json://localhost")
    assert note.type == kind


def test_a_digest_is_one_note() -> None:
    (note,) = notes_of(digest(), url="discord://a/b")
    assert note.title == "[digest critical] main"


def test_pagerduty_gets_the_incident_as_deduplication_key() -> None:
    (note,) = notes_of(told(telling(runbook="https://example.com/numbers")), url=PAGER)
    assert (note.title, note.body) == ("", "[critical] main / numbers-remaining: 1 of 12 phone numbers left")
    assert note.query == {
        "action": "map",
        "dedup": "inc-numbers-remaining",
        "image": "no",
        "source": "main",
        "component": "numbers-remaining",
        "click": "https://example.com/numbers",
    }


@pytest.mark.parametrize("occasion", [Occasion.FIRED, Occasion.ESCALATED, Occasion.REMINDER])
def test_pagerduty_is_told_more_of_an_incident_by_the_same_key(occasion: Occasion) -> None:
    assert events(*notes_of(told(telling(occasion)), url="PagerDuty://a@b")) == [("inc-numbers-remaining", "failure")]


def test_pagerduty_s_incident_is_over_with_ours() -> None:
    assert events(*notes_of(told(telling(Occasion.RESOLVED)), url=PAGER)) == [("inc-numbers-remaining", "success")]


def test_pagerduty_gets_an_event_for_each_incident_of_a_digest_and_first_what_is_over() -> None:
    several = told(telling(key=SPEND), telling(Occasion.RESOLVED), telling(key=SPEND, missed=(ended("inc0"),)))
    notes = notes_of(several, url=PAGER)
    assert events(*notes) == [
        ("inc0", "success"),
        ("inc-numbers-remaining", "success"),
        ("inc-spend", "failure"),
        ("inc-spend", "failure"),
    ]
    assert notes[2].body == "[critical] main/spend: 1 of 12 phone numbers left"


def test_what_is_about_no_alert_has_its_title_for_a_key() -> None:
    opened = notes_of(store_failing("disk full", now=NOW), url=PAGER)
    closed = notes_of(store_recovered(now=NOW), url=PAGER)
    assert events(*opened, *closed) == [("guard.store_failing", "failure"), ("guard.store_failing", "success")]
    assert events(*notes_of(trial("ops", now=NOW), url=PAGER)) == [("ops", "info")]


def test_an_incident_whose_end_was_never_told_is_over_once_another_is_told() -> None:
    known = knowledge(incident_id="inc0")
    after_it = replace(telling(), notified=known)
    assert events(*notes_of(told(after_it), url=PAGER)) == [("inc0", "success"), ("inc-numbers-remaining", "failure")]
    more = replace(telling(missed=(ended("inc0"),)), notified=known)
    assert len(notes_of(told(more), url=PAGER)) == 2
    same = replace(telling(Occasion.REMINDER), notified=replace(known, incident_id="inc-numbers-remaining"))
    assert len(notes_of(told(same), url=PAGER)) == 1
