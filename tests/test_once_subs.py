"""Sub-accounts in one pass for cron: who is asked in the time there is, and what processes hand to each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from guard import once
from guard.errors import ExitCode, StorageError
from guard.model import NO_DATA, AlertKey, Silence
from guard.once import run_once
from guard.parts import Parts
from guard.sandbox.scenario import Fault, Scenario, SubAccount
from guard.sandbox.server import Sandbox
from guard.store import Unit
from tests.outbox.desk import marked
from tests.stand_ins.clock import HandClock
from tests.stand_ins.slack import SlackStandIn
from tests.subs import ALL, DOWN, FORBIDDEN, MASTER, OFFLINE, Api, PassClock, left, names
from tests.wiring import API_KEY, broken_store, config, logged, opened, through


@dataclass
class Cron:
    """Passes that come one after the other, each with a process's own parts, to an API that a test plays."""

    path: Path
    slack: SlackStandIn
    clock: PassClock = field(default_factory=PassClock)
    api: Api = field(init=False)

    def __post_init__(self) -> None:
        self.api = Api(self.clock)

    @asynccontextmanager
    async def parts(self, account: str = ALL) -> AsyncIterator[Parts]:
        setting = config(account=account, channels={"ops": self.slack.url})
        async with opened(setting, self.path, clock=self.clock) as parts:
            yield through(parts, main=self.api)

    async def runs(self, *, minutes: float = 5) -> ExitCode:
        """A pass, so long after the one before."""
        self.clock.passes(minutes * 60)
        self.api.asked.clear()
        async with self.parts() as parts:
            return await run_once(parts)

    async def firing(self) -> list[AlertKey]:
        async with self.parts() as parts:
            alerts = await parts.store.run(lambda unit: unit.alerts())
        return [key for key, alert in alerts.items() if alert.level is not None]

    async def silence(self, pattern: str, *, minutes: float) -> None:
        """A silence from now on."""
        now = self.clock.now()
        async with self.parts() as parts:
            await parts.store.run(
                partial(Unit.add_silence, silence=Silence(pattern, now, now + timedelta(minutes=minutes)))
            )

    @property
    def told(self) -> list[str]:
        return [marked(post["text"]) for post in self.slack.shown]


@asynccontextmanager
async def cron(path: Path, *subs: str) -> AsyncIterator[Cron]:
    async with SlackStandIn() as slack:
        it = Cron(path, slack)
        it.api.lists(*subs)
        yield it


async def test_every_pass_asks_the_master_account_and_all_sub_accounts(tmp_path: Path) -> None:
    subs = names(20)
    async with cron(tmp_path, *subs) as it:
        for _ in range(3):
            assert await it.runs() == ExitCode.DONE
            assert it.api.asked[0].whose == MASTER
            assert sorted(it.api.asked_subs) == [*subs]
        it.api.says[subs[3]] = left(1)
        assert await it.runs() == ExitCode.CRITICAL
        assert await it.runs() == ExitCode.CRITICAL
        assert it.told == ["critical"]


async def test_many_that_fire_are_one_digest(tmp_path: Path) -> None:
    subs = names(20)
    async with cron(tmp_path, *subs) as it:
        it.api.says = dict.fromkeys(subs, left(1))
        assert await it.runs() == ExitCode.CRITICAL
        assert it.told == ["digest critical"]


async def test_what_the_time_does_not_suffice_for_comes_first_in_the_next_pass(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subs = names(20)
    async with cron(tmp_path, *subs) as it:
        await it.runs()
        it.api.on_asked = lambda whose: it.clock.passes(5) if whose else None
        await it.runs()
        first = it.api.asked_subs
        assert 4 <= len(first) < 12
        assert ("once.unasked", {"account": "main", "left": 20 - len(first)}) in logged(caplog)
        await it.runs()
        assert not {*first} & {*it.api.asked_subs[: 20 - len(first)]}


async def test_a_listing_is_asked_for_every_five_minutes_at_most_good_or_bad(tmp_path: Path) -> None:
    async with cron(tmp_path, "acme") as it:
        for minutes in (0, 1, 1, 4, 1):
            await it.runs(minutes=minutes)
        assert it.api.listings == [0, 360]
        it.api.listing = DOWN
        for minutes in (5, 1, 1, 4):
            await it.runs(minutes=minutes)
        assert it.api.listings == [0, 360, 720, 1080]


async def test_who_is_gone_after_three_listings_is_told_of(tmp_path: Path) -> None:
    async with cron(tmp_path, "acme", "birch") as it:
        it.api.says["acme"] = left(1)
        await it.runs()
        it.api.lists("birch")
        it.api.says["acme"] = FORBIDDEN
        assert [await it.runs() for _ in range(3)] == [2, 2, 0]
        assert it.told == ["critical", "resolved"]
        assert await it.firing() == []


async def test_a_listing_that_hangs_is_given_up_while_there_is_time_for_those_who_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "LIST_S", 0.05)
    subs = names(5)
    async with cron(tmp_path, *subs) as it:
        await it.runs()
        it.api.hold_listing = asyncio.Event()
        await it.runs()
        assert sorted(it.api.asked_subs) == [*subs]


