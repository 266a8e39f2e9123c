"""Which sibling endpoints a cycle asks, when, and what becomes of what they say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from guard.agentphone import UsageClient
from guard.config import Config
from guard.cycle import Cycles, recall
from guard.errors import StorageError
from guard.lifecycle.decide import Decision
from guard.model import NO_DATA, Answer, Each, Endpoint, Failure, FailureKind, Level, Reason
from guard.parts import Parts
from guard.sandbox.scenario import Fault
from guard.sandbox.server import Sandbox
from guard.siblings import needed, snapshots
from guard.store import Poll
from tests.builders import MINUTE, NOW
from tests.stand_ins.clock import HandClock
from tests.wiring import API_KEY, NUMBERS, broken_store, config, logged, only, opened

DAILY = '[rules.today]\nvalue = "today.messages"\nwarning = "> 1"\n'
FOUR = """
[rules.month]
value = "month.messages"
warning = "> 10 * agents.messages"
summary = "{webhooks.failed} failed"

[rules.number]
value = "number.messages"
each = "number"
warning = "> 1"
"""
SIBLINGS = {each for each in Endpoint if each is not Endpoint.USAGE}
DAILY_DOWN = Fault(path="/v1/usage/daily", status=503)


@dataclass
class Watching:
    """One account whose siblings are those of a sandbox, and what was asked."""

    setting: Config
    parts: Parts
    clock: HandClock
    sandbox: Sandbox
    asked: list[Endpoint] = field(default_factory=list)
    cycles: Cycles = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Remembers nothing any more, as after a restart."""
        asked, real = self.asked, self.parts.families[0].client

        class Counting(UsageClient):
            def __init__(self) -> None: ...

            async def usage(self, *, now: datetime, sub_id: str = "") -> Answer | Failure:
                return await real.usage(now=now, sub_id=sub_id)

            async def sibling(self, endpoint: Endpoint, *, now: datetime, sub_id: str = "") -> Answer | Failure:
                asked.append(endpoint)
                return await real.sibling(endpoint, now=now, sub_id=sub_id)

        self.cycles = Cycles(only(self.setting), Counting(), self.parts.store, self.clock)

    async def cycle(self, *, minutes: float = 1, ask: bool = True) -> list[Endpoint]:
        """One more cycle, and which siblings were asked in it."""
        self.clock.move(minutes=minutes)
        self.asked.clear()
        await self.cycles.run(ask=ask, jitter=1)
        return sorted(self.asked)

    async def decided(self, *, minutes: float = 1) -> Decision:
        self.clock.move(minutes=minutes)
        return await self.cycles.run(ask=True, jitter=1)

    async def polls(self, endpoint: Endpoint = Endpoint.DAILY) -> list[Poll]:
        """The polls of one sibling, newest first."""
        return await self.parts.store.run(lambda unit: unit.polls("main", count=100, endpoint=endpoint))


@asynccontextmanager
async def watching(path: Path, *, rules: str = DAILY, account: str = "", at: datetime = NOW) -> AsyncIterator[Watching]:
    clock = HandClock(at)
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox:
        setting = config(rules=rules, api=sandbox.base_url, account=account)
        async with opened(setting, path, clock=clock) as parts:
            yield Watching(setting, parts, clock, sandbox)


# --- which -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "endpoints"),
    [
        (NUMBERS, set()),
        (DAILY, {Endpoint.DAILY}),
        (FOUR, SIBLINGS),
        (
            DAILY.replace("today.messages", "stats.messagesLast24h").replace("> 1", "> agents.calls"),
            {Endpoint.BY_AGENT},
        ),
        (NUMBERS + 'when = "month.elapsed > 50%"\n', {Endpoint.DAILY}),
        (NUMBERS + 'clear = "> webhooks.total"\n', {Endpoint.WEBHOOKS}),
        (NUMBERS + 'description = "{agents.totalSeconds:duration}"\n', {Endpoint.BY_AGENT}),
    ],
)
def test_a_sibling_is_needed_where_a_rule_or_its_text_reads_what_it_says(rules: str, endpoints: set[Endpoint]) -> None:
    assert needed(only(config(rules=rules)).rules) == endpoints


