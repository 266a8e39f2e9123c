"""The sign of life comes from completed cycles alone, and tells when the service cannot do its work."""

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import hang, page, reply
from tests.acceptance.home import Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.server import Server
from tests.acceptance.slack import Slack


def test_a_ping_follows_completed_cycles_and_says_so_when_the_database_cannot_be_written(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url))
    away = home.database.with_name("away.db")
    api.answer = page(503)  # a failed poll is a completed cycle
    with Server(reply(200, b"OK")) as heartbeat:
        home.environ["GUARD_HEARTBEAT_URL"] = f"{heartbeat.url}/ping/1?a=b"
        with home.run() as service:
            heartbeat.until_answered()
            home.database.rename(away)
            heartbeat.until_answered()
            away.rename(home.database)
            heartbeat.until_answered()
            assert service.end() == 0
        asked = [(each.method, each.path) for each in heartbeat.requests]
    well, failing = ("GET", "/ping/1?a=b"), ("GET", "/ping/1/fail?a=b")
    assert asked == [well, failing, well]


def test_a_ping_is_not_repeated_with_each_cycle_of_a_second(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    with Server(reply(200, b"OK")) as heartbeat:
        home.environ["GUARD_HEARTBEAT_URL"] = f"{heartbeat.url}/ping/1"
        with home.run() as service:
            heartbeat.until_answered()
            api.until_answered(3)
            assert service.end() == 0
        assert heartbeat.asked == 1


def test_a_heartbeat_that_fails_or_hangs_disturbs_nothing_else(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    with Server(hang) as heartbeat:
        home.environ["GUARD_HEARTBEAT_URL"] = f"{heartbeat.url}/ping/1"
        with home.run() as service:
            heartbeat.until_asked()
            low = api.say(1)
            slack.until_shown("critical")
            assert slack.shown[0].at_s - api.first_shown_s(low) <= 2
            assert service.end(within_s=8) == 0
