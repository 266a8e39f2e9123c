"""What becomes of connections: kept, replaced, bounded, and ended with the client."""

import asyncio
import json
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import pytest

from guard.agentphone import Listing, UsageClient
from guard.agentphone.client import MOST_AT_ONCE
from guard.model import Answer, Failure, FailureKind
from tests.agentphone.calls import CERTIFICATE, GOOD, NOW, USAGE, ask, client, server_tls
from tests.agentphone.wire import Script, answers, hangs_up, head, resets, says, says_nothing, wire

T = TypeVar("T")

FAR_OFF_S = 30  # what takes as long is broken
GOOD_BYTES = head("HTTP/1.1 200 OK", f"Content-Length: {len(json.dumps(USAGE))}") + json.dumps(USAGE).encode()


async def soon(this: Awaitable[T]) -> T:
    return await asyncio.wait_for(this, FAR_OFF_S)


class Gate:
    """A script that answers only once it is opened, and counts who waits in front of it."""

    def __init__(self) -> None:
        self.waiting = 0
        self.most = 0
        self._open = asyncio.Event()
        self._came = asyncio.Condition()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        async with self._came:
            self._came.notify_all()
        await self._open.wait()
        self.waiting -= 1
        await GOOD(reader, writer)

    async def until(self, waiting: int) -> None:
        async with self._came:
            await soon(self._came.wait_for(lambda: self.waiting == waiting))

    def open(self) -> None:
        self._open.set()


def many(usage_client: UsageClient, count: int) -> list[asyncio.Task[Answer | Failure]]:
    return [asyncio.create_task(usage_client.usage(now=NOW, sub_id=f"sub{number}")) for number in range(count)]


# --- kept ----------------------------------------------------------------------------------------------------------


async def test_a_pass_over_many_sub_accounts_takes_one_connection_if_they_are_asked_in_turn() -> None:
    async with wire(GOOD, keep=True) as server:
        usage_client = client(server.url)
        for number in range(20):
            assert isinstance(await usage_client.usage(now=NOW, sub_id=f"sub{number}"), Answer)
        await usage_client.close()
    assert (len(server.requests), server.connections) == (20, 1)


async def test_a_pass_over_many_sub_accounts_at_once_takes_eight_connections() -> None:
    async with wire(gate := Gate(), keep=True) as server:
        usage_client = client(server.url)
        asked = many(usage_client, 40)
        await gate.until(MOST_AT_ONCE)
        gate.open()
        assert all(isinstance(answer, Answer) for answer in await soon(asyncio.gather(*asked)))
        await usage_client.close()
    assert (len(server.requests), server.connections) == (40, MOST_AT_ONCE)


async def test_a_tls_connection_is_kept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with wire(GOOD, tls=server_tls(), keep=True) as server:
        usage_client = client(f"https://localhost:{server.port}")
        assert isinstance(await usage_client.usage(now=NOW), Answer)
        assert isinstance(await ask(usage_client, sub_id="acme"), Answer)
    assert server.connections == 1


async def test_an_idle_connection_is_closed_before_an_account_is_asked_again_a_minute_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("guard.agentphone.transport._KEPT_S", 0.05)
    is_over = asyncio.Event()

    async def sees_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await GOOD(reader, writer)
        await reader.read()
        is_over.set()

    async with wire(sees_the_end) as server:
        usage_client = client(server.url)
        assert isinstance(await usage_client.usage(now=NOW), Answer)
        await soon(is_over.wait())
        await usage_client.close()


async def test_a_refusal_that_is_read_whole_costs_no_connection() -> None:
    async with wire(answers(b"{}", status=404), GOOD, keep=True) as server:
        usage_client = client(server.url)
        assert isinstance(await usage_client.usage(now=NOW, sub_id="acme"), Failure)
        assert isinstance(await ask(usage_client, sub_id="other"), Answer)
    assert server.connections == 1


async def test_a_connection_with_an_unread_rest_is_not_used_again() -> None:
    endless = says(head("HTTP/1.1 200 OK", "Content-Length: 9000000"), b" " * 2_000_000)
    async with wire(endless, GOOD, keep=True) as server:
        usage_client = client(server.url)
        assert isinstance(await usage_client.usage(now=NOW), Failure)
        assert isinstance(await ask(usage_client), Answer)
    assert server.connections == 2


