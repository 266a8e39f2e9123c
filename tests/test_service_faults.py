"""What goes wrong around the service, and that it goes on: the scheduler, its own jobs, the store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from guard import service
from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.errors import ExitCode, StorageError
from guard.model import Answer as Usage
from guard.model import Failure, FailureKind
from guard.notify import heartbeat
from guard.parts import Parts
from guard.sandbox.scenario import Fault, Kind
from guard.service import Service
from guard.store import Poll
from tests.agentphone.wire import Wire, answers, says_nothing, wire
from tests.cli.process import script
from tests.serving import NEVER, QUICK, Looking, Serving, Waiting, world
from tests.stand_ins.slack import Answer
from tests.waiting import until
from tests.wiring import broken_store, config, logged, opened, through

TICK_S: Final = QUICK.total_seconds()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(service, "PULSE_S", TICK_S)
    monkeypatch.setattr(service, "DRAIN_S", 0.2)
    caplog.set_level("INFO", "guard")


def count(caplog: pytest.LogCaptureFixture, name: str) -> int:
    return [event for event, _ in logged(caplog)].count(name)


# --- the watchdog --------------------------------------------------------------------------------------------------


def jump(run: Serving) -> None:
    """What a clock that was set back by an hour comes to: all jobs lie an hour in the future."""
    for job in run.service._scheduler.get_jobs():
        job.modify(next_run_time=Clock().wall_now() + timedelta(hours=1))


def die(run: Serving) -> None:
    """An exception in the scheduler's own bookkeeping, after which it does not set its timer again."""
    scheduler = run.service._scheduler

    def fail() -> None:
        del scheduler._process_jobs  # this time only
        raise RuntimeError("a defect")

    scheduler._process_jobs = fail


@pytest.mark.parametrize("happens", [jump, die])
async def test_a_scheduler_that_no_longer_comes_is_wound_up_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    happens: Callable[[Serving], None],
) -> None:
    monkeypatch.setattr(service, "WATCH_S", 5 * TICK_S)
    async with world(tmp_path) as it, it.serving() as run:
        await it.until_asked(2)
        happens(run)
        await until(lambda: count(caplog, "watchdog.rearmed") > 0)
        it.shows(1)
        await it.until_told("critical")
        assert await run.end() == ExitCode.DONE


async def test_a_cycle_that_hangs_ends_the_service_so_that_it_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "WATCH_S", TICK_S)
    async with world(tmp_path) as it:
        it.sandbox.fault(Fault(kind=Kind.HANG))
        async with it.serving() as run:
            assert await run.ended == ExitCode.UNPLANNED
    assert ("watchdog.gave_up", {"jobs": "cycle:main"}) in logged(caplog)


async def test_a_scheduler_that_cannot_be_wound_up_ends_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "WATCH_S", TICK_S)
    async with world(tmp_path) as it, it.serving() as run:
        await it.until_asked(2)
        run.service._scheduler.pause()
        assert await run.ended == ExitCode.UNPLANNED
    assert ("watchdog.gave_up", {"jobs": "pulse"}) in logged(caplog)


async def test_an_outbox_that_goes_on_sending_slowly_does_not_hang(tmp_path: Path) -> None:
    outboxes = list[Looking]()

    class Busy(Looking):
        async def attempt(self, channel: str) -> bool:
            self.looks += 1
            await self.gate.wait()
            self.gate.clear()
            return True

    def change(parts: Parts) -> Parts:
        outboxes.append(Busy(parts.outbox))
        outboxes[0].gate.clear()
        return replace(parts, outbox=outboxes[0])

    async with world(tmp_path) as it, it.serving(every=NEVER, change=change) as run:
        await until(lambda: outboxes[0].looks == 1)
        for looks in range(2, 6):
            await until(lambda: list(run.service._jobs._running) == ["outbox:ops"] and not run.service._pulses_missed)
            for _ in range(service.GIVE_UP_AFTER - 1):
                run.service._watch()
            outboxes[0].gate.set()
            await until(lambda looks=looks: outboxes[0].looks == looks)
        assert await run.end() == ExitCode.DONE


