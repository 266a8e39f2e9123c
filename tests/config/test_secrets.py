"""A secret is asked for by its variable, and shown nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.config import EmailConfig, Loaded, SlackBotConfig, SlackConfig, load
from guard.errors import ConfigError
from tests.config.files import ACCOUNT, BOT, CHANNEL, DEFAULTS, ENVIRON, MAIL, RULE, SUBS, read, said

CANARY = "cAnArY-7f3a9c"
SLACK = """
[channels.ops]
kind = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"
"""


def everything(loaded: Loaded) -> str:
    """All that anyone may print of it."""
    return repr(loaded) + "".join(f"{problem.render()}{problem.as_dict()}" for problem in loaded.problems)


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "CANARY"',
        "api_key = 'CANARY'",
        "api_key = CANARY",
        'api_key "CANARY"',
        'api_key: "CANARY"',
        'api_key = "CANARY',
        'api_key = """\nCANARY\n"""',
        'api_key = """\nCANARY\n',
        "api_key = '''\n\nCANARY",
        'api_key = ["CANARY"]',
        'api_key = { value = "CANARY" }',
        'api_key = "Bearer ${CANARY_} CANARY"',
        '"api_key" = "CANARY"',
        'apikey = "CANARY"',
        'apikey = "CANARY',
        'API-KEY = "CANARY"',
        "key = CANARY",
        'secret = "CANARY"',
        'token = "CANARY"',
        'token = ["CANARY"]',
        'bot_token = "CANARY"',
        'channel = "xoxb-CANARY"',
        'app_token = "CANARY"',
        'password = "CANARY"',
        "password = CANARY",
        'password = "${CANARY_} CANARY"',
        'pass = "CANARY"',
        'host = "smtp://me:CANARY@smtp.example.com"',
        'sub.acme.api_key = "CANARY"',
        'routing_key = "CANARY"',
        'webhook_url = "CANARY"',
        'slack.hook = "https://hooks.slack.com/services/CANARY"',
        'credentials = "CANARY"',
        'anything = "CANARY"',
        'budgets = { api_key = "CANARY" }',
        'base_url = "https://me:CANARY@api.agentphone.ai"',
        'base_url = "https://CANARY@api.agentphone.ai"',
        'notify = ["https://hooks.slack.com/services/CANARY"]',
        'every = "xoxb-CANARY"',
        'tz = "sk_live_CANARY"',
        'every = "whsec_a+b/CANARY="',
        'notify = ["tgram://CANARY/1"]',
        'url = "json://localhost/CANARY"',
        'every = "Bearer CANARY"',
        'every = "1m" x # CANARY',
        'base_url = "http://example.com/?token=CANARY"',
        'base_url = "https://example.com/#CANARY"',
    ],
)
@pytest.mark.parametrize("table", ["[accounts.main]", "[channels.ops]", "[account.main]", "[accounts]"])
def test_a_secret_that_was_written_down_is_refused_and_not_repeated(table: str, line: str) -> None:
    loaded = read(f"{table}\n{line.replace('CANARY', CANARY)}\n{RULE}")
    assert loaded.config is None
    assert CANARY not in everything(loaded)


@pytest.mark.parametrize("slip", ["to#ken = ", 'to = "#ken" = ', "to = ken = ", "api_key = {}#", "api_key = []# "])
def test_a_secret_is_not_repeated_after_a_slip(slip: str) -> None:
    loaded = read(f'[accounts.main]\n{slip}"{CANARY}"\n{CHANNEL}{DEFAULTS}{RULE}')
    assert loaded.config is None
    assert CANARY not in everything(loaded)


@given(st.sampled_from(["api_key", "token", "webhook_url"]), st.integers(0, 60), st.text('="\n{}[]#\\ x', max_size=3))
def test_a_secret_is_not_repeated_however_the_file_is_damaged(key: str, at: int, damage: str) -> None:
    text = f'[accounts.main]\nevery = "1m"\n{key} = "{CANARY}"\n{CHANNEL}{DEFAULTS}{RULE}'
    assert CANARY not in everything(read(text[:at] + damage + text[at:]))


@pytest.mark.parametrize(
    "line",
    [
        'slack_url = "https://example.com/CANARY"',
        'address = "CANARY"',
        'runbook = "http:///?key=CANARY"',
        'warning = "< 3" x # CANARY',
        'warning = "< 3" x # CANARY = "CANARY"',
    ],
)
@pytest.mark.parametrize("table", ["[rules.a]", "[rules.a b]", "[rules.ä]\n[rules.ä]", "[defaults]", "[defaults"])
def test_a_secret_in_a_rule_is_not_repeated(table: str, line: str) -> None:
    loaded = read(f"{ACCOUNT}{CHANNEL}{table}\n{line.replace('CANARY', CANARY)}\nevry = 1\n")
    assert loaded.config is None
    assert CANARY not in everything(loaded)


