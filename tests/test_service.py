"""The service as it runs: against an API and a Slack over HTTP, a real database, and the scheduler's real time."""

import asyncio
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from guard import service
from guard.errors import ExitCode
from guard.model import DeliveryState, EventKind
from guard.parts import Parts
from guard.sandbox.scenario import Fault, Kind
from guard.signals import run_until_signalled
from tests.cli.process import command
from tests.serving import FOREVER_S, NEVER, NOBODY, QUICK, Looking, Waiting, world
from tests.stand_ins.slack import Answer
from tests.waiting import until
from tests.wiring import kinds, logged, through


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(service, "PULSE_S", QUICK.total_seconds())
    monkeypatch.setattr(service, "DRAIN_S", 0.3)
    caplog.set_level("INFO", "guard")


def count(caplog: pytest.LogCaptureFixture, name: str) -> int:
    return [event for event, _ in logged(caplog)].count(name)


# --- from its start to its end -------------------------------------------------------------------------------------


async def test_it_tells_each_change_once_and_ends_when_asked(tmp_path: Path) -> None:
    async with world(tmp_path) as it, it.serving() as run:
        await it.until_asked(3)
        marks: list[str] = []
        for left, mark in ((2, "warning"), (1, "escalated critical"), (5, "resolved")):
            it.shows(left)
            marks.append(mark)
            await it.until_told(*marks)
            await it.until_asked(3)
        assert await run.end() == ExitCode.DONE
        assert it.told == marks


async def test_an_alert_that_fires_is_told_without_waiting_for_the_next_pulse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PULSE_S", FOREVER_S)
    monkeypatch.setattr(service, "WATCH_S", FOREVER_S)
    async with world(tmp_path) as it, it.serving():
        await it.until_asked(2)
        it.shows(1)
        await it.until_told("critical")


async def test_what_is_in_flight_when_it_is_asked_to_end_is_finished(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with world(tmp_path, Answer(hold=hold)) as it, it.serving() as run:
        it.shows(2)
        await it.slack.arrived.wait()
        run.stop.set()
        await until(lambda: run.service._jobs.is_draining)
        hold.set()
        assert await run.ended == ExitCode.DONE
        assert [each.state for each in await run.store.run(lambda unit: unit.deliveries())] == [DeliveryState.SENT]


async def test_a_poll_in_flight_does_not_hold_up_the_end_and_is_made_again_after_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "DRAIN_S", FOREVER_S)
    async with world(tmp_path) as it:
        it.sandbox.fault(Fault(kind=Kind.HANG))
        async with it.serving() as run:
            await it.until_asked(1)
            async with asyncio.timeout(5):
                assert await run.end() == ExitCode.DONE
        it.sandbox.clear()
        it.shows(1)
        async with it.serving():
            await it.until_told("critical")


async def test_a_slack_that_hangs_does_not_hold_up_the_end_and_what_it_may_have_shown_is_sent_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, Answer(hold=asyncio.Event())) as it:
        it.shows(2)
        async with it.serving() as run:
            await it.slack.arrived.wait()
            async with asyncio.timeout(service.DRAIN_S + 5):
                assert await run.end() == ExitCode.DONE
            assert [each.state for each in await run.store.run(lambda unit: unit.deliveries())] == [
                DeliveryState.SENDING
            ]
        assert count(caplog, "service.draining") == 1
        async with it.serving() as run:
            await until(lambda: len(it.slack.received) == 2)
            assert await run.end() == ExitCode.DONE
            assert EventKind.UNSURE in await kinds(run.store)
        assert len({str(post.payload["metadata"]) for post in it.slack.received}) == 1


def test_the_drain_leaves_a_second_of_the_eight_that_an_end_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert service.DRAIN_S <= 7


async def test_nothing_is_begun_after_the_end(tmp_path: Path) -> None:
    async with world(tmp_path) as it, it.serving() as run:
        await it.until_asked(3)
        await run.end()
        asked = it.sandbox.requests
        run.service._wake_outbox()
        await run.service._pulse()
        assert run.service._jobs._running == {}
        assert it.sandbox.requests == asked


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_signal_ends_it(tmp_path: Path, caplog: pytest.LogCaptureFixture, number: signal.Signals) -> None:
    async with world(tmp_path) as it, it.serving(every=NEVER) as run:
        await run.end()  # what is wanted here is its parts
        running = asyncio.ensure_future(run_until_signalled(run.parts, listen=None, systemd=NOBODY))
        await until(lambda: count(caplog, "service.started") == 1)
        signal.raise_signal(number)
        assert await running == ExitCode.DONE
        assert not asyncio.get_running_loop().remove_signal_handler(number)  # it was given back
    assert [
        entry for entry in logged(caplog) if entry[0] in {"service.started", "service.stopping", "service.stopped"}
    ] == [
        ("service.started", {"accounts": "main", "channels": "ops"}),
        ("service.stopping", {"signal": number.name}),
        ("service.stopped", {"exit_code": 0}),
    ]


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, Answer(hold=asyncio.Event())) as it:
        it.shows(1)
        async with command("run", **it.environ()) as process:
            await it.slack.arrived.wait()
            process.process.send_signal(signal.SIGTERM)
            await process.until("service.stopping")
            async with asyncio.timeout(3):
                assert await process.end(signal.SIGTERM) == 128 + signal.SIGTERM


