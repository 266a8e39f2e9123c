import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from slack_sdk.models.blocks import Block as SlackBlock

from guard.message import Firing
from guard.model import AlertKey
from guard.notify.notifier import Edit, Post, Reply
from guard.notify.slack_blocks import blocks
from guard.notify.slack_buttons import NoPress, Press, Pressed, PressKind, button_blocks, press_of
from guard.notify.slack_payload import request_of
from tests.builders import NOW
from tests.notify.examples import NASTY, PATIENT, digest, message

KEY = AlertKey("main:acme", "agent-minutes", "agt_1")
FIRING = Firing(KEY, "inc_1")


def elements(firing: Firing = FIRING, *, link: str = "") -> list[dict[str, Any]]:
    (block,) = button_blocks(firing, link=link)
    found = block["elements"]
    assert isinstance(found, list)
    return found


def payload(button: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "api_app_id": "A0APP",
        "user": {"id": "U0PERSON", "username": "ann", "team_id": "T0"},
        "team": {"id": "T0"},
        "response_url": "https://hooks.slack.com/actions/x",
        "actions": [{**button, "action_ts": "1.2"}],
        **changes,
    }


def read(told: dict[str, Any], app_id: str = "A0APP") -> Pressed | NoPress:
    return press_of(told, app_id=app_id, at=NOW)


def test_a_firing_incident_has_buttons_to_acknowledge_and_to_silence_it() -> None:
    assert elements()[0] == snapshot(
        {
            "type": "button",
            "action_id": "guard.ack",
            "text": {"type": "plain_text", "text": "Acknowledge"},
            "value": '{"incident": "inc_1", "key": ["main:acme", "agent-minutes", "agt_1"]}',
            "style": "primary",
        }
    )
    assert [each["text"]["text"] for each in elements()] == snapshot(
        ["Acknowledge", "Silence 1 h", "Silence 4 h", "Silence 24 h"]
    )


def test_what_was_acknowledged_is_not_asked_for_again() -> None:
    acked = Firing(KEY, "inc_1", is_acked=True)
    assert elements(acked) == elements()[1:]


def test_with_a_console_one_more_leads_there() -> None:
    assert elements(link="https://guard.example.com")[-1] == snapshot(
        {
            "type": "button",
            "action_id": "guard.open",
            "text": {"type": "plain_text", "text": "Open"},
            "url": "https://guard.example.com",
        }
    )
    assert elements(link="https://guard.example.com/" + "x" * 3000) == elements()


def test_names_too_long_to_go_along_with_a_press_get_no_buttons() -> None:
    assert button_blocks(Firing(AlertKey("main", "r", "x" * 1900), "inc_1"))
    assert not button_blocks(Firing(AlertKey("main", "r", "x" * 2000), "inc_1"))
    assert not button_blocks(Firing(AlertKey("main", "r", "🔥" * 1000), "inc_1"))


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (Post(message(firing=FIRING)), True),
        (Edit(message(firing=FIRING), "C0OPS:1.1"), True),
        (Reply(message(firing=FIRING), "C0OPS:1.1", is_loud=True), True),
        (Reply(message(firing=FIRING), "C0OPS:1.1"), False),
        (Post(message()), False),
        (Edit(message(ended=True), "C0OPS:1.1"), False),
        (Post(digest()), False),
    ],
)
def test_buttons_stand_under_roots_and_loud_replies_of_what_goes_on(call: Post | Edit | Reply, shown: bool) -> None:
    for has_buttons in (True, False):
        request = request_of(call, key="k1", mentions={}, channel="C0OPS", has_buttons=has_buttons)
        assert ("guard.ack" in json.dumps(request.full)) is (shown and has_buttons)
        assert "guard.ack" not in json.dumps(request.short)


def test_buttons_are_blocks_that_slack_takes() -> None:
    shown = blocks(message(firing=FIRING, link="https://guard.example.com"), has_buttons=True)
    assert [each["type"] for each in shown][-1] == "actions"
    for each in SlackBlock.parse_all(shown):
        each.validate_json()
    ids = [each["action_id"] for each in elements(link="https://guard.example.com")]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 255


