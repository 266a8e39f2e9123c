"""What every notifier owes: an outcome whatever happens, and no secret in it or in the log.

A channel that speaks HTTP is one row of CHANNELS; what goes for one of them only stands in its own tests. Statuses that
are like others are tried by `make acceptance`.
"""

import io
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from guard.model import Level
from guard.notify.apprise_url import AppriseNotifier
from guard.notify.notifier import Call, Edit, Gone, Notifier, Outcome, Post, Rejected, Reply, Retry, Sent, Unsure
from guard.notify.slack_bot import SlackBotNotifier
from guard.notify.slack_webhook import SlackWebhookNotifier
from guard.notify.terminal import TerminalNotifier
from guard.notify.webhook import WebhookNotifier
from tests.builders import NOW
from tests.notify.examples import message
from tests.stand_ins.slack import SECRETS, TOKEN, WEBHOOK, WORKSPACE, Answer, SlackStandIn
from tests.stand_ins.wire import Ending, WireStandIn

PATH = f"/services/{WORKSPACE}/{WEBHOOK}/{TOKEN}"
STATUSES = (
    *(200, 204, 301, 307, 308),
    *(400, 401, 403, 404, 408, 409, 410, 413, 421, 425, 429),
    *(500, 502, 503, 504, 599),
)
ALIKE = (
    *(201, 202, 206, 300, 302, 303, 304),
    *(402, 405, 406, 407, 411, 414, 415, 418, 422, 426, 431, 451),
    *(501, 505, 507, 508, 511, 520, 529),
)
"""To each of these no channel does other than to its neighbours above."""
BODIES: dict[str, str | bytes] = {
    "ok": "ok",
    "empty": "",
    "page": f"<html><body>{PATH}</body></html>",
    "yes": '{"ok": true}',
    "no": '{"ok": false, "error": "invalid_auth"}',
    "odd": '{"ok": true, "ts": [], "channel": {}, "message": 7, "messages": [null], "response_metadata": "x"}',
    "list": "[1, 2, 3]",
    "brackets": '{"a":' * 100_000,
    "number": "7",
    "digits": '{"ok": ' + "9" * 5000 + "}",
    "echo": TOKEN.lower(),
    "echoes": json.dumps({"ok": False, "error": "tokenofthewebhook", "needed": TOKEN}),
    "binary": bytes(range(256)),
    "huge": b"x" * 3_000_000,
}
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WIRE = {
    "nothing": (b"", Ending.CLOSE),
    "reset": (b"", Ending.RESET),
    "silence": (b"", Ending.SILENCE),
    "a drip": (b"HTTP/1.1 200 OK\r\nX-A: ", Ending.DRIP),
    "silence after the status": (b"HTTP/1.1 200 OK\r\n", Ending.SILENCE),
    "silence in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", Ending.SILENCE),
    "cut short": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", Ending.CLOSE),
    "reset after the answer": (GOOD, Ending.RESET),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", Ending.CLOSE),
    "bad chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n", Ending.CLOSE),
    "bad gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", Ending.CLOSE),
    "unknown charset": (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=x\r\nContent-Length: 2\r\n\r\nok",
        Ending.CLOSE,
    ),
    "endless headers": (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000, Ending.CLOSE),
    "an informational status": (b"HTTP/1.1 100 Continue\r\n\r\n", Ending.CLOSE),
    "a bare redirect": (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", Ending.CLOSE),
    "a redirect to a secret": (
        f"HTTP/1.1 307 X\r\nLocation: ftp://x{PATH}\r\nContent-Length: 0\r\n\r\n".encode(),
        Ending.CLOSE,
    ),
    "cookies": (f"HTTP/1.1 500 X\r\nSet-Cookie: {TOKEN}; =;\r\nContent-Length: 0\r\n\r\n".encode(), Ending.CLOSE),
}

UNANSWERED = (
    "nothing",
    "reset",
    "silence",
    "silence after the status",
    "a drip",
    "another protocol",
    "endless headers",
)

