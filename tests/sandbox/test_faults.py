import asyncio
import contextlib

import httpx
import pytest
from inline_snapshot import snapshot

from guard.sandbox.fields import LISTS, PATHS, SUB_ACCOUNTS
from guard.sandbox.scenario import EVERYTHING, Body, Fault, Kind, Scenario, SubAccount
from tests.sandbox.caller import Caller, Start

OF_A_LIST = (Body.SHORT, Body.NONE, Body.BARE)
BODIES = tuple(body for body in Body if body not in OF_A_LIST)


async def statuses(caller: Caller, *, sub: str | None = None) -> dict[str, int]:
    """What each path answers."""
    headers = {} if sub is None else {"X-Sub-Account-Id": sub}
    return {path: (await caller.get(f"{path}?period=week", **headers)).status_code for path in PATHS}


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


@pytest.mark.parametrize("body", BODIES)
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
    for fault in [Fault(kind=kind, body=body) for kind in (Kind.ANSWER, Kind.RESET) for body in BODIES]:
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


# --- paths and accounts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
async def test_a_fault_meets_its_path_alone(start: Start, path: str) -> None:
    caller = await start("agency")
    caller.sandbox.fault(Fault(path=path))
    for sub in (None, "acme"):
        assert await statuses(caller, sub=sub) == {each: 503 if each == path else 200 for each in PATHS}


async def test_a_fault_may_meet_everything(start: Start) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(path=EVERYTHING, status=500))
    assert set((await statuses(caller)).values()) == {500}


async def test_faults_of_several_paths_stand_beside_each_other(start: Start) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(path=SUB_ACCOUNTS, status=500))
    caller.sandbox.fault(Fault(status=502))
    caller.sandbox.fault(Fault(status=504))
    found = await statuses(caller)
    assert (found[SUB_ACCOUNTS], found["/v1/usage"], found["/v1/usage/daily"]) == (500, 504, 200)


async def test_a_fault_may_be_one_sub_accounts(start: Start) -> None:
    caller = await start("agency")
    caller.sandbox.fault(Fault(path=EVERYTHING, status=403), sub="acme")
    assert set((await statuses(caller, sub="acme")).values()) == {403}
    for sub in (None, "birch"):
        assert set((await statuses(caller, sub=sub)).values()) == {200}


async def test_a_story_of_its_own_breaks_a_sub_account_alone_and_the_main_one_breaks_all(start: Start) -> None:
    own = Scenario("acme", faults=(Fault(status=502),))
    caller = await start(
        Scenario("two", faults=(Fault(path=SUB_ACCOUNTS),), subs={"acme": SubAccount("Acme", own)}, more_subs=1)
    )
    assert [(await statuses(caller, sub=sub))["/v1/usage"] for sub in (None, "acme", "sub_0001")] == [200, 502, 200]
    assert {(await statuses(caller, sub=sub))[SUB_ACCOUNTS] for sub in (None, "acme", "sub_0001")} == {503}


async def test_a_gap_fails_the_poll_of_the_account_whose_it_is_and_no_other_path(start: Start) -> None:
    own = Scenario("acme", series={"numbers.remaining": (None, 5)})
    caller = await start(Scenario("two", subs={"acme": SubAccount("Acme", own)}))
    assert await statuses(caller, sub="acme") == {path: 503 if path == "/v1/usage" else 200 for path in PATHS}
    assert set((await statuses(caller)).values()) == {200}


@pytest.mark.parametrize("path", sorted(LISTS - {"/v1/usage/by-agent"}))
async def test_a_list_may_be_short_or_empty_or_bare(start: Start, path: str) -> None:
    caller = await start(Scenario("many", more_subs=11))
    whole = (await caller.get(path)).json()
    said = {}
    for body in OF_A_LIST:
        caller.sandbox.fault(Fault(path=path, status=200, body=body))
        said[body] = (await caller.get(path)).json()
    rows = whole["data"]
    assert len(rows) > 1
    assert said == {
        Body.SHORT: {**whole, "data": rows[: len(rows) // 2]},
        Body.NONE: {**whole, "data": []},
        Body.BARE: rows,
    }


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_can_be_cut(start: Start, path: str) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(path=EVERYTHING, status=200, body=Body.TRUNCATED))
    with pytest.raises(httpx.RemoteProtocolError):
        await caller.get(f"{path}?period=week")


async def test_what_has_no_good_answer_cannot_be_cut(start: Start) -> None:
    caller = await start()
    caller.sandbox.fault(Fault(path=EVERYTHING, status=200, body=Body.TRUNCATED))
    assert (await caller.get("/v1/usage/by-agent")).status_code == 422
    assert (await caller.ask(**{"X-Sub-Account-Id": "nobody"})).status_code == 404
