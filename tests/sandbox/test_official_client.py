"""AgentPhone's own Python clients read every usage answer of the sandbox, and understand its refusals."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import agentphone  # type: ignore[import-untyped]  # it ships no types
import pytest

from guard.sandbox.account import MASTER
from guard.sandbox.agents import PERIODS
from guard.sandbox.fields import USAGE
from guard.sandbox.scenario import Fault
from guard.sandbox.scenario_file import load_scenario
from guard.sandbox.statement import Statement
from tests.sandbox.caller import KEY, Caller, Start
from tests.sandbox.telling import days, told

SUB = "birch"
PASSED = timedelta(minutes=9)


@dataclass
class Official:
    """One of the two clients, asked in the same way."""

    client: Any

    async def ask(self, resource: str, method: str, **options: Any) -> Any:
        found = getattr(getattr(self.client, resource), method)
        if isinstance(self.client, agentphone.AsyncAgentPhone):
            return await found(**options)
        return await asyncio.to_thread(found, **options)

    def act_for(self, sub: str) -> None:
        """From now on every request is a sub-account's."""
        if sub != MASTER:
            held = "_client" if isinstance(self.client, agentphone.AsyncAgentPhone) else "_session"
            getattr(self.client, held).headers["X-Sub-Account-Id"] = sub

    async def close(self) -> None:
        closed = self.client.close()
        if closed is not None:
            await closed


@pytest.fixture
async def caller(start: Start) -> Caller:
    """The agency, some minutes after its start."""
    found = await start("agency")
    found.clock.at += PASSED
    return found


@pytest.fixture(params=[agentphone.AgentPhone, agentphone.AsyncAgentPhone], ids=["sync", "async"])
async def official(
    caller: Caller, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Official]:
    monkeypatch.setenv("NO_PROXY", "*")  # both would ask a proxy of the environment for loopback too
    found = Official(request.param(api_key=KEY, base_url=caller.sandbox.base_url))
    yield found
    await found.close()


@pytest.fixture(params=[MASTER, SUB], ids=["master", "sub-account"])
def shown(official: Official, request: pytest.FixtureRequest) -> Statement:
    """What the sandbox shows to the account that is asked for."""
    official.act_for(request.param)
    return told(load_scenario("agency"), PASSED, account=request.param)


async def test_usage(official: Official, shown: Statement) -> None:
    read = await official.ask("usage", "get")
    assert (read.numbers.used, read.numbers.remaining, read.numbers.limit) == tuple(shown.numbers.values())
    stats = {name.removeprefix("stats."): value for name, value in shown.stats.items()}
    assert (read.stats.total_messages, read.stats.total_calls) == (stats["totalMessages"], stats["totalCalls"])
    assert read.stats.messages_last_24h == stats["messagesLast24h"]
    assert read.stats.messages_last_7d == stats["messagesLast7d"]
    assert read.stats.messages_last_30d == stats["messagesLast30d"]
    assert read.stats.calls_last_24h == stats["callsLast24h"]
    assert read.stats.calls_last_7d == stats["callsLast7d"]
    assert read.stats.calls_last_30d == stats["callsLast30d"]
    assert read.stats.total_webhook_deliveries == stats["totalWebhookDeliveries"]
    assert read.stats.successful_webhook_deliveries == stats["successfulWebhookDeliveries"]
    assert read.stats.failed_webhook_deliveries == stats["failedWebhookDeliveries"]
    assert read.stats.sms_segments_last_30d == stats["smsSegmentsLast30d"]
    assert (read.period_start, read.period_end) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert read.report_generated_at == "2026-11-23T14:14:00Z"


@pytest.mark.parametrize("options", [{}, {"days": 7}], ids=["as it asks by itself", "a week"])
async def test_days(official: Official, shown: Statement, options: dict[str, int]) -> None:
    read = await official.ask("usage", "get_daily", **options)
    assert read.days == len(read.data) == options.get("days", 30)
    for noun in ("messages", "calls", "webhooks"):
        assert [getattr(row, noun) for row in read.data] == days(shown, read.days, noun)
    assert read.data[-1].date == "2026-11-23"


@pytest.mark.parametrize("options", [{}, {"months": 2}], ids=["as it asks by itself", "two months"])
async def test_months(official: Official, shown: Statement, options: dict[str, int]) -> None:
    read = await official.ask("usage", "get_monthly", **options)
    assert read.months == len(read.data) == options.get("months", 6)
    assert read.data[-1].month == "2026-11"
    for noun in ("messages", "calls", "webhooks"):
        assert getattr(read.data[-1], noun) == sum(days(shown, 23, noun))


async def test_numbers(official: Official, shown: Statement) -> None:
    read = await official.ask("usage", "get_by_number")
    assert len(read) == shown.numbers["numbers.used"]
    assert sum(row["messages"] for row in read) == shown.stats["stats.totalMessages"]
    assert sum(row["calls"] for row in read) == shown.stats["stats.totalCalls"]


@pytest.mark.parametrize("period", PERIODS)
async def test_agents(official: Official, shown: Statement, period: str) -> None:
    read = await official.ask("usage", "get_by_agent", period=period)
    assert read["period"] == period
    begun = {"week": 1, "month": 23, "year": 327}[period]  # so many days ago, on a Monday the 23rd
    assert sum(row["messages"] for row in read["data"]) == sum(days(shown, begun))


@pytest.mark.parametrize("options", [{}, {"hours": 1}], ids=["as it asks by itself", "an hour"])
async def test_webhook_deliveries(official: Official, shown: Statement, options: dict[str, int]) -> None:
    read = await official.ask("webhooks", "get_delivery_stats", **options)
    since_s = shown.at_s - options.get("hours", 24) * 3600
    assert read.success == shown.successful.total - shown.successful.count(since_s)
    assert read.failed == shown.failed.total - shown.failed.count(since_s)
    assert (read.total, read.pending) == (read.success + read.failed, 0)
    assert 0 <= read.success_rate <= 100
    assert sum(row["total"] for row in read.by_hour) == read.total
    assert sum(row["total"] for row in read.by_event_type.values()) == read.total


async def test_sub_accounts(official: Official) -> None:
    read = await official.ask("sub_accounts", "list")
    assert [row["id"] for row in read] == ["acme", "birch", "cedar", "dune", "elm"]
    assert read[1]["name"] == "Birch & Sons"
    assert await official.ask("sub_accounts", "list", limit=2, offset=3) == read[3:5]


async def test_refusals(official: Official, caller: Caller) -> None:
    with pytest.raises(agentphone.AgentPhoneError, match="API error 422"):
        await official.ask("usage", "get_daily", days=0)
    official.act_for("nobody")
    with pytest.raises(agentphone.NotFoundError, match="no such sub-account"):
        await official.ask("usage", "get")
    for status, kind in ((401, agentphone.AuthenticationError), (429, agentphone.RateLimitError)):
        caller.sandbox.fault(Fault(path=USAGE, status=status))
        with pytest.raises(kind):
            await official.ask("usage", "get")