# --- one at a time -------------------------------------------------------------------------------------------------


def looking(parts: Parts, *, into: list[Looking]) -> Parts:
    into.append(Looking(parts.outbox))
    return replace(parts, outbox=into[0])


async def test_a_cycle_does_not_begin_before_the_one_before_has_ended(tmp_path: Path) -> None:
    slow, outboxes = Waiting(), list[Looking]()

    def change(parts: Parts) -> Parts:
        return through(looking(parts, into=outboxes), main=slow)

    async with world(tmp_path) as it, it.serving(every=QUICK / 2, change=change):
        await until(lambda: outboxes[0].looks >= 10)  # as many pulses, and ticks between any two of them
        assert slow.uses == 1
        slow.gate.set()
        await until(lambda: outboxes[0].looks >= 20)


async def test_a_channel_is_not_sent_to_while_it_is_being_sent_to(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with world(tmp_path, Answer(hold=hold)) as it, it.serving():
        it.shows(2)
        await it.slack.arrived.wait()
        it.shows(1)
        await it.until_asked(10)
        assert len(it.slack.received) == 1
        hold.set()
        await it.until_told("warning", "escalated critical")


async def test_an_outbox_that_is_woken_while_it_works_looks_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PULSE_S", FOREVER_S)
    monkeypatch.setattr(service, "WATCH_S", FOREVER_S)
    outboxes = list[Looking]()
    async with world(tmp_path) as it, it.serving(every=NEVER, change=partial(looking, into=outboxes)) as run:
        await until(lambda: outboxes[0].looks >= 1)  # for the first pulse
        await until(lambda: not run.service._jobs._running)
        before = outboxes[0].looks
        outboxes[0].gate.clear()
        for _ in range(3):
            run.service._wake_outbox()
        await until(lambda: outboxes[0].looks == before + 1)
        outboxes[0].gate.set()
        await until(lambda: not run.service._jobs._running)
        assert outboxes[0].looks == before + 2


async def test_an_account_that_hangs_delays_no_other(tmp_path: Path) -> None:
    slow = Waiting()
    async with world(tmp_path) as it:
        other = f'[accounts.other]\napi_key = "${{API_KEY}}"\nbase_url = "{it.sandbox.base_url}"\n'
        it.shows(1)
        async with it.serving(account=other, change=lambda parts: through(parts, main=slow)):
            await it.until_told("critical")
            assert slow.uses == 1


async def test_a_channel_that_hangs_delays_no_other(tmp_path: Path) -> None:
    hanging = Answer(status=503, hold=asyncio.Event())
    async with world(tmp_path, hanging) as it, it.serving(names=("ops", "mail")):
        it.shows(1)
        await it.until_told("critical")
        assert len(it.slack.received) == 2


# --- when an account is asked --------------------------------------------------------------------------------------


async def test_after_a_failure_it_asks_again_soon_and_does_not_wait_for_the_interval(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        it.sandbox.fault(Fault(status=503))
        async with it.serving(every=NEVER):
            await it.until_asked(1)
            it.sandbox.clear()
            it.shows(1)
            await it.until_told("critical")
            assert it.sandbox.requests == 2


async def test_an_account_that_wishes_to_be_left_alone_is_left_alone_also_after_a_start(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        it.sandbox.fault(Fault(status=429, retry_after="3600"))
        for _ in range(2):
            async with it.serving() as run:
                await run.until_cycled(3)
        assert it.sandbox.requests == 1


async def test_a_key_that_was_refused_is_left_alone_but_may_be_another_one_after_a_start(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        it.sandbox.fault(Fault(status=401))
        for asked in (1, 2):
            async with it.serving() as run:
                await it.until_told("critical")
                await run.until_cycled(3)
                assert it.sandbox.requests == asked
