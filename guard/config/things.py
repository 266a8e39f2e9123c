"""What a good rule file says: accounts with their rules, and channels; frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo

from guard.model import Level
from guard.rules.policy import Policy
from guard.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Secret:
    """A value of the environment that is shown nowhere; empty when its variable is not set."""

    variable: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """One account that is asked, and the rules over it with this account's routes and the file's defaults applied."""

    name: str
    api_key: Secret
    base_url: str  # https, or http to loopback; without a slash at its end
    every: timedelta  # at least a second
    stale_after: timedelta  # an older report is no good answer
    no_data_after: timedelta  # at least `every`
    tz: tzinfo
    budgets: Mapping[str, float]  # the file's, and this account's own before them; finite, from 0
    rules: tuple[Rule, ...]  # the enabled ones, in the order of the file
    disabled: frozenset[str]  # names of the others
    no_data: Policy


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """A Slack channel by its incoming webhook."""

    name: str
    webhook_url: Secret
    mention: Mapping[Level, str]  # in Slack's own markup, such as `<!here>`
    fingerprint: str  # of all its settings, the secret included: tells a channel that was changed


@dataclass(frozen=True, slots=True)
class TerminalConfig:
    """The terminal, or whatever standard output is."""

    name: str
    fingerprint: str


ChannelConfig = SlackConfig | TerminalConfig


@dataclass(frozen=True, slots=True)
class Config:
    """A rule file without errors. Secrets are empty where a variable is not set; `Loaded.missing` names those."""

    accounts: tuple[AccountConfig, ...]  # at least one, in the order of the file
    channels: Mapping[str, ChannelConfig]  # by name; at least one
