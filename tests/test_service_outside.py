"""What the outside sees of the service: its console and systemd."""

import asyncio
import json
import re
import socket
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from guard.clock import Clock
from guard.errors import ExitCode
from guard.model import Failure, FailureKind
from guard.service import GIVE_UP_AFTER, REARM_AFTER
from guard.settings import Listen
from guard.store import Poll, Unit
from guard.systemd import Systemd
from tests.serving import QUICK, Serving, world
from tests.waiting import until
from tests.wiring import broken_store, config, logged, opened

ANYWHERE: Final = Listen(port=0)


class Console:
    """The console of a service, as who asks it sees it."""

    def __init__(self, run: Serving, caplog: pytest.LogCaptureFixture) -> None:
        self._run = run
        self._caplog = caplog

    async def healthz(self) -> tuple[int, dict[str, Any]]:
        """The status and the document that /healthz gives."""
        await until(lambda: self._address() is not None)
        host, _, port = str(self._address()).rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        document: dict[str, Any] = json.loads(body)
        return int(head.split()[1]), document

    def _address(self) -> object:
        return next((fields["address"] for event, fields in logged(self._caplog) if event == "console.listening"), None)


async def test_healthz_tells_of_the_last_cycle(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "guard")
    async with world(tmp_path) as it, it.serving(listen=ANYWHERE) as run:
        status, document = await Console(run, caplog).healthz()
        assert (status, document["status"], document["reasons"]) == (200, "ok", [])
        assert document["cycles"] >= 1
        assert document["last_cycle_age_s"] < 20


async def test_healthz_fails_while_the_store_does_and_is_well_again_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "guard")
    async with world(tmp_path) as it, it.serving(listen=ANYWHERE) as run:
        console = Console(run, caplog)
        assert (await console.healthz())[0] == 200
        with broken_store(tmp_path):
            await until(lambda: run.service._health.store_failing)
            status, document = await console.healthz()
            assert (status, document["reasons"]) == (503, ["the database takes no writes"])
        await until(lambda: not run.service._health.store_failing)
        assert (await console.healthz())[0] == 200


async def test_a_port_that_is_taken_is_told_and_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Listen(port=taken.getsockname()[1])
        async with world(tmp_path) as it, it.serving(listen=listen) as run:
            await until(lambda: "console.unavailable" in [event for event, _ in logged(caplog)])
            it.shows(1)
            await it.until_told("critical")
            assert await run.end() == 0


async def test_there_is_no_console_where_none_is_wanted(tmp_path: Path) -> None:
    async with world(tmp_path) as it, it.serving() as run:
        await run.until_cycled(3)
        assert run.service._console is None


async def test_systemd_is_told_that_the_service_is_up_alive_and_ending(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        told = Systemd(str(tmp_path / "notify"))
        async with world(tmp_path) as it, it.serving(systemd=told) as run:
            await run.until_cycled(1)
            assert systemd.recv(100) == b"READY=1"
            run.service._pulses_missed = 0
            run.service._watch()
            told_of = systemd.recv(100).decode()
            assert re.fullmatch(r"WATCHDOG=1\nSTATUS=[0-9]+ cycles, the last [0-9]+ s ago", told_of)
            await run.end()
            assert systemd.recv(100) == b"STOPPING=1"


async def test_systemd_is_not_told_that_it_is_alive_while_the_scheduler_does_not_come(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        async with world(tmp_path) as it, it.serving(systemd=Systemd(str(tmp_path / "notify"))) as run:
            await run.until_cycled(1)
            assert systemd.recv(100) == b"READY=1"
            run.service._pulses_missed = REARM_AFTER
            run.service._watch()
            with pytest.raises(BlockingIOError):
                systemd.recv(100)
            await run.end()
            assert systemd.recv(100) == b"STOPPING=1"


async def test_systemd_is_no_longer_told_that_a_service_is_alive_that_hangs(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        async with world(tmp_path) as it, it.serving(every=QUICK, systemd=Systemd(str(tmp_path / "notify"))) as run:
            await run.until_cycled(1)
            assert systemd.recv(100) == b"READY=1"
            run.service._pulses_missed = GIVE_UP_AFTER
            run.service._watch()
            assert systemd.recv(100) == b"STOPPING=1" if await run.end() else False


# --- the report ----------------------------------------------------------------------------------------------------


async def test_a_service_tells_the_report_that_is_due_once(tmp_path: Path) -> None:
    before = Clock().now() - timedelta(days=3)
    poll = Poll("main", before, Failure(FailureKind.SERVER, "it answered 503"))
    async with world(tmp_path) as it:
        async with opened(config(), tmp_path) as parts:
            await parts.store.run(partial(Unit.record_poll, poll=poll))
        for _ in range(2):
            async with it.serving(account="[report]") as run:
                await it.until_told("report")
                await run.until_cycled(3)
                assert await run.end() == ExitCode.DONE
        assert it.told == ["report"]