def test_a_level_whose_key_is_cut_short_can_be_read() -> None:
    assert 'warn = "< 3"' in everything(read(f'{ACCOUNT}{CHANNEL}{DEFAULTS}{RULE}warn = "< 3"\n'))
    assert CANARY not in everything(read(f'{ACCOUNT}warn = "{CANARY}"\n{CHANNEL}{DEFAULTS}{RULE}'))


@pytest.mark.parametrize("header", ["[accounts.a b]", "[accounts.ä]", "[channels.a", "[channels.ops]"])
@pytest.mark.parametrize("line", ['anything = "CANARY"', "CANARY"])
def test_a_secret_below_a_header_that_cannot_be_read_is_not_repeated(header: str, line: str) -> None:
    assert CANARY not in everything(read(f"{CHANNEL}{header}\n{line.replace('CANARY', CANARY)}\n{RULE}"))


def test_a_secret_behind_a_bracket_that_is_none_of_a_header_is_not_repeated() -> None:
    assert CANARY not in everything(read(f'[accounts.main]\n[api_key = "{CANARY}"\n{CHANNEL}{DEFAULTS}{RULE}'))


def test_what_stands_beside_a_secret_is_shown() -> None:
    text = f'[accounts.main]\napi_key = "{CANARY}" # from the vault\n'
    (found, *_) = (problem for problem in read(text).problems if problem.line == 2)
    assert found.source_line.startswith('api_key = "*')
    assert found.source_line.count("*") >= len(CANARY)


def test_the_name_of_a_variable_is_shown() -> None:
    (found,) = read(ACCOUNT + CHANNEL + DEFAULTS + RULE, {}).problems
    assert 'api_key = "${AGENTPHONE_API_KEY}"' in found.render()


def test_values_of_the_environment_are_shown_nowhere() -> None:
    environ = {"AGENTPHONE_API_KEY": f"sp aces {CANARY}", "SLACK_WEBHOOK_URL": f"ftp://{CANARY}", "TZ_NAME": CANARY}
    extra = 'tz = "${TZ_NAME}"\nevery = "${TZ_NAME}"\nbase_url = "${TZ_NAME}"\n'
    loaded = read(ACCOUNT + extra + SLACK + 'kind = "${TZ_NAME}"\n' + DEFAULTS + RULE, environ)
    assert CANARY not in everything(loaded)
    loaded = read(ACCOUNT + extra + SLACK + DEFAULTS + RULE, environ)
    assert CANARY not in everything(loaded)
    assert [problem.text for problem in loaded.problems] == [
        "the value of AGENTPHONE_API_KEY holds spaces, or characters that no api_key has",
        "tz: the value of TZ_NAME is no time zone; write one such as America/New_York",
        "every: the value of TZ_NAME is not a duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d",
        "the value of TZ_NAME is not a web address; write one such as https://example.com",
        "the value of SLACK_WEBHOOK_URL does not begin with https://",
    ]


LOGIN = 'username = "me"\npassword = "${SMTP_PASSWORD}"\n'


@pytest.mark.parametrize(
    "token", [f"xapp-{CANARY}", f"https://hooks.slack.com/{CANARY}", CANARY, f"xoxp-{CANARY}", f"{CANARY}\n"]
)
def test_the_value_of_a_token_is_shown_nowhere(token: str) -> None:
    environ = {**ENVIRON, "SLACK_BOT_TOKEN": token, "CHANNEL": f"#{CANARY}"}
    loaded = read(ACCOUNT + BOT.replace("#ops", "${CHANNEL}") + DEFAULTS.replace("ops", "bot") + RULE, environ)
    assert len(loaded.problems) == 2
    assert CANARY not in everything(loaded)


def test_the_values_of_a_mail_servers_settings_are_shown_nowhere() -> None:
    environ = {**ENVIRON, "SMTP_PASSWORD": f"{CANARY}\n", "MAIL": f"{CANARY} x@{CANARY}.org"}
    asked = {'"smtp.example.com"': '"${MAIL}"', '"guard@example.com"': '"${MAIL}"', '"me"': '"${MAIL}"'}
    mail = MAIL + 'port = "${MAIL}"\nsecurity = "${MAIL}"\n' + LOGIN
    for old, new in asked.items():
        mail = mail.replace(old, new, 1)
    loaded = read(ACCOUNT + CHANNEL + mail + DEFAULTS + RULE, environ)
    assert sorted(problem.text for problem in loaded.problems) == [
        "port: the value of MAIL is not a whole number from 1 to 65,535",
        "security is starttls, tls or none, and not the value of MAIL",
        "the value of MAIL is no mail address; write one such as ops@example.com",
        "the value of MAIL is not the name of a mail server; write one such as smtp.example.com",
        "the value of SMTP_PASSWORD holds line breaks, or other characters that cannot be typed",
    ]
    assert CANARY not in everything(loaded)


