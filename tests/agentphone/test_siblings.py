"""The sibling endpoints, asked over HTTP."""

import asyncio
import json
from datetime import timedelta

import pytest

from guard.agentphone import client as under_test
from guard.model import Answer, Endpoint, Failure, FailureKind
from guard.payload import part
from guard.sandbox.server import Sandbox
from tests.agentphone.calls import KEY, NEW_KEY, NOW, client
from tests.agentphone.wire import Script, answers, says_nothing, wire

SIBLINGS = [each for each in Endpoint if each is not Endpoint.USAGE]
LISTS = [each for each in SIBLINGS if each is not Endpoint.WEBHOOKS]
REQUESTS = {
    Endpoint.DAILY: "/v1/usage/daily?days=60",
    Endpoint.BY_NUMBER: "/v1/usage/by-number",
    Endpoint.BY_AGENT: "/v1/usage/by-agent?period=month",
    Endpoint.WEBHOOKS: "/v1/webhooks/deliveries/stats?hours=1",
}


async def asked(script: Script, endpoint: Endpoint = Endpoint.DAILY, *, sub_id: str = "") -> Answer | Failure:
    """What the client makes of a server that plays this script."""
    async with wire(script) as server:
        usage_client = client(server.url)
        try:
            return await usage_client.sibling(endpoint, now=NOW, sub_id=sub_id)
        finally:
            await usage_client.close()


async def body(payload: object, endpoint: Endpoint) -> Answer | Failure:
    return await asked(answers(json.dumps(payload).encode()), endpoint)


@pytest.mark.parametrize("endpoint", SIBLINGS)
async def test_each_has_its_path_and_its_query(endpoint: Endpoint) -> None:
    async with wire(answers(b'{"data":[], "total": 1}')) as server:
        usage_client = client(f"{server.url}/agentphone")
        assert isinstance(await usage_client.sibling(endpoint, now=NOW, sub_id="acme"), Answer)
        await usage_client.close()
    assert server.requests[0].startswith(f"GET /agentphone{REQUESTS[endpoint]} HTTP/1.1\r\n".encode())
    assert server.header("X-Sub-Account-Id") == "acme"
    assert server.header("Authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize("endpoint", SIBLINGS)
async def test_the_sandbox_answers_each_and_all_that_it_says_is_read(endpoint: Endpoint) -> None:
    async with Sandbox(scenario="steady", key=KEY, now=lambda: NOW) as sandbox:
        usage_client = client(sandbox.base_url)
        answer = await usage_client.sibling(endpoint, now=NOW)
        await usage_client.close()
    assert isinstance(answer, Answer)
    found = part(endpoint, answer, at=NOW)
    assert found.values or found.subjects


@pytest.mark.parametrize("endpoint", LISTS)
async def test_a_bare_list_is_as_good_as_one_under_data(endpoint: Endpoint) -> None:
    bare, whole = await body([{"messages": 1}], endpoint), await body({"data": [{"messages": 1}]}, endpoint)
    assert bare == whole == Answer({"data": [{"messages": 1}]}, '{"data":[{"messages":1}]}')


@pytest.mark.parametrize("payload", [{}, {"data": None}, {"data": {}}, {"error": {"message": "down"}}, "no", 3, None])
@pytest.mark.parametrize("endpoint", SIBLINGS)
async def test_what_is_no_such_answer_is_a_failure(endpoint: Endpoint, payload: object) -> None:
    answer = await body(payload, endpoint)
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.NOT_USAGE


@pytest.mark.parametrize("endpoint", SIBLINGS)
async def test_no_json_is_a_failure(endpoint: Endpoint) -> None:
    answer = await asked(answers(b"<html>"), endpoint)
    assert answer == Failure(FailureKind.NOT_USAGE, "not the usage API: no JSON: <html>")


async def test_an_answer_of_more_than_one_mebibyte_is_too_large() -> None:
    answer = await body({"data": ["x" * 1_100_000]}, Endpoint.BY_NUMBER)
    assert answer == Failure(FailureKind.TOO_LARGE, "the answer is larger than 1 MiB")


@pytest.mark.parametrize(
    ("status", "sub_id", "text"),
    [
        (403, "", "the API does not let this key see /v1/usage/daily: 403 Forbidden"),
        (404, "acme", "the API does not know /v1/usage/daily of sub-account acme: 404 Not Found"),
        (500, "", "the API answered 500 Internal Server Error"),
    ],
)
async def test_a_refusal_says_what_was_asked_for(status: int, sub_id: str, text: str) -> None:
    answer = await asked(answers(status=status), sub_id=sub_id)
    assert isinstance(answer, Failure)
    assert answer.text == text


async def test_a_wait_that_the_api_asks_for_is_given() -> None:
    answer = await asked(answers(status=429, headers=("Retry-After: 90",)))
    assert isinstance(answer, Failure)
    assert answer.retry_after == timedelta(seconds=90)


@pytest.mark.parametrize(("status", "requests"), [(401, 2), (403, 1)])
async def test_a_refused_key_is_read_again_and_a_refused_path_says_nothing_of_the_key(
    status: int, requests: int
) -> None:
    async with wire(answers(status=status)) as server:
        usage_client = client(server.url, read_key=lambda: NEW_KEY)
        assert isinstance(await usage_client.sibling(Endpoint.DAILY, now=NOW), Failure)
        await usage_client.close()
    assert len(server.requests) == requests


async def test_a_sibling_that_hangs_is_given_up_sooner_than_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "SIBLING_DEADLINE", timedelta(seconds=0.05))
    answer = await asked(says_nothing)
    assert isinstance(answer, Failure)
    assert answer.kind is FailureKind.TIMEOUT


async def test_siblings_that_hang_keep_no_usage_waiting_and_end_with_the_client() -> None:
    async with wire(*[says_nothing] * 8, answers(b'{"stats":{}}')) as server:
        usage_client = client(server.url)
        hanging = [asyncio.ensure_future(usage_client.sibling(Endpoint.DAILY, now=NOW)) for _ in range(9)]
        while len(server.requests) < 8:
            await asyncio.wait(hanging, timeout=0.01)
        for sub_id in ("", "acme"):
            assert isinstance(await usage_client.usage(now=NOW, sub_id=sub_id), Answer)
        await usage_client.close()
        ended = await asyncio.gather(*hanging)
    assert [getattr(each, "kind", None) for each in ended] == [FailureKind.UNREACHABLE] * 9
