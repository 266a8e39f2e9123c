"""Sub-accounts in the service: whose turn it is, who holds up whom, and who belongs."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from guard import service
from guard.errors import ExitCode
from guard.family import AT_ONCE
from guard.model import Silence
from guard.store import Unit
from tests.subs import DOWN, MASTER, Api, left, names, two_masters, watching
from tests.waiting import until
from tests.wiring import broken_store, logged


def holds(*whose: str) -> Callable[[Api], None]:
    """An API that does not answer these for now."""
    return lambda api: api.holds.update({each: asyncio.Event() for each in whose})


def per_second(asked: Iterable[float]) -> Counter[int]:
    return Counter(int(at_s) for at_s in asked)


# --- whose turn it is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7, 240])
async def test_a_pass_is_spread_over_the_interval_and_every_interval_has_one(tmp_path: Path, count: int) -> None:
    subs = names(count)
    async with watching(tmp_path, *subs) as it:
        await it.passes(59)
        asked = per_second(it.api.asked_of(*subs))
        assert max(asked.values()) <= count // 54 + 2
        assert count == 1 or max(asked) >= 40
        assert max(asked) <= 55
        await it.passes(60)
        assert Counter(it.api.asked_subs) == Counter(subs * 2)


async def test_those_who_waited_longest_are_asked_first_after_a_start(tmp_path: Path) -> None:
    subs = names(6)
    async with watching(tmp_path, *subs) as it:
        await it.passes(20)
        asked, clock = it.api.asked_subs, it.clock
    assert asked == list(subs[:3])
    clock.passes(60)
    async with watching(tmp_path, *subs, clock=clock) as it:
        await it.passes(59)
        assert it.api.asked_subs == [*subs[3:], *subs[:3]]


async def test_at_most_eight_are_asked_at_once_also_when_all_are_late(tmp_path: Path) -> None:
    subs = names(240)
    most = 0

    def watch(api: Api) -> None:
        def count(_: str) -> None:
            nonlocal most
            most = max(most, len([each for each in api.open if each]))

        api.on_asked = count

    async with watching(tmp_path, *subs, prepare=watch) as it:
        it.clock.passes(40)  # the machine was suspended, perhaps
        await it.pulse()
        assert len(it.api.asked_subs) >= 170
        assert AT_ONCE / 2 < most <= AT_ONCE
        await it.passes(19)
        assert Counter(it.api.asked_subs) == Counter(subs)


async def test_the_first_poll_of_the_master_does_not_wait_for_a_thousand_that_are_known(tmp_path: Path) -> None:
    subs = names(1000)
    async with watching(tmp_path, *subs) as it:
        assert len(await it.store.run(lambda unit: unit.sub_accounts("main"))) == 1000
        clock = it.clock
    async with watching(tmp_path, *subs, clock=clock) as it:
        assert it.api.asked[0].whose == MASTER
        assert len(it.family.subs) == 1000
        assert not [each for each in it.family.subs if each._memory is not None and each is not it.family.subs[0]]


# --- who holds up whom ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["sub-0000", "sub-0005", "sub-0009"])
async def test_one_that_hangs_delays_nobody_whatever_its_turn(tmp_path: Path, whose: str) -> None:
    subs = names(10)
    async with watching(tmp_path, *subs, prepare=holds(whose)) as it:
        await it.passes(59)
        assert Counter(it.api.asked_subs) == Counter(subs)
        await it.passes(60)
        assert Counter(it.api.asked_subs) == Counter([*subs * 2]) - Counter([whose])
        assert it.api.asked_of(MASTER) == [0, 60]
        it.api.holds.pop(whose).set()
        await it.passes(60)
        assert it.api.asked_subs[-10:] == [*subs]


async def test_a_master_that_hangs_delays_no_sub_account(tmp_path: Path) -> None:
    subs = names(10)
    async with watching(tmp_path, *subs) as it:
        await it.passes(10)
        holds(MASTER)(it.api)
        it.seconds = 59
        await it.passes(50)
        assert it.api.asked_of(MASTER) == [0, 11]
        assert Counter(it.api.asked_subs) == Counter(subs)
        it.api.holds[MASTER].set()


async def test_an_account_that_hangs_delays_no_other_family(tmp_path: Path) -> None:
    async with watching(tmp_path, *names(2), setting=two_masters, prepare=holds("sub-0000")) as it:
        assert len(it.api.open) == 2  # that one of each of the two
        await it.passes(60)
        assert len(it.api.asked_of(MASTER)) == 4


async def test_a_defect_in_one_cycle_stops_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    subs = names(10)
    async with watching(tmp_path, *subs) as it:
        it.api.says["sub-0003"] = RuntimeError("a defect")
        await it.passes(119)
        assert Counter(it.api.asked_subs) == Counter(subs * 2)
        assert {each.config.sub_id for each in it.family.subs if not each.account.good_at} == {"sub-0003"}
    faults = [fields for event, fields in logged(caplog) if event == "service.unplanned"]
    assert faults == [{"account": "main:sub-0003"}] * 2


async def test_a_slow_listing_delays_neither_the_master_nor_the_pass(tmp_path: Path) -> None:
    subs = names(10)
    async with watching(tmp_path, *subs) as it:
        await it.passes(299)
        it.api.hold_listing = asyncio.Event()
        await it.passes(121)
        assert Counter(it.api.asked_subs) == Counter(subs * 7) + Counter(subs[:1])
        assert len(it.api.asked_of(MASTER)) == 8
        it.api.hold_listing.set()


async def test_one_lost_poll_of_the_master_costs_nobody_a_pass(tmp_path: Path) -> None:
    subs = names(10)
    async with watching(tmp_path, *subs) as it:
        await it.passes(59)
        it.api.says[MASTER] = DOWN
        await it.passes(1)
        del it.api.says[MASTER]
        await it.passes(58)
        assert Counter(it.api.asked_subs) == Counter(subs * 2)


async def test_a_silence_ends_in_time_also_while_nobody_is_asked(tmp_path: Path) -> None:
    async with watching(tmp_path, "acme") as it:
        now = it.clock.now()
        silence = Silence("main:acme/*", now, now + timedelta(minutes=5))
        await it.store.run(partial(Unit.add_silence, silence=silence))
        it.api.says["acme"] = left(1)
        await it.minutes(2)
        it.api.says[MASTER] = DOWN
        await it.minutes(2)
        assert it.told == []
        await it.minutes(5)
        assert any("main:acme / numbers-remaining" in text for text in it.texts)


async def test_a_store_that_fails_at_the_end_of_that_silence_tells_it_with_the_next_tick(tmp_path: Path) -> None:
    async with watching(tmp_path, "acme") as it:
        now = it.clock.now()
        silence = Silence("main:acme/*", now, now + timedelta(minutes=3))
        await it.store.run(partial(Unit.add_silence, silence=silence))
        it.api.says["acme"] = left(1)
        await it.minutes(2)
        it.api.says[MASTER] = DOWN
        with broken_store(tmp_path):
            await it.minutes(2)
        assert it.told == []
        await it.minutes(2)
        assert any("main:acme / numbers-remaining" in text for text in it.texts)


async def test_a_clock_that_is_set_back_or_forward_changes_nothing(tmp_path: Path) -> None:
    subs = names(10)
    async with watching(tmp_path, *subs) as it:
        for hours in (0, -5, 9):
            await it.passes(30)
            it.clock.move(hours=hours)
            await it.passes(29 if not hours else 30)
        assert Counter(it.api.asked_subs) == Counter(subs * 3)
        assert await it.firing() == []


# --- the watchdog, and the end -------------------------------------------------------------------------------------


async def test_a_pass_that_takes_long_is_no_hanging_service(tmp_path: Path) -> None:
    subs = names(40)
    async with watching(tmp_path, *subs) as it:
        holds(*subs)(it.api)
        it.clock.passes(59)
        await it.service._pulse()
        done: list[str] = []
        for _ in range(3):
            await until(lambda done=done: len(it.api.open) == AT_ONCE and not {*done} & {*it.api.open})
            for _ in range(service.GIVE_UP_AFTER - 1):
                await it.service._pulse()
                it.service._watch()
            done = it.api.open
            for each in done:
                it.api.holds[each].set()
        assert not it.service._ended.done()
        for each in subs:
            it.api.holds[each].set()


async def test_one_that_hangs_for_ever_ends_the_service_however_busy_the_others_are(tmp_path: Path) -> None:
    async with watching(tmp_path, *names(240), prepare=holds("sub-0001")) as it:
        for _ in range(service.GIVE_UP_AFTER + 1):
            await it.passes(5)
            if not it.service._ended.done():
                it.service._watch()
        assert it.service._ended.result() == ExitCode.UNPLANNED


async def test_the_end_does_not_wait_for_a_pass(tmp_path: Path) -> None:
    subs = names(20)
    async with watching(tmp_path, *subs, prepare=holds(*subs)) as it:
        it.clock.passes(30)
        await it.pulse()
        assert len(it.api.open) == AT_ONCE
        async with asyncio.timeout(5):
            assert await it.end() == ExitCode.DONE
        assert it.api.open == []
