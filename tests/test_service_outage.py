"""Sub-accounts that give no data: what is told once for all who share a key, and what each tells by itself."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from guard import polling
from guard.model import Failure, FailureKind
from tests.subs import (
    ALL,
    DOWN,
    FORBIDDEN,
    MASTER,
    NOT_FOUND,
    OFFLINE,
    REFUSED,
    Api,
    left,
    names,
    watching,
)
from tests.wiring import NUMBERS, broken_store

HASTY = ALL + 'no_data_after = "1m"'
"""One failed poll is enough: whatever counts as an outage by mistake is told."""

REMINDING = NUMBERS + 'remind = { critical = "10m" }\n'

LIMITED = Failure(FailureKind.RATE_LIMITED, "it answered 429", timedelta(minutes=10))
SLOW = Failure(FailureKind.TIMEOUT, "no whole answer within 20 s")
STALE = Failure(FailureKind.STALE, "the report is 2 h old")
PAGE = Failure(FailureKind.NOT_USAGE, "not the usage API")


def lost(*subs: str) -> list[str]:
    return [f"main:{each}" for each in subs]


# --- what all share ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [OFFLINE, SLOW, REFUSED, LIMITED, DOWN], ids=lambda each: each.kind)
async def test_what_meets_all_who_share_the_key_is_one_alert_and_asks_the_master_alone(
    tmp_path: Path, failure: Failure
) -> None:
    subs = names(60)
    async with watching(tmp_path, *subs, account=HASTY) as it:
        await it.passes(80, at_a_time=5)
        it.api.all_say, before = failure, len(it.api.asked_subs)
        await it.minutes(4)
        assert len(it.api.asked_subs) - before <= 8
        assert await it.lost() == ["main"]
        assert it.told == ["critical"]


@pytest.mark.parametrize("failure", [STALE, PAGE, NOT_FOUND, FORBIDDEN], ids=lambda each: each.kind)
async def test_a_failure_that_the_master_account_has_too_is_its_alone_to_tell(tmp_path: Path, failure: Failure) -> None:
    subs = names(6)
    async with watching(tmp_path, *subs, account=HASTY) as it:
        await it.passes(80, at_a_time=5)
        it.api.all_say = failure
        await it.minutes(5)
        assert await it.lost() == ["main"]
        assert len(it.api.asked_subs) >= 6 * 5 or failure is FORBIDDEN  # they may still be well, so they are asked
        it.api.all_say = None
        it.api.says[subs[0]] = failure
        await it.minutes(10)
        assert await it.lost() == lost(subs[0])


async def test_an_outage_at_the_start_is_one_alert_and_asks_nobody_else(tmp_path: Path) -> None:
    subs = names(6)
    async with watching(tmp_path, *subs) as it:
        clock = it.clock
    async with watching(tmp_path, *subs, account=HASTY, clock=clock, prepare=offline) as it:
        await it.minutes(5)
        assert it.api.asked_subs == []
        assert await it.lost() == ["main"]


def offline(api: Api) -> None:
    api.all_say = OFFLINE


@pytest.mark.parametrize("jitter", [0.0, 0.75, 0.999])
async def test_after_an_outage_the_pass_goes_on_spread_as_it_was(
    tmp_path: Path, jitter: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "random", lambda: jitter)
    subs = names(108)
    async with watching(tmp_path, *subs) as it:
        await it.passes(20)
        it.api.all_say = OFFLINE
        await it.passes(110)
        it.api.all_say = None
        seen = len(it.api.asked_subs)
        await it.passes(60 + 54)  # the next tick at the latest, then the rest of this pass and as much of the next
        after = [each for each in it.api.asked if each.whose][seen:]
        assert max(Counter(int(each.at_s) for each in after).values()) <= 4
        assert {each.whose for each in after} == {*subs}


async def test_the_time_of_an_outage_of_all_counts_as_none_of_a_sub_accounts_own(tmp_path: Path) -> None:
    subs = names(6)
    async with watching(tmp_path, *subs, account=ALL + 'no_data_after = "2m"') as it:
        await it.minutes(1)
        it.api.all_say = OFFLINE
        await it.minutes(1.5)
        it.api.all_say = None
        it.api.says = dict.fromkeys(subs, DOWN)  # they come back a little later than the master account
        await it.minutes(1)
        assert await it.lost() == []


async def test_nor_is_it_after_a_start_in_its_middle(tmp_path: Path) -> None:
    subs, account = names(6), ALL + 'no_data_after = "2m"'
    async with watching(tmp_path, *subs, account=account) as it:
        await it.minutes(1)
        it.api.all_say = OFFLINE
        await it.minutes(0.75)
        clock = it.clock
    async with watching(tmp_path, *subs, account=account, clock=clock, prepare=offline) as it:
        await it.minutes(0.75)
        it.api.all_say = None
        it.api.says = dict.fromkeys(subs, DOWN)
        await it.minutes(1)
        assert await it.lost() == []


async def test_in_an_outage_of_the_master_account_nobody_is_reminded_and_afterwards_they_are(tmp_path: Path) -> None:
    subs = names(2)
    async with watching(tmp_path, *subs, rules=REMINDING) as it:
        it.api.says[subs[0]] = left(1)
        await it.minutes(1)
        it.api.all_say = OFFLINE
        await it.minutes(20)
        assert it.told == ["critical", "critical"]
        it.api.all_say = None
        await it.minutes(2)
        assert sorted(it.told[2:]) == ["reminder critical", "resolved"]


async def test_while_nothing_can_be_written_an_outage_of_the_master_account_goes_on(tmp_path: Path) -> None:
    async with watching(tmp_path, *names(6)) as it:
        await it.minutes(1)
        it.api.all_say = OFFLINE
        await it.minutes(1)
        asked = len(it.api.asked_subs)
        with broken_store(tmp_path):
            await it.minutes(3)
        assert len(it.api.asked_subs) == asked


# --- what one has alone --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "minutes"),
    [(FORBIDDEN, 1), (NOT_FOUND, 3), (DOWN, 3), (SLOW, 3), (REFUSED, 3), (LIMITED, 3), (STALE, 3)],
    ids=lambda each: getattr(each, "kind", None),
)
async def test_a_sub_account_that_alone_fails_tells_it_in_its_own_time(
    tmp_path: Path, failure: Failure, minutes: int
) -> None:
    subs = names(6)
    async with watching(tmp_path, *subs) as it:
        await it.minutes(1)
        it.api.says[subs[3]] = failure
        await it.minutes(minutes - 1)
        assert await it.lost() == []
        await it.minutes(1)
        assert await it.lost() == lost(subs[3])
        assert Counter(it.api.asked_subs[-5:]) <= Counter(subs)
        assert it.told == ["critical"]
        del it.api.says[subs[3]]
        await it.minutes(11)
        assert await it.lost() == []
        assert it.told == ["critical", "resolved"]


async def test_one_that_goes_on_failing_has_the_master_account_asked_once_more_and_not_each_time(
    tmp_path: Path,
) -> None:
    subs = names(6)
    async with watching(tmp_path, *subs) as it:
        it.api.says[subs[3]] = DOWN
        await it.passes(295, at_a_time=5)
        assert len(it.api.asked_of(MASTER)) == 5 + 1


async def test_a_sub_account_that_wishes_to_be_left_alone_is(tmp_path: Path) -> None:
    subs = names(6)
    async with watching(tmp_path, *subs) as it:
        it.api.says[subs[3]] = LIMITED
        await it.passes(595, at_a_time=5)
        assert len(it.api.asked_of(subs[3])) == 1
        assert len(it.api.asked_of(subs[4])) == 10
        await it.minutes(2)
        assert len(it.api.asked_of(subs[3])) == 2


async def test_a_sub_account_whose_own_data_is_lost_is_not_reminded_of_what_fired_before(tmp_path: Path) -> None:
    subs = names(2)
    async with watching(tmp_path, *subs, rules=REMINDING) as it:
        it.api.says = dict.fromkeys(subs, left(1))
        await it.minutes(1)
        it.api.says[subs[0]] = NOT_FOUND
        await it.minutes(15)
        texts = [each for each in it.texts if each.startswith("[reminder critical]")]
        assert texts == ["[reminder critical] main:sub-0001 / numbers-remaining: 1 phone numbers left"]
        assert await it.lost() == lost(subs[0])
