"""Rule files for the tests: a good one, and what is said about others."""

from collections.abc import Mapping

from guard.config import Config, Loaded, load

ENVIRON: Mapping[str, str] = {
    "AGENTPHONE_API_KEY": "key-of-main",
    "OTHER_API_KEY": "key-of-other",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/good",
    "SLACK_BOT_TOKEN": "xoxb-test",
    "SLACK_APP_TOKEN": "xapp-test",
    "SMTP_PASSWORD": "pass word of ümlauts",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "APPRISE_URL": "json://localhost",
    "BARE_SECRET": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "BROKEN_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8!",
    "SHORT_SECRET": "whsec_MfKQ9r8GKYqrTwjU",
    "PLAIN_URL": "http://hooks.example.com/x",
    "TWO_LINES": "one\ntwo",
}

ACCOUNT = """
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
"""
SUBS = """
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
sub_accounts = ["acme", "beta.eu"]

[accounts.main.sub.acme]
notify = ["ops"]
"""
CHANNEL = """
[channels.ops]
kind = "terminal"
"""
BOT = """
[channels.bot]
kind = "slack"
token = "${SLACK_BOT_TOKEN}"
channel = "#ops"
"""
MAIL = """
[channels.mail]
kind = "email"
host = "smtp.example.com"
from = "guard@example.com"
to = ["ops@example.com", "dev@example.com"]
"""
HOOK = """
[channels.hook]
kind = "webhook"
url = "https://example.com/guard"
secret = "${WEBHOOK_SECRET}"
"""
APPRISE = """
[channels.any]
kind = "apprise"
url = "${APPRISE_URL}"
"""
DEFAULTS = """
[defaults]
notify = ["ops"]
"""
RULE = """
[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"
"""


def read(text: str, environ: Mapping[str, str] = ENVIRON) -> Loaded:
    return load(text, path="rules.toml", secret=environ.get)


def config(text: str) -> Config:
    """The Config of a file that has neither errors nor warnings."""
    loaded = read(text)
    assert not loaded.problems, "\n".join(problem.render() for problem in loaded.problems)
    assert loaded.config is not None
    return loaded.config


def said(text: str, environ: Mapping[str, str] = ENVIRON) -> list[str]:
    """Every problem in one line, without the file's name."""
    return [str(problem).removeprefix("rules.toml:") for problem in read(text, environ).problems]
