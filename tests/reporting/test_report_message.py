"""A report in words, and how each channel shows it."""

from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from slack_sdk.models.blocks import Block

from guard.message.report import Limit, Mover, Pace, Quality, Report, Untold, report_message
from guard.model import AlertKey, Bound, Level, Reason, State
from guard.notify.apprise_notes import notes_of
from guard.notify.mail_html import html
from guard.notify.slack_blocks import blocks
from guard.notify.slack_payload import mention_of
from guard.notify.webhook_body import body_of
from tests.builders import KEY, NOW, alert, incident, reading
from tests.notify.examples import NAMES, PATIENT

QUIET = Report(NOW - timedelta(days=1), NOW, ("main",), quality=Quality(1440, 3, timedelta(minutes=6), "main"))
FIRING = alert(state=State.FIRING, level=Level.CRITICAL, incident=incident(), reading=reading())


def lines(report: Report) -> list[str]:
    return [f"[{line.mark}] {line.text}" for line in report_message(report, zone=UTC).lines]


def facts(report: Report) -> dict[str, str]:
    return {fact.name: fact.text for fact in report_message(report, zone=UTC).facts}


def test_a_quiet_report_is_a_sign_of_life() -> None:
    message = report_message(QUIET, zone=ZoneInfo("Europe/Berlin"))
    assert message.text == "[report] main: all quiet, nothing fired"
    assert [fact.text for fact in message.facts] == [
        "2026-11-22 15:05 CET to 2026-11-23 15:05 CET",
        "0.2 % of 1,440 polls failed; longest without an answer 6 min (main)",
    ]


def test_a_report_pings_nobody_however_bad_things_are() -> None:
    message = report_message(replace(QUIET, firing=(FIRING,)), zone=UTC)
    assert message.lines[0].emoji == "🔴"
    assert mention_of(message, {Level.CRITICAL: "<!here>"}) == ""
    assert message.firing is None


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (Limit(KEY, 5, Level.WARNING, Bound("<", 3), 2, "numbers"), "5 numbers; warning < 3, 2 left"),
        (Limit(KEY, 0.62, Level.CRITICAL, Bound(">", 0.8), 0.18, "share"), "62 %; critical > 80 %, 18 % left"),
        (
            Limit(KEY, 310.5, Level.WARNING, Bound(">", 480), 169.5, "dollars"),
            "$310.50; warning > $480.00, $169.50 left",
        ),
    ],
)
def test_a_limit_says_value_bound_and_what_is_left(limit: Limit, text: str) -> None:
    assert lines(replace(QUIET, limits=(limit,))) == [f"[limit] main / numbers-remaining: {text}"]


def test_a_pace_says_its_range_and_its_limit() -> None:
    paces = (Pace("main", "messages", 18_400, 15_000, 21_800, 25_000), Pace("main", "calls", 30, 30, 30))
    assert lines(replace(QUIET, paces=paces)) == [
        "[pace] main: 18,400 messages by the end of the month, probably 15,000 to 21,800, of 25,000 (73.6 %)",
        "[pace] main: 30 calls by the end of the month",
    ]


def test_a_mover_whose_past_is_not_known_says_what_it_grew_by() -> None:
    assert lines(replace(QUIET, movers=(Mover("main", "stats.totalCalls", 7),))) == [
        "[grew] main: stats.totalCalls grew by 7"
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "main / numbers-remaining, 5 h (warning, still firing)"),
        (
            {"ended_at": NOW - timedelta(hours=1), "reason": Reason.NEW_PERIOD},
            "main / numbers-remaining, 4 h (warning, new period)",
        ),
        ({"ended_at": NOW - timedelta(hours=1)}, "main / numbers-remaining, 4 h (warning)"),
    ],
)
def test_the_longest_incident_says_how_it_ended(changes: dict[str, object], text: str) -> None:
    longest = incident(started_at=NOW - timedelta(hours=5), **changes)
    assert facts(replace(QUIET, fired=1, longest=longest))["Longest incident"] == text


def test_what_fires_without_a_reading_is_named_all_the_same() -> None:
    bare = replace(FIRING, reading=None, incident=None)
    assert lines(replace(QUIET, firing=(bare,))) == ["[critical] main / numbers-remaining: firing"]


def test_of_very_much_the_most_important_is_told_and_the_rest_counted() -> None:
    many = Report(
        NOW - timedelta(days=1),
        NOW,
        tuple(f"account-{number}" for number in range(30)),
        fired=2000,
        firing=(FIRING,) * 2000,
        limits=(Limit(KEY, 5, Level.WARNING, Bound("<", 3), 2),) * 50,
        paces=(Pace("main", "messages", 2, 1, 3),) * 50,
        movers=(Mover("main", "stats.totalCalls", 7, 3),) * 50,
        untold=(Untold(KEY, "ops", "held back"),) * 50,
    )
    message = report_message(many, zone=UTC)
    assert message.text == (
        "[report] account-0, account-1, account-2 and 27 more: "
        "2,000 alerts fired, 0 resolved, 2,000 firing now, 50 not told"
    )
    assert len(message.lines) + message.more == 2200
    assert len(message.lines) == 30
    shown = blocks(message)
    assert len(shown) <= 50
    for block in shown:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()


@PATIENT
@given(NAMES)
def test_whatever_a_name_holds_every_channel_can_show_it(name: str) -> None:
    nasty = replace(
        QUIET,
        accounts=(name,),
        firing=(replace(FIRING, key=AlertKey(name, name, name)),),
        untold=(Untold(AlertKey(name, name), name, name),),
        movers=(Mover(name, name, 7),),
        paces=(Pace(name, "messages", 2, 1, 3),),
        limits=(Limit(AlertKey(name, name), 5, Level.WARNING, Bound("<", 3), 2, name),),
        quality=Quality(1, 0, timedelta(), name),
    )
    message = report_message(nasty, zone=UTC)
    assert not [line for line in message.lines if "\n" in line.text]
    assert html(message)
    assert body_of(message, now=NOW)


def test_machines_get_the_lines_too() -> None:
    body = body_of(report_message(replace(QUIET, firing=(FIRING,)), zone=UTC), now=NOW).decode()
    line = '{"about":"critical","level":"critical","text":"main / numbers-remaining: 1 of 12 phone numbers left'
    assert '"type":"guard.report"' in body
    assert line in body


def test_a_report_wakes_nobody_at_pagerduty() -> None:
    [note] = notes_of(report_message(replace(QUIET, firing=(FIRING,)), zone=UTC), url="pagerduty://routing@key")
    assert note.type == "success"
