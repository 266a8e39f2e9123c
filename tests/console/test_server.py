"""The console as a guest: it never delays an end, takes no signal, and its own troubles stop nothing."""

import asyncio
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from guard.console import server
from guard.console.health import Health
from guard.console.server import Console
from guard.parts import Parts
from guard.settings import Listen
from tests.console.listening import FREE, Listening, listening
from tests.waiting import until
from tests.wiring import config, logged, opened

SOON_S = 0.05
END_S = 5.0  # far less than a slow client would hold it, far more than it needs

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
SLOW = {
    "says nothing": b"",
    "stops within the first line": b"GET /hea",
    "stops within the headers": b"GET /healthz HTTP/1.1\r\nHost: loc",
    "never ends its body": REQUEST + b"Content-Length: 100000\r\n\r\nx",
    "stays connected": REQUEST + b"\r\n",
    "speaks another language": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "wants a web socket": REQUEST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "guard")


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with opened(config(), tmp_path) as open_:
        yield open_


@asynccontextmanager
async def connected(it: Listening, says: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """A client that says these bytes, and then no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
    try:
        with suppress(ConnectionError):  # it may have been cut off already
            writer.write(says)
            await writer.drain()
        yield reader
    finally:
        writer.transport.abort()


async def gone(reader: asyncio.StreamReader) -> None:
    """Waits until the other side has ended the connection; fails if it does not."""
    async with asyncio.timeout(END_S):
        try:
            await reader.read()
        except ConnectionError:
            return


# --- a guest -------------------------------------------------------------------------------------------------------


def test_the_first_poll_does_not_wait_for_what_the_console_imports() -> None:
    heavy = {"jinja2", "starlette", "uvicorn"}
    show = f"import sys, guard.service; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


async def test_it_says_where_it_listens(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as it:
        entry = logged(caplog)[-1]
        assert entry[0] == "console.listening"
        assert str(entry[1]["address"]) == f"127.0.0.1:{it.port}"


async def test_it_listens_on_ipv6_too() -> None:
    async with listening(Listen("::1", 0), at="::1") as it:
        assert (await it.ask(host=f"[::1]:{it.port}")).status == 200


async def test_after_its_end_nobody_answers() -> None:
    async with listening() as it:
        port = it.port
        await it.end()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize("says", SLOW.values(), ids=SLOW)
async def test_a_slow_client_does_not_hold_up_its_end(says: bytes) -> None:
    async with listening() as it, connected(it, says) as reader:
        await it.ask()  # so the other connection has been taken by now
        async with asyncio.timeout(END_S):
            await it.end()
        await gone(reader)


@pytest.mark.parametrize("says", SLOW.values(), ids=SLOW)
async def test_a_slow_client_is_cut_off(monkeypatch: pytest.MonkeyPatch, says: bytes) -> None:
    monkeypatch.setattr(server, "LIFE_S", SOON_S)
    async with listening() as it, connected(it, says) as reader:
        await gone(reader)


async def test_clients_without_number_leave_file_handles_for_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    async with listening() as it, connected(it, b""), connected(it, b"GET"):
        async with connected(it, b"GET") as third:
            await gone(third)
        assert not it.serving.done()


async def test_what_strangers_send_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as it:
        for says in (SLOW["speaks another language"], SLOW["wants a web socket"]):
            async with connected(it, says) as reader:
                await reader.readline()
        await it.ask()
        assert [event for event, _ in logged(caplog)] == ["store.created", "console.listening"]
    assert {record.name for record in caplog.records if record.levelno >= logging.INFO} == {"guard"}


async def test_signals_stay_the_services() -> None:
    def handler(*_: object) -> None:
        raise AssertionError

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, handler) for number in numbers]
    try:
        async with listening() as it:
            assert [signal.getsignal(number) for number in numbers] == [handler] * 2
            await it.end()
            assert [signal.getsignal(number) for number in numbers] == [handler] * 2
    finally:
        for number, old in zip(numbers, before, strict=True):
            signal.signal(number, old)


# --- where it cannot listen ----------------------------------------------------------------------------------------


async def test_a_taken_port_is_told_once_and_tried_until_it_is_free(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, parts: Parts
) -> None:
    monkeypatch.setattr(server, "RETRY_S", SOON_S)
    tries = 0

    class Counting(Console):
        async def _serve(self) -> None:
            nonlocal tries
            tries += 1
            await super()._serve()

    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = Listen(port=other.getsockname()[1])
        console = Counting(listen, Health(every_s=1.0, began_s=0.0), parts)
        serving = asyncio.ensure_future(console.serve())
        await until(lambda: tries >= 3)
        assert console.port is None
        assert logged(caplog) == [("console.unavailable", {"address": listen, "why": "Address already in use"})]
    await until(lambda: console.port == listen.port)
    assert [event for event, _ in logged(caplog)] == ["console.unavailable", "console.listening"]
    serving.cancel()
    await asyncio.wait({serving})


async def test_an_address_of_another_machine_is_told(caplog: pytest.LogCaptureFixture, parts: Parts) -> None:
    console = Console(Listen("192.0.2.7", 0, "t0ken"), Health(every_s=1.0, began_s=0.0), parts)
    serving = asyncio.ensure_future(console.serve())
    await until(lambda: bool(logged(caplog)))
    assert not serving.done()
    ((event, fields),) = logged(caplog)
    assert (event, fields["why"]) == ("console.unavailable", "Cannot assign requested address")
    serving.cancel()
    await asyncio.wait({serving})


async def test_a_defect_of_the_console_is_told_and_it_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "RETRY_S", SOON_S)
    real, faults = server._config, [RuntimeError("defect")]

    def config(app: object) -> object:
        if faults:
            raise faults.pop()
        return real(app)  # type: ignore[arg-type] # it is what it was given

    monkeypatch.setattr(server, "_config", config)
    async with listening(FREE) as it:
        await until(lambda: [event for event, _ in logged(caplog)].count("console.listening") == 2)
        await until(lambda: it.console.port is not None)
        assert (await it.ask()).status == 200
    assert "console.unplanned" in [event for event, _ in logged(caplog)]
