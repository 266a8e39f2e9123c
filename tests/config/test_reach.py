"""Which accounts a rule is laid over."""

import pytest

from guard.config import AccountConfig, Config
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, RULE, config, said

OTHER = ACCOUNT.replace("main", "other").replace("AGENTPHONE_API_KEY", "OTHER_API_KEY")
ALL = ACCOUNT + 'sub_accounts = "all"\n'
LISTED = ACCOUNT + 'sub_accounts = ["acme", "beta"]\n[accounts.main.sub.acme]\nbudgets = { few = 2 }\n'
BUDGET = RULE.replace("< 3", "< budgets.few").replace("< 2", "< 1")


def over(accounts: str, *, file: str = ALL + OTHER) -> Config:
    return config(file + CHANNEL + DEFAULTS + RULE + f"accounts = {accounts}\n")


def names(account: AccountConfig) -> list[str]:
    return [rule.name for rule in account.rules]


@pytest.mark.parametrize(
    ("accounts", "main", "acme", "other"),
    [
        ('["main"]', True, False, False),
        ('["main:acme"]', False, True, False),
        ('["main:*"]', False, True, False),
        ('["*:*"]', False, True, False),
        ('["main", "main:*"]', True, True, False),
        ('["main*"]', True, True, False),
        ('["m?in:a*"]', False, True, False),
        ('["*"]', True, True, True),
        ('["main:beta", "other"]', False, False, True),
    ],
)
def test_a_rule_is_laid_over_the_accounts_that_it_names(accounts: str, *, main: bool, acme: bool, other: bool) -> None:
    first, second = over(accounts).accounts
    assert first.subs is not None
    assert [bool(names(each)) for each in (first, first.subs.config("acme"), second)] == [main, acme, other]


def test_a_sub_account_with_a_table_of_its_own_is_named_like_any_other() -> None:
    (account,) = over('["main:acme"]', file=LISTED).accounts
    assert account.subs is not None
    assert [names(each) for each in (account, account.subs.config("acme"), account.subs.config("beta"))] == [
        [],
        ["numbers-remaining"],
        [],
    ]


@pytest.mark.parametrize("glob", ["main:*", "main:acme", "*:acme", "m*me", "*", "main:?", "main*"])
def test_where_all_sub_accounts_are_watched_any_may_be_named(glob: str) -> None:
    assert said(ALL + OTHER + CHANNEL + DEFAULTS + RULE + f'accounts = ["main", "{glob}"]\n') == []


@pytest.mark.parametrize("glob", ["other:*", "main:a:b", "other:acme", "x*", "*x:acme", "main:*:*"])
def test_what_no_account_can_be_called_is_told(glob: str) -> None:
    text = ALL + OTHER + CHANNEL + DEFAULTS + RULE
    (found,) = said(text + f'accounts = ["{glob}", "main"]\n')
    assert f"account is called {glob!r}" in found
    assert "warning" in found


def test_accounts_that_cannot_be_read_are_not_called_unknown() -> None:
    text = ACCOUNT + OTHER.replace("api_key", "key") + CHANNEL + DEFAULTS + RULE + 'accounts = ["other", "nobody"]\n'
    assert not [line for line in said(text) if "nobody" in line]


def test_a_disabled_rule_is_disabled_where_it_would_be_laid() -> None:
    first, second = config(
        ACCOUNT + OTHER + CHANNEL + DEFAULTS + RULE + 'accounts = ["main"]\nenabled = false\n'
    ).accounts
    assert (sorted(first.disabled), sorted(second.disabled)) == (["numbers-remaining"], [])


# --- budgets -------------------------------------------------------------------------------------------------------


def test_only_the_accounts_that_a_rule_reaches_need_the_budgets_that_it_reads() -> None:
    accounts = ACCOUNT + "budgets = { few = 3 }\n" + OTHER
    assert said(accounts + CHANNEL + DEFAULTS + BUDGET + 'accounts = ["main"]\n') == []
    assert said(LISTED + CHANNEL + DEFAULTS + BUDGET + 'accounts = ["main:acme"]\n') == []


@pytest.mark.parametrize(
    ("accounts", "lacking"),
    [('["main"]', "main"), ('["main:beta"]', "main"), ('["main:*"]', "main"), ('["*"]', "main")],
)
def test_an_account_without_a_budget_is_told_once(accounts: str, lacking: str) -> None:
    text = LISTED + CHANNEL + DEFAULTS + BUDGET + f"accounts = {accounts}\n"
    assert [line.partition("error: ")[2] for line in said(text)] == [f"account '{lacking}' has no budgets.few"]


def test_a_sub_account_that_alone_is_reached_and_lacks_a_budget_is_named() -> None:
    accounts = LISTED.replace("few", "many") + OTHER + "budgets = { few = 1 }\n"
    found = said(accounts + CHANNEL + DEFAULTS + BUDGET + 'accounts = ["main:acme", "other"]\n')
    assert [line.partition("error: ")[2] for line in found] == ["account 'main:acme' has no budgets.few"]


# --- each, labels, renamed_from --------------------------------------------------------------------------------------


def test_labels_are_kept_and_decide_nothing() -> None:
    (plain,), (labelled,) = (
        config(ACCOUNT + CHANNEL + DEFAULTS + RULE + more).accounts
        for more in ("", 'labels = { team = "voice", env = "prod" }\nrenamed_from = "low"\naccounts = ["main"]\n')
    )
    assert labelled.rules[0].policy.labels == {"team": "voice", "env": "prod"}
    assert labelled.rules[0].renamed_from == "low"
    assert labelled.rules[0].policy.fingerprint == plain.rules[0].policy.fingerprint


def test_one_alert_for_each_is_another_rule() -> None:
    rule = RULE.replace("numbers.remaining", "number.calls")
    (whole,), (each,) = (
        config(ACCOUNT + CHANNEL + DEFAULTS + given).accounts for given in (RULE, rule + 'each = "number"\n')
    )
    assert (whole.rules[0].each, each.rules[0].each) == (None, "number")
    assert whole.rules[0].policy.fingerprint != each.rules[0].policy.fingerprint


# --- what a file holds in all ----------------------------------------------------------------------------------------


def test_a_rule_for_sub_accounts_only_is_one_of_the_files_rules() -> None:
    off = RULE.replace("numbers-", "off-") + 'accounts = ["main:*"]\nenabled = false\n'
    found = config(ALL + CHANNEL + DEFAULTS + RULE.replace("numbers-", "own-") + RULE + 'accounts = ["main:*"]\n' + off)
    assert [(each.name, names(each)) for each in found.patterns] == [
        ("main", ["own-remaining"]),
        ("main:*", ["own-remaining", "numbers-remaining"]),
    ]
    assert (*found.rule_names, *found.disabled) == ("own-remaining", "numbers-remaining", "off-remaining")


def test_sub_accounts_with_a_table_of_their_own_are_a_pattern_each_and_all_alike_are_none() -> None:
    found = config(LISTED + OTHER + CHANNEL + DEFAULTS + RULE)
    assert [each.name for each in found.patterns] == ["main", "main:acme", "other"]