async def test_a_job_that_ends_in_time_has_its_whole_time_again_when_it_runs_again(tmp_path: Path) -> None:
    slow = Waiting()

    def change(parts: Parts) -> Parts:
        return through(parts, main=slow)

    async with world(tmp_path) as it, it.serving(change=change) as run:
        for uses in range(1, 4):
            await until(lambda uses=uses: slow.uses == uses and not run.service._pulses_missed)
            for _ in range(service.GIVE_UP_AFTER - 1):
                run.service._watch()
            slow.gate.set()
        assert await run.end() == ExitCode.DONE


async def test_a_watch_that_comes_after_the_end_finds_nothing_to_complain_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as it, it.serving() as run:
        await it.until_asked(2)
        assert await run.end() == ExitCode.DONE
        for _ in range(2 * service.GIVE_UP_AFTER):
            run.service._watch()
    assert not [event for event, _ in logged(caplog) if event.startswith("watchdog")]


HANGING_STORE: Final = """
import sys, threading
from guard import service
from guard.__main__ import main
from guard.store.database import Database

def hang(self, work):
    threading.Event().wait()

def pulse(self):
    Database.run = hang  # from now on the store's one thread does not come back
    return first(self)

first, service.Service._pulse = service.Service._pulse, pulse
service.WATCH_S = service.DRAIN_S = 0.05
sys.exit(main(["run"]))
"""


