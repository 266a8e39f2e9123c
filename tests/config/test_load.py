"""What a good rule file comes to."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from guard.config import (
    AccountConfig,
    EmailConfig,
    ReportConfig,
    Rhythm,
    Security,
    SlackBotConfig,
    SlackConfig,
    SubAccounts,
    TerminalConfig,
    load,
    secrets_of,
)
from guard.model import NO_DATA, Each, Level
from guard.rules.evaluate import Facts, evaluate
from guard.rules.policy import Remind
from tests.builders import snapshot
from tests.config.files import ACCOUNT, BOT, CHANNEL, DEFAULTS, ENVIRON, MAIL, RULE, config, read, said

I, W, C = Level  # noqa: E741 -- three levels, three letters
GOOD = ACCOUNT + CHANNEL + DEFAULTS + RULE
EXAMPLE = Path(__file__).parents[2] / "rules.example.toml"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_the_example_has_no_problem() -> None:
    example = config(EXAMPLE.read_text(encoding="utf-8"))
    (account,) = example.accounts
    assert [rule.name for rule in account.rules] == [
        "numbers-remaining",
        "messages-over-budget",
        "webhook-failures",
        "month-pace",
        "estimated-spend",
        "message-spike",
        "numbers-run-out",
        "minutes-of-an-agent",
    ]
    assert account.disabled == {"messages-of-plan", "minutes-of-plan", "many-calls"}
    assert [type(channel) for channel in example.channels.values()] == [SlackConfig]


class Past:
    """A history: 4 of 40 webhooks of the last hour were delivered in vain, and a phone number is lost each day."""

    def increase(self, name: str, window_s: float) -> float:
        assert window_s == HOUR.total_seconds()
        return {"stats.failedWebhookDeliveries": 4, "stats.totalWebhookDeliveries": 40}[name]

    def usual(self, name: str, days: int) -> float:
        assert (name, days) == ("stats.messagesLast24h", 7)
        return 200

    def slope(self, name: str, window_s: float) -> float:
        assert (name, window_s) == ("numbers.remaining", 72 * HOUR.total_seconds())
        return -1 / 86_400

    def ago(self, name: str, window_s: float) -> None:
        """Nothing, as the example does not ask."""

    mean = lowest = highest = ago


def test_the_example_says_what_it_promises() -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("enabled  = false", "")
    (account,) = config(text).accounts
    values = {
        "numbers.remaining": 1,
        "numbers.used": 11,
        "numbers.limit": 12,
        "stats.messagesLast24h": 900,
        "stats.messagesLast30d": 17_310,
        "stats.failedWebhookDeliveries": 612,
        "stats.totalWebhookDeliveries": 85_102,
        "plan.limits.messagesPerMonth": 20_000,
        "plan.limits.voiceMinutesPerMonth": 900,
        "month.messages": 18_000,
        "month.projectedMessages": 24_000,
        "agents.totalSeconds": 48_600,
    }
    seen_at = replace(
        snapshot(values),
        subjects={Each.AGENT: {"agt_1": {"agent.totalSeconds": 33_000, "agent.agentName": "Support"}}},
    )
    facts = Facts.of(seen_at, budgets=account.budgets, windows=Past())
    support = facts.about(Each.AGENT, "agt_1", windows=Past())
    seen = {rule.name: evaluate(rule, support if rule.each else facts) for rule in account.rules}
    assert {name: each.reading and each.reading.summary for name, each in seen.items()} == {
        "numbers-remaining": "1 of 12 phone numbers left",
        "messages-over-budget": "900 messages in 24 hours, of a budget of 1,000",
        "webhook-failures": "4 of 40 webhooks failed",
        "month-pace": "the month will end at 24,000 messages, of a budget of 25,000",
        "estimated-spend": "18,000 messages and 13 h 30 min of calls so far, of a budget of $600.00",
        "message-spike": "900 messages in 24 hours, where 200 are usual",
        "numbers-run-out": "at this pace the last phone number is gone on 2026-11-24 14:05 UTC",
        "minutes-of-an-agent": "Support was on the phone for 9 h 10 min this month",
        "messages-of-plan": "86.6 % of the plan's messages used in 30 days",
        "minutes-of-plan": "13 h 30 min of calls this month, of 900 minutes in the plan",
    }
    critical = {name for name, each in seen.items() if each.holds[C]}
    assert critical == {"numbers-remaining", "numbers-run-out"}
    assert {name for name, each in seen.items() if not each.holds[W]} == set()


def test_the_example_can_be_read_before_anything_is_set() -> None:
    loaded = load(EXAMPLE.read_text(encoding="utf-8"), path="rules.toml", secret=lambda _: None)
    assert loaded.config is not None
    assert sorted(loaded.missing) == ["AGENTPHONE_API_KEY", "SLACK_WEBHOOK_URL"]


def test_what_the_example_leaves_to_be_switched_on_has_no_problem_either() -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("webhook_url", "# webhook_url")
    text = text.replace('notify = ["ops"]\n', 'notify = ["ops", "mail"]\n')
    on = config(
        re.sub(r"(?m)^# (?=\[|(?:sub_accounts|kind|token|channel|host|username|password|from|to|budgets) +=)", "", text)
    )
    assert [type(channel) for channel in on.channels.values()] == [SlackBotConfig, EmailConfig]
    assert on.accounts[0].subs is not None


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
        + "[rules.calls]\nvalue = 'stats.callsLast24h'\nwarning = '> budgets.calls'\nfor = '10m'\n"
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
    text = ACCOUNT + CHANNEL + CHANNEL.replace("ops", "more") + DEFAULTS + RULE + 'notify = ["more"]\n'
    (account,) = config(text).accounts
    assert (account.no_data.rule, account.no_data.levels) == (NO_DATA, (W, C))
    assert account.no_data.routes == {W: ("ops",), C: ("ops",)}
    (account,) = config(text.replace(DEFAULTS, "").replace('["more"]', '["ops", "more"]')).accounts
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
        + DEFAULTS.replace('"ops"', '"ops", "here"')
        + RULE
    )
    channels = config(text).channels
    assert list(channels) == ["ops", "here"]
    ops, here = channels["ops"], channels["here"]
    assert isinstance(ops, SlackConfig)
    assert ops.mention == {W: "<@U012AB> <!subteam^S1>", C: "<!here>"}
    assert isinstance(here, TerminalConfig)


def test_a_channel_by_a_bots_token_is_read() -> None:
    text = ACCOUNT + BOT + 'mention = { critical = "<!here>" }\n' + DEFAULTS.replace("ops", "bot") + RULE
    bot = config(text).channels["bot"]
    assert isinstance(bot, SlackBotConfig)
    assert (bot.token.value, bot.channel, bot.base_url) == ("xoxb-test", "#ops", "https://slack.com/api/")
    assert bot.mention == {C: "<!here>"}


def test_a_bots_channel_may_have_the_token_of_its_app() -> None:
    text = ACCOUNT + BOT + 'app_token = "${SLACK_APP_TOKEN}"\n' + DEFAULTS.replace("ops", "bot") + RULE
    with_it = config(text).channels["bot"]
    without = config(text.replace("app_token", "# app_token")).channels["bot"]
    assert isinstance(with_it, SlackBotConfig)
    assert isinstance(without, SlackBotConfig)
    assert (with_it.app_token and with_it.app_token.value, without.app_token) == ("xapp-test", None)
    assert with_it.fingerprint != without.fingerprint
    assert [each.variable for each in secrets_of(with_it)] == ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ops", "#ops"),
        ("#ops_2-b", "#ops_2-b"),
        ("#bereitschaft-öst", "#bereitschaft-öst"),
        ("#警报", "#警报"),
        ("C0123ABCDEF", "C0123ABCDEF"),
        ("G0123ABCDEF", "G0123ABCDEF"),
        ("${SLACK_CHANNEL}", "#from-outside"),
        ("${NOT_SET}", ""),
    ],
)
def test_a_channel_of_slack_is_a_name_or_an_id(written: str, meant: str) -> None:
    text = ACCOUNT + CHANNEL + BOT.replace("#ops", written) + DEFAULTS + RULE
    loaded = read(text, {**ENVIRON, "SLACK_CHANNEL": "from-outside"})
    assert loaded.config is not None
    bot = loaded.config.channels["bot"]
    assert isinstance(bot, SlackBotConfig)
    assert bot.channel == meant


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api/"])
def test_slacks_address_ends_in_a_slash(base_url: str) -> None:
    bot = config(f'{ACCOUNT}{BOT}base_url = "{base_url}"\n{RULE}notify = ["bot"]\n').channels["bot"]
    assert isinstance(bot, SlackBotConfig)
    assert bot.base_url == "http://127.0.0.1:8080/api/"


def mail(text: str = MAIL, environ: Mapping[str, str] = ENVIRON) -> EmailConfig:
    loaded = read(ACCOUNT + CHANNEL + text + DEFAULTS + RULE, environ)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    channel = loaded.config.channels["mail"]
    assert isinstance(channel, EmailConfig)
    return channel


def test_a_mail_channel_is_read() -> None:
    plain = mail()
    assert (plain.host, plain.port, plain.security) == ("smtp.example.com", 587, Security.STARTTLS)
    assert (plain.username, plain.password) == ("", None)
    assert (plain.sender, plain.to) == ("guard@example.com", ("ops@example.com", "dev@example.com"))
    full = mail(MAIL + 'username = "me"\npassword = "${SMTP_PASSWORD}"\nport = 2525\nsecurity = "tls"\n')
    assert full.password is not None
    assert (full.port, full.security, full.username) == (2525, Security.TLS, "me")
    assert full.password.value == ENVIRON["SMTP_PASSWORD"]


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465)])
def test_each_way_to_a_mail_server_has_its_port(security: str, port: int) -> None:
    assert mail(f'{MAIL}security = "{security}"\n').port == port


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_mail_goes_unencrypted_to_this_very_machine_only(host: str) -> None:
    channel = mail(MAIL.replace("smtp.example.com", host) + 'security = "none"\n')
    assert (channel.host, channel.port, channel.security) == (host, 25, Security.NONE)


@pytest.mark.parametrize("host", ["mail_server", "smtp.eu-west-1.example.com", "10.0.0.5", "2001:db8::1"])
def test_a_mail_server_is_a_name_or_an_address(host: str) -> None:
    assert mail(MAIL.replace("smtp.example.com", host)).host == host


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("guard@example.com", "guard@example.com"),
        ("<guard@example.com>", "guard@example.com"),
        ("Quota Guard <guard@example.com>", "Quota Guard <guard@example.com>"),
        ("Wächter <guard@example.com>", "Wächter <guard@example.com>"),
        ("Guard, Inc. <guard@example.com>", '"Guard, Inc." <guard@example.com>'),
        (r"\"Guard, Inc.\" <guard@example.com>", '"Guard, Inc." <guard@example.com>'),
    ],
)
def test_a_sender_may_have_a_name(written: str, meant: str) -> None:
    assert mail(MAIL.replace("guard@example.com", written)).sender == meant


def test_a_mail_servers_settings_may_come_from_the_environment() -> None:
    text = MAIL.replace("smtp.example.com", "${SMTP_HOST}").replace("guard@example.com", "${MAIL_FROM}")
    text += 'port = "${SMTP_PORT}"\nusername = "${SMTP_USER}"\npassword = "${SMTP_PASSWORD}"\n'
    environ = {**ENVIRON, "SMTP_HOST": "localhost", "SMTP_PORT": "2525", "MAIL_FROM": "a@b.org", "SMTP_USER": "me"}
    channel = mail(text, environ)
    assert (channel.host, channel.port, channel.username, channel.sender) == ("localhost", 2525, "me", "a@b.org")
    unset = mail(text)
    assert (unset.host, unset.port, unset.username, unset.sender) == ("", 587, "", "")


def test_who_is_told_by_mail_is_told_one_by_one() -> None:
    rules = RULE + 'notify = { warning = ["ops"], critical = ["mail", "ops"] }\n' + RULE.replace("numbers-", "more-")
    text = ACCOUNT + CHANNEL + MAIL + DEFAULTS + rules
    both, one = config(text).accounts[0].rules
    people = {"mail": ("ops@example.com", "dev@example.com")}
    assert both.policy.recipients == people
    assert one.policy.recipients == {}
    assert config(text).accounts[0].no_data.recipients == {}
    everyone = read(text.replace(DEFAULTS, "")).config
    assert everyone is not None
    assert everyone.accounts[0].no_data.recipients == people


def subs(accounts: str, *, more: str = RULE) -> tuple[AccountConfig, SubAccounts]:
    channels = CHANNEL + CHANNEL.replace("ops", "acme")
    unused = RULE.replace("numbers-", "no-") + 'notify = ["acme"]\nenabled = false\n'
    (account,) = config(ACCOUNT + accounts + channels + DEFAULTS + more + unused).accounts
    assert account.subs is not None
    return account, account.subs


def test_no_sub_account_is_watched_unless_the_file_says_so() -> None:
    assert config(GOOD).accounts[0].subs is None


def test_all_sub_accounts_are_watched_as_their_master_account() -> None:
    account, found = subs('sub_accounts = "all"\nbudgets = { x = 1 }\n')
    assert (found.ids, found.own) == (None, {})
    assert found.others == replace(account, subs=None)
    acme = found.config("acme")
    assert (acme.name, acme.sub_id, acme.subs) == ("main:acme", "acme", None)
    assert (acme.budgets, acme.api_key, acme.no_data) == ({"x": 1}, account.api_key, account.no_data)
    assert acme.rules is account.rules


def test_sub_accounts_are_listed_by_their_ids() -> None:
    _, found = subs('sub_accounts = ["acme", "b.e-t_a", "17", "Z"]\n')
    assert found.ids == ("acme", "b.e-t_a", "17", "Z")


def test_a_sub_account_has_what_it_has_not_of_its_own_from_its_master_account() -> None:
    account, found = subs(
        'sub_accounts = ["acme", "beta", "b.c"]\nbudgets = { x = 1, y = 1 }\ntz = "America/New_York"\nevery = "5m"\n'
        "[accounts.main.sub.acme]\nbudgets = { y = 2 }\n"
        '[accounts.main.sub."b.c"]\nnotify = ["acme"]\n'
        "[budgets]\nx = 9\nz = 9\n"
    )
    acme, point = found.own["acme"], found.config("b.c")
    assert list(found.own) == ["acme", "b.c"]
    assert (acme.name, acme.sub_id, acme.subs) == ("main:acme", "acme", None)
    assert found.config("acme") is acme
    assert acme.budgets == {"x": 1, "y": 2, "z": 9}
    assert (acme.every, acme.tz, acme.api_key) == (account.every, account.tz, account.api_key)
    assert acme.rules[0].policy.routes == {W: ("ops",), C: ("ops",)}
    assert (point.name, point.rules[0].policy.routes) == ("main:b.c", {W: ("acme",), C: ("acme",)})
    assert point.no_data == account.no_data


def test_a_rules_routes_go_before_the_sub_accounts_before_the_accounts() -> None:
    rules = RULE + RULE.replace("numbers-", "own-") + 'notify = ["ops"]\n'
    _, found = subs(
        'sub_accounts = "all"\nnotify = ["acme"]\n'
        '[accounts.main.sub.acme]\nnotify = ["ops", "acme"]\n[accounts.main.sub.beta]\nbudgets = { x = 1 }\n',
        more=rules,
    )
    routes = [[rule.policy.routes[W] for rule in found.config(each).rules] for each in ("acme", "beta", "other")]
    assert routes == [[("ops", "acme"), ("ops",)], [("acme",), ("ops",)], [("acme",), ("ops",)]]


def test_sub_accounts_share_the_rules_in_which_they_do_not_differ() -> None:
    account, found = subs(
        'sub_accounts = "all"\nbudgets = { calls = 1 }\n[accounts.main.sub.acme]\nbudgets = { calls = 2 }\n',
        more=RULE + "[rules.calls]\nvalue = 'stats.callsLast24h'\nwarning = '> budgets.calls'\nfor = '10m'\n",
    )
    acme = found.own["acme"]
    assert acme.rules[0] is account.rules[0]
    assert acme.rules[1].policy.fingerprint != account.rules[1].policy.fingerprint


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


@pytest.mark.parametrize(
    "change",
    [
        ("#ops", "#dev"),
        ("SLACK_BOT_TOKEN", "OTHER_BOT_TOKEN"),
        ("channel =", 'base_url = "https://proxy.example.com"\nchannel ='),
        ("channel =", 'mention = { info = "<!here>" }\nchannel ='),
        ("smtp.", "smtp2."),
        ("guard@", "guard2@"),
        ('"dev@example.com"', ""),
        ("[channels.mail]", '[channels.mail]\nusername = "me"\npassword = "${SMTP_PASSWORD}"'),
        ("[channels.mail]", "[channels.mail]\nport = 25"),
        ("[channels.mail]", '[channels.mail]\nsecurity = "tls"'),
    ],
)
def test_every_setting_of_a_channel_is_in_its_fingerprint(change: tuple[str, str]) -> None:
    environ = {**ENVIRON, "OTHER_BOT_TOKEN": "xoxb-other"}

    def fingerprints(text: str) -> set[str]:
        loaded = read(ACCOUNT + text + DEFAULTS.replace("ops", "bot") + RULE, environ)
        assert loaded.config is not None
        return {channel.fingerprint for channel in loaded.config.channels.values()}

    assert len(fingerprints(BOT + MAIL) & fingerprints((BOT + MAIL).replace(*change))) == 1


def test_a_password_is_in_a_fingerprint_and_its_variables_name_is_not() -> None:
    text = MAIL + 'username = "me"\npassword = "${SMTP_PASSWORD}"\n'
    first = mail(text).fingerprint
    same = mail(text.replace("SMTP_", "OTHER_"), {**ENVIRON, "OTHER_PASSWORD": ENVIRON["SMTP_PASSWORD"]})
    assert same.fingerprint == first
    assert mail(text, {**ENVIRON, "SMTP_PASSWORD": "another"}).fingerprint != first


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


def reported(text: str) -> ReportConfig | None:
    """What becomes of [report] in a file that has warnings at the most."""
    loaded = read(ACCOUNT + text)
    assert loaded.config is not None
    return loaded.config.report


def test_a_report_is_daily_at_nine_for_whom_the_defaults_name() -> None:
    report = reported(f"tz = 'Europe/Berlin'\n{CHANNEL}{MAIL}{DEFAULTS}[report]\n")
    assert report == ReportConfig(Rhythm.DAILY, time(9), 0, ZoneInfo("Europe/Berlin"), ("ops",))


def test_a_report_without_defaults_is_for_every_channel() -> None:
    report = reported(f"{CHANNEL}{MAIL}[report]\n")
    assert report is not None
    assert report.notify == ("ops", "mail")


def test_a_report_says_all_of_it_for_itself() -> None:
    said_so = 'every = "weekly"\nday = "sun"\nat = "18:30"\ntz = "America/New_York"\nnotify = ["mail"]\n'
    report = reported(f"{CHANNEL}{MAIL}{DEFAULTS}[report]\n{said_so}")
    assert report == ReportConfig(Rhythm.WEEKLY, time(18, 30), 6, ZoneInfo("America/New_York"), ("mail",))


def test_without_the_table_there_is_no_report() -> None:
    assert config(GOOD).report is None
