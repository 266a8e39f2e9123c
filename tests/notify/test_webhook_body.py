import json
from datetime import timedelta
from math import inf

import pytest
from hypothesis import given

from guard.message import Message, store_failing, trial
from guard.model import Occasion
from guard.notify.webhook_body import body_of
from tests.builders import NOW
from tests.notify.examples import NASTY, PATIENT, messages
from tests.notify.tellings import SPEND, ended, telling, told


def said(message: Message) -> dict[str, object]:
    found = json.loads(body_of(message, now=NOW))
    assert isinstance(found, dict)
    return found


def test_an_alert_that_fires_is_told_with_all_that_is_known_of_it() -> None:
    firing = telling(labels={"team": "support"}, runbook="https://example.com/numbers", unit="numbers")
    assert said(told(firing)) == {
        "type": "alert.fired",
        "timestamp": "2026-11-23T14:05:00Z",
        "data": {
            "text": "[critical] main / numbers-remaining: 1 of 12 phone numbers left",
            "console": None,
            "account": "main",
            "rule": "numbers-remaining",
            "subject": None,
            "subject_name": None,
            "level": "critical",
            "summary": "1 of 12 phone numbers left",
            "description": None,
            "value": 1,
            "unit": "numbers",
            "threshold": {"operator": "<", "number": 2},
            "thresholds": {
                "warning": {"operator": "<", "number": 3},
                "critical": {"operator": "<", "number": 2},
            },
            "read_at": "2026-11-23T14:05:00Z",
            "incident": "inc-numbers-remaining",
            "started_at": "2026-11-23T14:00:00Z",
            "ended_at": None,
            "reason": None,
            "peak": "critical",
            "peak_value": None,
            "reminder": None,
            "labels": {"team": "support"},
            "runbook": "https://example.com/numbers",
            "missed": [],
        },
    }


def test_an_end_has_its_time_and_reason_and_what_was_missed_before() -> None:
    data = said(told(telling(Occasion.RESOLVED, missed=(ended("inc0"),))))["data"]
    assert isinstance(data, dict)
    assert (data["ended_at"], data["reason"]) == ("2026-11-23T14:05:00Z", "recovered")
    assert data["missed"] == [
        {
            "incident": "inc0",
            "started_at": "2026-11-23T12:05:00Z",
            "ended_at": "2026-11-23T13:05:00Z",
            "reason": None,
        }
    ]


@pytest.mark.parametrize("occasion", Occasion)
def test_the_type_says_what_happened(occasion: Occasion) -> None:
    assert said(told(telling(occasion)))["type"] == f"alert.{occasion}"


def test_a_reminder_is_numbered() -> None:
    data = said(told(telling(Occasion.REMINDER)))["data"]
    assert isinstance(data, dict)
    assert data["reminder"] == 0


def test_a_digest_lists_every_alert_however_many() -> None:
    many = [telling(key=SPEND), *[telling(Occasion.RESOLVED)] * 30]
    found = said(told(*many))
    data = found["data"]
    assert isinstance(data, dict)
    assert found["type"] == "alert.digest"
    assert [each["occasion"] for each in data["alerts"]] == ["fired", *["resolved"] * 30]
    assert data["alerts"][0]["incident"] == "inc-spend"
    assert (data["level"], data["ended"]) == ("critical", False)


@pytest.mark.parametrize(
    ("message", "mark"), [(trial("ops", now=NOW), "test"), (store_failing("disk full", now=NOW), "critical")]
)
def test_what_is_about_no_alert_is_a_notice(message: Message, mark: str) -> None:
    found = said(message)
    data = found["data"]
    assert isinstance(data, dict)
    assert found["type"] == "guard.notice"
    assert (data["mark"], data["text"]) == (mark, message.text)
    assert data["facts"]["Sent"] == "2026-11-23 14:05 UTC"


@pytest.mark.parametrize("value", [inf, None])
def test_a_value_that_is_no_number_in_json_is_null(value: float | None) -> None:
    data = said(told(telling(value=value, unit="seconds")))["data"]
    assert isinstance(data, dict)
    assert data["value"] is None


@pytest.mark.parametrize("text", NASTY)
def test_whatever_a_name_holds_the_body_is_json_in_utf_8(text: str) -> None:
    found = said(told(telling(summary=text, subject=text, labels={"x": text}, at=NOW + timedelta(microseconds=1))))
    assert found["type"] == "alert.fired"


@PATIENT
@given(messages())
def test_any_message_is_json(message: Message) -> None:
    assert said(message)["type"] == "guard.notice"
