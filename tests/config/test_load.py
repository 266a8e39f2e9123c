"""What a good rule file comes to."""

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from guard.config import SlackConfig, TerminalConfig, load
from guard.model import NO_DATA, Level
from guard.rules.evaluate import evaluate
from guard.rules.policy import Remind
from tests.builders import snapshot
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, RULE, config, read, said

I, W, C = Level  # noqa: E741 -- three levels, three letters
GOOD = ACCOUNT + CHANNEL + DEFAULTS + RULE
EXAMPLE = Path(__file__).parents[2] / "rules.example.toml"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_the_example_has_no_problem() -> None:
    example = config(EXAMPLE.read_text(encoding="utf-8"))
    (account,) = example.accounts
    assert [rule.name for rule in account.rules] == ["numbers-remaining", "messages-over-budget"]
    assert account.disabled == {"messages-of-plan"}
    assert [type(channel) for channel in example.channels.values()] == [SlackConfig]


def test_the_example_says_what_it_promises() -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("enabled  = false", "")
    (account,) = config(text).accounts
    values = {
        "numbers.remaining": 1,
        "numbers.limit": 12,
        "stats.messagesLast24h": 900,
        "stats.messagesLast30d": 17_310,
        "plan.limits.messagesPerMonth": 20_000,
    }
    seen = [evaluate(rule, snapshot(values), budgets=account.budgets) for rule in account.rules]
    assert [each.reading and each.reading.summary for each in seen] == [
        "1 of 12 phone numbers left",
        "900 messages in 24 hours, of a budget of 1,000",
        "86.6 % of the plan's messages used in 30 days",
    ]
    assert [dict(each.holds) for each in seen] == [{W: True, C: True}, {W: True, C: False}, {W: True, C: False}]


def test_the_example_can_be_read_before_anything_is_set() -> None:
    loaded = load(EXAMPLE.read_text(encoding="utf-8"), path="rules.toml", secret=lambda _: None)
    assert loaded.config is not None
    assert sorted(loaded.missing) == ["AGENTPHONE_API_KEY", "SLACK_WEBHOOK_URL"]


def test_what_an_account_leaves_out_has_its_default() -> None:
    (account,) = config(GOOD).accounts
    assert (account.name, account.base_url, account.tz) == ("main", "https://api.agentphone.ai", UTC)
    assert (account.every, account.stale_after, account.no_data_after) == (MINUTE, 15 * MINUTE, 3 * MINUTE)
    assert account.budgets == {}
    assert account.disabled == frozenset()


@pytest.mark.parametrize(
    ("every", "stale_after", "no_data_after"),
    [("1s", 15 * MINUTE, 3 * MINUTE), ("5m", 15 * MINUTE, 15 * MINUTE), ("1h", 3 * HOUR, 3 * HOUR)],
)
def test_a_slow_account_is_given_three_times_its_pace(
    every: str, stale_after: timedelta, no_data_after: timedelta
) -> None:
    (account,) = config(GOOD.replace("[channels", f'every = "{every}"\n[channels')).accounts
    assert (account.stale_after, account.no_data_after) == (stale_after, no_data_after)


def test_what_an_account_says_goes() -> None:
    said_so = 'every = "30s"\nstale_after = "1h"\nno_data_after = "2h"\ntz = "America/New_York"\nbase_url = "http://[::1]:1/a/"\n'
    (account,) = config(ACCOUNT + said_so + CHANNEL + DEFAULTS + RULE).accounts
    assert (account.every, account.stale_after, account.no_data_after) == (timedelta(seconds=30), HOUR, 2 * HOUR)
    assert (account.tz, account.base_url) == (ZoneInfo("America/New_York"), "http://[::1]:1/a")
    assert account.rules[0].tz == account.tz


