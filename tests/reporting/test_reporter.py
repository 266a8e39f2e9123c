"""From the time of telling to what people read: through the store, the outbox and a Slack on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from guard.config import Rhythm
from guard.model import Answer, DeliveryState, EventKind
from guard.reporting import Reporter
from guard.store import Poll, Unit
from tests.builders import at
from tests.outbox.desk import DOWN, OK, Desk, bench, facts, seated
from tests.stand_ins.clock import HandClock
from tests.stand_ins.slack import Answer as Said
from tests.stand_ins.slack import Drop, SlackStandIn
from tests.stand_ins.workspace import Workspace
from tests.wiring import FIVE_RULES, NUMBERS, bot, broken_store, config_with, logged

DAILY = '[report]\nevery = "daily"\nat = "09:00"\n'
GONE = Said(status=404, body="no_service")
HOURS_TO_NINE = 18 + 55 / 60  # from NOW to the next report


def seen(unit: Unit) -> None:
    """An account that was asked before any of these reports is due."""
    usage = {"numbers": {"used": 7, "limit": 12, "remaining": 5}}
    unit.record_poll(Poll("main", at(0), Answer(usage, '{"numbers":{"used":7,"limit":12,"remaining":5}}')))


@asynccontextmanager
async def office(
    path: Path, *script: Said | Drop, rules: str = NUMBERS + DAILY
) -> AsyncIterator[tuple[Desk, Reporter]]:
    async with SlackStandIn(*script) as slack, seated(path, slack, rules=rules) as it:
        await it.store.run(seen)
        yield it, Reporter(it.store, it.clock)


async def looks(it: Desk, reporter: Reporter) -> bool:
    return await reporter.look(it.parts.config)


async def test_a_report_is_told_at_its_time_once(tmp_path: Path) -> None:
    async with office(tmp_path) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE - 0.01)
        assert not await looks(it, reporter)
        it.clock.move(hours=0.02)
        assert await looks(it, reporter)
        assert reporter.due(it.parts.config) is None
        assert await it.sends() == 1
        assert not await Reporter(it.store, it.clock).look(it.parts.config)  # as after a restart
        assert await it.sends() == 0
        [post] = it.slack.shown
        assert post["text"].startswith("[report] main: all quiet")


async def test_nothing_is_told_of_a_time_before_anything_was_asked(tmp_path: Path) -> None:
    async with office(tmp_path) as (it, reporter):
        assert not await looks(it, reporter)
        assert reporter.due(it.parts.config) is None  # and nobody looks again before the next one
        assert await it.sends() == 0


async def test_without_a_report_in_the_rule_file_none_is_due(tmp_path: Path) -> None:
    async with office(tmp_path, rules=NUMBERS) as (it, reporter):
        it.clock.move(days=3)
        assert not await looks(it, reporter)


async def test_one_that_was_missed_while_the_service_was_down_is_told_at_the_start(tmp_path: Path) -> None:
    async with office(tmp_path) as (it, _):
        it.clock.move(hours=HOURS_TO_NINE + 20)
        assert await Reporter(it.store, it.clock).look(it.parts.config)
        assert await it.sends() == 1


async def test_of_many_that_a_channel_missed_only_the_newest_is_told(tmp_path: Path) -> None:
    async with office(tmp_path, DOWN, DOWN, DOWN, OK) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE)
        for _ in range(3):
            assert await looks(it, reporter)
            assert await it.sends() == 1
            it.clock.move(days=1)
        assert await looks(it, reporter)
        assert await it.sends() == 1
        [post] = it.slack.shown
        assert "2026-11-26 09:00 UTC to 2026-11-27 09:00 UTC" in facts(post)
        assert await it.deliveries(DeliveryState.PENDING, DeliveryState.DEAD) == []
        events = await it.store.run(lambda unit: unit.events(limit=20))
        assert [each.kind for each in events].count(EventKind.DELIVERED) == 1


@pytest.mark.parametrize("answer", [DOWN, GONE], ids=["out of reach", "refused"])
async def test_after_three_days_of_an_outage_a_channel_gets_one_report(tmp_path: Path, answer: Said) -> None:
    async with office(tmp_path, *[answer] * 999) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE)
        for _ in range(3 * 24):
            await looks(it, reporter)
            await it.sends()
            it.clock.move(hours=1)
        assert len(it.slack.received) >= 3 * 24
        it.slack.script.clear()
        for _ in range(24):
            await looks(it, reporter)
            await it.sends()
            it.clock.move(hours=1)
        [post] = it.slack.shown
        assert "2026-11-26 09:00 UTC to 2026-11-27 09:00 UTC" in facts(post)


async def test_a_crash_after_sending_sends_the_same_report_with_the_same_key(tmp_path: Path) -> None:
    async with SlackStandIn(Drop(after_reading=True), OK) as slack:
        async with seated(tmp_path, slack, rules=NUMBERS + DAILY) as it:
            await it.store.run(seen)
            it.clock.move(hours=HOURS_TO_NINE)
            await Reporter(it.store, it.clock).look(it.parts.config)
            assert await it.sends() == 1
        async with seated(tmp_path, slack, rules=NUMBERS + DAILY, hours=HOURS_TO_NINE + 0.1) as it:
            assert not await Reporter(it.store, it.clock).look(it.parts.config)
            assert await it.sends() == 1
            assert len(set(it.keys)) == 1
            assert len(it.keys) == 2


async def test_a_report_stays_out_of_the_digest_of_a_storm(tmp_path: Path) -> None:
    async with office(tmp_path, rules=FIVE_RULES + DAILY) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE)
        await looks(it, reporter)
        await it.sees(1)
        await it.sends()
        assert it.told == ["digest critical", "report"]
        assert "5 firing now" in it.slack.shown[1]["text"]


async def test_another_time_of_the_day_tells_no_second_report(tmp_path: Path) -> None:
    async with office(tmp_path) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE + 3)
        await looks(it, reporter)
        await it.sends()
        report = it.parts.config.report
        assert report is not None
        later = replace(it.parts.config, report=replace(report, at=time(11)))
        assert reporter.due(later) is not None
        assert not await reporter.look(later)
        earlier = replace(it.parts.config, report=replace(report, every=Rhythm.WEEKLY))
        assert not await reporter.look(earlier)


async def test_a_clock_that_goes_back_tells_no_older_report(tmp_path: Path) -> None:
    async with office(tmp_path) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE + 24)
        await looks(it, reporter)
        await it.sends()
        it.clock.move(days=-1)
        assert not await looks(it, reporter)


async def test_a_channel_that_is_newly_named_gets_the_last_report_too(tmp_path: Path) -> None:
    async with SlackStandIn() as slack, seated(tmp_path, slack, rules=NUMBERS + DAILY, names=("ops", "dev")) as it:
        await it.store.run(seen)
        it.clock.move(hours=HOURS_TO_NINE)
        report = it.parts.config.report
        assert report is not None
        reporter = Reporter(it.store, it.clock)
        assert await reporter.look(replace(it.parts.config, report=replace(report, notify=("ops",))))
        assert await it.sends("dev") == 0
        assert await reporter.look(it.parts.config)
        assert (await it.sends("ops"), await it.sends("dev")) == (1, 1)


async def test_a_database_that_fails_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with office(tmp_path) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE)
        with broken_store(tmp_path):
            assert not await looks(it, reporter)
            assert not await looks(it, reporter)
        assert [event for event, _ in logged(caplog)].count("report.storage") == 1
        assert await looks(it, reporter)


async def test_the_edit_that_takes_the_report_away_still_lets_one_arrive_that_waits(tmp_path: Path) -> None:
    async with office(tmp_path) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE)
        await looks(it, reporter)
    async with SlackStandIn() as slack, seated(tmp_path, slack, hours=HOURS_TO_NINE + 1) as it:
        assert await it.sends() == 1
        assert it.told == ["report"]


async def test_a_bot_tells_each_report_as_a_message_of_its_own_and_never_edits_it(tmp_path: Path) -> None:
    clock = HandClock()
    with Workspace(now=clock.now) as workspace:
        async with bench(config_with(bot(workspace.api_url), rules=NUMBERS + DAILY), tmp_path, clock) as it:
            await it.store.run(seen)
            reporter = Reporter(it.store, it.clock)
            clock.move(hours=HOURS_TO_NINE)
            for _ in range(2):
                await reporter.look(it.parts.config)
                await it.sends()
                await it.sees(5)
                clock.move(days=1)
                assert await it.sends() == 0
            assert [(root.mark, workspace.ops.thread(root)) for root in workspace.ops.roots] == [("report", [])] * 2


async def test_what_is_too_old_is_forgotten_with_the_reports_that_were_told_of_it(tmp_path: Path) -> None:
    async with office(tmp_path) as (it, reporter):
        it.clock.move(hours=HOURS_TO_NINE)
        await looks(it, reporter)
        await it.sends()
        it.clock.move(days=401)
        await it.store.run(lambda unit: unit.prune(it.clock.now()))
        assert await it.store.run(lambda unit: unit.notifications("")) == []
        assert await it.store.run(lambda unit: unit.incident("report-daily-2026-11-24")) is None