@PATIENT
@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=20), min_size=4, max_size=4))
def test_whatever_the_names_a_press_names_them_again_or_there_is_no_button(names: list[str]) -> None:
    account, rule, subject, incident = (each[:400] for each in names)
    for block in button_blocks(Firing(AlertKey(account, rule, subject), incident)):
        assert isinstance(block["elements"], list)
        (*_, last) = block["elements"]
        assert len(last["value"].encode("utf-16-le", "surrogatepass")) // 2 <= 2000
        told = read(json.loads(json.dumps(payload(last))))
        if account and rule and incident:
            assert isinstance(told, Pressed)
            assert (told.press.key, told.press.incident_id) == (AlertKey(account, rule, subject), incident)


def test_a_press_says_who_what_and_for_how_long() -> None:
    told = read(payload(elements()[2]))
    assert isinstance(told, Pressed)
    assert told.press == Press(PressKind.SILENCE, KEY, "inc_1", timedelta(hours=4), "@ann", NOW)
    assert told.answer_url == "https://hooks.slack.com/actions/x"
    assert "hooks.slack.com" not in repr(told)


@pytest.mark.parametrize(
    ("user", "by"),
    [
        ({"id": "U0", "username": "ann", "name": "Ann"}, "@ann"),
        ({"id": "U0", "name": "ann"}, "@ann"),
        ({"id": "U0"}, "U0"),
        ({"id": "U0", "username": 5}, "U0"),
        ({"id": "U0", "username": "two\nlines \u202e"}, "@two lines"),
        ({"id": "U0", "username": "x" * 500}, "@" + "x" * 78 + "…"),
    ],
)
def test_who_pressed_is_one_short_line(user: dict[str, Any], by: str) -> None:
    told = read(payload(elements()[0], user=user))
    assert isinstance(told, Pressed)
    assert told.press.by == by


def test_the_same_press_has_the_same_id_and_another_another() -> None:
    first = read(payload(elements()[0]))
    second = read(payload(elements()[0], actions=[{**elements()[0], "action_ts": "3.4"}]))
    assert isinstance(first, Pressed)
    assert isinstance(second, Pressed)
    again = read(payload(elements()[0], envelope="another"))
    assert isinstance(again, Pressed)
    assert first.id == again.id != second.id


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"api_app_id": "A0ANOTHER"}, "app"),
        ({"user": {"id": "U1", "team_id": "T1"}}, "another workspace"),
        ({"user": {"id": 5}}, "who"),
        ({"user": "ann"}, "who"),
        ({"actions": []}, "no button"),
        ({"actions": ["x"]}, "no button"),
        ({"actions": [{"action_id": ["guard.ack"]}]}, "no button"),
        ({"actions": {}}, "no button"),
        ({"type": "shortcut"}, "no button"),
        *[
            ({"actions": [{"action_id": "guard.ack", "value": value}]}, "malformed")
            for value in (
                None,
                5,
                "",
                "[]",
                "{",
                "{}",
                '{"incident": "", "key": ["a", "b", ""]}',
                '{"incident": "i", "key": ["a", "b"]}',
                '{"incident": "i", "key": ["", "b", ""]}',
                '{"incident": 5, "key": ["a", "b", ""]}',
                "[" * 100_000,
            )
        ],
    ],
)
def test_what_is_no_press_of_ours_says_why(changes: dict[str, Any], why: str) -> None:
    told = read(payload(elements()[0], **changes))
    assert isinstance(told, NoPress)
    assert re.search(why, told.why)


def test_within_an_organisation_people_of_its_other_workspaces_may_press() -> None:
    user = {"id": "U1", "username": "ben", "team_id": "T1"}
    assert isinstance(read(payload(elements()[0], user=user, enterprise={"id": "E0"})), Pressed)
    assert isinstance(read(payload(elements()[0], user=user, team=None)), Pressed)


def test_where_the_app_s_id_is_not_known_any_app_s_press_counts() -> None:
    assert isinstance(read(payload(elements()[0], api_app_id="A0ANOTHER"), app_id=""), Pressed)


def test_the_browser_opens_the_console_and_nothing_else_happens() -> None:
    assert read(payload(elements(link="https://guard.example.com")[-1])) == NoPress()


def test_a_press_without_an_address_to_answer_to_has_none() -> None:
    told = read(payload(elements()[0], response_url=None))
    assert isinstance(told, Pressed)
    assert told.answer_url == ""
