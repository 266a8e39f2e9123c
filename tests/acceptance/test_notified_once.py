"""The main job: one message when a threshold is crossed, one when it is over, whatever ends in between."""

import signal

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import hang
from tests.acceptance.home import Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import TAKEN, Slack

EVERY_S = 1.0


def test_a_crossing_is_told_once_in_time_and_not_again_after_kill_9_and_its_end_once(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    with home.run() as first:
        api.until_answered()
        low = api.say(1)
        slack.until_shown("critical")
        assert slack.shown[0].at_s - api.first_shown_s(low) <= EVERY_S + 1
        api.until_given(4)
        assert slack.marks == ["critical"]
        first.end(signal.SIGKILL)
    with home.run() as second:
        api.until_answered(3)
        assert slack.marks == ["critical"]
        good = api.say(5)
        slack.until_shown("critical", "resolved")
        assert slack.shown[1].at_s - api.first_shown_s(good) <= EVERY_S + 1
        api.until_given(2)
        assert second.end() == 0
    assert len(slack.tried) == 2


@pytest.mark.acceptance
def test_a_rise_from_warning_to_critical_is_told_and_the_way_back_down_only_at_its_end(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    with home.run() as service:
        api.say(2)
        slack.until_shown("warning")
        rise = api.say(1)
        slack.until_shown("warning", "escalated critical")
        assert slack.shown[1].at_s - api.first_shown_s(rise) <= EVERY_S + 1
        for remaining in (2, 1):
            api.say(remaining)
            api.until_given(2)
        api.say(5)
        slack.until_shown("warning", "escalated critical", "resolved")
        api.until_given(2)
        assert service.end() == 0
    assert len(slack.tried) == 3


def test_a_crossing_that_was_committed_right_before_kill_9_is_told_by_the_next_start(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    api.say(1)
    slack.answer = hang
    with home.run() as first:
        slack.until_asked()
        first.end(signal.SIGKILL)
    slack.answer = TAKEN
    with home.run() as second:
        slack.until_shown("critical")
        api.until_answered(2)
        assert second.end() == 0
    assert slack.keys[0] == slack.keys[1]