def test_which_sub_accounts_are_watched_may_come_from_the_environment() -> None:
    text = ACCOUNT + 'sub_accounts = "${SUBS}"\n' + CHANNEL + DEFAULTS + RULE
    loaded = read(text, {**ENVIRON, "SUBS": "all"})
    assert loaded.config is not None
    assert loaded.config.accounts[0].subs is not None
    loaded = read(text, {**ENVIRON, "SUBS": CANARY})
    assert [problem.text for problem in loaded.problems] == [
        'sub_accounts is "all", or a list of ids such as ["acme"], and not the value of SUBS'
    ]
    assert CANARY not in everything(loaded)


def test_a_bots_token_and_a_password_are_read_and_not_shown() -> None:
    loaded = read(SUBS + CHANNEL + BOT + MAIL + LOGIN + DEFAULTS + RULE)
    assert loaded.config is not None
    bot, mail = loaded.config.channels["bot"], loaded.config.channels["mail"]
    assert isinstance(bot, SlackBotConfig)
    assert isinstance(mail, EmailConfig)
    assert mail.password is not None
    assert (bot.token.value, mail.password.value) == (ENVIRON["SLACK_BOT_TOKEN"], ENVIRON["SMTP_PASSWORD"])
    assert not any(value in everything(loaded) for value in ENVIRON.values())


def test_good_secrets_are_read_and_not_shown() -> None:
    loaded = read(ACCOUNT + SLACK + DEFAULTS + RULE)
    assert loaded.config is not None
    (account,) = loaded.config.accounts
    channel = loaded.config.channels["ops"]
    assert isinstance(channel, SlackConfig)
    assert (account.api_key.value, channel.webhook_url.value) == ("key-of-main", ENVIRON["SLACK_WEBHOOK_URL"])
    assert not any(value in everything(loaded) for value in ENVIRON.values())


def test_variables_that_are_not_set_are_warnings_and_are_named() -> None:
    loaded = read(ACCOUNT + SLACK + ACCOUNT.replace("main", "other") + DEFAULTS + RULE, {})
    assert loaded.config is not None
    assert sorted(loaded.missing) == ["AGENTPHONE_API_KEY", "SLACK_WEBHOOK_URL"]
    assert [(problem.line, problem.column, problem.severity.value) for problem in loaded.problems] == [
        (3, 11, "warning"),
        (7, 15, "warning"),
        (10, 11, "warning"),
    ]
    assert loaded.config.accounts[0].api_key.value == ""


def test_any_key_of_an_account_may_come_from_the_environment() -> None:
    text = ACCOUNT + 'base_url = "${BASE}"\nevery = "${EVERY}"\n' + CHANNEL + DEFAULTS + RULE
    loaded = read(text, {**ENVIRON, "BASE": "http://127.0.0.1:8000/", "EVERY": "2m"})
    assert loaded.config is not None
    (account,) = loaded.config.accounts
    assert (account.base_url, account.every.total_seconds()) == ("http://127.0.0.1:8000", 120)


def test_elsewhere_a_dollar_is_a_dollar() -> None:
    loaded = read(ACCOUNT + CHANNEL + DEFAULTS + RULE + 'summary = "${{HOME}}"\n')
    assert loaded.config is not None
    assert loaded.config.accounts[0].rules[0].summary.parts == ("$", "{", "HOME", "}")


def test_a_secret_that_cannot_be_read_is_an_error_at_its_place() -> None:
    def secret(name: str) -> str:
        raise ConfigError(f"{name}_FILE: /run/key: cannot be read: Permission denied")

    loaded = load(ACCOUNT + CHANNEL + DEFAULTS + RULE, path="rules.toml", secret=secret)
    assert [str(problem) for problem in loaded.problems] == [
        "rules.toml:3:11: error: AGENTPHONE_API_KEY_FILE: /run/key: cannot be read: Permission denied"
    ]


@pytest.mark.parametrize("key", ["api_key", "webhook_url", "password"])
def test_a_secret_in_a_table_below_is_masked_too(key: str) -> None:
    assert CANARY not in "".join(said(f'[channels.ops.more]\n{key} = "{CANARY}"\n{RULE}'))


def test_the_value_of_a_misspelled_key_is_shown_unless_a_secret_is_meant() -> None:
    rules = '[rules.a]\nvalue = "numbers.used"\nwarnign = "< 3"\ncritical = "< 2"\n'
    shown = everything(read(f'[accounts.main]\nevry = "90s"\napi_kye = "{CANARY}"\n{CHANNEL}{DEFAULTS}{rules}'))
    assert 'evry = "90s"' in shown
    assert 'warnign = "< 3"' in shown
    assert CANARY not in shown
