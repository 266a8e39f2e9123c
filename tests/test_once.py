"""One pass for cron: how it exits, what it leaves, and how it counts time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from guard import once
from guard.errors import ExitCode, StorageError
from guard.model import DeliveryState
from guard.once import run_once
from guard.outbox import Outbox
from guard.parts import Parts
from guard.sandbox.scenario import Fault
from guard.sandbox.server import Sandbox
from tests.agentphone.wire import answers, wire
from tests.builders import KEY
from tests.outbox.desk import marked
from tests.stand_ins.clock import HandClock
from tests.stand_ins.slack import Answer, Drop, SlackStandIn
from tests.wiring import API_KEY, NUMBERS, broken_store, config, events, logged, opened


@dataclass
class Cron:
    """Passes over one account and one channel, each with a process's own parts."""

    path: Path
    clock: HandClock
    sandbox: Sandbox
    slack: SlackStandIn
    rules: str = NUMBERS
    heartbeat_url: str | None = None

    @asynccontextmanager
    async def parts(self) -> AsyncIterator[Parts]:
        setting = config(rules=self.rules, api=self.sandbox.base_url, channels={"ops": self.slack.url})
        async with opened(setting, self.path, clock=self.clock, heartbeat_url=self.heartbeat_url) as parts:
            yield parts

    async def runs(self, *, left: int | None = None, minutes: float = 0) -> ExitCode:
        """A pass that sees so many numbers left, or as many as the one before."""
        if left is not None:
            self.sandbox.set({"numbers.remaining": left})
        self.clock.move(minutes=minutes)
        async with self.parts() as parts:
            return await run_once(parts)

    @property
    def told(self) -> list[str]:
        return [marked(post["text"]) for post in self.slack.shown]


@asynccontextmanager
async def cron(path: Path, *script: Answer | Drop, rules: str = NUMBERS) -> AsyncIterator[Cron]:
    clock = HandClock()
    async with Sandbox(scenario="steady", key=API_KEY, now=clock.now) as sandbox, SlackStandIn(*script) as slack:
        yield Cron(path, clock, sandbox, slack, rules)


# --- the exit code -------------------------------------------------------------------------------------------------


async def test_the_exit_code_is_that_of_the_worst_that_fires(tmp_path: Path) -> None:
    async with cron(tmp_path) as it:
        for left, code in ((5, 0), (2, 1), (2, 1), (1, 2), (2, 1), (5, 0)):
            assert await it.runs(left=left, minutes=1) == code
        assert it.told == ["warning", "escalated critical", "resolved"]


async def test_a_refused_key_is_no_data_whatever_else_fires(tmp_path: Path) -> None:
    async with cron(tmp_path) as it:
        await it.runs(left=1)
        it.sandbox.fault(Fault(status=401))
        assert await it.runs(minutes=1) == ExitCode.NO_DATA
        it.sandbox.clear()
        assert await it.runs(left=1, minutes=1) == ExitCode.NO_DATA  # two good answers are needed
        assert await it.runs(left=1, minutes=1) == ExitCode.CRITICAL


async def test_one_failed_poll_is_not_yet_no_data_but_an_account_never_heard_of_is(tmp_path: Path) -> None:
    async with cron(tmp_path) as it:
        it.sandbox.fault(Fault(status=503))
        assert await it.runs() == ExitCode.NO_DATA
        it.sandbox.clear()
        assert await it.runs(left=5, minutes=1) == ExitCode.DONE
        it.sandbox.fault(Fault(status=503))
        assert await it.runs(minutes=1) == ExitCode.DONE
        assert it.told == []


async def test_a_rule_that_cannot_be_evaluated_is_a_warning(tmp_path: Path) -> None:
    async with cron(tmp_path, rules=NUMBERS.replace("numbers.remaining", "numbers.ported")) as it:
        assert [await it.runs(minutes=10) for _ in range(3)] == [0, 0, 1]
        assert it.told == ["warning"]


async def test_a_store_that_fails_is_raised(tmp_path: Path) -> None:
    async with cron(tmp_path) as it, it.parts() as parts:
        with broken_store(tmp_path), pytest.raises(StorageError):
            await run_once(parts)


# --- delivery ------------------------------------------------------------------------------------------------------


async def test_what_waits_is_tried_by_a_later_pass_when_it_is_due(tmp_path: Path) -> None:
    async with cron(tmp_path, Answer(status=429, headers={"Retry-After": "600"})) as it:
        assert await it.runs(left=1) == ExitCode.CRITICAL
        assert await it.runs(minutes=9) == ExitCode.CRITICAL
        assert it.told == []
        await it.runs(minutes=1)
        assert it.told == ["critical"]


async def test_what_the_time_does_not_suffice_for_is_left_for_the_next_pass_and_nothing_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(once, "BEGIN_S", 0)
    two = NUMBERS + NUMBERS.replace("numbers-remaining", "numbers-too")
    async with cron(tmp_path, rules=two) as it:
        assert await it.runs(left=1) == ExitCode.CRITICAL
        assert it.told == ["critical"]
        assert ("once.left", {"channel": "ops"}) in logged(caplog)
        async with it.parts() as parts:
            states = [each.state for each in await parts.store.run(lambda unit: unit.deliveries())]
            assert sorted(states) == [DeliveryState.PENDING, DeliveryState.SENT]
        await it.runs(minutes=1)
        assert it.told == ["critical", "critical"]
        assert len({str(post.payload["metadata"]) for post in it.slack.received}) == 2