def test_an_accounts_own_budgets_go_before_the_files() -> None:
    text = (
        ACCOUNT
        + "budgets = { calls = 5 }\n"
        + ACCOUNT.replace("main", "other")
        + "[budgets]\ncalls = 1_000\ndollars = 4.5\n"
        + CHANNEL
        + DEFAULTS
        + "[rules.calls]\nvalue = 'stats.callsLast24h'\nwarning = '> budgets.calls'\n"
        + RULE
    )
    main, other = config(text).accounts
    assert (main.budgets, other.budgets) == ({"calls": 5, "dollars": 4.5}, {"calls": 1000, "dollars": 4.5})
    assert main.rules[0].policy.fingerprint != other.rules[0].policy.fingerprint
    assert main.rules[1] is other.rules[1]


def test_a_rules_routes_go_before_the_accounts_before_the_files() -> None:
    channels = "".join(CHANNEL.replace("ops", name) for name in ("ops", "mine", "ours", "late"))
    rules = RULE + RULE.replace("numbers-remaining", "own") + 'notify = { critical = ["ours", "ours", "late"] }\n'
    text = ACCOUNT + 'notify = ["mine"]\n' + ACCOUNT.replace("main", "other") + channels + DEFAULTS + rules
    main, other = config(text).accounts
    assert main.rules[0].policy.routes == {W: ("mine",), C: ("mine",)}
    assert other.rules[0].policy.routes == {W: ("ops",), C: ("ops",)}
    assert main.rules[1].policy.routes == other.rules[1].policy.routes == {C: ("ours", "late")}


def test_reminders_are_the_rules_before_the_files_before_the_built_in_ones() -> None:
    assert config(GOOD).accounts[0].rules[0].policy.remind == Remind({W: 24 * HOUR, C: 4 * HOUR}, 6)
    some = DEFAULTS + 'remind = { critical = "2h", info = "7d", max = 3 }\n'
    text = ACCOUNT + CHANNEL + some + RULE + 'remind = { warning = "off", critical = "1h" }\n'
    (account,) = config(text).accounts
    assert account.rules[0].policy.remind == Remind({I: 168 * HOUR, C: HOUR}, 3)
    assert account.no_data.remind == Remind({I: 168 * HOUR, W: 24 * HOUR, C: 2 * HOUR}, 3)


def test_missing_data_is_told_to_the_defaults_or_else_to_everyone() -> None:
    text = ACCOUNT + CHANNEL + CHANNEL.replace("ops", "more") + DEFAULTS + RULE
    (account,) = config(text).accounts
    assert (account.no_data.rule, account.no_data.levels) == (NO_DATA, (W, C))
    assert account.no_data.routes == {W: ("ops",), C: ("ops",)}
    (account,) = config(text.replace(DEFAULTS, "") + 'notify = ["ops"]\n').accounts
    assert account.no_data.routes == {W: ("ops", "more"), C: ("ops", "more")}
    loaded = read(text.replace('notify = ["ops"]', "notify = []"))
    assert loaded.config is not None
    assert loaded.config.accounts[0].no_data.routes == {W: ("ops", "more"), C: ("ops", "more")}


def test_a_rule_is_read_with_all_its_keys() -> None:
    text = (
        GOOD
        + 'info = "< 4"\nclear = ">= 5"\nwhen = "plan.name == \'growth\'"\nfor = "10m"\nkeep_firing_for = "5m"\n'
        + 'unit = "numbers"\nsummary = "{numbers.remaining}"\ndescription = "more"\nrunbook = "http://wiki/x"\n'
        + "enabled = true\n"
    )
    (rule,) = config(text).accounts[0].rules
    assert rule.policy.levels == (I, W, C)
    assert {level.word: str(condition) for level, condition in rule.conditions.items()} == {
        "info": "< 4",
        "warning": "< 3",
        "critical": "< 2",
    }
    assert (str(rule.value), str(rule.clear), str(rule.when)) == ("numbers.remaining", ">= 5", "plan.name == 'growth'")
    assert (rule.policy.hold, rule.policy.keep_firing_for) == (10 * MINUTE, 5 * MINUTE)
    assert (rule.unit, rule.runbook, len(rule.policy.fingerprint)) == ("numbers", "http://wiki/x", 16)


def test_the_files_for_goes_where_a_rule_has_none() -> None:
    text = ACCOUNT + CHANNEL + DEFAULTS + 'for = "10m"\n' + RULE + RULE.replace("remaining]", "own]") + 'for = "0s"\n'
    first, second = config(text).accounts[0].rules
    assert (first.policy.hold, second.policy.hold) == (10 * MINUTE, timedelta())
    assert first.policy.fingerprint != second.policy.fingerprint


