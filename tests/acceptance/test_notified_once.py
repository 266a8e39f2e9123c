"""The main job: one message when a threshold is crossed, one when it is over, whatever ends in between."""

import signal

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import Slack

EVERY_S = 1.0


def test_a_crossing_is_told_once_in_time_and_not_again_after_kill_9_and_its_end_once(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    with home.run() as first:
        api.until_answered(2)
        low = api.say(1)
        slack.until(lambda: bool(slack.shown))
        assert slack.shown[0].at_s - api.first_shown_s(low) <= EVERY_S + 1
        api.until_answered(4)
        assert slack.marks == ["critical"]
        first.end(signal.SIGKILL)
    with home.run() as second:
        api.until_answered(4)
        assert slack.marks == ["critical"]
        good = api.say(5)
        slack.until_shown("critical", "resolved")
        assert slack.shown[1].at_s - api.first_shown_s(good) <= EVERY_S + 1
        api.until_answered(3)
        assert second.end() == 0
    assert slack.marks == ["critical", "resolved"]
    assert len(slack.tried) == 2


def test_a_rise_from_warning_to_critical_is_told_and_the_way_back_down_only_at_its_end(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    with home.run() as service:
        api.until_answered(2)
        api.say(2)
        slack.until_shown("warning")
        api.until_answered(2)
        api.say(1)
        slack.until_shown("warning", "escalated critical")
        api.say(2)
        api.until_answered(3)
        api.say(1)
        api.until_answered(3)
        api.say(5)
        slack.until_shown("warning", "escalated critical", "resolved")
        api.until_answered(3)
        assert service.end() == 0
    assert len(slack.tried) == 3
