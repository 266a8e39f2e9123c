"""Whole cycles against an API over HTTP and a real database."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guard.cycle import log_decision
from guard.errors import StorageError
from guard.lifecycle.decide import Decision
from guard.model import (
    NO_DATA,
    Account,
    Alert,
    AlertKey,
    Event,
    EventKind,
    Failure,
    FailureKind,
    Level,
    Notification,
    Reason,
    State,
)
from guard.parts import Parts
from guard.sandbox.scenario import Fault
from guard.sandbox.server import Sandbox
from guard.store import Poll
from tests.agentphone.wire import Script, answers, says, wire
from tests.builders import KEY, MINUTE, NOW
from tests.stand_ins.clock import HandClock
from tests.wiring import API_KEY, NUMBERS, broken_store, config, kinds, logged, opened

UNAVAILABLE = Fault(status=503)
LOST = AlertKey("main", NO_DATA)
FIRED, RESOLVED = EventKind.FIRED, EventKind.RESOLVED


@dataclass
class Stored:
    """All that a cycle writes; events and polls newest first."""

    accounts: dict[str, Account]
    alerts: dict[AlertKey, Alert]
    notifications: list[Notification]
    events: list[Event]
    polls: list[Poll]


@dataclass
class Asking:
    """One account, asked when the test says so."""

    parts: Parts
    clock: HandClock

    async def cycle(self, *, minutes: float = 0, ask: bool = True, every: timedelta | None = None) -> Decision:
        self.clock.move(minutes=minutes)
        (family,) = self.parts.families
        return await family.master.run(ask=ask, jitter=1, every=every)

    async def stored(self) -> Stored:
        return await self.parts.store.run(
            lambda unit: Stored(
                unit.accounts(),
                unit.alerts(),
                unit.notifications(),
                unit.events(limit=100),
                unit.polls("main", count=100),
            )
        )


@dataclass
class Playing(Asking):
    """The same, with a sandbox that shows what the test wants to be seen."""

    sandbox: Sandbox

    async def sees(self, left: int, *, minutes: float = 1) -> Decision:
        self.sandbox.clear()
        self.sandbox.set({"numbers.remaining": left})
        return await self.cycle(minutes=minutes)

    async def fails(self, fault: Fault = UNAVAILABLE, *, minutes: float = 1) -> Decision:
        self.sandbox.fault(fault)
        return await self.cycle(minutes=minutes)


@asynccontextmanager
async def asking(path: Path, url: str, *, rules: str = NUMBERS, account: str = "") -> AsyncIterator[Asking]:
    clock = HandClock()
    async with opened(config(rules=rules, api=url, account=account), path, clock=clock) as parts:
        yield Asking(parts, clock)


@asynccontextmanager
async def playing(path: Path, *, rules: str = NUMBERS, account: str = "") -> AsyncIterator[Playing]:
    clock = HandClock()
    async with (
        Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox,
        opened(config(rules=rules, api=sandbox.base_url, account=account), path, clock=clock) as parts,
    ):
        yield Playing(parts, clock, sandbox)


def kinds_of(decision: Decision, key: AlertKey = KEY) -> list[EventKind]:
    return [event.kind for event in decision.events if event.key == key]


# --- one transaction -----------------------------------------------------------------------------------------------


async def test_a_cycle_commits_what_it_saw_and_what_it_decided(tmp_path: Path) -> None:
    async with playing(tmp_path) as it:
        decision = await it.sees(1, minutes=0)
        assert kinds_of(decision) == [FIRED]
        stored = await it.stored()
        assert stored.accounts == {"main": decision.account}
        assert [(each.at, each.outcome, each.age) for each in stored.polls] == [
            (NOW, stored.polls[0].outcome, timedelta())
        ]
        assert '"remaining":1' in getattr(stored.polls[0].outcome, "text", "")
        assert (stored.events, stored.notifications) == (list(decision.events), list(decision.notifications))
        assert [each.desired and each.desired.level for each in stored.notifications] == [Level.CRITICAL]
        assert stored.alerts == {each.key: each for each in decision.alerts}
        assert stored.alerts[KEY].incident == decision.incidents[0]


async def test_the_end_of_an_incident_is_committed_with_its_reason(tmp_path: Path) -> None:
    async with playing(tmp_path) as it:
        (open_,) = (await it.sees(1)).incidents
        (ended,) = (await it.sees(5)).incidents
        assert ended == replace(open_, ended_at=it.clock.now(), reason=Reason.RECOVERED)
        assert await it.parts.store.run(lambda unit: unit.incident(open_.id)) == ended


async def test_a_failed_poll_is_kept_too(tmp_path: Path) -> None:
    async with playing(tmp_path) as it:
        await it.fails(Fault(status=500))
        (poll,) = (await it.stored()).polls
        assert poll.outcome == Failure(
            FailureKind.SERVER, "the API answered 500 Internal Server Error: Internal Server Error"
        )


@pytest.mark.parametrize("table", ["answer", "poll", "account", "incident", "alert", "event", "notification"])
async def test_a_write_that_fails_leaves_nothing_of_the_whole_cycle(tmp_path: Path, table: str) -> None:
    def execute(sql: str) -> Any:
        return lambda unit: unit._connection.exec_driver_sql(sql)

    async with playing(tmp_path) as it:
        before = await it.stored()
        await it.parts.store.run(
            execute(f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END")
        )
        with pytest.raises(StorageError, match="broken on purpose"):
            await it.sees(1)
        assert await it.stored() == before
        await it.parts.store.run(execute("DROP TRIGGER no"))
        assert kinds_of(await it.sees(1)) == [FIRED]


async def test_a_database_that_is_gone_is_an_error_and_the_next_cycle_decides(tmp_path: Path) -> None:
    async with playing(tmp_path) as it:
        with broken_store(tmp_path), pytest.raises(StorageError):
            await it.sees(1)
        assert kinds_of(await it.sees(1)) == [FIRED]


# --- no data -------------------------------------------------------------------------------------------------------


async def test_a_report_older_than_stale_after_is_no_good_answer(tmp_path: Path) -> None:
    body = {"numbers": {"remaining": 1}, "reportGeneratedAt": "2026-11-23T13:00:00Z"}
    fresh = ("Date: Mon, 23 Nov 2026 13:15:00 GMT",)
    stale = ("Date: Mon, 23 Nov 2026 13:15:01 GMT",)
    scripts = [answers(json.dumps(body).encode(), headers=headers) for headers in (stale, fresh)]
    async with wire(*scripts) as api, asking(tmp_path, api.url) as it:
        late = await it.cycle()
        assert late.account.failure == Failure(
            FailureKind.STALE, "the report is 15 min 1 s old, older than stale_after (15 min)"
        )
        assert kinds_of(late) == []
        good = await it.cycle(minutes=1)
        assert kinds_of(good) == [FIRED]
        polls = (await it.stored()).polls
        assert [poll.age for poll in polls] == [15 * MINUTE, timedelta(minutes=15, seconds=1)]


async def test_a_refused_key_is_told_at_once_and_left_alone_for_five_minutes(tmp_path: Path) -> None:
    async with playing(tmp_path) as it:
        await it.sees(1)
        decision = await it.fails(Fault(status=401))
        assert kinds_of(decision, LOST) == [FIRED]
        assert decision.account.ask_at == it.clock.now() + 5 * MINUTE
        assert kinds_of(decision) == []


async def test_an_outage_is_told_after_no_data_after_and_its_end_after_two_good_answers(tmp_path: Path) -> None:
    async with playing(tmp_path, account='no_data_after = "4m"') as it:
        await it.sees(5)
        steps = [await it.fails() for _ in range(4)] + [await it.sees(5), await it.sees(5)]
        assert [kinds_of(each, LOST) for each in steps] == [[], [], [], [FIRED], [], [RESOLVED]]
        assert await kinds(it.parts.store, key=KEY) == []


async def test_one_good_answer_between_failures_does_not_end_it(tmp_path: Path) -> None:
    async with playing(tmp_path) as it:
        await it.fails(Fault(status=403))
        for _ in range(3):
            await it.sees(5)
            await it.fails()
        assert await kinds(it.parts.store) == [FIRED]


async def test_an_account_that_is_left_alone_is_not_asked_and_only_time_passes(tmp_path: Path) -> None:
    async with playing(tmp_path) as it:
        await it.sees(1)
        await it.fails(Fault(status=429, retry_after="3600"))
        asked, polls = it.sandbox.requests, (await it.stored()).polls
        steps = [await it.cycle(minutes=1, ask=False) for _ in range(3)]
        assert it.sandbox.requests == asked
        assert (await it.stored()).polls == polls
        assert [kinds_of(each, LOST) for each in steps] == [[], [FIRED], []]
        assert steps[-1].account.outage == 4 * MINUTE
        assert (await it.stored()).alerts[KEY].state is State.FIRING


async def test_every_may_be_another_where_cycles_come_at_other_times(tmp_path: Path) -> None:
    async with playing(tmp_path, rules=NUMBERS + 'for = "2h"\n') as it:
        for every, fired in ((None, [EventKind.PENDING]), (None, []), (60 * MINUTE, []), (60 * MINUTE, [FIRED])):
            it.sandbox.set({"numbers.remaining": 1})
            assert kinds_of(await it.cycle(minutes=60, every=every)) == fired


# --- bad answers ---------------------------------------------------------------------------------------------------


def usage(left: object, **changes: object) -> bytes:
    numbers = {"used": 3, "limit": 12, "remaining": left}
    return json.dumps({"numbers": numbers, "plan": {"name": "growth"}, "stats": {}, **changes}).encode()


def bad_answers(left: int) -> dict[str, Script]:
    """What is no good answer, each of which would say so many numbers left if it were taken for one."""
    whole = usage(left)
    return {
        "500": answers(whole, status=500),
        "a page": answers(b"<html>the API will be back soon</html>"),
        "a list": answers(b"[" + whole + b"]"),
        "empty": answers(b""),
        "cut short": says(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + whole),
        "no HTTP": says(whole),
        "429": answers(whole, status=429),
        "404": answers(whole, status=404),
        "a redirect": answers(whole, status=302, headers=("Location: https://example.invalid/",)),
        "NaN": answers(usage(left, x=float("nan"))),
        "1e999": answers(whole.replace(b"12", b"1e999")),
        "too large": answers(usage(left, x="x" * 1_100_000)),
        "an old report": answers(usage(left, reportGeneratedAt="2020-01-01T00:00:00Z")),
        "a text for a number": answers(usage(str(left))),
        "true for a number": answers(usage(bool(left))),
        "null": answers(usage(None)),
        "below zero": answers(usage(-left)),
        "no limit": answers(usage(left).replace(b"12", b"0")),
        "no numbers": answers(usage(left, numbers={})),
    }


@pytest.mark.parametrize(("before", "bad"), [(0, 9), (9, 1)], ids=["while it fires", "while it does not"])
@pytest.mark.parametrize("name", bad_answers(1))
async def test_a_bad_answer_fires_and_resolves_nothing(tmp_path: Path, name: str, before: int, bad: int) -> None:
    good, answer = answers(usage(before)), bad_answers(bad)[name]
    async with (
        wire(good, answer, answer, answer, good) as api,
        asking(tmp_path, api.url, account='no_data_after = "1h"') as it,
    ):
        for _ in range(5):
            await it.cycle(minutes=1)
        told = [kind for kind in await kinds(it.parts.store) if kind not in {EventKind.UNKNOWN, EventKind.KNOWN}]
        assert told == ([FIRED] if before == 0 else [])
        assert len(api.requests) == 5


# --- the log -------------------------------------------------------------------------------------------------------


async def test_the_log_tells_of_failures_recovery_and_events(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "guard")
    async with playing(tmp_path) as it:
        before = Account("main")
        for decision in (
            await it.sees(1),
            await it.fails(),
            await it.cycle(ask=False),
            await it.sees(5),
            await it.sees(5),
        ):
            log_decision(before, decision)
            before = decision.account
    assert logged(caplog)[1:] == [
        ("alert.fired", {"alert": KEY, "alert_level": "critical", "value": 1}),
        ("poll.failed", {"account": "main", "kind": FailureKind.SERVER, "in_a_row": 1}),
        ("poll.recovered", {"account": "main", "failures": 1}),
        ("alert.resolved", {"alert": KEY, "alert_level": "critical", "value": 5}),
    ]
