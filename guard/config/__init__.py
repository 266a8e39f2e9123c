"""The rule file: from rules.toml to a Config, or to every problem with its place; pure."""

from guard.config.loading import Loaded, load
from guard.config.problem import Problem, errors_text
from guard.config.source import MOST_READ, decode
from guard.config.things import (
    AccountConfig,
    AppriseConfig,
    ChannelConfig,
    Config,
    EmailConfig,
    ReportConfig,
    Rhythm,
    Secret,
    Security,
    SlackBotConfig,
    SlackConfig,
    SubAccounts,
    TerminalConfig,
    WebhookConfig,
    recipients_of,
    secrets_of,
)
from guard.rules.complaint import Severity

__all__ = [
    "MOST_READ",
    "AccountConfig",
    "AppriseConfig",
    "ChannelConfig",
    "Config",
    "EmailConfig",
    "Loaded",
    "Problem",
    "ReportConfig",
    "Rhythm",
    "Secret",
    "Security",
    "Severity",
    "SlackBotConfig",
    "SlackConfig",
    "SubAccounts",
    "TerminalConfig",
    "WebhookConfig",
    "decode",
    "errors_text",
    "load",
    "recipients_of",
    "secrets_of",
]
