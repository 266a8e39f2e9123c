"""The probe as HEALTHCHECK runs it, against a console that listens."""

import asyncio
import json
import os
import socket
from collections.abc import Mapping

import pytest

from guard.console import probe as module
from guard.console.probe import main, probe
from guard.settings import Listen
from tests.cli.process import script
from tests.console.listening import Listening, listening
from tests.stand_ins.wire import Ending, WireStandIn


async def asked(listen: str, **environ: str) -> tuple[bool, str]:
    return await asyncio.to_thread(probe, {"HOME": "/home/me", "GUARD_LISTEN": listen, **environ})


def address(it: Listening) -> str:
    return f"127.0.0.1:{it.port}"


async def test_a_service_that_is_well_is_told_so() -> None:
    async with listening() as it:
        it.health.cycled(it.health.began_s)
        is_well, text = await asked(address(it))
    assert is_well
    code, _, body = text.partition(" ")
    assert code == "200"
    assert json.loads(body)["cycles"] == 1


async def test_a_service_that_fails_is_told_with_its_reason() -> None:
    async with listening() as it:
        it.health.store_failing = True
        is_well, text = await asked(address(it))
    assert not is_well
    assert text.startswith("503 ")
    assert "the database takes no writes" in text


@pytest.mark.parametrize("token", ["t0ken", "tökén 1"])
async def test_it_brings_the_token(token: str) -> None:
    async with listening(Listen(port=0, token=token)) as it:
        assert (await asked(address(it), GUARD_CONSOLE_TOKEN=token))[0]
        is_well, text = await asked(address(it), GUARD_CONSOLE_TOKEN="another")
        assert not is_well
        assert text.startswith("401 ")
        assert token not in text


@pytest.mark.parametrize(("host", "at"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])  # noqa: S104 - with a token
async def test_a_service_that_listens_everywhere_is_asked_on_loopback(host: str, at: str) -> None:
    async with listening(Listen(host, 0, "t0ken"), at=at) as it:
        assert (await asked(str(Listen(host, it.port)), GUARD_CONSOLE_TOKEN="t0ken"))[0]


def test_where_there_is_no_console_nothing_is_wrong() -> None:
    assert probe({"HOME": "/", "GUARD_LISTEN": "off"}) == (True, "GUARD_LISTEN is off, so nobody can be asked")


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    text = f"127.0.0.1:{port} does not answer: Connection refused"
    assert probe({"HOME": "/", "GUARD_LISTEN": f"127.0.0.1:{port}"}) == (False, text)


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"GUARD_LISTEN": "127.0.0.1:0"}, "leaves the port to chance"),
        ({"GUARD_LISTEN": "0.0.0.0:80"}, "needs a token"),
        ({"GUARD_LISTEN": "nonsense"}, "write an IP address"),
    ],
)
def test_settings_that_lead_nowhere_are_told(environ: Mapping[str, str], why: str) -> None:
    is_well, text = probe({"HOME": "/", **environ})
    assert not is_well
    assert why in text


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nIt works!\x1b[31m\nSecond", "200 It works! [31m Second"),
        (b"HTTP/1.0 503 No\r\n\r\n\xff" + b"x" * 10_000, r"503 \xff" + "x" * 499),
        (b"SSH-2.0-OpenSSH\r\n", "does not answer: BadStatusLine"),
        (b"", "does not answer: RemoteDisconnected"),
    ],
)
async def test_another_program_behind_the_port_is_not_taken_for_the_service(says: bytes, told: str) -> None:
    async with WireStandIn(says) as other:
        is_well, text = await asked(f"127.0.0.1:{other.port}")
    assert not is_well
    assert text.endswith(told)


async def test_a_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.1)
    async with WireStandIn(ending=Ending.SILENCE) as other:
        is_well, text = await asked(f"127.0.0.1:{other.port}")
    assert not is_well
    assert text.endswith("does not answer: TimeoutError")


def test_the_exit_code_says_how_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for listen, code in (("off", 0), ("127.0.0.1:0", 1)):
        monkeypatch.setitem(os.environ, "GUARD_LISTEN", listen)
        assert main() == code
        assert len(capsys.readouterr().out.splitlines()) == 1


async def test_it_is_a_program_that_asks_and_ends() -> None:
    run = 'import runpy; runpy.run_module("guard.console.probe", run_name="__main__")'
    async with listening() as it, script(run, GUARD_LISTEN=address(it)) as process:
        assert await process.end() == 0
        assert process.text.startswith('200 {"status":"ok",')


async def test_it_is_quick_for_it_loads_none_of_the_libraries() -> None:
    heavy = {"aiohttp", "httpx", "slack_sdk", "sqlalchemy", "starlette", "typer", "uvicorn"}
    show = f"import sys, guard.console.health, guard.console.probe; print({heavy} & set(sys.modules))"
    async with script(show) as process:
        assert await process.end() == 0
        assert process.text == "set()\n"
