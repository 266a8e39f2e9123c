"""Cycles of slow accounts, and of accounts and rules that come back."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from guard.agentphone import UsageClient
from guard.cycle import Cycles
from guard.model import Account, Alert, AlertKey, Failure, FailureKind, Timer
from tests.builders import NOW
from tests.stand_ins.clock import HandClock
from tests.wiring import asked_every, config, only, opened


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
