"""Many alerts in one pass: few messages, and nothing is held back for longer than the pass.

The coverage of a thousand sub-accounts is not measured: that of a dozen is the same, in half the time.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stand_ins.slack import SlackStandIn
from tests.subs import DOWN, MASTER, OFFLINE, Api, left, names, watching
from tests.waiting import until
from tests.wiring import FIVE_RULES, broken_store


def all_fire(*subs: str) -> Callable[[Api], object]:
    return lambda api: api.says.update(dict.fromkeys(subs, left(1)))


FOUR = ["critical", "critical", "critical", "digest critical"]


async def test_a_thousand_that_fire_at_once_are_three_messages_and_a_digest_and_so_is_their_end(
    tmp_path: Path,
) -> None:
    subs = names(1000)
    async with watching(tmp_path, *subs, prepare=all_fire(*subs)) as it:
        await it.passes(59)
        assert it.told == FOUR
        assert "and 977 more" in str(it.slack.shown[-1])
        it.api.says.clear()
        await it.passes(60)
        assert it.told == [*FOUR, "resolved", "resolved", "resolved", "digest resolved"]
        assert await it.store.run(lambda unit: unit.waiting("ops")) == []


async def test_the_first_three_do_not_wait_and_the_others_wait_for_the_last_answer(tmp_path: Path) -> None:
    subs = names(12)
    async with watching(tmp_path, *subs, prepare=all_fire(*subs)) as it:
        await it.passes(20)
        assert it.told == FOUR[:3]
        it.api.holds[subs[-1]] = asyncio.Event()
        await it.passes(38)
        assert it.told == FOUR[:3]
        it.api.holds[subs[-1]].set()
        await until(lambda: it.told == FOUR)


async def test_an_account_that_hangs_holds_nothing_back_beyond_the_next_tick(tmp_path: Path) -> None:
    subs = names(12)
    async with watching(tmp_path, *subs, prepare=all_fire(*subs)) as it:
        it.api.holds[subs[-1]] = asyncio.Event()
        await it.passes(61)
        assert it.told == FOUR
        it.api.holds[subs[-1]].set()


async def test_a_pass_that_never_ends_in_time_holds_nothing_back_for_longer_than_an_interval(tmp_path: Path) -> None:
    subs = names(24)
    async with watching(tmp_path, *subs, prepare=all_fire(*subs)) as it:
        it.api.holds |= {each: asyncio.Event() for each in subs[8:16]}  # all that may be asked at once
        await it.passes(61)
        assert it.told == [*FOUR[:3], "digest critical"]


@pytest.mark.parametrize("by", ["its tick", "a sub-account"])
async def test_an_outage_of_the_master_account_lets_go_of_what_waits(tmp_path: Path, by: str) -> None:
    subs = names(12)
    async with watching(tmp_path, *subs, prepare=all_fire(*subs[:10])) as it:
        await it.passes(40)
        assert it.told == FOUR[:3]
        it.api.says[MASTER] = OFFLINE
        if by == "its tick":
            await it.tick()
        else:
            it.api.all_say = OFFLINE
            await it.passes(15)
        await until(lambda: it.told[:4] == FOUR)


async def test_what_waits_is_told_after_a_crash_in_the_middle_of_a_pass(tmp_path: Path) -> None:
    subs = names(12)
    async with SlackStandIn() as slack:
        async with watching(tmp_path, *subs, slack=slack, prepare=all_fire(*subs)) as it:
            await it.passes(40)
            assert it.told == FOUR[:3]
            clock = it.clock
        async with watching(tmp_path, *subs, slack=slack, clock=clock) as it:
            assert it.told == FOUR


async def test_a_store_that_fails_in_the_middle_of_a_pass_holds_nothing_back_for_ever(tmp_path: Path) -> None:
    subs = names(12)
    async with watching(tmp_path, *subs, prepare=all_fire(*subs)) as it:
        await it.passes(25)
        with broken_store(tmp_path):
            await it.passes(20)
        await it.passes(75)
        told = it.told
        assert told[:3] == FOUR[:3]
        assert told.count("digest critical") <= 2
        assert await it.store.run(lambda unit: unit.waiting("ops")) == []
        assert len(await it.firing()) == 12


async def test_who_goes_while_their_alert_waits_holds_nothing_back(tmp_path: Path) -> None:
    subs = names(12)
    async with watching(tmp_path, *subs) as it:
        it.api.lists(*subs[:4])
        await it.minutes(11)
        all_fire(*subs)(it.api)
        await it.passes(275)
        await it.minutes(3)
        assert {each.config.sub_id for each in it.family.subs} == {*subs[:4]}
        assert await it.store.run(lambda unit: unit.waiting("ops")) == []


@pytest.mark.parametrize("listing", ["nobody", "failing", "hanging"])
async def test_a_master_account_alone_is_told_of_at_once(tmp_path: Path, listing: str) -> None:
    def prepare(api: Api) -> None:
        api.says[MASTER] = left(1)
        if listing == "failing":
            api.listing = DOWN
        if listing == "hanging":
            api.hold_listing = asyncio.Event()

    async with watching(tmp_path, rules=FIVE_RULES, prepare=prepare) as it:
        await it.until_all_told()
        assert it.told  # in one digest, or some at once
        assert len(it.api.listings) == 1
        if it.api.hold_listing:
            it.api.hold_listing.set()


async def test_what_a_retry_of_the_master_account_finds_does_not_wait_for_the_next_tick(tmp_path: Path) -> None:
    def prepare(api: Api) -> None:
        api.says[MASTER] = DOWN

    async with watching(tmp_path, account='every = "1h"', rules=FIVE_RULES, prepare=prepare) as it:
        it.api.says[MASTER] = left(1)
        await it.passes(2)
        await it.until_all_told()
        assert it.told


async def test_the_master_account_and_its_sub_accounts_are_one_storm(tmp_path: Path) -> None:
    subs = names(4)
    async with watching(tmp_path, *subs, prepare=all_fire(MASTER, *subs)) as it:
        await it.passes(59)
        assert it.told == ["critical"] * 5  # two wait, of which no digest is made