# --- dropped -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dropped",
    [hangs_up(), resets(), hangs_up(b"HTTP/1.1 200 OK\r\nContent-Le")],
    ids=["closed", "reset", "half a head"],
)
async def test_a_kept_connection_that_is_dropped_without_an_answer_is_replaced_unseen(dropped: Script) -> None:
    async with wire(GOOD, dropped, GOOD, keep=True) as server:
        usage_client = client(server.url)
        assert isinstance(await usage_client.usage(now=NOW), Answer)
        assert isinstance(await ask(usage_client, sub_id="acme"), Answer)
    assert (len(server.requests), server.connections) == (3, 2)
    assert server.header("X-Sub-Account-Id") == "acme"


async def test_a_connection_that_was_closed_while_it_was_idle_is_replaced_unseen() -> None:
    async with wire(hangs_up(GOOD_BYTES), GOOD, keep=True) as server:
        usage_client = client(server.url)
        assert isinstance(await usage_client.usage(now=NOW), Answer)
        assert isinstance(await ask(usage_client), Answer)
    assert (len(server.requests), server.connections) == (2, 2)


async def test_a_connection_that_is_dropped_twice_is_a_failure() -> None:
    async with wire(GOOD, hangs_up(), hangs_up(), GOOD, keep=True) as server:
        usage_client = client(server.url)
        await usage_client.usage(now=NOW)
        answer = await ask(usage_client)
    text = f"127.0.0.1:{server.port} closed the connection without an answer"
    assert answer == Failure(FailureKind.UNREACHABLE, text)
    assert len(server.requests) == 3


async def test_half_an_answer_on_a_kept_connection_is_a_failure_and_not_asked_for_again() -> None:
    async with wire(GOOD, hangs_up(head("HTTP/1.1 200 OK", "Content-Length: 900"), b'{"st'), GOOD, keep=True) as server:
        usage_client = client(server.url)
        await usage_client.usage(now=NOW)
        answer = await ask(usage_client)
    assert answer == Failure(FailureKind.UNREACHABLE, "the answer was cut short")
    assert len(server.requests) == 2


async def test_a_second_attempt_stands_under_the_same_deadline() -> None:
    async with wire(GOOD, hangs_up(), says_nothing, keep=True) as server:
        usage_client = client(server.url, deadline=timedelta(seconds=0.5))
        await usage_client.usage(now=NOW)
        answer = await soon(ask(usage_client))
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.TIMEOUT
    assert len(server.requests) == 3


async def test_an_answer_that_nobody_asked_for_is_never_taken_for_another_sub_accounts() -> None:
    forged = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"numbers":{"used":999}}'
    async with wire(says(GOOD_BYTES + forged), GOOD, keep=True) as server:
        usage_client = client(server.url)
        await usage_client.usage(now=NOW, sub_id="acme")
        answer = await ask(usage_client, sub_id="other")
    assert isinstance(answer, Answer)
    assert answer.payload == USAGE


async def test_an_answer_that_comes_while_nobody_asks_is_never_taken_for_another_sub_accounts() -> None:
    forged = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"numbers":{"used":999}}'
    was_read, goes_on = asyncio.Event(), asyncio.Event()

    async def comes_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await GOOD(reader, writer)
        await goes_on.wait()
        await says(forged)(reader, writer)
        was_read.set()

    async with wire(comes_later, GOOD, keep=True) as server:
        usage_client = client(server.url)
        await usage_client.usage(now=NOW, sub_id="acme")
        goes_on.set()
        await soon(was_read.wait())
        await ask(client(server.url))  # meanwhile the first client's connection hears what was said
        answer = await ask(usage_client, sub_id="other")
    assert isinstance(answer, Answer)
    assert answer.payload == USAGE


# --- so many at once -----------------------------------------------------------------------------------------------


