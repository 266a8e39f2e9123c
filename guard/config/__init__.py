"""The rule file: from rules.toml to a Config, or to every problem with its place; pure."""

from guard.config.loading import Loaded, load
from guard.config.problem import Problem, errors_text
from guard.config.source import decode
from guard.config.things import (
    AccountConfig,
    ChannelConfig,
    Config,
    EmailConfig,
    Secret,
    Security,
    SlackBotConfig,
    SlackConfig,
    SubAccounts,
    TerminalConfig,
    recipients_of,
    secrets_of,
)
from guard.rules.complaint import Severity

__all__ = [
    "AccountConfig",
    "ChannelConfig",
    "Config",
    "EmailConfig",
    "Loaded",
    "Problem",
    "Secret",
    "Security",
    "Severity",
    "SlackBotConfig",
    "SlackConfig",
    "SubAccounts",
    "TerminalConfig",
    "decode",
    "errors_text",
    "load",
    "recipients_of",
    "secrets_of",
]
