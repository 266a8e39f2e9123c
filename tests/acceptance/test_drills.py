"""Fires that need no tool: a kill of who holds the lock, hours without any channel, and a look for secrets."""

import signal
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import page
from tests.acceptance.home import KEY, Home
from tests.acceptance.post_office import ANN, BEN, PostOffice
from tests.acceptance.rule_file import LOGIN, MAIL, ONE_SLACK, rule_file
from tests.acceptance.slack import PATH, Slack

BOTH: Final = '\n[defaults]\nnotify = ["ops", "mail"]\n'
PASSWORD: Final = "canary-pass-word-13579"
SPEED: Final = 600  # three hours in 18 seconds
THREE_HOURS_S: Final = 3 * 3600 / SPEED


def _channels(office: PostOffice, login: str = "") -> str:
    return ONE_SLACK.partition("[defaults]")[0] + MAIL % office.port + login + BOTH


def test_the_kill_of_who_holds_the_lock_lets_the_next_one_in_at_once(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    with home.run() as first:
        api.until_answered()
        refused = home.call("run")
        assert refused.returncode == 75
        assert str(first.process.pid) in refused.stderr
        first.end(signal.SIGKILL)
    with home.run() as second:
        second.log.until("service.started")
        api.until_answered()
        assert second.end() == 0


def test_after_three_hours_without_any_channel_each_gets_the_one_truth_of_now(
    home: Home, api: AgentPhone, slack: Slack, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.acceptance.home.GUARD", (sys.executable, "-m", "tests.acceptance.fast"))
    home.environ |= {"PYTHONPATH": str(Path(__file__).parents[2]), "FAST": str(SPEED)}
    home.write(rule_file(api.url, channels=_channels(office)).replace('every = "1s"', 'every = "1m"'))
    good = slack.answer
    with home.run() as service:
        api.say(2)
        slack.until_shown("warning")
        office.until_marks("warning")
        slack.answer = page(503)
        for person in (ANN, BEN):
            office.refusals[person] += ["451 4.3.0 out of order"] * 1_000
        for remaining in (1, 5, 1):
            api.say(remaining)
            api.until_given(3)
        threading.Event().wait(THREE_HOURS_S)
        for person in (ANN, BEN):
            office.refusals[person].clear()
        slack.answer = good
        assert slack.until(lambda: len(slack.marks) > 1, within_s=30)
        assert office.until(lambda: all(len(office.marks(each)) > 1 for each in (ANN, BEN)), within_s=30)
        api.until_answered(10)
        assert service.end() == 0
    told = [post for post in slack.shown if "numbers-remaining" in post.text]
    assert [post.mark for post in told] == ["warning", "critical"], [post.text for post in slack.shown]
    assert "the incident before" in told[1].whole  # of whose end nobody could be told
    for person in (ANN, BEN):
        mails = [each.mark for each in office.to(person) if "numbers-remaining" in each.subject]
        assert mails == ["warning", "critical"], [each.subject for each in office.mails]
    assert office.copies == 0


def test_no_secret_stands_in_the_memory_of_the_disk_on_a_page_or_in_an_argument_while_it_runs(
    home: Home, api: AgentPhone, slack: Slack, office: PostOffice, tmp_path: Path
) -> None:
    home.environ["SMTP_PASSWORD"] = PASSWORD
    home.write(rule_file(api.url, channels=_channels(office, LOGIN)))
    api.say(1)
    with home.run(GUARD_LISTEN="127.0.0.1:0") as service:
        slack.until_shown("critical")
        office.until_marks("critical")
        port = int(service.log.until("console.").rpartition(":")[2].split()[0].strip('"/'))
        seen = [_page(port, path) for path in ("/", "/healthz", "/metrics", "/api/status", f"/{KEY}", f"/?key={KEY}")]
        seen += [each.read_bytes() for each in home.database.parent.iterdir()]  # with the write-ahead log
        seen += [Path(f"/proc/{service.process.pid}/cmdline").read_bytes()]
        assert service.end() == 0
    seen += [each.raw for each in office.mails]
    seen += [service.log.text.encode(), service.out.text.encode()]
    for canary in (KEY, *PATH.split("/")[2:], PASSWORD):
        assert not [each for each in seen if canary.encode() in each]


def _page(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    shown = str(answer.getheaders()).encode() + answer.read()
    connection.close()
    return shown
