import asyncio
import contextlib

import httpx
import pytest
from inline_snapshot import snapshot

from guard.sandbox.scenario import Body, Fault, Kind, Scenario
from tests.sandbox.caller import Start


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 502, 503, 504, 599])
async def test_a_status_comes_with_one_of_the_two_bodies_of_the_api(start: Start, status: int) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(status=status))
    answer = await caller.ask()
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/json")
    match answer.json():
        case {"error": {"message": str(), "code": str(), "type": str(), "details": []}}:
            assert status not in {404, 422}
        case {"detail": str()}:
            assert status in {404, 422}
        case body:
            pytest.fail(f"the API has no such body: {body}")


async def test_errors_read_as_the_api_writes_them(start: Start) -> None:
    caller = await start()
    said = []
    for status in (429, 503):
        caller.sandbox.fault(Fault(status=status))
        said.append((await caller.ask()).json())
    assert said == snapshot(
        [
            {
                "error": {
                    "message": "Too many requests.",
                    "code": "RATE_LIMIT_EXCEEDED",
                    "type": "rate_limit_error",
                    "details": [],
                }
            },
            {
                "error": {
                    "message": "Service Unavailable.",
                    "code": "INTERNAL_ERROR",
                    "type": "api_error",
                    "details": [],
                }
            },
        ]
    )


@pytest.mark.parametrize("body", list(Body))
@pytest.mark.parametrize("text", ["30", "Mon, 23 Nov 2026 14:06:00 GMT", "soon", ""])
async def test_retry_after_goes_out_word_for_word_beside_every_body(start: Start, body: Body, text: str) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(status=429, body=body, retry_after=text))
    async with caller.client.stream("GET", "/v1/usage") as answer:
        assert (answer.status_code, answer.headers.get("retry-after", "")) == (429, text)


async def test_an_html_page_of_200_is_no_json(start: Start) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(status=200, body=Body.HTML))
    answer = await caller.ask()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text == snapshot("""\
<!DOCTYPE html>
<html><head><title>200 OK</title></head><body><h1>200 OK</h1></body></html>
""")


@pytest.mark.parametrize(("body", "text"), [(Body.EMPTY, ""), (Body.LIST, "[]")])
async def test_a_wrong_body_may_come_with_200(start: Start, body: Body, text: str) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(status=200, body=body))
    answer = await caller.ask()
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["content-type"].startswith("application/json")


async def test_a_truncated_answer_ends_before_its_promised_length(start: Start) -> None:
    caller = await start()
    whole = (await caller.ask()).text
    caller.sandbox.fault(Fault(status=200, body=Body.TRUNCATED))
    async with caller.client.stream("GET", "/v1/usage") as answer:
        assert int(answer.headers["content-length"]) == len(whole)
        parts = answer.aiter_raw()
        assert whole.encode().startswith(await anext(parts))
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(parts)


async def test_a_reset_tears_the_connection_down(start: Start) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(kind=Kind.RESET))
    with pytest.raises(httpx.ReadError):
        await caller.ask()


async def test_a_hang_says_nothing_until_the_caller_gives_up(start: Start) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(kind=Kind.HANG))
    with pytest.raises(httpx.ReadTimeout):
        await caller.client.get("/v1/usage", timeout=0.05)
    assert caller.sandbox.requests == 1


async def test_a_sandbox_that_ends_drops_those_who_hang(start: Start) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(kind=Kind.HANG))
    hanging = asyncio.create_task(caller.ask())
    async with asyncio.timeout(5):
        while caller.sandbox.requests == 0:
            await caller.client.get("/nowhere")
        await caller.sandbox.__aexit__(None, None, None)
        with pytest.raises(httpx.ReadError):
            await hanging


async def test_after_each_fault_the_next_request_is_answered(start: Start) -> None:
    caller = await start()
    for fault in [Fault(kind=kind, body=body) for kind in (Kind.ANSWER, Kind.RESET) for body in Body]:
        caller.sandbox.fault(fault)
        with contextlib.suppress(httpx.HTTPError):
            assert (await caller.ask()).status_code == 503
        caller.sandbox.clear()
        assert (await caller.ask()).status_code == 200


async def test_a_gap_in_any_series_is_503(start: Start) -> None:
    series = {"numbers.remaining": (5, None, 5, 5), "stats.messagesLast24h": (1, 1, None, 1)}
    caller = await start(Scenario("gaps", series=series))
    seen = []
    for _ in range(5):
        seen.append((await caller.ask()).status_code)
        caller.clock.move(minutes=1)
    assert seen == [200, 503, 503, 200, 200]


async def test_a_fault_of_the_scenario_goes_before_the_key(start: Start) -> None:
    caller = await start("outage")
    caller.clock.move(minutes=5)
    assert (await caller.ask(Authorization="Bearer no")).status_code == 503


async def test_a_fault_that_is_set_goes_before_the_scenarios(start: Start) -> None:
    caller = await start("outage")
    caller.clock.move(minutes=5)
    caller.sandbox.fault(Fault(status=500))
    assert (await caller.ask()).status_code == 500
