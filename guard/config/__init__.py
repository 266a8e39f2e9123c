"""The rule file: from rules.toml to a Config, or to every problem with its place; pure."""

from guard.config.loading import Loaded, load
from guard.config.problem import Problem, errors_text
from guard.config.source import decode
from guard.config.things import AccountConfig, ChannelConfig, Config, Secret, SlackConfig, TerminalConfig
from guard.rules.complaint import Severity

__all__ = [
    "AccountConfig",
    "ChannelConfig",
    "Config",
    "Loaded",
    "Problem",
    "Secret",
    "Severity",
    "SlackConfig",
    "TerminalConfig",
    "decode",
    "errors_text",
    "load",
]
