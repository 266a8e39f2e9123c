"""From the text of a rule file to its Config, or to every problem with its place."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final

from guard.config.accounts import AccountDraft, read_account
from guard.config.advice import advise_on_channels, advise_on_fallback, advise_on_rules, advise_on_windows
from guard.config.budgets import read_budgets
from guard.config.channels import read_channel
from guard.config.document import Document, TooManyError
from guard.config.keys import DEFAULTS, TOP
from guard.config.laying import Defaults, Laying
from guard.config.problem import Problem
from guard.config.quiet import QuietDraft, read_window
from guard.config.reach import check_accounts
from guard.config.report import read_report
from guard.config.routes import read_fallback, read_notify, read_remind
from guard.config.rules import Draft, read_rule
from guard.config.table import Table, Variables
from guard.config.things import ChannelConfig, Config, ReportConfig
from guard.model import Level
from guard.rules.complaint import Severity, hint

MOST_ACCOUNTS: Final = 10_000
MOST_CHANNELS: Final = 100
MOST_RULES: Final = 1_000
MOST_WINDOWS: Final = 100
MOST_PAIRS: Final = 100_000
"""Of an account, or a sub-account with a table of its own, and a rule; all other sub-accounts cost nothing here."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a rule file: a Config, unless there was an error."""

    config: Config | None
    problems: tuple[Problem, ...] = ()  # errors and warnings, in the order of their places
    missing: tuple[str, ...] = ()  # variables that are asked for and not set, each once


def load(text: str, *, path: str, secret: Callable[[str], str | None]) -> Loaded:
    """Reads a rule file; never raises for any text.

    `path` is what problems call the file. `secret` gives the value of a variable of the environment, None where it is
    not set; what it raises as ConfigError becomes a problem.
    """
    document = Document(text, path=path)
    reader = _Reader(document, Variables(secret))
    config = None
    if document.values or not document.has_errors:
        with suppress(TooManyError):
            config = reader.config()
    problems = sorted(dict.fromkeys(document.problems), key=lambda problem: (problem.line, problem.column))
    return Loaded(None if document.has_errors else config, tuple(problems), tuple(reader.variables.missing))


