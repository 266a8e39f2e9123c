"""The sign of life, against servers on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from guard.notify import heartbeat
from guard.notify.heartbeat import Heartbeat
from tests.agentphone.wire import Script, answers, closed_port, resets, says, says_nothing, wire
from tests.wiring import logged

SECRET = "s3cretPathOfTheCheck"
OK = answers(b"OK")


@asynccontextmanager
async def beating(url: str) -> AsyncIterator[Heartbeat]:
    heart = Heartbeat(f"{url}/{SECRET}")
    try:
        yield heart
    finally:
        await heart.close()


async def test_a_beat_asks_its_url_once(caplog: pytest.LogCaptureFixture) -> None:
    async with wire(OK) as server, beating(server.url) as heart:
        await heart.beat()
        await heart.beat()
        assert [request.splitlines()[0] for request in server.requests] == [f"GET /{SECRET} HTTP/1.1".encode()] * 2
    assert logged(caplog) == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answers(status=404), "it answered 404"),
        (answers(status=503), "it answered 503"),
        (answers(status=301, headers=("Location: https://example.invalid/",)), "it answered 301"),
        (resets(), "ClientOSError"),
        (says(b"no HTTP\r\n\r\n"), "ClientResponseError"),
    ],
    ids=["404", "503", "a redirect, which is not followed", "a reset", "no HTTP"],
)
async def test_a_beat_that_fails_is_logged_without_the_url_and_never_raised(
    caplog: pytest.LogCaptureFixture, script: Script, why: str
) -> None:
    async with wire(script) as server, beating(server.url) as heart:
        await heart.beat()
    assert f"the heartbeat URL was not reached: {why}" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "http://[", "nonsense", "http://ex ample"])
async def test_a_url_that_leads_nowhere_is_logged_and_never_raised(caplog: pytest.LogCaptureFixture, url: str) -> None:
    url = url.format(port=closed_port())
    async with beating(url) as heart:
        await heart.beat()
    assert [event for event, _ in logged(caplog)] == ["heartbeat.failed"]
    assert SECRET not in caplog.text


async def test_a_server_that_says_nothing_is_given_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "DEADLINE_S", 0.05)
    async with wire(says_nothing) as server, beating(server.url) as heart:
        await heart.beat()
    assert "not reached: TimeoutError" in caplog.text


async def test_it_is_logged_once_until_a_beat_succeeds(caplog: pytest.LogCaptureFixture) -> None:
    bad = answers(status=500)
    counts = []
    async with wire(bad, bad, OK, bad, bad) as server, beating(server.url) as heart:
        for _ in range(5):
            await heart.beat()
            counts.append(len(logged(caplog)))
    assert counts == [1, 1, 1, 2, 2]


async def test_a_beat_that_is_cancelled_lets_go(caplog: pytest.LogCaptureFixture) -> None:
    async with wire(says_nothing) as server, beating(server.url) as heart:
        beat = asyncio.ensure_future(heart.beat())
        while not server.requests:
            await asyncio.wait({beat}, timeout=0.01)
        beat.cancel()
        await asyncio.wait({beat})
        assert beat.cancelled()
    assert logged(caplog) == []


async def test_closing_what_never_beat_is_no_error() -> None:
    await Heartbeat("https://example.invalid").close()


def test_the_url_is_not_shown() -> None:
    assert SECRET not in repr(Heartbeat(f"https://example.invalid/{SECRET}"))