def test_a_listing_leaves_time_for_those_who_are_known() -> None:
    assert once.LIST_S <= once.BEGIN_S / 2


async def test_an_outage_in_the_middle_of_a_pass_is_told_of_nobody_but_the_master_account(tmp_path: Path) -> None:
    subs = names(40)
    async with cron(tmp_path, *subs) as it:
        await it.runs()

        def breaks(whose: str) -> None:
            if whose == subs[10]:
                it.api.all_say = OFFLINE

        it.api.on_asked = breaks
        await it.runs()
        assert len(it.api.asked_subs) <= 10 + 2 * 8
        assert await it.firing() == []
        assert await it.runs() == ExitCode.NO_DATA
        assert await it.firing() == [AlertKey("main", NO_DATA)]
        it.api.on_asked, it.api.all_say = (lambda _: None), None
        it.api.says[subs[12]] = DOWN  # a little longer
        await it.runs()
        assert await it.firing() == [AlertKey("main", NO_DATA)]
        await it.runs()
        assert await it.firing() == [AlertKey(f"main:{subs[12]}", NO_DATA)]


async def test_a_silence_of_a_sub_account_ends_in_time_also_in_an_outage(tmp_path: Path) -> None:
    async with cron(tmp_path, "acme") as it:
        await it.runs()
        await it.silence("main:acme/*", minutes=12)
        it.api.says["acme"] = left(1)
        await it.runs()
        it.api.all_say = OFFLINE
        await it.runs()
        assert it.told == ["critical"]  # the master account is lost
        await it.runs()
        assert it.told == ["critical", "critical"]


async def test_a_defect_in_one_cycle_is_raised_after_all_had_their_turn_and_all_was_told(tmp_path: Path) -> None:
    subs = names(20)
    async with cron(tmp_path, *subs) as it:
        await it.runs()
        it.api.says = {subs[0]: RuntimeError("a defect"), subs[19]: left(1)}
        with pytest.raises(RuntimeError, match="a defect"):
            await it.runs()
        assert sorted(it.api.asked_subs) == [*subs]
        assert it.told == ["critical"]


async def test_a_store_that_fails_in_the_middle_is_raised_and_leaves_nothing_behind(tmp_path: Path) -> None:
    subs = names(20)
    async with cron(tmp_path, *subs) as it:
        await it.runs()
        it.clock.passes(300)
        gate = it.api.holds[subs[0]] = asyncio.Event()
        async with it.parts() as parts:
            running = asyncio.ensure_future(run_once(parts))
            while subs[0] not in it.api.open:
                await asyncio.wait({running}, timeout=0.005)
            with broken_store(tmp_path):
                gate.set()
                with pytest.raises(StorageError):
                    await running
            assert it.api.open == []  # nobody is still being asked


async def test_a_pass_against_a_real_api_watches_whom_it_lists(tmp_path: Path) -> None:
    story = Scenario("three", subs={each: SubAccount(each, Scenario(each)) for each in ("acme", "birch", "elm")})
    clock = HandClock()
    async with (
        Sandbox(scenario=story, key=API_KEY, now=clock.now) as sandbox,
        SlackStandIn() as slack,
    ):
        sandbox.set({"numbers.remaining": 1}, sub="acme")
        sandbox.fault(Fault(path="*", status=403), sub="elm")
        setting = config(api=sandbox.base_url, account=ALL, channels={"ops": slack.url})
        async with opened(setting, tmp_path, clock=clock) as parts:
            assert await run_once(parts) == ExitCode.NO_DATA
            assert {str(each) for each in await parts.store.run(lambda unit: unit.alerts())} >= {
                "main:acme/numbers-remaining",
                f"main:elm/{NO_DATA}",
            }
            assert sorted(marked(post["text"]) for post in slack.shown) == ["critical", "critical"]