def test_a_disabled_rule_is_checked_and_not_evaluated() -> None:
    (account,) = config(GOOD + "enabled = false\n").accounts
    assert (account.rules, account.disabled) == ((), frozenset({"numbers-remaining"}))
    assert said(GOOD.replace('remaining"', 'remaning"') + "enabled = false\n")


def test_channels_are_read() -> None:
    text = (
        ACCOUNT
        + '[channels.ops]\nkind = "slack"\nwebhook_url = "${SLACK_WEBHOOK_URL}"\n'
        + 'mention = { warning = "<@U012AB> <!subteam^S1>", critical = "<!here>" }\n'
        + '[channels.here]\nkind = "terminal"\n'
        + DEFAULTS
        + RULE
    )
    channels = config(text).channels
    assert list(channels) == ["ops", "here"]
    ops, here = channels["ops"], channels["here"]
    assert isinstance(ops, SlackConfig)
    assert ops.mention == {W: "<@U012AB> <!subteam^S1>", C: "<!here>"}
    assert isinstance(here, TerminalConfig)


def slack_fingerprint(url: str, more: str = "") -> str:
    text = f'{ACCOUNT}[channels.ops]\nkind = "slack"\nwebhook_url = "${{URL}}"\n{more}{DEFAULTS}{RULE}'
    loaded = read(text, {"AGENTPHONE_API_KEY": "k", "URL": url})
    assert loaded.config is not None
    return loaded.config.channels["ops"].fingerprint


def test_a_channels_fingerprint_tells_a_channel_that_was_changed() -> None:
    first = slack_fingerprint("https://example.com/a")
    assert first == slack_fingerprint("https://example.com/a")
    assert first != slack_fingerprint("https://example.com/b")
    assert first != slack_fingerprint("https://example.com/a", 'mention = { critical = "<!here>" }\n')
    assert first != config(GOOD).channels["ops"].fingerprint


def test_a_file_without_rules_is_allowed_with_a_warning() -> None:
    assert said(ACCOUNT + CHANNEL) == ["1:1: warning: no rule: only missing data will be told of"]


def test_an_empty_file_lacks_everything() -> None:
    assert said("") == [
        '1:1: error: no channel: write [channels.ops] with kind = "slack", so that somebody is told',
        "1:1: error: no account: write [accounts.main] with an api_key, so that something is watched",
        "1:1: warning: no rule: only missing data will be told of",
    ]


@pytest.mark.parametrize(
    ("bounds", "is_odd"),
    [
        (("> 80", "> 90"), False),
        (("> 90", "> 90"), False),
        (("> 91", ">= 90"), True),
        (("< 1", "<= 2"), True),
        (("< 5", "> 90"), False),
        (("== 5", "== 4"), False),
        (("> 80% * budgets.calls", "> budgets.calls"), False),
        (("> 120% * budgets.calls", "> budgets.calls"), True),
        (("> numbers.limit", "> 3"), False),
    ],
)
def test_a_warning_beyond_critical_is_odd(bounds: tuple[str, str], *, is_odd: bool) -> None:
    rule = f'[rules.a]\nvalue = "numbers.used"\nwarning = "{bounds[0]}"\ncritical = "{bounds[1]}"\n'
    assert bool(said(f"{ACCOUNT}{CHANNEL}{DEFAULTS}[budgets]\ncalls = 100\n{rule}")) is is_odd


def test_a_warning_that_goes_for_many_accounts_is_told_once() -> None:
    text = GOOD.replace('"< 3"', '"< 1"') + "".join(
        ACCOUNT.replace("main", f"a{number}") + f"budgets = {{ x = {number} }}\n" for number in range(5)
    )
    assert len(said(text)) == 1


def test_rules_are_equal_when_they_are_read_twice() -> None:
    (first,), (second,) = config(GOOD).accounts, config(GOOD).accounts
    assert first == second
    assert replace(first.rules[0], unit="x") != second.rules[0]
