"""Cycles of slow accounts, and of accounts and rules that come back."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from guard.agentphone import UsageClient
from guard.cycle import Cycles
from guard.errors import StorageError
from guard.model import Account, Alert, AlertKey, Answer, Failure, FailureKind, Timer
from guard.store import Unit
from tests.builders import NOW
from tests.stand_ins.clock import HandClock
from tests.wiring import asked_every, broken_store, config, only, opened

DOWN = Failure(FailureKind.SERVER, "it answered 503")
REFUSED = Failure(FailureKind.UNAUTHORIZED, "it answered 401")


async def test_an_api_that_answers_more_slowly_than_it_is_asked_is_still_told_as_giving_no_data(tmp_path: Path) -> None:
    quick = asked_every(config(account='no_data_after = "1m"'), timedelta(seconds=1))
    clock = HandClock()

    class Hanging(UsageClient):
        def __init__(self) -> None: ...

        async def usage(self, *, now: datetime, sub_id: str = "") -> Failure:
            clock.move(minutes=1 / 3)
            return Failure(FailureKind.TIMEOUT, "no whole answer within 20 s")

    async with opened(quick, tmp_path, clock=clock) as parts:
        for lost in (False, False, False, True):
            decision = await Cycles(only(quick), Hanging(), parts.store, clock).run(ask=True, jitter=0)
            assert decision.account.lost is lost


async def test_an_account_and_a_rule_that_come_back_begin_anew(tmp_path: Path) -> None:
    setting = config()
    gone = replace(setting, accounts=())
    key = AlertKey("main", "numbers-remaining")
    async with opened(setting, tmp_path) as parts:
        await parts.store.run(lambda unit: unit.save_account(Account("main", lost=True, failures=3)))
        resting = Alert(key, unknown=Timer(timedelta(hours=1), NOW), unknown_why="numbers.remaining is missing")
        await parts.store.run(lambda unit: unit.save_alerts([resting]))
    async with opened(gone, tmp_path) as parts:
        assert await parts.store.run(lambda unit: (unit.accounts(), unit.alerts())) == ({}, {})


def answering(*outcomes: Failure | Answer) -> UsageClient:
    """A client that answers this, and then the last of it."""

    class Answering(UsageClient):
        def __init__(self) -> None:
            self.left = list(outcomes)

        async def usage(self, *, now: datetime, sub_id: str = "") -> Failure | Answer:
            return self.left.pop(0) if len(self.left) > 1 else self.left[0]

    return Answering()


async def test_how_the_asking_goes_is_known_while_a_cycle_is_written_and_when_it_cannot_be(tmp_path: Path) -> None:
    setting, clock = config(), HandClock()
    async with opened(setting, tmp_path, clock=clock) as parts:
        it = Cycles(only(setting), answering(DOWN), parts.store, clock)
        await it.run(ask=True, jitter=0)
        before = it.account
        assert before.failure == DOWN
        clock.move(minutes=1)
        assert it.is_retry_due()
        meanwhile: list[Account] = []
        await it.run(ask=True, jitter=0, raised=lambda _: meanwhile.append(it.account))
        assert meanwhile == [before]
        clock.move(minutes=1)
        with broken_store(tmp_path), pytest.raises(StorageError):
            await it.run(ask=True, jitter=0)
        assert it.account.failures == 2
        assert not it.is_retry_due()  # it would be due at every moment
        await it.remember()
        assert it.is_retry_due()


async def test_when_the_sub_accounts_were_listed_is_written_beside_a_cycle_and_neither_forgets_the_other(
    tmp_path: Path,
) -> None:
    setting, clock = config(), HandClock()
    async with opened(setting, tmp_path, clock=clock) as parts:
        it = Cycles(only(setting), answering(DOWN), parts.store, clock)
        for number in range(1, 4):
            clock.move(minutes=1)
            cycle = asyncio.ensure_future(it.run(ask=True, jitter=0))
            await asyncio.gather(cycle, it.note_listed(clock.now()), it.note_listed(clock.now()))
            assert it.account == await parts.store.run(lambda unit: unit.account("main"))
            assert (it.account.failures, it.account.listed_at) == (number, clock.now())


async def test_what_is_written_with_a_listing_and_the_listing_are_written_together_or_not_at_all(
    tmp_path: Path,
) -> None:
    def fails(_: Unit) -> None:
        raise RuntimeError("a defect")

    setting, clock = config(), HandClock()
    async with opened(setting, tmp_path, clock=clock) as parts:
        it = Cycles(only(setting), answering(DOWN), parts.store, clock)
        await it.run(ask=True, jitter=0)
        with pytest.raises(RuntimeError, match="a defect"):
            await it.note_listed(clock.now(), fails)
        assert it.account.listed_at is None
        assert await parts.store.run(lambda unit: unit.account("main")) == it.account


async def test_whether_an_outage_counts_is_asked_after_a_cycle_without_a_good_answer_and_before_it_is_decided(
    tmp_path: Path,
) -> None:
    asked: list[Failure | None] = []

    async def counts(failure: Failure | None) -> bool:
        asked.append(failure)
        clock.move(seconds=20)  # to find out may take a while, and is no part of how slowly it answers
        return False

    good = Answer({"numbers": {"remaining": 5}}, '{"numbers": {"remaining": 5}}')
    setting, clock = config(), HandClock()
    async with opened(setting, tmp_path, clock=clock) as parts:
        it = Cycles(only(setting), answering(good, REFUSED, good), parts.store, clock)
        for ask in (True, True, False, True):
            decision = await it.run(ask=ask, jitter=0, outage_counts=counts)
            assert not decision.account.lost
            clock.move(minutes=1)
    assert asked == [REFUSED, None]
