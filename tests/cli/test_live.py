# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard check --live`: what each rule makes of an account now, asked over HTTP."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot as shown

from guard.clock import Clock
from guard.model import Answer as Usage
from guard.sandbox.scenario import Body, Fault
from guard.sandbox.server import Sandbox
from guard.store import Poll
from tests.agentphone.wire import answers, wire
from tests.cli.conftest import KEY, RULES, Done, Fill, Run
from tests.cli.test_reference import section

MORE = """
[budgets]
daily = 1_000

[rules.messages]
value = "stats.messagesLast24h / budgets.daily"
when = "stats.messagesLast24h > 10"
unit = "share"
warning = "> 80%"
critical = "> 95%"
"""
AGENTS = """
[rules.agent-minutes]
each = "agent"
value = "agent.totalSeconds / 60"
warning = "> 1_000_000"
"""
GROWTH = """
[rules.growth]
value = "increase(stats.totalMessages, 1h)"
warning = "> 100"
"""


def lead(rules: Path, url: str) -> None:
    rules.write_text(RULES.replace("https://agentphone.invalid", url))


@pytest.fixture
async def sandbox(rules: Path) -> AsyncIterator[Sandbox]:
    """A pretend AgentPhone with 4 numbers left, and a rule file that leads to it."""
    async with Sandbox(scenario="steady", key=KEY) as it:
        lead(rules, it.base_url)
        it.set({"numbers.remaining": 4, "stats.messagesLast24h": 500, "stats.totalMessages": 9000})
        yield it


def add(rules: Path, text: str) -> None:
    rules.write_text(rules.read_text() + text)


async def check(guard: Run, *argv: str) -> Done:
    """Runs the command in a thread, while the sandbox answers in this one."""
    return await asyncio.to_thread(guard, "check", "--live", *argv)


def table(done: Done) -> str:
    assert (done.code, done.err) == (0, "")
    return done.out[done.out.index("ALERT ") :]


@pytest.mark.parametrize(
    ("left", "row"),
    [
        (9, shown("main/numbers-remaining  9      ok     warning < 3, 6 away")),
        (3, shown("main/numbers-remaining  3      ok     warning < 3, on its edge")),
        (2, shown("main/numbers-remaining  2      warning  critical < 2, on its edge")),
        (1, shown("main/numbers-remaining  1      critical")),
    ],
)
async def test_each_value_is_shown_with_its_level_and_how_far_the_next_one_is(
    guard: Run, sandbox: Sandbox, left: int, row: str
) -> None:
    sandbox.set({"numbers.remaining": left})
    assert table(await check(guard)).splitlines()[-1] == row


async def test_units_and_conditions(guard: Run, sandbox: Sandbox, rules: Path) -> None:
    add(rules, MORE)
    assert table(await check(guard)) == shown("""\
ALERT                   VALUE  LEVEL  NEXT
main/numbers-remaining  4      ok     warning < 3, 1 away
main/messages           50 %   ok     warning > 80 %, 30 % away
""")
    sandbox.set({"stats.messagesLast24h": 5})
    assert table(await check(guard)).splitlines()[-1] == shown(
        "main/messages           0.5 %  ok     does not apply: stats.messagesLast24h > 10 is false"
    )


async def test_a_value_that_is_not_known(guard: Run, sandbox: Sandbox, rules: Path) -> None:
    add(rules, '\n[rules.faxes]\nvalue = "plan.limits.faxes"\nwarning = "> 80"\n')
    assert table(await check(guard)).splitlines()[-1] == shown(
        "main/faxes                     unknown  plan.limits.faxes is missing"
    )


async def test_what_looks_back_needs_the_history_of_the_database(
    guard: Run, sandbox: Sandbox, rules: Path, fill: Fill
) -> None:
    add(rules, GROWTH)
    assert table(await check(guard)).splitlines()[-1] == shown(
        "main/growth                    unknown  needs history: too short a history for increase(stats.totalMessages, 1h)"
    )
    hour_ago = Clock().now() - timedelta(hours=1, seconds=1)
    answer = Usage({"stats": {"totalMessages": 8950}}, '{"stats":{"totalMessages":8950}}')
    fill(lambda unit: unit.record_poll(Poll("main", hour_ago, answer)))
    assert table(await check(guard)).splitlines()[-1] == shown(
        "main/growth             50     ok     warning > 100, 50 away"
    )