ROOT = "C0OPS:1795442700.000100"
CALLS: list[Call] = [Post(message()), Reply(message(), ROOT, is_loud=True), Edit(message(), ROOT)]
HERE = {Level.CRITICAL: "<!here>"}
SHORT = timedelta(milliseconds=300)
PATIENT = timedelta(seconds=30)
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def slack(url: str, deadline: timedelta = SHORT) -> SlackWebhookNotifier:
    return SlackWebhookNotifier(url, mention=HERE, deadline=deadline)


def bot(url: str, deadline: timedelta = SHORT, *, channel: str = "C0OPS") -> SlackBotNotifier:
    return SlackBotNotifier(TOKEN, channel=channel, base_url=url, mention=HERE, deadline=deadline)


def webhook(url: str, deadline: timedelta = SHORT) -> WebhookNotifier:
    return WebhookNotifier(url, secrets=SIGNING, now=lambda: NOW, deadline=deadline)


def apprise(url: str, deadline: timedelta) -> AppriseNotifier:
    return AppriseNotifier(f"json{url.removeprefix('http')}", deadline=max(deadline, timedelta(seconds=5)))


@dataclass(frozen=True, slots=True)
class Channel:
    """How one is made that speaks to an address, and what it is tried with, where all would take too long."""

    make: Callable[[str, timedelta], Notifier]
    path: str = PATH
    calls: Sequence[Call] = (CALLS[0],)
    is_blind: bool = False  # it learns only that a message was taken, or that nobody knows
    statuses: Sequence[int] = (*STATUSES, *ALIKE)
    bodies: Sequence[str] = tuple(BODIES)
    faults: Sequence[str] = tuple(WIRE)


CHANNELS = {
    "slack": Channel(slack),
    "slack by a bot": Channel(bot, "/api/", CALLS),
    "webhook": Channel(webhook),
    "apprise": Channel(
        apprise,
        is_blind=True,
        statuses=(200, 307, 401, 429, 500),
        bodies=("echo",),
        faults=("nothing", "reset", "another protocol", "a redirect to a secret", "cookies"),
    ),
}


def each(trials: Callable[[Channel], Sequence[object]]) -> pytest.MarkDecorator:
    """Every channel with everything that it is tried with."""
    rows = [
        pytest.param(channel, tried, id=f"{name}-{tried}", marks=[pytest.mark.acceptance] if tried in ALIKE else [])
        for name, channel in CHANNELS.items()
        for tried in trials(channel)
    ]
    return pytest.mark.parametrize(("channel", "tried"), rows)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    sdk = ("slack_sdk", "slack_sdk.web", "slack_sdk.web.async_client", "slack_sdk.webhook.async_client")
    for name in ("", *sdk, "aiohttp.client", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)


async def outcome_of(notifier: Notifier, caplog: pytest.LogCaptureFixture, call: Call = CALLS[0]) -> Outcome:
    """Delivers, and holds the notifier to what all of them owe."""
    outcome = await notifier.deliver(call, key="k1")
    await notifier.close()
    assert isinstance(outcome, Sent | Retry | Unsure | Rejected | Gone)
    assert isinstance(call, Post) <= (not isinstance(outcome, Gone))
    _check_words(outcome, notifier, caplog)
    return outcome


async def found_by(notifier: Notifier, caplog: pytest.LogCaptureFixture, thread: str = "") -> Sent | Retry | None:
    """Looks, and holds the notifier to the same."""
    found = await notifier.find(key="k1", thread=thread, attempted_at=NOW)
    assert isinstance(found, Sent | Retry | None)
    _check_words(found, notifier, caplog)
    return found


def _check_words(outcome: Outcome | None, notifier: Notifier, caplog: pytest.LogCaptureFixture) -> None:
    said = f"{outcome!r} {notifier!r} {caplog.text}"
    assert not [secret for secret in (*SECRETS, SIGNING) if secret in said]
    assert len(repr(outcome)) < 250
    assert repr(outcome).isprintable()


