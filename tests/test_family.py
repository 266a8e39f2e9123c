"""Who belongs to a master account: listings, good and bad, and rule files that change."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.agentphone import Listing
from guard.config import Config
from guard.family import LIST_EVERY, Pass
from guard.model import AlertKey, Answer, EventKind, Failure, FailureKind, Reason
from guard.store import Store
from tests.stand_ins.slack import SlackStandIn
from tests.subs import ALL, DOWN, NOT_FOUND, OFFLINE, Api, Subs, left, names, two_masters, watching
from tests.wiring import broken_store, config, kinds, logged

TRIO: Final = ("acme", "birch", "cedar")
LIST_S: Final = LIST_EVERY.total_seconds()


async def members(store: Store, master: str = "main") -> dict[str, int]:
    """Who is stored as a sub-account, and how many good listings in a row did not show them."""
    return await store.run(lambda unit: {each.id: each.absent for each in unit.sub_accounts(master)})


async def accounts(store: Store) -> set[str]:
    return await store.run(lambda unit: set(unit.accounts()))


def says(**answers: Answer | Failure) -> Callable[[Api], object]:
    return lambda api: api.says.update(answers)


# --- turns ---------------------------------------------------------------------------------------------------------

LOOKS: Final = st.lists(st.floats(0, 20), max_size=40)


@given(count=st.integers(0, 50), length_s=st.just(0.0) | st.floats(1, 100), steps=LOOKS)
def test_no_turn_comes_too_early_and_every_one_in_time(count: int, length_s: float, steps: list[float]) -> None:
    turns: Any = Pass(range(count), now_s=1000, length_s=length_s)  # type: ignore[arg-type] # it does not look at them
    now_s, taken = 1000.0, 0
    for step in [*steps, length_s + 1]:
        now_s += step
        while turns.is_due(now_s):
            assert turns.take(now_s) == taken
            taken += 1
        assert turns.take(now_s) is None
        share = (now_s - 1000) / length_s if length_s else 1.0
        assert min(count, int(count * share * 0.999)) <= taken <= min(count, count * share * 1.001 + 1)
    assert taken == count


@given(count=st.integers(1, 50), steps=LOOKS)
def test_turns_that_were_held_come_no_closer_together(count: int, steps: list[float]) -> None:
    turns: Any = Pass(range(count), now_s=0, length_s=10 * count)  # type: ignore[arg-type] # as above
    now_s = 0.0
    for number, step in enumerate(steps):
        now_s += min(step, 9.9)
        if number % 3 == 0:
            turns.hold(now_s)
        elif turns.take(now_s) is not None:
            assert turns.take(now_s) is None


# --- good listings -------------------------------------------------------------------------------------------------


async def test_all_sub_accounts_are_found_at_the_start_and_a_new_one_is_asked_in_the_same_pass(tmp_path: Path) -> None:
    async with watching(tmp_path, *TRIO) as it:
        await it.minutes(4.75)
        it.api.lists(*TRIO, "dune")
        await it.passes(70)
        assert LIST_S < it.api.asked_of("dune")[0] < LIST_S + 60
        assert await members(it.store) == dict.fromkeys((*TRIO, "dune"), 0)
        assert Counter(it.api.asked_subs)["acme"] == 6


async def test_who_is_gone_after_three_listings_is_told_of_and_forgotten_and_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "guard")
    key = AlertKey("main:acme", "numbers-remaining")
    async with watching(tmp_path, *TRIO, prepare=says(acme=left(1))) as it:
        await it.minutes(1)
        assert it.told == ["critical"]
        it.api.lists("birch", "cedar")
        await it.minutes(6)
        it.api.says["acme"] = NOT_FOUND
        await it.minutes(7)
        assert await members(it.store) == {"acme": 2, "birch": 0, "cedar": 0}
        assert it.told == ["critical"]
        assert await it.lost() == []
        await it.minutes(2)
        assert await members(it.store) == {"birch": 0, "cedar": 0}
        assert it.told == ["critical", "resolved"]
        assert str(Reason.ACCOUNT_REMOVED) in str(it.slack.shown[-1])
        assert await accounts(it.store) == {"main", "main:birch", "main:cedar"}
        asked = len(it.api.asked_of("acme"))
        await it.minutes(2)
        assert len(it.api.asked_of("acme")) == asked
        it.api.lists(*TRIO)
        it.api.says["acme"] = left(1)
        await it.minutes(5)
        assert it.told == ["critical", "resolved", "critical"]
        assert (await kinds(it.store, key=key)).count(EventKind.FIRED) == 2
    assert ("account.gone", {"account": "main:acme"}) in logged(caplog)


async def test_who_is_being_asked_while_they_go_stays_until_the_next_listing(tmp_path: Path) -> None:
    async with watching(tmp_path, *TRIO) as it:
        it.api.lists("acme", "birch")
        await it.passes(855, at_a_time=5)
        it.api.holds["cedar"] = asyncio.Event()
        await it.minutes(4)
        assert it.api.open == ["cedar"]
        assert await members(it.store) == {"acme": 0, "birch": 0, "cedar": 3}
        it.api.holds.pop("cedar").set()
        await it.minutes(5)
        assert await members(it.store) == {"acme": 0, "birch": 0}
        assert "main:cedar" not in await accounts(it.store)


async def test_two_masters_with_one_key_keep_their_sub_accounts_apart(tmp_path: Path) -> None:
    async with watching(tmp_path, *TRIO, setting=two_masters, prepare=says(acme=left(1))) as it:
        await it.minutes(1)
        assert await it.firing() == [AlertKey(f"{each}:acme", "numbers-remaining") for each in ("main", "other")]
        assert it.told == ["critical", "critical"]
        it.api.all_say = OFFLINE
        await it.minutes(5)
        assert await it.lost() == ["main", "other"]


# --- bad listings --------------------------------------------------------------------------------------------------


async def test_a_listing_is_asked_for_every_five_minutes_at_most_good_or_bad_and_after_a_start(tmp_path: Path) -> None:
    async with watching(tmp_path, *TRIO, account=ALL + 'every = "10s"') as it:
        await it.minutes(7)
        it.api.listing = DOWN
        await it.minutes(7)
        assert [round(at_s, -1) for at_s in it.api.listings] == [0, 300, 600]
        clock = it.clock
    async with watching(tmp_path, *TRIO, clock=clock) as it:
        await it.minutes(3)
        assert len(it.api.listings) == 1
        it.clock.move(hours=-3)  # nobody knows how old it is now
        await it.minutes(1)
        assert len(it.api.listings) == 2


async def test_a_listing_that_wishes_to_be_left_alone_is(tmp_path: Path) -> None:
    limited = Failure(FailureKind.RATE_LIMITED, "it answered 429", timedelta(minutes=14))
    async with watching(tmp_path, *TRIO) as it:
        it.api.listing = limited
        await it.minutes(18)
        assert len(it.api.listings) == 2
        it.api.lists(*TRIO)
        await it.minutes(7)
        assert len(it.api.listings) == 4


@pytest.mark.parametrize(
    ("listing", "event"),
    [
        (Listing((), is_complete=True), "listing.flawed"),
        (Listing(("acme",), is_complete=False, notes=("there are more",)), "listing.flawed"),
        (Listing((), is_complete=False, notes=("there are more",)), "listing.flawed"),
        (DOWN, "listing.failed"),
    ],
    ids=["empty", "incomplete", "empty and incomplete", "failing"],
)
async def test_a_bad_listing_takes_nobody_away_however_often_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, listing: Listing | Failure, event: str
) -> None:
    async with watching(tmp_path, *TRIO) as it:
        it.api.listing = listing
        await it.minutes(31)
        assert len(it.api.listings) == 7
        assert await members(it.store) == dict.fromkeys(TRIO, 0)
        it.api.lists(*TRIO)
        caplog.set_level("INFO", "guard")
        await it.minutes(5)
    assert [name for name, _ in logged(caplog) if name.startswith("listing.")] == [event, "listing.recovered"]


async def test_who_an_incomplete_listing_shows_is_watched(tmp_path: Path) -> None:
    async with watching(tmp_path) as it:
        it.api.lists(*TRIO, is_complete=False)
        await it.minutes(6)
        assert await members(it.store) == dict.fromkeys(TRIO, 0)
        assert {*it.api.asked_subs} == {*TRIO}


async def test_a_short_listing_blinds_nobody(tmp_path: Path) -> None:
    async with watching(tmp_path, *TRIO) as it:
        it.api.lists("birch")
        await it.minutes(6)
        it.api.says["acme"] = left(1)
        await it.minutes(1)
        assert it.told == ["critical"]
        it.api.lists(*TRIO)
        await it.minutes(10)
        assert await members(it.store) == dict.fromkeys(TRIO, 0)
        assert it.told == ["critical"]


async def test_one_that_was_absent_and_is_listed_again_tells_its_own_outage(tmp_path: Path) -> None:
    async with watching(tmp_path, *TRIO) as it:
        it.api.lists("birch", "cedar")
        await it.minutes(6)
        it.api.says["acme"] = NOT_FOUND
        await it.minutes(5)
        assert await it.lost() == []
        it.api.lists(*TRIO)
        await it.minutes(9)
        assert await it.lost() == ["main:acme"]


async def test_a_listing_that_takes_for_ever_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    held = asyncio.Event()

    def hang(api: Api) -> None:
        api.hold_listing = held

    async with watching(tmp_path, *TRIO, prepare=hang) as it:
        it.clock.passes(300)
        await it.family.update(within_s=0.05)
        assert "listing.failed" in [event for event, _ in logged(caplog)]
        assert await members(it.store) == {}
        held.set()
        it.api.hold_listing = None
        await it.minutes(6)
        assert await members(it.store) == dict.fromkeys(TRIO, 0)


# --- a store that fails --------------------------------------------------------------------------------------------


async def test_a_listing_that_cannot_be_written_changes_nothing_and_the_next_one_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with watching(tmp_path, *TRIO, prepare=says(acme=left(1))) as it:
        it.api.lists("birch", "cedar", "dune")
        await it.minutes(14)
        with broken_store(tmp_path):
            await it.minutes(5)
        assert await members(it.store) == {"acme": 2, "birch": 0, "cedar": 0, "dune": 0}
        await it.minutes(5)
        assert "acme" not in await members(it.store)
        assert it.told[-1] == "resolved"
    assert [event for event, _ in logged(caplog)].count("listing.storage") == 1


async def test_a_listing_after_a_cycle_that_could_not_be_written_keeps_what_is_known_of_the_account(
    tmp_path: Path,
) -> None:
    async with watching(tmp_path, *TRIO) as it:
        await it.minutes(4.75)
        before = it.family.master.account
        with broken_store(tmp_path):
            await it.tick()
        await it.family.update()
        it.clock.passes(60)
        await it.family.update()
        after = await it.store.run(lambda unit: unit.account("main"))
        assert after == replace(before, listed_at=it.clock.now())


async def test_each_accounts_commits_are_counted_by_themselves_and_the_masters_decide(tmp_path: Path) -> None:
    subs = names(40)
    async with watching(tmp_path, *subs) as it:
        await it.minutes(1)
        with broken_store(tmp_path):
            await it.passes(115, at_a_time=5)  # one tick, and eighty cycles of others
            assert it.told == []
            assert not store_fails(it)
            await it.minutes(2)
            assert it.told == ["critical"]
            assert store_fails(it)
            await it.minutes(5)
            assert it.told == ["critical"]
        await it.minutes(1)
        assert it.told == ["critical", "resolved"]
        assert not store_fails(it)


def store_fails(it: Subs) -> bool:
    """What /healthz says of it."""
    return it.service._health.store_failing


async def test_a_master_account_that_cannot_be_written_is_told_however_well_the_others_are(tmp_path: Path) -> None:
    trigger = (
        "CREATE TRIGGER no BEFORE INSERT ON poll WHEN NEW.account = 'main'"
        " BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
    )
    async with watching(tmp_path, *names(10)) as it:
        await it.store.run(lambda unit: unit._connection.exec_driver_sql(trigger).close())
        await it.minutes(10)
        assert it.told == ["critical"]


# --- rule files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "told", "stored"),
    [
        ("", ["critical", "resolved"], set()),
        ('sub_accounts = ["birch"]', ["critical", "resolved"], {"birch"}),
        ('sub_accounts = ["birch", "acme"]', ["critical"], {"acme", "birch"}),
        (ALL, ["critical"], {*TRIO}),
    ],
    ids=["none", "others", "with it", "all"],
)
async def test_a_rule_file_that_no_longer_names_a_sub_account_ends_what_fires(
    tmp_path: Path, account: str, told: list[str], stored: set[str]
) -> None:
    async with SlackStandIn() as slack:
        async with watching(tmp_path, *TRIO, slack=slack, prepare=says(acme=left(1))) as it:
            await it.minutes(1)
            clock = it.clock
        async with watching(
            tmp_path, *TRIO, slack=slack, account=account, clock=clock, prepare=says(acme=left(1))
        ) as it:
            await it.minutes(1)
            assert it.told == told
            assert {*await members(it.store)} == stored
            assert await accounts(it.store) == {"main", *(f"main:{each}" for each in stored)}


async def test_a_list_that_becomes_all_keeps_those_it_listed(tmp_path: Path) -> None:
    async with SlackStandIn() as slack:
        listed = 'sub_accounts = ["acme"]'
        async with watching(tmp_path, slack=slack, account=listed, prepare=says(acme=left(1))) as it:
            await it.minutes(1)
            assert it.api.listings == []
            clock = it.clock
        async with watching(tmp_path, *TRIO, slack=slack, clock=clock, prepare=says(acme=left(1))) as it:
            await it.minutes(1)
            assert it.told == ["critical"]
            assert await members(it.store) == dict.fromkeys(TRIO, 0)


async def test_a_sub_account_has_budgets_and_channels_of_its_own(tmp_path: Path) -> None:
    rules = '[rules.few]\nvalue = "numbers.remaining"\ncritical = "< budgets.few"\n'
    own = 'budgets = { few = 2 }\n[accounts.main.sub.acme]\nbudgets = { few = 9 }\nnotify = ["theirs"]\n'
    async with SlackStandIn() as ours, SlackStandIn() as theirs:

        def setting(_: str) -> Config:
            return config(rules=rules, account=ALL + own, channels={"ops": ours.url, "theirs": theirs.url})

        async with watching(tmp_path, *TRIO, slack=ours, setting=setting) as it:
            await it.minutes(1)
            assert await it.firing() == [AlertKey("main:acme", "few")]
            assert (len(ours.shown), len(theirs.shown)) == (0, 1)


def grown(total: int) -> Answer:
    usage = {"numbers": {"remaining": 5, "limit": 12}, "stats": {"totalMessages": total}}
    return Answer(usage, json.dumps(usage))


async def test_the_windows_of_a_sub_account_are_filled_at_its_first_cycle(tmp_path: Path) -> None:
    rules = '[rules.grows]\nvalue = "increase(stats.totalMessages, 10m)"\ncritical = "> 100"\n'
    async with watching(tmp_path, "acme", rules=rules, prepare=says(acme=grown(0))) as it:
        await it.minutes(12)
        clock = it.clock
    async with watching(tmp_path, "acme", rules=rules, clock=clock, prepare=says(acme=grown(101))) as it:
        await it.minutes(1)
        assert await it.firing() == [AlertKey("main:acme", "grows")]
