"""What a good rule file says: accounts with their rules, and channels; frozen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import time, timedelta, tzinfo
from enum import StrEnum

from guard.model import Level, is_sub_account, master_name, sub_account_name
from guard.rules.policy import Policy
from guard.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Secret:
    """A value of the environment that is shown nowhere; empty when its variable is not set."""

    variable: str  # empty where the value stands in the rule file, as the address of a webhook may
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """One account that is asked, and the rules over it with this account's routes and the file's defaults applied.

    A sub-account is one too: it shares the key and all else that it does not have of its own with its master account.
    """

    name: str  # of a sub-account its master's, a colon and its id: `main:acme`
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
    former: Mapping[str, str] = field(default_factory=dict)  # from the name that a rule had before to that of now
    sub_id: str = ""  # what AgentPhone calls the sub-account; empty for a master account
    subs: "SubAccounts | None" = None  # of a master account, if they are watched


@dataclass(frozen=True, slots=True)
class SubAccounts:
    """Which sub-accounts of a master account are watched, and how each of them."""

    ids: tuple[str, ...] | None  # None: all that the master account has
    own: Mapping[str, AccountConfig]  # those with a table of their own, by id
    others: AccountConfig  # the pattern for all others: their master's, with every rule that may be theirs

    def config(self, sub_id: str) -> AccountConfig:
        """How one sub-account is watched."""
        if own := self.own.get(sub_id):
            return own
        name = sub_account_name(self.others.name, sub_id)
        rules = self.others.rules
        if not all(rule.covers(name) for rule in rules):
            rules = tuple(rule for rule in rules if rule.covers(name))
        return replace(self.others, name=name, sub_id=sub_id, subs=None, rules=rules)


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """A Slack channel by its incoming webhook."""

    name: str
    webhook_url: Secret
    mention: Mapping[Level, str]  # in Slack's own markup, such as `<!here>`
    fingerprint: str  # of all its settings, the secret included: tells a channel that was changed


@dataclass(frozen=True, slots=True)
class SlackBotConfig:
    """A Slack channel by a bot's token."""

    name: str
    token: Secret
    channel: str  # an id, or a name with its `#`
    base_url: str  # of Slack's API, ending in a slash
    mention: Mapping[Level, str]  # in Slack's own markup, such as `<!here>`
    fingerprint: str
    app_token: Secret | None = None  # with one, messages have buttons; channels with the same share a connection


class Security(StrEnum):
    """How the connection to a mail server is kept private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"  # to loopback only


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """Mail to some people, each of whom is told for themselves."""

    name: str
    host: str
    port: int
    security: Security
    username: str  # empty: no login
    password: Secret | None
    sender: str  # the key `from`: an address, or a name and an address in `<>`
    to: tuple[str, ...]  # addresses; at least one, each once
    fingerprint: str


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """A receiver of signed webhooks."""

    name: str
    url: Secret
    secret: Secret  # one or more, with spaces between: `whsec_` and base64 each
    fingerprint: str


@dataclass(frozen=True, slots=True)
class AppriseConfig:
    """A service that Apprise speaks to."""

    name: str
    url: Secret
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TerminalConfig:
    """The terminal, or whatever standard output is."""

    name: str
    fingerprint: str


ChannelConfig = SlackConfig | SlackBotConfig | EmailConfig | WebhookConfig | AppriseConfig | TerminalConfig


def recipients_of(channel: ChannelConfig) -> tuple[str, ...]:
    """Who is told by a channel, each for themselves; one without a name where it has only one."""
    return channel.to if isinstance(channel, EmailConfig) else ("",)


def secrets_of(thing: AccountConfig | ChannelConfig) -> tuple[Secret, ...]:
    """The secrets that an account or a channel needs, whether or not they are set."""
    values = (getattr(thing, each.name) for each in fields(thing))
    return tuple(value for value in values if isinstance(value, Secret))


class Rhythm(StrEnum):
    """How often a report is told."""

    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class ReportConfig:
    """When a report is told, and to whom."""

    every: Rhythm
    at: time  # on the clocks of the zone
    day: int  # of a weekly one; Monday is 0
    tz: tzinfo
    notify: tuple[str, ...]  # channels, by their names


@dataclass(frozen=True, slots=True)
class Config:
    """A rule file without errors. Secrets are empty where a variable is not set; `Loaded.missing` names those."""

    accounts: tuple[AccountConfig, ...]  # at least one, in the order of the file
    channels: Mapping[str, ChannelConfig]  # by name; at least one
    report: ReportConfig | None = None
    fallback: tuple[str, ...] = ()  # channels that are told what a failing one cannot be

    def account(self, name: str) -> AccountConfig | None:
        """How an account or sub-account of that name would be watched, listed or not; None where nothing is."""
        master = next((each for each in self.accounts if each.name == master_name(name)), None)
        if master is None or not is_sub_account(name):
            return master
        return master.subs.config(name.partition(":")[2]) if master.subs else None

    @property
    def patterns(self) -> Iterator[AccountConfig]:
        """Every way in which an account is watched, by name: `main`, `main:acme` with a table of its own, `main:*`.

        The last, of all other sub-accounts, only where rules differ there from those of their master.
        """
        for account in self.accounts:
            yield account
            if account.subs is not None:
                yield from account.subs.own.values()
                others = account.subs.others
                if (others.rules, others.disabled) != (account.rules, account.disabled):
                    yield replace(others, name=sub_account_name(account.name, "*"))

    @property
    def rule_names(self) -> tuple[str, ...]:
        """The rules that are enabled, wherever they are laid, in the order of the file on each account."""
        return tuple(dict.fromkeys(rule.name for each in self.patterns for rule in each.rules))

    @property
    def disabled(self) -> frozenset[str]:
        """The names of the other rules."""
        return frozenset().union(*(each.disabled for each in self.patterns))