async def test_no_more_than_eight_requests_are_under_way_and_the_others_wait() -> None:
    async with wire(gate := Gate()) as server:
        usage_client = client(server.url)
        asked = many(usage_client, 3 * MOST_AT_ONCE)
        await gate.until(MOST_AT_ONCE)
        assert server.connections == MOST_AT_ONCE
        gate.open()
        assert all(isinstance(answer, Answer) for answer in await soon(asyncio.gather(*asked)))
        await usage_client.close()
    assert gate.most == MOST_AT_ONCE
    ids = [server.header("X-Sub-Account-Id", request=number) for number in range(len(server.requests))]
    assert sorted(map(str, ids)) == sorted(f"sub{number}" for number in range(3 * MOST_AT_ONCE))


async def test_the_master_account_and_the_listing_never_wait_for_sub_accounts() -> None:
    async with wire(*[says_nothing] * MOST_AT_ONCE, GOOD, answers(b"[]")) as server:
        usage_client = client(server.url, deadline=timedelta(seconds=FAR_OFF_S))
        asked = many(usage_client, MOST_AT_ONCE + 1)
        async with asyncio.timeout(FAR_OFF_S):
            while len(server.requests) < MOST_AT_ONCE:
                await asyncio.wait(asked, timeout=0.01)
        assert isinstance(await soon(usage_client.usage(now=NOW)), Answer)
        assert isinstance(await soon(usage_client.sub_accounts(now=NOW)), Listing)
        await usage_client.close()
        await asyncio.gather(*asked)


async def test_the_deadline_does_not_count_the_time_in_the_queue() -> None:
    async with wire(*[says_nothing] * MOST_AT_ONCE, GOOD) as server:
        usage_client = client(server.url, deadline=timedelta(seconds=1))
        *first, last = await soon(asyncio.gather(*many(usage_client, MOST_AT_ONCE + 1)))
        await usage_client.close()
    assert all(isinstance(answer, Failure) and answer.kind is FailureKind.TIMEOUT for answer in first)
    assert isinstance(last, Answer)


async def test_who_is_cancelled_while_waiting_asks_nothing_and_takes_nobodys_turn() -> None:
    async with wire(gate := Gate()) as server:
        usage_client = client(server.url)
        asked = many(usage_client, MOST_AT_ONCE + 2)
        await gate.until(MOST_AT_ONCE)
        asked[-2].cancel()
        await asyncio.wait([asked[-2]], timeout=FAR_OFF_S)
        gate.open()
        assert all(isinstance(answer, Answer) for answer in await soon(asyncio.gather(*asked[:-2], asked[-1])))
        await usage_client.close()
    assert asked[-2].cancelled()
    assert len(server.requests) == MOST_AT_ONCE + 1


async def test_who_is_cancelled_while_asking_leaves_the_turn_to_the_next() -> None:
    async with wire(*[says_nothing] * MOST_AT_ONCE, GOOD) as server:
        usage_client = client(server.url, deadline=timedelta(seconds=FAR_OFF_S))
        asked = many(usage_client, MOST_AT_ONCE + 1)
        async with asyncio.timeout(FAR_OFF_S):
            while len(server.requests) < MOST_AT_ONCE:
                await asyncio.wait(asked, timeout=0.01)
        asked[0].cancel()
        assert isinstance(await soon(asked[-1]), Answer)
        await usage_client.close()
        await asyncio.gather(*asked, return_exceptions=True)
    assert asked[0].cancelled()


# --- closed --------------------------------------------------------------------------------------------------------


async def test_closing_ends_what_is_under_way_and_what_waits_and_nothing_is_asked_afterwards() -> None:
    async with wire(gate := Gate()) as server:
        usage_client = client(server.url)
        asked = many(usage_client, MOST_AT_ONCE + 4)
        await gate.until(MOST_AT_ONCE)
        await soon(usage_client.close())
        ended = Failure(FailureKind.UNREACHABLE, f"the asking of 127.0.0.1:{server.port} was ended from here")
        assert await soon(asyncio.gather(*asked)) == [ended] * (MOST_AT_ONCE + 4)
        assert await soon(usage_client.usage(now=NOW)) == ended
        assert await soon(usage_client.sub_accounts(now=NOW)) == Failure(
            FailureKind.UNREACHABLE, f"sub-accounts, page 1: {ended.text}"
        )
    assert len(server.requests) == MOST_AT_ONCE


async def test_closing_twice_and_before_anything_was_asked_is_harmless() -> None:
    usage_client = client("http://127.0.0.1:9")
    await soon(usage_client.close())
    await soon(usage_client.close())
