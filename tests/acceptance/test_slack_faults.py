"""What Slack does to a message: late is not lost, refused for good is visible, and one channel holds up no other."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import drop, hang, page, reply, reset
from tests.acceptance.home import Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import TAKEN, Slack

TWO_CHANNELS: Final = """
[channels.ops]
kind = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"

[channels.second]
kind = "slack"
webhook_url = "${SECOND_WEBHOOK_URL}"

[defaults]
notify = ["ops", "second"]
"""
TEMPORARY: Final = {
    "500": reply(500, b"fatal_error"),
    "503 with a page": page(503),
    "a dropped connection": drop,
    "a reset": reset,
}


@pytest.fixture
def second() -> Iterator[Slack]:
    with Slack() as server:
        yield server


def test_a_post_that_fails_for_now_is_made_again_until_it_is_taken(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    with home.run() as service:
        expected: list[str] = []
        for name, fault in TEMPORARY.items():
            slack.answer = fault
            is_bad = len(expected) % 2 == 0
            api.say(1 if is_bad else 5)
            slack.until_given()
            slack.answer = TAKEN
            expected.append("critical" if is_bad else "resolved")
            assert slack.until(lambda: len(slack.shown) == len(expected)), name
        api.until_given(2)
        assert slack.marks == expected
        assert service.end() == 0


def test_a_wait_that_slack_asks_for_is_kept(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    slack.answer = reply(429, b"rate_limited", {"Retry-After": "3"})
    with home.run() as service:
        api.say(1)
        slack.until_given()
        refused = slack.requests[0]
        slack.answer = TAKEN
        slack.until_shown("critical")
        assert 3 <= slack.shown[0].at_s - refused.answered_at_s <= 3 + 2
        assert service.end() == 0


def test_a_webhook_that_is_gone_is_visible_and_hears_the_newest_truth_once_send_test_reached_it(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    slack.answer = reply(404, b"no_service")
    with home.run() as service:
        api.say(2)
        service.log.until("404 no_service")
        (dead,) = _deliveries(home)
        assert (dead["state"], dead["alerts"]) == ("dead", ["main/numbers-remaining"])
        assert "404 no_service" in dead["why"]
        slack.answer = reply(410, b"channel_is_archived")
        assert home.call("send-test", "ops").returncode != 0
        api.say(1)
        api.until_given(3)
        (dead,) = _deliveries(home)
        assert "410 channel_is_archived" in dead["why"]
        assert len(slack.tried) == 3  # the warning, the test, the critical; nothing is hammered
        slack.answer = TAKEN
        assert home.call("send-test", "ops").returncode == 0
        slack.until_shown("test", "critical")
        api.until_answered(2)
        assert slack.marks == ["test", "critical"]
        assert _deliveries(home) == []
        assert service.end() == 0


def test_a_webhook_that_is_replaced_after_it_was_gone_hears_the_newest_truth_at_the_next_start(
    home: Home, api: AgentPhone, slack: Slack, second: Slack
) -> None:
    home.write(rule_file(api.url))
    slack.answer = reply(404, b"no_service")
    api.say(1)
    assert home.call("once").returncode == 2
    home.environ["SLACK_WEBHOOK_URL"] = second.webhook_url
    assert home.call("once").returncode == 2
    assert (len(slack.tried), second.marks) == (1, ["critical"])


def test_what_fired_and_was_resolved_while_slack_was_down_is_one_message_with_both_facts(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    slack.answer = page(503)
    with home.run() as service:
        api.say(1)
        slack.until_given()
        api.say(5)
        service.log.until("alert.resolved")
        slack.until_answered()  # what was under way when it ended told only of the beginning
        slack.answer = TAKEN
        (both,) = slack.until_shown("resolved")
        assert "fired " in both.whole
        assert "could not be delivered before" in both.whole
        assert "critical" in both.whole
        api.until_answered(2)
        assert slack.marks == ["resolved"]
        assert service.end() == 0


def test_five_alerts_at_once_are_one_digest(home: Home, api: AgentPhone, slack: Slack) -> None:
    rules = "\n".join(
        f'[rules.rule-{n}]\nvalue = "numbers.remaining"\n{"critical" if n == 3 else "warning"} = "< 3"\n'
        for n in range(5)
    )
    home.write(rule_file(api.url, rules))
    with home.run() as service:
        api.say(1)
        (digest,) = slack.until_shown("digest critical")
        assert all(f"rule-{n}" in digest.whole for n in range(5))
        api.until_given(3)
        assert slack.marks == ["digest critical"]
        assert service.end() == 0


def test_a_channel_that_never_answers_holds_up_no_other_and_its_message_comes_again_with_the_same_key(
    home: Home, api: AgentPhone, slack: Slack, second: Slack
) -> None:
    home.write(rule_file(api.url, channels=TWO_CHANNELS))
    home.environ["SECOND_WEBHOOK_URL"] = second.webhook_url
    slack.answer = hang
    with home.run() as service:
        low = api.say(1)
        second.until_shown("critical")
        assert second.shown[0].at_s - api.first_shown_s(low) <= 2
        assert slack.until(lambda: slack.asked == 1)
        slack.answer = TAKEN
        slack.until_shown("critical", within_s=10 + 3)
        assert slack.keys[0] == slack.keys[1]
        api.until_answered(2)
        assert service.end() == 0
    assert (slack.marks, second.marks) == (["critical"], ["critical"])
    assert len(slack.keys) == 2


def _deliveries(home: Home) -> list[dict[str, Any]]:
    """What `guard status` shows of the first channel."""
    found: list[dict[str, Any]] = home.read("status")["channels"][0]["deliveries"]
    return found