@pytest.mark.parametrize(("each", "endpoint"), [(Each.NUMBER, Endpoint.BY_NUMBER), (Each.AGENT, Endpoint.BY_AGENT)])
def test_a_rule_for_each_subject_needs_the_listing(each: Each, endpoint: Endpoint) -> None:
    (rule,) = only(config()).rules
    assert needed([replace(rule, each=each)]) == {endpoint}


async def test_an_account_whose_rules_need_none_asks_none(tmp_path: Path) -> None:
    async with watching(tmp_path, rules=NUMBERS) as it:
        assert await it.cycle() == []
        assert it.sandbox.requests == 1


# --- when ------------------------------------------------------------------------------------------------------------


async def test_a_sibling_is_asked_every_five_minutes(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        assert [len(await it.cycle()) for _ in range(12)] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
        assert [poll.at for poll in await it.polls()] == [NOW + minutes * MINUTE for minutes in (11, 6, 1)]


async def test_a_cycle_that_came_a_little_late_puts_nothing_off(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        assert [len(await it.cycle(minutes=minutes)) for minutes in (1.05, 4.95, 5)] == [1, 1, 1]


async def test_one_that_failed_is_asked_again_a_minute_later(tmp_path: Path) -> None:
    async with watching(tmp_path, account='every = "20s"') as it:
        it.sandbox.fault(DAILY_DOWN)
        assert [len(await it.cycle(minutes=1 / 3)) for _ in range(7)] == [1, 0, 0, 1, 0, 0, 1]


async def test_one_that_asks_to_be_left_alone_is(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        it.sandbox.fault(Fault(path="/v1/usage/daily", status=429, retry_after="180"))
        assert [len(await it.cycle()) for _ in range(5)] == [1, 0, 0, 1, 0]


async def test_none_is_asked_where_usage_gives_no_good_answer_or_is_left_alone(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        it.sandbox.fault(Fault(status=500))
        assert await it.cycle() == []
        it.sandbox.clear()
        assert await it.cycle(ask=False) == []
        assert await it.cycle() == [Endpoint.DAILY]


async def test_all_that_are_due_are_asked_at_once(tmp_path: Path) -> None:
    async with watching(tmp_path, rules=FOUR) as it:
        met = asyncio.Barrier(len(SIBLINGS))
        real = it.cycles.client.sibling

        async def sibling(endpoint: Endpoint, **named: Any) -> Answer | Failure:
            await asyncio.wait_for(met.wait(), timeout=10)
            return await real(endpoint, **named)

        it.cycles.client.sibling = sibling  # type: ignore[method-assign] # each waits for the others
        assert set(await it.cycle()) == SIBLINGS


async def test_at_midnight_the_day_is_asked_anew(tmp_path: Path) -> None:
    async with watching(tmp_path, at=datetime.fromisoformat("2026-11-30T23:57:00Z")) as it:
        assert [len(await it.cycle()) for _ in range(5)] == [1, 0, 1, 0, 0]


async def test_a_clock_that_went_back_does_not_stop_the_asking(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        assert [len(await it.cycle(minutes=minutes)) for minutes in (1, -180, 1)] == [1, 1, 0]


# --- what becomes of it ----------------------------------------------------------------------------------------------


async def test_polls_are_stored_by_endpoint_in_the_cycles_own_transaction(tmp_path: Path) -> None:
    async with watching(tmp_path, rules=FOUR) as it:
        await it.cycle()
        for endpoint in SIBLINGS:
            (poll,) = await it.polls(endpoint)
            assert isinstance(poll.outcome, Answer)
            assert poll.at == it.clock.now()
        assert it.cycles.account.good_at == it.clock.now()


async def test_a_rule_reads_what_a_sibling_said(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        (alert,) = (await it.decided()).alerts
        assert alert.level is Level.WARNING
        assert alert.reading is not None
        assert alert.reading.summary.startswith("today.messages is ")


async def test_a_sibling_that_fails_costs_only_itself_and_its_last_answer_holds_until_stale_after(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "guard")
    async with watching(tmp_path, rules=NUMBERS + DAILY, account='stale_after = "7m"') as it:
        await it.decided()
        it.sandbox.fault(DAILY_DOWN)
        unknown = []
        for _ in range(24):
            decision = await it.decided()
            assert (decision.account.lost, decision.account.failures) == (False, 0)
            unknown.append([alert.unknown_why for alert in decision.alerts if alert.key.rule == "today"])
        assert unknown[:8] == [[""]] * 7 + [["today.messages is missing"]]
        told = (await it.parts.store.run(lambda unit: unit.events(limit=1)))[0]
        assert (told.key.rule, told.level) == (NO_DATA, Level.WARNING)
        it.sandbox.clear()
        await it.decided()
        events = [event for event, _ in logged(caplog) if event.startswith("sibling.")]
        assert events == ["sibling.failed"] * 20 + ["sibling.recovered"]


async def test_a_restart_asks_nothing_sooner_and_knows_what_was_said(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        await it.cycle()
        it.begin()
        assert await it.cycle(minutes=4) == []
        assert all(not alert.unknown for alert in (await it.cycles.remember()).alerts.values())
        assert await it.cycle(minutes=1) == [Endpoint.DAILY]
        it.sandbox.fault(DAILY_DOWN)
        assert await it.cycle(minutes=5) == [Endpoint.DAILY]
        it.begin()
        assert await it.cycle(minutes=0.5) == []


async def test_what_could_not_be_committed_is_not_asked_again_and_written_with_the_next_cycle(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        await it.cycle()
        it.clock.move(minutes=5)
        with broken_store(tmp_path), pytest.raises(StorageError):
            await it.cycles.run(ask=True, jitter=1)
        asked_at = it.clock.now()
        assert await it.cycle() == []
        assert [poll.at for poll in await it.polls()] == [asked_at, NOW + MINUTE]


async def test_nothing_but_usage_is_asked_while_it_is_not_known_when_siblings_were(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        with broken_store(tmp_path), pytest.raises(StorageError):
            await it.cycle()
        assert (it.asked, it.sandbox.requests) == ([], 1)


async def test_stored_snapshots_say_what_each_endpoint_answered_at_that_very_instant(tmp_path: Path) -> None:
    rules = '[rules.fresh]\nvalue = "increase(number.messages, 1h)"\neach = "number"\nwarning = "> 100000"\n'
    async with watching(tmp_path, rules=rules) as it:
        for _ in range(7):
            await it.cycle()
        failed = Poll("main", NOW + 7.5 * MINUTE, Failure(FailureKind.SERVER, "the API answered 503"))
        await it.parts.store.run(lambda unit: unit.record_poll(failed))
        since = dict.fromkeys((Endpoint.USAGE, Endpoint.BY_NUMBER), NOW + 3 * MINUTE)
        found = await it.parts.store.run(lambda unit: list(snapshots(unit, only(it.setting), since=since)))
        assert [each.at for each in found] == [NOW + minutes * MINUTE for minutes in range(3, 8)]
        listed = [False, False, False, True, False]
        assert [Each.NUMBER in each.subjects for each in found] == listed
        assert [Endpoint.BY_NUMBER in each.fresh for each in found] == listed
        assert {name for fields in found[3].subjects[Each.NUMBER].values() for name in fields} == {"number.messages"}
        memory = await it.parts.store.run(lambda unit: recall(unit, only(it.setting), now=it.clock.now()))
        assert memory.account == it.cycles.account


async def test_another_rule_file_asks_what_it_needs(tmp_path: Path) -> None:
    async with watching(tmp_path, rules=NUMBERS) as it:
        assert await it.cycle() == []
        async with it.cycles.writing():
            it.cycles.adopt(only(config(rules=DAILY, api=it.sandbox.base_url)), it.cycles.client)
        assert await it.cycle() == [Endpoint.DAILY]


# --- the end of a day and of a month ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "at"),
    [
        (DAILY, "2026-11-23T23:58:00Z"),
        (DAILY.replace("today", "month"), "2026-11-30T23:58:00Z"),
        (DAILY.replace("today", "agents"), "2026-11-30T23:58:00Z"),
    ],
)
async def test_what_begins_anew_at_midnight_ends_for_that_reason(tmp_path: Path, rules: str, at: str) -> None:
    async with watching(tmp_path, rules=rules.replace("> 1", "> 20"), at=datetime.fromisoformat(at)) as it:
        (fired,) = (await it.decided()).incidents
        ended = [incident for _ in range(2) for incident in (await it.decided()).incidents]
        assert [(each.id, each.reason) for each in ended] == [(fired.id, Reason.NEW_PERIOD)]