class _Reader:
    """Reads one document from top to bottom. All its methods raise TooManyError when enough errors are known."""

    def __init__(self, document: Document, variables: Variables) -> None:
        self._document = document
        self._top = Table(document, (), document.values)
        self._secrets = Table(document, (), document.values, variables=variables)
        self.variables = variables

    def config(self) -> Config:
        self._top.check_keys(TOP)
        budgets = self._budgets()
        channels = self._channels()
        defaults = self._defaults()
        accounts = self._accounts(self._names("channels"), budgets)
        windows = self._windows()
        drafts = self._rules({*budgets, *self._document.lost, *_budget_names(accounts)})
        tables = len(accounts) + sum(len(account.subs.own) for account in accounts if account.subs)
        if tables * len(drafts) > MOST_PAIRS:
            self._top.wrong("rules", f"{len(drafts):,} rules over {tables:,} accounts are too many together")
            return Config((), {})
        check_accounts([draft.table for draft in drafts], accounts)
        laying = Laying(drafts, defaults=defaults, channels=channels, windows=windows)
        report = self._report(accounts, channels, defaults)
        config = Config(tuple(laying.over(account) for account in accounts), channels, report, defaults.fallback)
        advise_on_rules(drafts, accounts=accounts, hold=defaults.hold)
        advise_on_channels(self._top)
        advise_on_fallback(self._top, config)
        advise_on_windows(self._top)
        return config

    def _budgets(self) -> Mapping[str, float]:
        table = self._top.table("budgets", such_as="[budgets]")
        return read_budgets(table) if table else {}

    def _channels(self) -> dict[str, ChannelConfig]:
        tables = self._tables(self._secrets, "channels", most=MOST_CHANNELS, example="[channels.ops]")
        if "channels" not in self._top:
            self._document.miss((), 'no channel: write [channels.ops] with kind = "slack", so that somebody is told')
        return {table.name: channel for table in tables if (channel := read_channel(table))}

    def _defaults(self) -> Defaults:
        table = self._top.table("defaults", such_as="[defaults]")
        if table is None:
            return Defaults()
        table.check_keys(DEFAULTS, where=" under [defaults]")
        channels = self._names("channels")
        hold = table.duration("for") or timedelta()
        return Defaults(read_notify(table, channels), read_remind(table), hold, read_fallback(table, channels))

    def _accounts(self, channels: frozenset[str], budgets: Mapping[str, float]) -> list[AccountDraft]:
        tables = self._tables(self._secrets, "accounts", most=MOST_ACCOUNTS, example="[accounts.main]")
        if "accounts" not in self._top:
            self._document.miss((), "no account: write [accounts.main] with an api_key, so that something is watched")
        read = (read_account(table, channels=channels, budgets=budgets) for table in tables)
        return [account for account in read if account]

    def _rules(self, budgets: set[str]) -> list[Draft]:
        tables = self._tables(self._top, "rules", most=MOST_RULES, example="[rules.numbers-remaining]")
        if (
            "rules" not in self._top
            and not self._document.lost
            and not any(hint(key, ("rules",)) for key in self._top.values)
        ):
            text = "no rule: only missing data will be told of"
            self._document.complain((), text, severity=Severity.WARNING)
        named = {"channels": self._names("channels"), "windows": self._names("quiet")}
        return [draft for table in tables if (draft := read_rule(table, budgets=budgets, **named))]

    def _report(
        self, accounts: Sequence[AccountDraft], channels: Iterable[str], defaults: Defaults
    ) -> ReportConfig | None:
        table = self._top.table("report", such_as="[report]")
        if table is None:
            return None
        told = (defaults.notify or {}).get(Level.INFO) or tuple(channels)
        tz = accounts[0].tz if accounts else UTC
        return read_report(table, self._names("channels"), tz=tz, notify=told)

    def _windows(self) -> dict[str, QuietDraft]:
        tables = self._tables(self._top, "quiet", most=MOST_WINDOWS, example="[quiet.nights]", noun="quiet windows")
        return {table.name: read_window(table) for table in tables}

    def _names(self, key: str) -> frozenset[str]:
        """The names of the tables under a key, whether or not they are right, or can be read."""
        value = self._top.values.get(key)
        names = frozenset(value) if isinstance(value, dict) else frozenset()
        return names - self._document.made_up | self._document.lost

    def _tables(self, top: Table, key: str, *, most: int, example: str, noun: str = "") -> list[Table]:
        """The named tables under a key, of which many are called `noun`; none where there are too many."""
        noun = noun or key
        outer = top.table(key, such_as=example)
        if outer is None:
            return []
        if not outer.values:
            self._document.miss(outer.path, f"[{key}] is empty; write {example}")
        if len(outer.values) > most:
            top.wrong(key, f"{len(outer.values):,} {noun} are too many; there may be {most:,}")
            return []
        flat = [name for name, value in outer.values.items() if not isinstance(value, dict | list)]
        if flat:
            text = f"[{key}] holds one table for each {noun.removesuffix('s')}; head these lines {example}"
            self._document.complain((*outer.path, flat[0]), text, on_key=True)
        names = (name for name in outer.values if name not in flat)
        return [table for name in names if (table := self._named(outer, name, example))]

    def _named(self, outer: Table, name: str, example: str) -> Table | None:
        if not _NAME.fullmatch(name):
            reserved = "names that begin with guard. are built in" if name.startswith("guard.") else ""
            text = reserved or f"a name is at most 64 letters, digits, - and _, as in {example}"
            self._document.complain((*outer.path, name), text, on_key=True)
            return None
        return outer.table(name, such_as=example)


def _budget_names(accounts: Iterable[AccountDraft]) -> Iterator[str]:
    """The budgets that some account or sub-account has."""
    for account in accounts:
        yield from account.budgets
        for sub in account.subs.own if account.subs else ():
            yield from sub.budgets
