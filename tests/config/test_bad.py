"""Rule files under bad/: each is named after its mistake, and its first line is the message that it wants."""

from pathlib import Path

import pytest

from guard.config import Severity
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, RULE, read, said

FILES = sorted((Path(__file__).parent / "bad").glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistake_is_told_once_at_its_place(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert said(text) == [text.partition("\n")[0].removeprefix("# ")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_refused_for_errors_and_not_for_warnings(file: Path) -> None:
    loaded = read(file.read_text(encoding="utf-8"))
    has_errors = any(problem.severity is Severity.ERROR for problem in loaded.problems)
    assert (loaded.config is None) is has_errors


def test_there_are_many() -> None:
    assert len(FILES) >= 100


TWELVE = """\
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
every = "1x"
tz = "Amerika/New_York"

[budgets]
messages_per_day = -1

[channels.ops]
kind = "slack"
webhook_url = "https://example.com/literal"
\tmention = { critical = "@here" }

[defaults]
notify = ["opps"]

[rules.numbers-remaining]
value    = "numbers.remaning"
warning  = "3"
sumary   = "low"
summary  = "ünïcode {numbers.remaining:percent}"

[rules.messages]
value    = 'stats.messagesLast24h'
warning  = '> 80% * budgets.message_per_day'
critical = "> 100 %"
"""

WRITE = 'write webhook_url = "${SLACK_WEBHOOK_URL}" and set the variable SLACK_WEBHOOK_URL'
PERCENT = "a percent sign stands right behind its number, as in 80%, and there is no modulo"


def test_twelve_mistakes_are_told_in_one_go_each_at_its_line_and_column() -> None:
    assert said(TWELVE) == [
        "3:9: error: every: '1x' is not a duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d",
        "4:6: error: tz: 'Amerika/New_York' is no time zone, did you mean 'America/New_York'?",
        "7:20: error: messages_per_day is below zero",
        f"11:15: error: a secret is never written down: {WRITE}",
        "12:25: error: critical mentions nobody; write <!here>, <!channel>, <@U012ABCDE> or <!subteam^S012ABCDE>",
        "15:11: error: unknown channel 'opps', did you mean 'ops'?",
        "18:13: error: unknown field 'numbers.remaning', did you mean 'numbers.remaining'?",
        "19:13: error: a level begins with one of < <= > >= == !=, not with '3'; write < 3 or > 3",
        "20:1: error: unknown key 'sumary', did you mean 'summary'?",
        "21:40: error: unknown format 'percent'; formats are count, share, dollars, duration, date",
        "25:21: error: unknown budget 'budgets.message_per_day'",
        f"26:19: error: unexpected '%': {PERCENT}",
    ]


UNWISE = """\
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
every = "5m"

[budgets]
calls = 100

[channels.ops]
kind = "terminal"

[channels.spare]
kind = "terminal"

[defaults]
notify = ["ops"]

[rules.order]
value    = "numbers.remaining"
warning  = "< 2"
critical = "< 3"

[rules.never]
value   = "numbers.remaining"
warning = "< 0"

[rules.always]
value   = "numbers.used"
info    = ">= 0"
warning = "> 120% * budgets.calls"

[rules.whole]
value   = "period.elapsed"
warning = "> 100%"

[rules.flaps]
value   = "stats.callsLast24h"
warning = "> budgets.calls"

[rules.few]
value   = "increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h)"
unit    = "share"
warning = "> 5%"

[rules.old]
value   = "1 - stats.failedWebhookDeliveries / stats.totalWebhookDeliveries"
unit    = "share"
warning = "< 95%"

[rules.short]
value   = "numbers.remaining"
warning = "< 3"
for     = "1m"

[rules.nobody]
value    = "numbers.remaining"
warning  = "< 3"
notify   = { critical = ["ops"] }

[rules.clear]
value   = "numbers.used"
warning = "> 5"
clear   = "< 9"

[rules.percent]
value   = "numbers.used"
warning = "> 80%"

[rules.constant]
value   = "budgets.calls"
warning = "> 5"
"""


def test_thirteen_unwise_things_are_told_in_one_go_each_at_its_line_and_column() -> None:
    found = [line.replace(" warning: ", " ", 1)[:60] for line in said(UNWISE)]
    assert found == [
        "11:11: nothing is told to spare: name it in notify, of a rul",
        "19:12: warning lies beyond critical, so it never comes first",
        "24:11: warning can never hold: numbers.remaining is never be",
        "28:11: info always holds: numbers.used is never below 0; wri",
        "33:11: warning can never hold: period.elapsed is never above",
        "37:11: stats.callsLast24h also falls by itself, so this may ",
        "40:11: when little happens, one case is a large share; add w",
        "45:16: stats.totalWebhookDeliveries counts over the account'",
        "52:11: main is asked every 5m, so a shorter for is as long a",
        "57:12: nobody is told of nobody: name channels in notify, he",
        "62:11: clear < 9 changes nothing: it is not over before warn",
        "66:11: 80% alone is 0.8; write 80% * numbers.limit",
        "70:11: warning always holds: budgets.calls is never below 10",
    ]


def test_lines_that_are_no_toml_hide_no_other_mistake() -> None:
    text = TWELVE.replace('"1x"', "1x").replace("'stats.messagesLast24h'", "stats.messagesLast24h")
    found = said(text)
    assert found[0] == "3:10: error: the line should end here; texts stand in quotes"
    assert "24:12: error: this is no TOML value; texts stand in quotes" in found
    assert len(found) == 13


SLIPS = """\
[rules.more]
value   = "numbers.usedd"
warning = "> x"
{slip}
evry    = "1m"
"""
THREE = [
    "unknown field 'numbers.usedd', did you mean 'numbers.used'?",
    "unknown field 'x'",
    "unknown key 'evry'",
]


def errors(text: str) -> list[str]:
    """What is said of each error, without its place."""
    return [line.partition(" error: ")[2] for line in said(text)]


@pytest.mark.parametrize(
    "slip",
    [
        "foo",
        "foo: bar",
        "a.b.c",
        'notify = "ops',
        "notify = [",
        'notify = ["ops",',
        "remind = {",
        "summary =",
        "summary = '''x",
        'when = "plan.name == "growth""',
        "]",
        '"',
    ],
)
def test_a_line_that_is_no_toml_hides_no_other_mistake(slip: str) -> None:
    found = errors(ACCOUNT + CHANNEL + DEFAULTS + SLIPS.format(slip=slip))
    assert len(found) == 4
    assert set(found) > set(THREE)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("[rules.größe]", "a name is letters, digits, - and _"),
        ("[rules.my rule]", "a name is letters, digits, - and _"),
        ("[rules.ö]", "a name is letters, digits, - and _"),
        ("[rules.more", "the table's header is not closed with ]"),
        ("[[rules.more]", "the header is not closed with ]]"),
        ("[rules.numbers-remaining]", "this is written twice, first on line 11"),
        ("[rules.more] x", "the line should end here; texts stand in quotes"),
    ],
)
def test_a_header_that_is_wrong_hides_no_other_mistake(header: str, message: str) -> None:
    text = ACCOUNT + CHANNEL + DEFAULTS + RULE + SLIPS.format(slip="").replace("[rules.more]", header)
    assert errors(text) == [message, *THREE]


@pytest.mark.parametrize("header", ["[rules.b", "[budgets", "[rulez.ä]", "[defaults]", "[accounts] x"])
def test_a_header_that_cannot_be_read_hides_its_own_table_only(header: str) -> None:
    found = errors(f"{ACCOUNT}{CHANNEL}{DEFAULTS}{header}\ncalls = 1\n{RULE}evry = '1m'\n")
    assert len(found) == 2
    assert found[1] == "unknown key 'evry'"


def test_a_channel_whose_header_cannot_be_read_is_not_unknown() -> None:
    text = ACCOUNT + CHANNEL + CHANNEL.replace("ops", "my ops") + DEFAULTS + RULE + 'notify = ["my ops", "nobody"]\n'
    assert errors(text) == ["a name is letters, digits, - and _", "unknown channel 'nobody'; there is ops"]


def test_a_file_of_another_kind_is_refused_line_by_line() -> None:
    found = said("accounts:\n  main:\n    api_key: x\n")
    assert [line.partition(":")[0] for line in found] == ["1", "2", "3"]


def test_lines_that_end_in_a_carriage_return_alone_are_told_of() -> None:
    assert said((ACCOUNT + CHANNEL).replace("\n", "\r")) == [
        "1:1: error: the lines end in CR alone; save the file with the line ends of Unix or Windows"
    ]


def test_a_key_on_a_line_that_cannot_be_read_is_not_told_to_be_missing() -> None:
    text = TWELVE.replace("-1", "1,000").replace("message_per_day'", "messages_per_day'")
    assert not [line for line in said(text) if "unknown budget" in line]
