"""What the shell's tests put together: rule files, their parts, and a store that can be broken."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.config import AccountConfig, Config, load
from guard.model import AlertKey, Event, EventKind
from guard.parts import Parts, open_parts
from guard.store import Store
from tests.stand_ins.workspace_state import TOKEN

API_KEY: Final = "key-of-the-tests"
NUMBERS: Final = """
[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"
summary = "{numbers.remaining} phone numbers left"
"""
FIVE_RULES: Final = "".join(NUMBERS.replace("numbers-remaining", f"numbers-{n}") for n in range(5))
NOWHERE: Final = "http://127.0.0.1:9"


def rule_file(*, api: str, names: Sequence[str], rules: str = NUMBERS, account: str = "") -> str:
    """A rule file: one account `main`, with more lines in `account`, and Slack channels by these names."""
    text = f'[accounts.main]\napi_key = "${{API_KEY}}"\nbase_url = "{api}"\n{account}\n'
    for number, name in enumerate(names):
        text += f'[channels.{name}]\nkind = "slack"\nwebhook_url = "${{URL_{number}}}"\n'
    return text + f'[defaults]\nnotify = {list(names)}\nremind = {{ critical = "4h" }}\n{rules}'


def config(
    *, rules: str = NUMBERS, api: str = NOWHERE, channels: Mapping[str, str] | None = None, account: str = ""
) -> Config:
    """The Config of such a rule file; `channels` are the webhooks' addresses by name."""
    named = channels or {"ops": f"{NOWHERE}/services/T0/B0/x"}
    environ = {"API_KEY": API_KEY, **{f"URL_{number}": url for number, url in enumerate(named.values())}}
    text = rule_file(api=api, names=list(named), rules=rules, account=account)
    loaded = load(text, path="rules.toml", secret=environ.get)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


def bot(api_url: str, *, channel: str = "#ops") -> str:
    """The table of a Slack channel by the token of the stand-in workspace's bot."""
    lines = f'token = "${{TOKEN}}"\nchannel = "{channel}"\nbase_url = "{api_url}"\n'
    return f'[channels.ops]\nkind = "slack"\n{lines}mention = {{ critical = "<!here>" }}\n'


def mail(port: int, *to: str) -> str:
    """The table of a channel that mails through a server on loopback."""
    lines = f'host = "localhost"\nport = {port}\nsecurity = "none"\nfrom = "guard@example.com"\n'
    return f'[channels.mail]\nkind = "email"\n{lines}to = {json.dumps(to)}\n'


def config_with(
    *channels: str, rules: str = NUMBERS, api: str = NOWHERE, account: str = "", defaults: str = ""
) -> Config:
    """The Config of a rule file with one account `main` and these tables of channels, which are all notified."""
    text = f'[accounts.main]\napi_key = "${{API_KEY}}"\nbase_url = "{api}"\n{account}\n' + "".join(channels)
    text += f'[defaults]\nremind = {{ critical = "4h", warning = "off" }}\n{defaults}\n'
    names = [name for name in ("ops", "mail") if any(f"[channels.{name}]" in each for each in channels)]
    text += f"notify = {json.dumps(names)}\n{rules}"
    loaded = load(text, path="rules.toml", secret={"API_KEY": API_KEY, "TOKEN": TOKEN}.get)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


def asked_every(config: Config, every: timedelta) -> Config:
    """The Config with accounts that are asked more often than a rule file may say."""
    return replace(config, accounts=tuple(replace(account, every=every) for account in config.accounts))


def opened(
    config: Config, path: Path, *, clock: Clock | None = None, heartbeat_url: str | None = None
) -> AbstractAsyncContextManager[Parts]:
    """The open parts of a Config, with the database in the directory `path`."""
    return open_parts(
        config,
        database=str(path / "guard.db"),
        read_secret=lambda _: None,
        clock=clock or Clock(),
        heartbeat_url=heartbeat_url,
    )


def only(config: Config) -> AccountConfig:
    (account,) = config.accounts
    return account


def through(parts: Parts, **clients: UsageClient) -> Parts:
    """The parts with these clients instead of the accounts' own, by account."""
    families = (replace(each, client=clients.get(each.name, each.client)) for each in parts.families)
    return replace(parts, families=tuple(families))


@contextmanager
def broken_store(path: Path) -> Iterator[None]:
    """Within, no transaction on the database in the directory `path` succeeds: its file has another name."""
    database, away = path / "guard.db", path / "guard.db.away"
    database.rename(away)
    try:
        yield
    finally:
        away.rename(database)


async def events(store: Store, *, key: AlertKey | None = None) -> list[Event]:
    """All events, or those of one alert, oldest first."""
    found: list[Event] = await store.run(lambda unit: unit.events(limit=10_000, key=key))
    return found[::-1]


async def kinds(store: Store, *, key: AlertKey | None = None) -> list[EventKind]:
    return [event.kind for event in await events(store, key=key)]


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, object]]]:
    """The name and the fields of each event in the log."""
    return [(record.event, record.fields) for record in caplog.records if record.name == "guard"]  # type: ignore[attr-defined] # what Log adds
