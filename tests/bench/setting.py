"""What the guard is run on in a benchmark: a rule file, an environment, and a database with an hour of history."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from guard.agentphone.reply import read_answer
from guard.clock import Clock
from guard.config import Config, load
from guard.model import Answer, sub_account_name
from guard.store import Poll, Store, Unit
from tests.bench.answers import encoded, sub_ids, usage
from tests.bench.server import HISTORY

TEN_RULES: Final = """
[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"
summary = "{numbers.remaining} of {numbers.limit} phone numbers left"

[rules.messages-over-budget]
value = "stats.messagesLast24h"
warning = "> 80% * budgets.messages_per_day"
critical = "> budgets.messages_per_day"
clear = "< 70% * budgets.messages_per_day"

[rules.calls-over-budget]
value = "stats.callsLast24h"
warning = "> budgets.calls_per_day"

[rules.messages-in-an-hour]
value = "increase(stats.totalMessages, 1h)"
warning = "> 500000"

[rules.calls-in-an-hour]
value = "increase(stats.totalCalls, 1h)"
warning = "> 500000"

[rules.failures-in-an-hour]
value = "increase(stats.failedWebhookDeliveries, 1h)"
warning = "> 500"

[rules.webhook-failures]
value = "increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h)"
when = "increase(stats.totalWebhookDeliveries, 1h) >= 20"
unit = "share"
warning = "> 5%"
critical = "> 20%"
for = "10m"

[rules.calls-a-message]
value = "stats.callsLast24h / stats.messagesLast24h"
when = "stats.messagesLast24h >= 20"
warning = "> 90%"

[rules.plan]
value = "stats.messagesLast30d / plan.limits.messagesPerMonth"
unit = "share"
warning = "> 80%"
critical = "> 95%"

[rules.much-to-do]
value = "stats.messagesLast7d"
info = "> 50_000"
"""

ONE_RULE: Final = TEN_RULES[: TEN_RULES.index("[rules.messages-over-budget]")]

WEBHOOK: Final = """
[channels.ops]
kind = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"
"""
_SECRETS: Final = {"AGENTPHONE_API_KEY": "key-of-the-bench", "SLACK_BOT_TOKEN": "xoxb-token-of-the-bench"}


def rule_file(*, api: str, every: str = "1m", account: str = "", channel: str = WEBHOOK, rules: str = ONE_RULE) -> str:
    """The text of a rule file with one account and one channel; `account` holds more lines of the account's table."""
    return f"""
[accounts.main]
api_key = "${{AGENTPHONE_API_KEY}}"
base_url = "{api}"
every = "{every}"
{account}
{channel}
[budgets]
messages_per_day = 1_000
calls_per_day = 1_000

[defaults]
notify = ["ops"]
{rules}"""


def bot(slack: str) -> str:
    """The table of a Slack channel by a bot's token; `slack` is where Slack is."""
    return f"""
[channels.ops]
kind = "slack"
token = "${{SLACK_BOT_TOKEN}}"
channel = "C0123456789"
base_url = "{slack}/"
"""


def environ(path: Path, rules: str, *, slack: str = "http://127.0.0.1:9") -> dict[str, str]:
    """The environment of a process that runs on a rule file, which is written, and on a database, both in `path`.

    Its status page takes any free port.
    """
    (path / "rules.toml").write_text(rules, encoding="utf-8")
    outer = {name: value for name, value in os.environ.items() if not name.startswith("GUARD_")}
    return (
        outer
        | _secrets(slack)
        | {
            "GUARD_RULES": str(path / "rules.toml"),
            "GUARD_DATABASE": str(database(path)),
            "GUARD_LISTEN": "127.0.0.1:0",
        }
    )


def database(path: Path) -> Path:
    """Where the database of a benchmark is that works in `path`."""
    return path / "guard.db"


def config(rules: str) -> Config:
    """What the text of a rule file says."""
    loaded = load(rules, path="rules.toml", secret=_secrets("http://127.0.0.1:9").get)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


def _secrets(slack: str) -> dict[str, str]:
    return _SECRETS | {"SLACK_WEBHOOK_URL": f"{slack}/services/T0/B0/path"}


def answer(polls: int) -> Answer:
    """An answer of the API, as the client reads it."""
    read = read_answer({}, encoded(usage(polls)), key=_SECRETS["AGENTPHONE_API_KEY"])
    assert isinstance(read, Answer), read
    return read


async def fill(path: Path, *, sub_accounts: int) -> None:
    """Makes a database in which so many sub-accounts were polled once a minute for an hour, until now."""
    store = await Store.open(database(path), create=True)
    try:
        answers, now = [answer(polls) for polls in range(HISTORY)], Clock().now()
        for sub_id in sub_ids(sub_accounts):
            await store.run(partial(_record, account=sub_account_name("main", sub_id), answers=answers, now=now))
    finally:
        await store.close()


def _record(unit: Unit, *, account: str, answers: Sequence[Answer], now: datetime) -> None:
    for minutes, each in zip(range(len(answers), 0, -1), answers, strict=True):
        unit.record_poll(Poll(account, now - timedelta(minutes=minutes), each))
