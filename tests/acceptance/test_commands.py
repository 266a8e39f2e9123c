"""What a person at the keyboard meets."""

import json
from typing import Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.exchange import page, reply
from tests.acceptance.home import KEY, Home
from tests.acceptance.post_office import ANN, BEN, PostOffice
from tests.acceptance.rule_file import bot_and_mail, rule_file
from tests.acceptance.slack import Slack
from tests.acceptance.workspace import Workspace

COMMANDS: Final = ("init", "check", "send-test", "run", "once", "status", "alerts", "history", "demo", "sandbox")
TWELVE_MISTAKES: Final = """[accounts.main]
api_key = "sk-written-down"
every = "0s"
tz = "Mars/Olympus"

[budgets]
a_day = "many"

[channels.ops]
kind = "slak"

[defaults]
notify = ["opps"]

[rules.one]
value = "numbers.remaning"
warning = "< 3"
sumary = "x"

[rules.two]
value = "stats.messagesLast24h +"
warning = "> 3"

[rules.three]
value = "delta(stats.totalMessages)"
warning = "> 3"

[rules.four]
value = "numbers.remaining"

[rules.five]
value = "numbers.remaining"
warning = "< 3"
for = "10 minutes"
summary = "{numbers.remaining"
"""
MISTAKEN_LINES: Final = {2, 3, 4, 7, 10, 13, 16, 18, 21, 25, 28, 34, 35}


def test_once_says_how_things_stand_by_its_exit_code(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    for remaining, code in ((5, 0), (2, 1), (1, 2), (5, 0)):
        api.say(remaining)
        assert home.call("once").returncode == code
    assert slack.marks == ["warning", "escalated critical", "resolved"]
    api.answer = reply(401)
    assert home.call("once").returncode == 3


def test_once_tells_a_bots_channel_and_each_recipient_of_mail(
    home: Home, api: AgentPhone, workspace: Workspace, office: PostOffice
) -> None:
    home.write(rule_file(api.url, channels=bot_and_mail(workspace.base_url, office.port)))
    for remaining, code in ((5, 0), (2, 1), (1, 2), (1, 2), (5, 0)):
        api.say(remaining)
        assert home.call("once").returncode == code
    assert workspace.story == [("resolved", ["*escalated critical", "resolved"])]
    assert [office.marks(each) for each in (ANN, BEN)] == [["warning", "escalated critical", "resolved"]] * 2


def test_once_without_any_answer_ever_does_not_say_that_all_is_well(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    api.answer = page(503)
    assert home.call("once").returncode == 3


def test_check_shows_every_mistake_at_once_with_its_line_and_a_caret(home: Home) -> None:
    home.write(TWELVE_MISTAKES)
    text, document = home.call("check"), home.call("check", "--format", "json")
    assert (text.returncode, document.returncode) == (78, 78)
    problems = json.loads(document.stdout)["problems"]
    assert {each["line"] for each in problems if each["severity"] == "error"} >= MISTAKEN_LINES
    for each in problems:
        assert f"rules.toml:{each['line']}:{each['column']}: {each['severity']}: {each['text']}" in text.stdout
    assert text.stdout.count("^") >= len(problems)
    for near in ("'numbers.remaining'", "'ops'", "'slack'", "'summary'"):
        assert f"did you mean {near}?" in text.stdout
    assert "sk-written-down" not in text.stdout + document.stdout


def test_a_new_user_goes_from_init_to_a_message(home: Home, api: AgentPhone, slack: Slack) -> None:
    keys = {name: home.environ.pop(name) for name in list(home.environ)}
    written = home.call("init")
    assert written.returncode == 0
    assert "guard check" in written.stdout
    assert home.call("init").returncode != 0
    example = home.rules.read_text(encoding="utf-8")
    assert home.call("check").returncode == 0
    stopped = home.call("run")
    assert stopped.returncode == 78
    assert all(name in stopped.stderr for name in keys)
    home.environ.update(keys)
    home.write(example.replace('every   = "1m"', f'every   = "1s"\nbase_url = "{api.url}"'))
    checked = home.call("check")
    assert (checked.returncode, "good" in checked.stdout) == (0, True)
    assert home.call("send-test", "ops").returncode == 0
    slack.until_shown("test")
    api.say(1)
    with home.run() as service:
        _, told = slack.until_shown("test", "critical")
        assert "<!here>" in told.whole
        assert service.end() == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(home: Home, command: str) -> None:
    shown = home.call(command, "--help")
    assert shown.returncode == 0
    assert "Example" in shown.stdout
    assert f"guard {command}" in shown.stdout.partition("Example")[2]


def test_what_reads_prints_a_document_before_during_and_after(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    missing = home.call("status", "--format", "json")
    assert missing.returncode == 74
    assert "guard run" in missing.stderr
    assert home.read("check")["good"] is True
    api.say(1)
    with home.run() as service:
        slack.until_shown("critical")
        status, alerts, history = home.read("status"), home.read("alerts"), home.read("history")
        assert service.end() == 0
    assert status["accounts"][0]["values"]["numbers.remaining"] == 1
    nothing: dict[str, object] = {"waiting": 0, "oldest_pending_at": None, "dead": 0, "deliveries": []}
    assert status["channels"] == [{"channel": "ops", **nothing}]
    (alert,) = alerts["alerts"]
    assert (alert["alert"], alert["state"], alert["level"]) == ("main/numbers-remaining", "firing", "critical")
    assert [each["event"] for each in history["events"]] == ["alert.fired", "delivery.sent"]
    assert home.read("status")["alerts"][0]["incident"] == status["alerts"][0]["incident"] == alert["incident"]
    assert KEY not in json.dumps([status, alerts, history])