async def test_a_pass_forgets_what_was_kept_long_enough(tmp_path: Path) -> None:
    async with cron(tmp_path) as it:
        await it.runs(left=9)
        await it.runs(minutes=1)
        async with it.parts() as parts:
            assert len(await parts.store.run(lambda unit: unit.polls("main", count=9))) == 2
        await it.runs(minutes=20 * 24 * 60)
        async with it.parts() as parts:
            assert len(await parts.store.run(lambda unit: unit.polls("main", count=9))) == 2


async def test_a_store_that_fails_while_it_delivers_is_raised(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with cron(tmp_path, Answer(hold=hold)) as it, it.parts() as parts:
        it.sandbox.set({"numbers.remaining": 1})
        running = asyncio.ensure_future(run_once(parts))
        await it.slack.arrived.wait()
        with broken_store(tmp_path):
            hold.set()
            with pytest.raises(StorageError):
                await running


async def test_a_defect_while_it_delivers_is_raised_after_the_other_channels_were_served(tmp_path: Path) -> None:
    class Broken(Outbox):
        async def attempt(self, channel: str) -> bool:
            if channel == "broken":
                raise RuntimeError("a defect")
            return await super().attempt(channel)

    async with cron(tmp_path) as it:
        it.sandbox.set({"numbers.remaining": 1})
        urls = {"broken": it.slack.url, "ops": it.slack.url}
        async with opened(config(api=it.sandbox.base_url, channels=urls), tmp_path, clock=it.clock) as parts:
            outbox = Broken(parts.store, parts.notifiers, parts.outbox.zone_of, it.clock)
            with pytest.raises(RuntimeError, match="a defect"):
                await run_once(replace(parts, outbox=outbox))
        assert it.told == ["critical"]


# --- time ----------------------------------------------------------------------------------------------------------


async def test_the_time_since_the_pass_before_counts_whatever_the_rule_file_says(tmp_path: Path) -> None:
    async with cron(tmp_path, rules=NUMBERS + 'for = "2h"\n') as it:
        assert [await it.runs(left=1, minutes=60) for _ in range(3)] == [0, 0, 2]
        assert it.told == ["critical"]


async def test_windows_begin_with_answers_of_the_rhythm_of_the_passes(tmp_path: Path) -> None:
    rules = '[rules.growth]\nvalue = "increase(stats.totalMessages, 90m)"\nwarning = "> 250"\n'
    async with cron(tmp_path, rules=rules) as it:
        for hour, code in enumerate((0, 0, 0, 1, 0, 0)):  # the window's first answer is two hours old
            it.sandbox.set({"stats.totalMessages": 100_000 + (100, 200, 300, 460, 500, 600)[hour]})
            assert await it.runs(minutes=60) == code


async def test_an_outage_counts_from_pass_to_pass(tmp_path: Path) -> None:
    async with cron(tmp_path) as it:
        await it.runs(left=5)
        it.sandbox.fault(Fault(status=503))
        assert await it.runs(minutes=60) == ExitCode.NO_DATA
        async with it.parts() as parts:
            assert "no good answer for 1 h" in it.slack.shown[0]["text"]
            assert [event.kind for event in await events(parts.store, key=KEY)] == []


async def test_an_account_that_wishes_to_be_left_alone_is_not_asked_by_the_next_pass_which_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with cron(tmp_path) as it:
        await it.runs(left=5)
        it.sandbox.fault(Fault(status=429, retry_after="600"))
        for minutes, asked in ((1, 2), (9, 2), (1, 3)):
            await it.runs(minutes=minutes)
            assert it.sandbox.requests == asked
        assert [event for event, _ in logged(caplog)].count("once.unasked") == 1


async def test_a_pass_after_the_clock_went_back_counts_nothing(tmp_path: Path) -> None:
    async with cron(tmp_path, rules=NUMBERS + 'for = "2h"\n') as it:
        assert [await it.runs(left=1, minutes=minutes) for minutes in (0, -600, 60, 60)] == [0, 0, 0, 2]


# --- the sign of life, and the report ------------------------------------------------------------------------------


async def test_a_pass_gives_one_sign_of_life_and_one_of_failure_where_nothing_can_be_committed(tmp_path: Path) -> None:
    async with wire(answers()) as server, cron(tmp_path) as it:
        it.heartbeat_url = f"{server.url}/ping"
        await it.runs()
        async with it.parts() as parts:
            with broken_store(tmp_path), pytest.raises(StorageError):
                await run_once(parts)
        assert [request.split(b" ")[1] for request in server.requests] == [b"/ping", b"/ping/fail"]


async def test_a_pass_tells_the_report_that_is_due(tmp_path: Path) -> None:
    async with cron(tmp_path, rules=f'{NUMBERS}[report]\nat = "14:10"\n') as it:
        await it.runs()
        await it.runs(minutes=4)
        assert it.told == []
        await it.runs(minutes=1)
        await it.runs(minutes=1)
        assert it.told == ["report"]
