"""Having no data is an alert itself: told once, and its end once."""

import time
from pathlib import Path

import pytest

from tests.acceptance.agentphone import AgentPhone, usage
from tests.acceptance.exchange import Answer, Handler, document, page, reply, reset
from tests.acceptance.home import KEY, Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import Slack

BAD_KEY = "canary-bad-key-9876543210"
REFUSAL = reply(401, b'{"error": {"message": "Invalid API key", "type": "authentication_error"}}')


def test_a_long_outage_is_told_once_also_over_a_restart_and_its_end_once_and_what_fired_goes_on(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url, account='no_data_after = "3s"'))
    api.say(2)
    with home.run() as service:
        slack.until_shown("warning")
        api.answer = reset
        began_s = time.monotonic()
        _, lost = slack.until_shown("warning", "critical")
        assert 2 <= lost.at_s - began_s <= 3 + 1 + 1 + 1  # no_data_after, up to an interval before, one behind
        assert "guard.no_data" in lost.text
        assert service.end() == 0
    api.answer = page(503)
    with home.run() as service:
        api.until_given(4)
        assert slack.marks == ["warning", "critical"]
        api.say(2)
        *_, found = slack.until_shown("warning", "critical", "resolved")
        assert "guard.no_data" in found.text
        api.until_given(4)
        assert slack.marks == ["warning", "critical", "resolved"]
        assert service.end() == 0


def test_a_refused_key_is_told_at_once_and_hammered_no_more(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    with home.run() as service:
        api.until_answered()
        api.answer = REFUSAL
        slack.until_shown("critical")
        before = api.asked
        assert slack.shown[0].at_s - api.first_shown_s(REFUSAL) <= 2
        assert "guard.no_data" in slack.shown[0].text
        assert not api.until(lambda: api.asked > before, within_s=3)
        assert service.end() == 0


def test_a_key_that_was_replaced_in_its_file_is_taken_without_a_word(
    home: Home, api: AgentPhone, slack: Slack, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(BAD_KEY + "\n", encoding="utf-8")
    api.answer = _only_for(BAD_KEY)
    with _with_key_file(home, api, key).run() as service:
        api.until_answered(2)
        key.write_text(KEY + "\n", encoding="utf-8")
        api.answer = _only_for(KEY)
        api.until_given(4)
        assert service.end() == 0
    assert slack.tried == []


def test_a_key_file_that_is_mended_after_a_refusal_ends_the_alert_without_a_restart(
    home: Home, api: AgentPhone, slack: Slack, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(BAD_KEY + "\n", encoding="utf-8")
    api.answer = _only_for(KEY)
    with _with_key_file(home, api, key).run() as service:
        slack.until_shown("critical")
        key.write_text(KEY + "\n", encoding="utf-8")
        slack.until_shown("critical", "resolved")
        assert service.end() == 0


@pytest.mark.parametrize("argv", ["run", "once"])
def test_a_key_that_was_mended_is_tried_at_the_next_start(home: Home, api: AgentPhone, slack: Slack, argv: str) -> None:
    home.write(rule_file(api.url))
    api.answer = _only_for(KEY)
    assert home.call("once", AGENTPHONE_API_KEY=BAD_KEY).returncode == 3
    assert slack.marks == ["critical"]
    before = api.asked
    with home.run(argv):
        assert api.until(lambda: api.asked > before, within_s=5), "the new key was not tried"


def test_a_wait_that_the_api_asks_for_is_kept_and_then_it_is_asked_again(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    with home.run() as service:
        api.until_answered(2)
        api.answer = reply(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "4"})
        api.until_given()
        refused, before = api.requests[-1], api.asked
        api.say(1)
        assert api.until(lambda: len(api.requests) > before)
        assert 4 <= api.requests[before].at_s - refused.answered_at_s <= 4 + 2
        slack.until_shown("critical")
        assert service.end() == 0


def _only_for(key: str) -> Answer:
    good = document(usage())

    def answer(handler: Handler) -> None:
        (good if handler.headers["Authorization"] == f"Bearer {key}" else REFUSAL)(handler)

    return answer


def _with_key_file(home: Home, api: AgentPhone, key: Path) -> Home:
    home.write(rule_file(api.url))
    del home.environ["AGENTPHONE_API_KEY"]
    home.environ["AGENTPHONE_API_KEY_FILE"] = str(key)
    return home
