"""What an edit of the rule file changes, line by line."""

import pytest

from guard.config import Config, load
from guard.config.reload import changes

FILE = """
[accounts.main]
api_key = "${KEY}"
budgets = { calls = 5 }

[accounts.side]
api_key = "${KEY}"

[budgets]
messages = 1_000

[channels.ops]
kind = "slack"
webhook_url = "${URL}"

[channels.mail]
kind = "slack"
webhook_url = "${URL}"

[defaults]
notify = ["ops"]

[rules.numbers]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"
summary = "few numbers"

[rules.messages]
value = "stats.messagesLast24h"
warning = "> budgets.messages"
enabled = true
"""
SECRETS = {
    "KEY": "the-key",
    "OTHER": "another-key",
    "URL": "https://hooks.slack.com/services/T0/B0/x",
    "URL_2": "https://hooks.slack.com/services/T0/B0/y",
}


def config(text: str, secrets: dict[str, str] = SECRETS) -> Config:
    loaded = load(text, path="rules.toml", secret=secrets.get)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


EDITS = {
    "nothing": ("", "", ()),
    "a fallback": (
        "[defaults]\n",
        '[defaults]\nfallback = ["mail"]\n',
        ("fallback none -> mail",),
    ),
    "a comment": ("[budgets]", "# the budgets\n[budgets]", ()),
    "spaces": ('"< 3"', '"<3"', ()),
    "a threshold": ('"< 3"', '"< 4"', ("rule numbers: warning < 3 -> < 4",)),
    "a level more": (
        '"> budgets.messages"',
        '"> budgets.messages"\ncritical = "> 9"',
        ("rule messages: critical none -> > 9",),
    ),
    "a level less": ('critical = "< 2"\n', "", ("rule numbers: critical < 2 -> none",)),
    "a hold": ('"few numbers"', '"few numbers"\nfor = "10m"', ("rule numbers: for none -> 10 min",)),
    "a condition": (
        '"few numbers"',
        '"few numbers"\nwhen = "numbers.limit > 0"',
        ("rule numbers: when none -> numbers.limit > 0",),
    ),
    "a text": ("few numbers", "too few numbers", ("rule numbers: summary changed",)),
    "a budget of all": ("1_000", "1_200", ("budget messages 1,000 -> 1,200",)),
    "a budget of one": ("calls = 5", "calls = 6", ("account main: budget calls 5 -> 6",)),
    "a route": (
        '"few numbers"',
        '"few numbers"\nnotify = { warning = ["mail"], critical = ["ops", "mail"] }',
        ("rule numbers: notify ops -> warning mail; critical ops, mail",),
    ),
    "nobody told at a level": (
        '"few numbers"',
        '"few numbers"\nnotify = { critical = ["ops"] }',
        ("rule numbers: notify ops -> warning nobody; critical ops",),
    ),
    "a disabled rule": ("enabled = true", "enabled = false", ("rule messages disabled",)),
    "a renamed rule": ("[rules.numbers]", '[rules.few]\nrenamed_from = "numbers"', ("rule numbers renamed to few",)),
    "a rule more": (
        "[rules.numbers]",
        '[rules.calls]\nvalue = "stats.callsLast24h"\nwarning = "> 5"\n[rules.numbers]',
        ("rule calls added",),
    ),
    "a disabled rule more": (
        "[rules.numbers]",
        '[rules.calls]\nvalue = "stats.callsLast24h"\nwarning = "> 5"\nenabled = false\n[rules.numbers]',
        ("rule calls added, disabled",),
    ),
    "an interval": (
        '"${KEY}"\nbudgets',
        '"${KEY}"\nevery = "2m"\nbudgets',
        ("account main: every 1 min -> 2 min", "account main: no_data_after 3 min -> 6 min"),
    ),
    "a zone": (
        '"${KEY}"\nbudgets',
        '"${KEY}"\ntz = "Europe/Berlin"\nbudgets',
        ("account main: tz UTC -> Europe/Berlin",),
    ),
    "all sub-accounts": (
        '"${KEY}"\nbudgets',
        '"${KEY}"\nsub_accounts = "all"\nbudgets',
        ("account main: sub_accounts none -> all",),
    ),
    "some sub-accounts": (
        '"${KEY}"\nbudgets',
        '"${KEY}"\nsub_accounts = ["a", "b"]\nbudgets',
        ("account main: sub_accounts none -> a, b",),
    ),
    "a report": (
        "[channels.mail]",
        '[report]\nevery = "weekly"\n\n[channels.mail]',
        ("report: told none -> weekly mon 09:00 UTC", "report: notify none -> ops"),
    ),
    "another key": ('"${KEY}"\nbudgets', '"${OTHER}"\nbudgets', ("account main: api_key reads KEY -> OTHER",)),
    "another account": ("accounts.side", "accounts.third", ("account third added", "account side removed")),
    "another channel": ("channels.mail", "channels.post", ("channel post added", "channel mail removed")),
    "another address": (
        'kind = "slack"\nwebhook_url = "${URL}"\n\n[channels.mail]',
        'kind = "slack"\nwebhook_url = "${URL_2}"\n\n[channels.mail]',
        ("channel ops changed",),
    ),
    "reminders": (
        'notify = ["ops"]\n',
        'notify = ["ops"]\nremind = { critical = "1h", warning = "off" }\n',
        tuple(
            f"{what}: remind {change}"
            for what in ("rule numbers", "rule messages", "guard.no_data")
            for change in ("warning 1 d -> off", "critical 4 h -> 1 h")
        ),
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), EDITS.values(), ids=EDITS)
def test_an_edit_is_said_in_lines(old: str, new: str, expected: tuple[str, ...]) -> None:
    assert old in FILE
    assert changes(config(FILE), config(FILE.replace(old, new, 1))) == expected


def test_a_report_at_another_time_or_none_at_all_is_said() -> None:
    before, after = (FILE + f'[report]\nat = "{at}"\n' for at in ("09:00", "08:30"))
    assert changes(config(before), config(after)) == ("report: told daily 09:00 UTC -> daily 08:30 UTC",)
    gone = ("report: told daily 08:30 UTC -> none", "report: notify ops -> none")
    assert changes(config(after), config(FILE)) == gone


def test_a_rule_that_was_disabled_is_enabled_again() -> None:
    disabled = config(FILE.replace("enabled = true", "enabled = false"))
    assert changes(disabled, config(FILE)) == ("rule messages enabled",)


def test_a_rule_that_was_disabled_may_have_another_name_afterwards() -> None:
    disabled = config(FILE.replace("enabled = true", "enabled = false"))
    renamed = FILE.replace("[rules.messages]", '[rules.texts]\nrenamed_from = "messages"')
    assert changes(disabled, config(renamed)) == ("rule messages renamed to texts",)


def test_a_sub_account_with_a_table_of_its_own_is_as_an_account() -> None:
    def own(calls: int) -> Config:
        lines = f'sub_accounts = ["acme"]\n[accounts.main.sub.acme]\nbudgets = {{ calls = {calls} }}\n'
        return config(FILE.replace("budgets = { calls = 5 }", lines))

    assert changes(own(1), own(2)) == ("account main:acme: budget calls 1 -> 2",)


def test_a_secret_that_changed_is_said_to_have_and_shown_nowhere() -> None:
    exchanged = {**SECRETS, "KEY": "new-key", "URL": "https://hooks.slack.com/services/T0/B0/new"}
    assert changes(config(FILE), config(FILE, exchanged)) == (
        "account main: api_key has another value",
        "account side: api_key has another value",
        "channel ops changed",
        "channel mail changed",
    )
