"""Sub-accounts: the usage of one, and which there are."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from guard.agentphone import Listing
from guard.model import Answer, Failure, FailureKind
from tests.agentphone.calls import GOOD, KEY, NEW_KEY, NOW, ask, client
from tests.agentphone.wire import Script, Wire, answers, hangs_up, head, repeats, resets, says_nothing, wire

MIB = 1024 * 1024


def entries(count: int, *, start: int = 0) -> list[dict[str, str]]:
    return [{"id": f"sub{number}", "name": f"Sub {number}"} for number in range(start, start + count)]


def page(*, count: int, start: int = 0, **beside: object) -> Script:
    return answers(json.dumps({"data": entries(count, start=start), **beside}).encode())


async def listed(*scripts: Script, keep: bool = True) -> tuple[Listing | Failure, Wire]:
    """What the client lists at a server that plays these scripts."""
    async with wire(*scripts, keep=keep) as server:
        usage_client = client(server.url)
        listing = await usage_client.sub_accounts(now=NOW)
        await usage_client.close()
    if isinstance(listing, Failure):
        assert KEY not in listing.text
        assert listing.text.isprintable()
    return listing, server


def asked(server: Wire) -> list[tuple[str, str]]:
    """Limit and offset of each request."""
    targets = [request.split(b" ")[1].decode() for request in server.requests]
    queries = [parse_qs(urlsplit(target).query) for target in targets]
    assert {urlsplit(target).path for target in targets} == {"/v1/sub-accounts"}
    return [(query["limit"][0], query["offset"][0]) for query in queries]


# --- the usage of one ----------------------------------------------------------------------------------------------


async def test_a_sub_accounts_usage_is_asked_with_the_masters_key_and_its_own_id() -> None:
    async with wire(GOOD) as server:
        assert isinstance(await ask(client(server.url), sub_id="acme"), Answer)
    assert server.requests[0].startswith(b"GET /v1/usage HTTP/1.1\r\n")
    assert server.header("X-Sub-Account-Id") == "acme"
    assert server.header("Authorization") == f"Bearer {KEY}"


async def test_the_master_account_is_asked_without_an_id() -> None:
    async with wire(GOOD) as server:
        await ask(client(server.url))
    assert server.header("X-Sub-Account-Id") is None


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (401, FailureKind.UNAUTHORIZED, "the API refused the key: 401 Unauthorized: why"),
        (403, FailureKind.FORBIDDEN, "the API does not let this key see sub-account acme: 403 Forbidden: why"),
        (404, FailureKind.REFUSED, "the API does not know sub-account acme: 404 Not Found: why"),
        (500, FailureKind.SERVER, "the API answered 500 Internal Server Error: why"),
    ],
)
async def test_a_refusal_says_whether_it_is_the_key_or_the_sub_account(
    status: int, kind: FailureKind, text: str
) -> None:
    async with wire(answers(b'{"detail": "why"}', status=status)) as server:
        answer = await ask(client(server.url), sub_id="acme")
    assert answer == Failure(kind, text)


@pytest.mark.parametrize(
    ("status", "sub_id", "requests"), [(401, "", 2), (401, "acme", 2), (403, "", 2), (403, "acme", 1), (404, "acme", 1)]
)
async def test_the_keys_source_is_read_again_where_the_key_itself_may_be_refused(
    status: int, sub_id: str, requests: int
) -> None:
    async with wire(answers(status=status), GOOD) as server:
        usage_client = client(server.url, read_key=lambda: NEW_KEY)
        answer = await ask(usage_client, sub_id=sub_id)
    assert isinstance(answer, Answer) == (requests == 2)
    assert len(server.requests) == requests


@pytest.mark.parametrize(("status", "sub_id", "untried"), [(401, "acme", False), (403, "", False), (403, "acme", True)])
async def test_a_key_counts_as_tried_where_it_was_refused_itself(status: int, sub_id: str, untried: bool) -> None:
    async with wire(answers(status=status)) as server:
        usage_client = client(server.url)
        await ask(usage_client, sub_id=sub_id)
        assert usage_client.has_untried_key() is untried


async def test_requests_that_are_refused_together_all_go_out_again_with_the_new_key() -> None:
    reads: list[str] = []

    def read_key() -> str:
        reads.append(NEW_KEY)
        return NEW_KEY

    async def knows_the_new_key(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_new = server.header("Authorization") == f"Bearer {NEW_KEY}"
        await (GOOD if is_new else answers(status=401))(reader, writer)

    async with wire(knows_the_new_key, keep=True) as server:
        usage_client = client(server.url, read_key=read_key)
        given = await asyncio.gather(*(usage_client.usage(now=NOW, sub_id=f"sub{number}") for number in range(20)))
        await usage_client.close()
    assert all(isinstance(answer, Answer) for answer in given)
    assert len(reads) == 1  # whoever comes later finds the key that another request has read


# --- which there are -----------------------------------------------------------------------------------------------


async def test_all_pages_are_asked_for_in_turn() -> None:
    listing, server = await listed(page(count=100), page(count=100, start=100), page(count=1, start=200))
    assert listing == Listing(tuple(f"sub{number}" for number in range(201)), is_complete=True)
    assert asked(server) == [("100", "0"), ("100", "100"), ("100", "200")]
    assert server.connections == 1


async def test_a_list_is_asked_of_the_master_account_below_the_base_url() -> None:
    async with wire(page(count=1)) as server:
        usage_client = client(f"{server.url}/agentphone/")
        await usage_client.sub_accounts(now=NOW)
        await usage_client.close()
    assert server.requests[0].startswith(b"GET /agentphone/v1/sub-accounts?limit=100&offset=0 HTTP/1.1\r\n")
    assert server.header("X-Sub-Account-Id") is None


async def test_a_bare_list_is_a_list() -> None:
    listing, _ = await listed(answers(json.dumps(entries(2)).encode()))
    assert listing == Listing(("sub0", "sub1"), is_complete=True)


async def test_a_server_that_knows_no_pages_gives_all_in_one() -> None:
    listing, server = await listed(page(count=250))
    assert listing == Listing(tuple(f"sub{number}" for number in range(250)), is_complete=True)
    assert asked(server) == [("100", "0"), ("100", "250")]


async def test_the_same_page_for_ever_is_asked_for_twice_and_proves_nothing() -> None:
    listing, server = await listed(page(count=100))
    assert isinstance(listing, Listing)
    assert (len(listing.ids), listing.is_complete) == (100, False)
    assert len(server.requests) == 2


async def test_a_total_that_disagrees_makes_a_list_incomplete() -> None:
    listing, _ = await listed(page(count=2, total=3))
    assert isinstance(listing, Listing)
    assert (listing.ids, listing.is_complete) == (("sub0", "sub1"), False)


async def test_ids_with_odd_letters_are_left_out_and_mentioned_in_clean_words() -> None:
    names = ["a b", "\x1b[31mred", f"x{KEY}", "é", "good"]
    listing, _ = await listed(answers(json.dumps([{"id": name} for name in names]).encode()))
    assert isinstance(listing, Listing)
    assert (listing.ids, listing.is_complete, listing.left_out) == (("good",), True, 4)
    assert listing.notes == ("4 left out, for their ids can be no part of a name, such as 'a b'",)


async def test_a_list_without_end_is_cut() -> None:
    def offset(server: Wire) -> int:
        return int(asked(server)[-1][1])

    async def goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await page(count=1000, start=offset(server))(reader, writer)

    async with wire(goes_on, keep=True) as server:
        usage_client = client(server.url)
        listing = await usage_client.sub_accounts(now=NOW)
        await usage_client.close()
    assert isinstance(listing, Listing)
    assert (len(listing.ids), listing.is_complete) == (10_000, False)
    assert len(server.requests) == 11


@pytest.mark.parametrize(
    ("script", "kind", "text"),
    [
        (answers(status=500), FailureKind.SERVER, "the API answered 500 Internal Server Error"),
        (answers(status=401), FailureKind.UNAUTHORIZED, "the API refused the key: 401 Unauthorized"),
        (
            answers(status=403),
            FailureKind.FORBIDDEN,
            "the API does not let this key see the list of sub-accounts: 403 Forbidden",
        ),
        (answers(status=404), FailureKind.REFUSED, "the API does not know the list of sub-accounts: 404 Not Found"),
        (
            answers(status=405),
            FailureKind.REFUSED,
            "the API does not know the list of sub-accounts: 405 Method Not Allowed",
        ),
        (answers(b'{"data": [{"id": "a"'), FailureKind.NOT_USAGE, None),
        (answers(b"<html>"), FailureKind.NOT_USAGE, "not the usage API: no JSON: <html>"),
        (answers(b'{"data":[]}'.ljust(MIB + 1)), FailureKind.TOO_LARGE, "the answer is larger than 1 MiB"),
        (hangs_up(head("HTTP/1.1 200 OK", "Content-Length: 90"), b"[{"), FailureKind.UNREACHABLE, None),
        (resets(), FailureKind.UNREACHABLE, None),
        (repeats(head("HTTP/1.1 200 OK"), b" " * 65536), FailureKind.TOO_LARGE, "the answer is larger than 1 MiB"),
        (answers(status=302, headers=("Location: https://elsewhere.example/x",)), FailureKind.REFUSED, None),
    ],
)
@pytest.mark.parametrize("number", [1, 3])
async def test_a_page_that_fails_is_the_failure_of_the_whole_list(
    script: Script, kind: FailureKind, text: str | None, number: int
) -> None:
    good = [page(count=100, start=100 * before) for before in range(number - 1)]
    listing, _ = await listed(*good, script)
    assert isinstance(listing, Failure)
    assert listing.kind is kind
    assert listing.text.startswith(f"sub-accounts, page {number}: ")
    assert text is None or listing.text == f"sub-accounts, page {number}: {text}"


async def test_a_rate_limit_on_a_list_says_how_long_to_wait() -> None:
    listing, _ = await listed(answers(status=429, headers=("Retry-After: 7",)))
    assert isinstance(listing, Failure)
    assert listing.retry_after == timedelta(seconds=7)


async def test_each_page_has_a_deadline_of_its_own() -> None:
    async with wire(page(count=100), says_nothing, keep=True) as server:
        usage_client = client(server.url, deadline=timedelta(seconds=0.3))
        listing = await usage_client.sub_accounts(now=NOW)
        await usage_client.close()
    assert isinstance(listing, Failure)
    assert listing.kind is FailureKind.TIMEOUT
    assert listing.text.startswith("sub-accounts, page 2: ")


async def test_the_whole_list_has_a_deadline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guard.agentphone.client.LISTING_DEADLINE", timedelta(seconds=0.3))
    async with wire(page(count=100), says_nothing, keep=True) as server:
        usage_client = client(server.url)
        listing = await usage_client.sub_accounts(now=NOW)
        await usage_client.close()
    text = f"127.0.0.1:{server.port} gave no whole list of sub-accounts within 0 s"
    assert listing == Failure(FailureKind.TIMEOUT, text)


@pytest.mark.parametrize("read_key", [lambda: NEW_KEY, lambda: None])
async def test_a_refused_key_is_read_again_for_a_list_too(read_key: Callable[[], str | None]) -> None:
    async with wire(answers(status=401), page(count=1), keep=True) as server:
        usage_client = client(server.url, read_key=read_key)
        listing = await usage_client.sub_accounts(now=NOW)
        await usage_client.close()
    assert isinstance(listing, Listing) == (read_key() == NEW_KEY)
