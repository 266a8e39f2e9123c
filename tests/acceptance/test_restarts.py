"""What a start finds: another rule file, another process, another database; and how the end comes."""

import signal
import subprocess
import sys
import time
from typing import Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import hang, page
from tests.acceptance.home import Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import Slack

MANY_CHANNELS: Final = """
[channels.ops]
kind = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"

[channels.screen]
kind = "terminal"

[defaults]
notify = ["ops", "screen"]
"""
ONLY_SCREEN: Final = """
[channels.screen]
kind = "terminal"

[defaults]
notify = ["screen"]
"""


def test_rules_that_end_with_the_rule_file_are_told_as_resolved_with_the_reason_and_others_say_nothing(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url, *(_rule(name) for name in ("removed", "disabled", "raised", "kept"))))
    api.say(2)
    with home.run() as service:
        slack.until_shown("digest warning")
        assert service.end() == 0
    home.write(rule_file(api.url, _rule("disabled") + "enabled = false\n", _rule("raised", 2), _rule("kept", 4)))
    before = api.answer
    api.answer = page(503)
    with home.run() as service:
        slack.until_shown("digest warning", "resolved", "resolved")  # without any data
        api.answer = before
        slack.until_shown("digest warning", "resolved", "resolved", "resolved")
        api.until_answered(2)
        assert service.end() == 0
    ends = sorted((post.text.split()[3], post.whole) for post in slack.shown[1:])
    assert [name for name, _ in ends] == ["disabled:", "raised:", "removed:"]
    for (_, whole), reason in zip(ends, ("rule disabled", "rule changed", "rule removed"), strict=True):
        assert reason in whole


def test_a_channel_that_is_removed_stops_nothing_and_a_new_one_is_told_the_present_state_once(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    home.write(rule_file(api.url, channels=ONLY_SCREEN))
    api.say(2)
    with home.run() as service:
        service.out.until("2 of 12 phone numbers left")
        assert service.end() == 0
    home.write(rule_file(api.url, channels=MANY_CHANNELS))
    with home.run() as service:
        slack.until_shown("warning")
        api.until_answered(2)
        assert service.end() == 0
        assert "2 of 12" not in service.out.text
    home.write(rule_file(api.url))
    api.say(5)
    with home.run() as service:
        slack.until_shown("warning", "resolved")
        assert service.end() == 0
        assert service.out.text == ""


def test_a_database_that_vanishes_is_told_of_and_never_begun_anew(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    away = home.database.with_name("away.db")
    with home.run() as service:
        api.until_answered(2)
        home.database.rename(away)
        api.say(1)
        (told,) = slack.until_shown("critical")
        assert "guard.store_failing" in told.text
        assert not home.database.exists()
        assert home.call("status").returncode == 74
        away.rename(home.database)
        assert slack.until(lambda: len(slack.shown) == 3)
        assert {post.text.split(":")[0] for post in slack.shown[1:]} == {
            "[resolved] guard.store_failing",
            "[critical] main / numbers-remaining",
        }
        assert service.end() == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"SQLite format 3\0" + bytes(84), b"no database at all\n" * 300],
    ids=["empty", "cut short", "of something else"],
)
def test_a_database_that_is_damaged_is_refused_and_left_as_it_is(
    home: Home, api: AgentPhone, slack: Slack, content: bytes
) -> None:
    home.write(rule_file(api.url))
    home.database.parent.mkdir()
    home.database.write_bytes(content)
    done = home.call("run")
    assert done.returncode == 74, done.stderr
    assert str(home.database) in done.stderr
    assert "Traceback" not in done.stderr
    assert home.database.read_bytes() == content
    assert api.asked == 0


def test_a_second_instance_ends_at_once_and_names_the_first(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    with home.run() as first:
        api.until_answered()
        for argv in ("run", "once"):
            second = home.call(argv)
            assert second.returncode == 75
            assert str(first.process.pid) in second.stderr
        assert first.end() == 0


@pytest.mark.parametrize("what", ["api", "slack"])
def test_a_signal_ends_it_within_8_seconds_although_something_hangs(
    home: Home, api: AgentPhone, slack: Slack, what: str
) -> None:
    home.write(rule_file(api.url))
    with home.run() as service:
        if what == "api":
            api.answer = hang
            api.until_asked()
        else:
            slack.answer = hang
            api.say(1)
            slack.until_asked()
        began_s = time.monotonic()
        assert service.end(within_s=10) == 0
        assert time.monotonic() - began_s <= 8


def test_a_second_signal_ends_it_at_once(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    slack.answer = hang
    with home.run() as service:
        api.say(1)
        slack.until_asked()
        service.process.send_signal(signal.SIGTERM)
        service.log.until("service.stopping")
        began_s = time.monotonic()
        assert service.end(signal.SIGTERM) == 128 + signal.SIGTERM
        assert time.monotonic() - began_s <= 2


@pytest.mark.parametrize("closed", ["1>&-", "0<&- 1>&- 2>&-"])
def test_it_runs_with_streams_closed(home: Home, api: AgentPhone, slack: Slack, closed: str) -> None:
    home.write(rule_file(api.url, channels=MANY_CHANNELS))
    command = f'exec "$0" -m guard run {closed}'
    process = subprocess.Popen(
        ["/bin/sh", "-c", command, sys.executable],
        cwd=home.path,
        env=home.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        api.say(1)
        slack.until_shown("critical")
        api.say(5)
        slack.until_shown("critical", "resolved")
        process.terminate()
        _, log = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, log
    assert b"Traceback" not in log


def _rule(name: str, warning: int = 3) -> str:
    return f'[rules.{name}]\nvalue = "numbers.remaining"\nwarning = "< {warning}"\n'
