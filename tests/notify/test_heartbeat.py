"""The sign of life, against servers on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from guard.notify import heartbeat
from guard.notify.heartbeat import PAUSE_S, Heartbeat, failing_url
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


@pytest.mark.parametrize(
    ("url", "failing"),
    [
        ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/fail"),
        ("https://hc-ping.com/uuid/", "https://hc-ping.com/uuid/fail"),
        ("https://hc-ping.com/key/slug?create=1", "https://hc-ping.com/key/slug/fail?create=1"),
        ("https://hc.example.com", "https://hc.example.com/fail"),
        ("https://hc.example.com/x?status=whatever", "https://hc.example.com/x/fail?status=whatever"),
        (
            "http://kuma:3001/api/push/k?status=up&msg=OK&ping=",
            "http://kuma:3001/api/push/k?status=down&msg=TEXT&ping=",
        ),
        ("https://sentry.io/api/1/cron/guard/k/?status=ok", "https://sentry.io/api/1/cron/guard/k/?status=error"),
        ("https://cronitor.link/p/k/guard?state=complete", "https://cronitor.link/p/k/guard?state=fail"),
    ],
)
def test_a_failure_is_told_in_the_way_of_the_receiver(url: str, failing: str) -> None:
    said = "quota-guard+is+alive%2C+but+cannot+do+its+work"
    assert failing_url(url) == failing.replace("TEXT", said)


async def test_what_would_only_be_repeated_is_not_told_within_ten_seconds() -> None:
    async with wire(OK) as server, beating(server.url) as heart:
        for now_s, is_well in [
            (0, True),
            (1, True),
            (9.9, True),
            (PAUSE_S, True),
            (11, False),
            (12, False),
            (13, True),
        ]:
            await heart.tell(is_well=is_well, now_s=now_s)
        paths = [request.split(b" ")[1].decode().removeprefix(f"/{SECRET}") for request in server.requests]
        assert paths == ["", "", "/fail", ""]


async def test_a_failure_that_cannot_be_told_is_logged_without_the_url(caplog: pytest.LogCaptureFixture) -> None:
    for url in (f"http://127.0.0.1:{closed_port()}", "http://["):
        async with beating(url) as heart:
            await heart.fail()
    assert [event for event, _ in logged(caplog)] == ["heartbeat.failed"] * 2
    assert SECRET not in caplog.text