async def test_an_account_that_cannot_be_asked_is_shown_with_the_reason(
    guard: Run, sandbox: Sandbox, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(rules, '\n[accounts.other]\napi_key = "${OTHER_KEY}"\n')
    add(rules, f'\n[accounts.third]\napi_key = "${{THIRD_KEY}}"\nbase_url = "{sandbox.base_url}"\n')
    monkeypatch.setenv("THIRD_KEY", "a-key-that-is-refused")
    done = await check(guard)
    assert done.code == 0
    assert done.out.splitlines()[-5:] == shown(
        [
            "ALERT                   VALUE  LEVEL  NEXT",
            "main/numbers-remaining  4      ok     warning < 3, 1 away",
            "",
            "other: not asked: OTHER_KEY is not set in the environment",
            "third: the API refused the key: 401 Unauthorized: Missing or invalid API key",
        ]
    )


async def test_where_no_account_answers_there_is_no_table(guard: Run, rules: Path) -> None:
    lead(rules, "http://127.0.0.1:9")
    done = await check(guard)
    assert (done.code, done.out.partition("good")[2].splitlines()[1:]) == shown(
        (0, ["", "main: connection refused by 127.0.0.1:9"])
    )


async def test_a_report_that_is_too_old(guard: Run, rules: Path) -> None:
    body = b'{"numbers": {"remaining": 1}, "reportGeneratedAt": "2026-11-23T13:00:00Z"}'
    async with wire(answers(body, headers=("Date: Mon, 23 Nov 2026 13:15:01 GMT",))) as api:
        lead(rules, api.url)
        assert (await check(guard)).out.splitlines()[-1] == shown(
            "main: the report is 15 min 1 s old, older than stale_after (15 min)"
        )


async def test_a_rule_for_each_agent_without_agents(guard: Run, sandbox: Sandbox, rules: Path) -> None:
    add(rules, AGENTS)
    sandbox.fault(Fault(path="/v1/usage/by-agent", status=200, body=Body.NONE))
    done = await check(guard)
    assert (done.code, done.out.splitlines()[-1], done.err) == shown(
        (0, "main/agent-minutes: no answer shows any agent", "")
    )


async def test_a_sibling_endpoint_that_fails_costs_only_itself(guard: Run, sandbox: Sandbox, rules: Path) -> None:
    add(rules, '\n[rules.today]\nvalue = "today.messages"\nwarning = "> 80"\nfor = "5m"\n')
    sandbox.fault(Fault(path="/v1/usage/daily"))
    done = await check(guard)
    assert (done.code, done.out.splitlines()[-4:], done.err) == shown(
        (
            0,
            [
                "main/numbers-remaining  4      ok       warning < 3, 1 away",
                "main/today                     unknown  today.messages is missing",
                "",
                "main: endpoint daily: the API answered 503 Service Unavailable: Service Unavailable",
            ],
            "",
        )
    )


async def test_a_file_with_errors_asks_nobody(guard: Run, sandbox: Sandbox, rules: Path) -> None:
    add(rules, "[rules.x]\n")
    done = await check(guard)
    assert (done.code, sandbox.requests) == (78, 0)
    assert "ALERT" not in done.out


async def test_for_machines(guard: Run, sandbox: Sandbox, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: datetime(2026, 11, 23, 14, 5, tzinfo=UTC))
    add(rules, GROWTH)
    done = await check(guard, "--format", "json")
    assert json.loads(done.out)["live"] == shown(
        [
            {
                "account": "main",
                "asked_at": "2026-11-23T14:05:00Z",
                "failures": [],
                "alerts": [
                    {
                        "alert": "main/numbers-remaining",
                        "rule": "numbers-remaining",
                        "subject": "",
                        "value": 4.0,
                        "unit": "count",
                        "applies": True,
                        "level": None,
                        "unknown": None,
                        "needs_history": False,
                        "next": {"level": "warning", "operator": "<", "bound": 3.0},
                    },
                    {
                        "alert": "main/growth",
                        "rule": "growth",
                        "subject": "",
                        "value": None,
                        "unit": "",
                        "applies": True,
                        "level": None,
                        "unknown": "too short a history for increase(stats.totalMessages, 1h)",
                        "needs_history": True,
                        "next": None,
                    },
                ],
            }
        ]
    )


async def test_each_agent_has_a_row(guard: Run, sandbox: Sandbox, rules: Path) -> None:
    add(rules, AGENTS)
    rows = [line.split() for line in table(await check(guard)).splitlines()[-3:]]
    assert [(row[0], row[2]) for row in rows] == [(f"main/agent-minutes/agt_{number}", "ok") for number in (1, 2, 3)]


async def test_every_key_of_the_document_is_named(guard: Run, sandbox: Sandbox) -> None:
    live = json.loads((await check(guard, "--format", "json")).out)["live"]
    keys = set(re.findall(r'^ *"([a-z_]+)":', json.dumps(live, indent=1), re.MULTILINE))
    assert {"next", "bound"} <= keys <= set(re.findall(r"`([a-z_]+)`", section("check")))
