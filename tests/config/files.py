"""Rule files for the tests: a good one, and what is said about others."""

from collections.abc import Mapping

from guard.config import Config, Loaded, load

ENVIRON: Mapping[str, str] = {
    "AGENTPHONE_API_KEY": "key-of-main",
    "OTHER_API_KEY": "key-of-other",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/good",
    "PLAIN_URL": "http://hooks.example.com/x",
}

ACCOUNT = """
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
"""
CHANNEL = """
[channels.ops]
kind = "terminal"
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