@each(lambda channel: channel.statuses)
async def test_it_says_what_became_of_each_call_for_every_status_and_body(
    channel: Channel, tried: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with SlackStandIn() as server:
        url = server.url.removesuffix(PATH) + channel.path
        for body in channel.bodies:
            server.script = deque([Answer(tried, BODIES[body])] * 12)
            for call in channel.calls:
                _check_status(channel, tried, await outcome_of(channel.make(url, PATIENT), caplog, call))


def _check_status(channel: Channel, status: int, outcome: Outcome) -> None:
    if isinstance(outcome, Sent):
        assert status < 300
    elif channel.is_blind:
        assert isinstance(outcome, Unsure)
    elif 300 <= status < 400:
        assert isinstance(outcome, Rejected)
    elif status >= 500 or status == 429:
        assert isinstance(outcome, Retry | Unsure)


@pytest.mark.parametrize("status", [*STATUSES, *(pytest.param(each, marks=pytest.mark.acceptance) for each in ALIKE)])
async def test_a_slack_bot_that_looks_finds_nothing_that_is_not_there_for_every_status_and_body(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with SlackStandIn() as server:
        for body in BODIES.values():
            server.script = deque([Answer(status, body)] * 12)
            for channel, thread in (("C0OPS", ""), ("#ops", ""), ("C0OPS", ROOT)):
                looking = bot(server.api_url, PATIENT, channel=channel)
                assert not isinstance(await found_by(looking, caplog, thread), Sent)


@each(lambda channel: channel.faults)
async def test_it_says_what_became_of_it_for_every_fault_of_the_wire(
    channel: Channel, tried: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with WireStandIn(*WIRE[tried]) as server:
        outcome = await outcome_of(channel.make(server.url(path=channel.path), SHORT), caplog)
    if tried in UNANSWERED or channel.is_blind:
        assert isinstance(outcome, Unsure)
    elif "redirect" in tried:
        assert isinstance(outcome, Rejected)
    elif tried == "cookies":
        assert isinstance(outcome, Retry | Unsure)
    else:
        assert isinstance(outcome, Sent | Unsure)


@each(lambda channel: () if channel.is_blind else channel.faults)
async def test_it_is_tried_again_after_every_fault_before_the_request(
    channel: Channel, tried: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with WireStandIn(*WIRE[tried]) as server:
        url = server.url("https", path=channel.path)
        assert isinstance(await outcome_of(channel.make(url, SHORT), caplog), Retry)


@pytest.mark.parametrize("fault", WIRE)
async def test_a_slack_bot_believes_no_answer_that_is_not_whole(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    async with WireStandIn(*WIRE[fault]) as server:
        url = server.url(path="/api/")
        outcome, found = await outcome_of(bot(url), caplog), await found_by(bot(url), caplog)
    if "redirect" in fault:
        assert isinstance(outcome, Rejected)
        assert found is None
    else:
        assert isinstance(outcome, Unsure)
        assert isinstance(found, Retry)


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1{PATH}",
        f"http://slack.invalid{PATH}",
        f"http://{'x' * 70}.example{PATH}",
        f"http://127.0.0.1:99999{PATH}",
        f"http://user:{TOKEN}@127.0.0.1:1{PATH}",
        f"https://{TOKEN}",
        f"gopher://127.0.0.1{PATH}",
        f"http://[::1{PATH}",
        PATH,
        TOKEN,
        f"http://127.0.0.1:1/\ud800{TOKEN}",
        f"http://127.0.0.1:1/{TOKEN}\r\nHost: x",
        "",
    ],
)
async def test_nothing_is_sent_to_an_address_that_is_none_or_where_nobody_is(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for notifier in (slack(url), bot(url), webhook(url)):
        assert isinstance(await outcome_of(notifier, caplog), Retry | Rejected)


async def test_the_terminal_says_what_became_of_it_whatever_the_stream_does(caplog: pytest.LogCaptureFixture) -> None:
    closed, gone = io.StringIO(), os.pipe()
    closed.close()
    os.close(gone[0])
    with os.fdopen(gone[1], "w") as broken, open("/dev/full", "w", encoding="utf-8") as full:  # noqa: ASYNC230, PTH123 - a device
        for stream, expected in ((io.StringIO(), Sent), (closed, Retry), (broken, Retry), (full, Retry)):
            notifier = TerminalNotifier("ops", stream=stream, now=lambda: NOW)
            assert isinstance(await outcome_of(notifier, caplog), expected)