async def test_a_store_that_hangs_cannot_hold_up_the_end(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        async with script(HANGING_STORE, **it.environ()) as process:
            assert await process.end() == ExitCode.UNPLANNED
        assert "watchdog.gave_up" in process.text


# --- its own jobs --------------------------------------------------------------------------------------------------


class Failing(Waiting):
    """A client with a defect that shows three times."""

    def __init__(self, then: UsageClient) -> None:
        super().__init__()
        self.then = then

    async def usage(self, *, now: datetime, sub_id: str = "") -> Usage | Failure:
        self.uses += 1
        if self.uses <= 3:
            raise RuntimeError("a defect")
        return await self.then.usage(now=now)


async def test_a_cycle_with_a_defect_is_logged_and_runs_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def change(parts: Parts) -> Parts:
        return through(parts, main=Failing(parts.families[0].client))

    async with world(tmp_path) as it, it.serving(change=change):
        it.shows(1)
        await it.until_told("critical")
    assert [fields for event, fields in logged(caplog) if event == "service.unplanned"] == [{"job": "cycle:main"}] * 3


async def test_an_outbox_with_a_defect_is_logged_and_runs_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Defective(Looking):
        async def attempt(self, channel: str) -> bool:
            self.looks += 1
            if self.looks <= 3:
                raise RuntimeError("a defect")
            return await super().attempt(channel)

    def change(parts: Parts) -> Parts:
        return replace(parts, outbox=Defective(parts.outbox))

    async with world(tmp_path) as it, it.serving(change=change):
        it.shows(1)
        await it.until_told("critical")
    assert count(caplog, "service.unplanned") == 3


# --- a store that fails --------------------------------------------------------------------------------------------


async def test_a_store_that_fails_is_told_straight_and_once_polling_goes_on_and_it_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as it, it.serving(names=("ops", "mail")) as run:
        await it.until_asked(2)
        with broken_store(tmp_path):
            await it.until_told("critical", "critical")
            await it.until_asked(10)
            it.shows(1)
        await until(lambda: count(caplog, "store.recovered") == 1)
        await until(lambda: len(it.told) >= 6)
        assert await run.end() == ExitCode.DONE
    texts = sorted(post["text"].partition(":")[0] for post in it.slack.shown)
    assert texts == [
        *["[critical] guard.store_failing"] * 2,
        *["[critical] main / numbers-remaining"] * 2,
        *["[resolved] guard.store_failing"] * 2,
    ]
    assert 1 <= count(caplog, "outbox.storage") <= 2  # once for a channel, not once a second


async def test_while_the_store_fails_an_account_that_failed_before_is_asked_at_its_interval_and_not_at_every_pulse(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulses: list[Service] = []
    pulse = Service._pulse

    async def counted_pulse(self: Service) -> None:
        pulses.append(self)
        await pulse(self)

    monkeypatch.setattr(Service, "_pulse", counted_pulse)
    async with world(tmp_path) as it:
        it.sandbox.fault(Fault(status=503))
        async with it.serving(every=NEVER) as run:
            await run.until_cycled(1)
            with broken_store(tmp_path):
                await until(lambda: count(caplog, "store.failed") == 1)
                seen = len(pulses)
                await until(lambda: len(pulses) >= seen + 5)
            assert it.sandbox.requests == 2


async def test_a_database_that_cannot_be_read_at_the_start_is_an_error(tmp_path: Path) -> None:
    async with opened(config(), tmp_path) as parts:
        with broken_store(tmp_path), pytest.raises(StorageError):
            await Service(parts).run(asyncio.Event())


# --- the sign of life ----------------------------------------------------------------------------------------------


async def test_completed_cycles_give_a_sign_of_life_and_those_that_are_not_committed_one_of_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "PAUSE_S", 0)
    async with (
        wire(answers()) as server,
        world(tmp_path) as it,
        it.serving(heartbeat_url=f"{server.url}/ping") as run,
    ):
        it.sandbox.fault(Fault(status=503))  # AgentPhone's being down is not ours
        await until(lambda: len(server.requests) >= 3)
        assert asked(server) == {"/ping"}
        with broken_store(tmp_path):
            await until(lambda: count(caplog, "store.failed") >= 3)
            await until(lambda: "heartbeat" not in run.service._jobs._running)
            server.requests.clear()
            await until(lambda: len(server.requests) >= 3)
            assert asked(server) == {"/ping/fail"}
        await until(lambda: "/ping" in asked(server))
        await until(lambda: "heartbeat" not in run.service._jobs._running)
        server.requests.clear()
        await until(lambda: len(server.requests) >= 3)
        assert asked(server) == {"/ping"}


async def test_a_service_that_can_tell_nobody_gives_a_sign_of_failure(tmp_path: Path) -> None:
    async with (
        wire(answers()) as server,
        world(tmp_path, *[Answer(status=404, body="no_service")] * 50) as it,
        it.serving(heartbeat_url=f"{server.url}/ping") as run,
    ):
        it.shows(1)
        await until(lambda: "/ping/fail" in asked(server))
        assert run.service._health.is_failing


def asked(server: Wire) -> set[str]:
    """The paths that were asked for."""
    return {request.split(b" ")[1].decode() for request in server.requests}


async def test_a_heartbeat_that_hangs_holds_up_nothing(tmp_path: Path) -> None:
    async with wire(says_nothing) as server, world(tmp_path) as it, it.serving(heartbeat_url=server.url) as run:
        await until(lambda: len(server.requests) == 1)
        it.shows(1)
        await it.until_told("critical")
        assert await run.end() == ExitCode.DONE


# --- what is forgotten ---------------------------------------------------------------------------------------------


async def test_what_is_too_old_is_forgotten_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FIRST_PRUNE", QUICK)
    monkeypatch.setattr(service, "PRUNE_EVERY", QUICK)
    old = Poll("gone", Clock().now() - timedelta(days=401), Failure(FailureKind.SERVER, "it answered 503"))
    async with world(tmp_path) as it, it.serving(every=NEVER) as run:
        for _ in range(2):
            await run.store.run(lambda unit: unit.record_poll(old))

            async def is_gone() -> bool:
                return not await run.store.run(lambda unit: unit.polls("gone", count=1))

            await until(is_gone)


async def test_a_store_that_forgets_nothing_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "FIRST_PRUNE", QUICK)
    monkeypatch.setattr(service, "PRUNE_EVERY", QUICK)
    async with world(tmp_path) as it, it.serving(every=NEVER) as run:
        await it.until_asked(1)
        with broken_store(tmp_path):
            await until(lambda: count(caplog, "store.prune_failed") >= 2)
        assert await run.end() == ExitCode.DONE
