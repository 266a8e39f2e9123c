import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from inline_snapshot import snapshot

from guard.sandbox.errors import SandboxError
from guard.sandbox.fields import PATHS
from guard.sandbox.scenario import Fault, Scenario
from guard.sandbox.scenario_file import load_scenario
from guard.sandbox.server import Sandbox
from guard.sandbox.usage import usage
from tests.sandbox.caller import KEY, Hand, Start
from tests.sandbox.telling import told


async def test_the_right_key_gets_usage_with_the_date_of_the_story(start: Start) -> None:
    caller = await start()
    caller.clock.move(minutes=7)
    answer = await caller.ask()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert parsedate_to_datetime(answer.headers["date"]) == caller.clock.at
    assert answer.json() == usage(told(load_scenario("steady"), timedelta(minutes=7)))


async def test_the_story_follows_the_clock_that_is_given(start: Start) -> None:
    caller = await start(Scenario("falling", series={"numbers.remaining": (5, 4, 3)}))
    seen = []
    for _ in range(4):
        seen.append((await caller.ask()).json()["numbers"]["remaining"])
        caller.clock.move(minutes=1)
    assert seen == [5, 4, 3, 3]


async def test_without_a_clock_time_runs_so_many_times_as_fast() -> None:
    # A million times as fast, a day takes 86 ms: between two requests the story moves on, and no test has to wait.
    async with Sandbox(scenario="steady", key=KEY, speed=1e6) as sandbox, httpx.AsyncClient(trust_env=False) as client:
        before = datetime.now(UTC)  # noqa: TID251 - the sandbox starts from the real time, and this checks it
        headers = {"Authorization": f"Bearer {KEY}"}
        first, second = [
            parsedate_to_datetime((await client.get(f"{sandbox.base_url}/v1/usage", headers=headers)).headers["date"])
            for _ in range(2)
        ]
    assert timedelta() <= first - before < timedelta(days=365)
    assert timedelta(seconds=50) <= second - first


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", f"Basic {KEY}", KEY, "Bearer another-key", f"Bearer {KEY}x", b"Bearer \xff\xfe"],
)
async def test_a_missing_or_wrong_key_is_401(start: Start, authorization: str) -> None:
    caller = await start()
    answer = await caller.ask(Authorization=authorization)
    assert (answer.status_code, answer.json()) == (
        401,
        {
            "error": {
                "message": "Missing or invalid API key.",
                "code": "UNAUTHORIZED",
                "type": "authentication_error",
                "details": [],
            }
        },
    )


async def test_no_authorization_at_all_is_401(start: Start) -> None:
    caller = await start()
    assert (await caller.client.get("/v1/usage")).status_code == 401


async def test_the_scheme_may_be_written_in_any_case(start: Start) -> None:
    caller = await start()
    assert (await caller.ask(Authorization=f"bearer {KEY}")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/usage/", "/v1/usage/hourly", "/v2/usage", "/v1/sub-accounts/acme"])
async def test_an_unknown_path_is_404(start: Start, path: str) -> None:
    answer = await (await start()).client.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_but_get_is_405(start: Start, method: str, path: str) -> None:
    answer = await (await start()).client.request(method, path)
    assert (answer.status_code, answer.headers["allow"], answer.json()) == (
        405,
        "GET",
        {"detail": "Method Not Allowed"},
    )


async def test_head_is_405_without_a_body(start: Start) -> None:
    answer = await (await start()).client.head("/v1/usage")
    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_wants_the_key_and_knows_the_sub_account(start: Start, path: str) -> None:
    caller = await start()
    assert (await caller.client.get(path)).status_code == 401
    unknown = await caller.get(path, **{"X-Sub-Account-Id": "acme"})
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "There is no such sub-account."})


async def test_an_empty_sub_account_is_422(start: Start) -> None:
    answer = await (await start()).ask(**{"X-Sub-Account-Id": ""})
    assert answer.status_code == 422
    assert answer.json() == snapshot(
        {"detail": [{"loc": ["header", "X-Sub-Account-Id"], "msg": "The id must not be empty.", "type": "value_error"}]}
    )


async def test_a_wrong_key_learns_nothing_of_sub_accounts(start: Start) -> None:
    answer = await (await start()).ask(**{"Authorization": "Bearer no", "X-Sub-Account-Id": ""})
    assert answer.status_code == 401


async def test_over_the_rate_limit_it_says_how_long_to_wait(start: Start) -> None:
    caller = await start(rate_limit=2)
    assert [(await caller.ask()).status_code for _ in range(3)] == [200, 200, 429]
    caller.clock.move(seconds=20)
    refused = await caller.ask()
    assert (refused.headers["retry-after"], refused.json()["error"]["code"]) == ("40", "RATE_LIMIT_EXCEEDED")
    caller.clock.move(seconds=40)
    assert (await caller.ask()).status_code == 200


async def test_the_rate_limit_is_for_all_paths_and_accounts_of_a_key_together(start: Start) -> None:
    caller = await start("agency", rate_limit=len(PATHS))
    for path in PATHS:
        await caller.get(path, **{"X-Sub-Account-Id": "acme"})
    assert (await caller.ask()).status_code == 429


async def test_wrong_keys_use_up_no_rate_limit(start: Start) -> None:
    caller = await start(rate_limit=1)
    assert [(await caller.ask(Authorization="Bearer no")).status_code for _ in range(3)] == [401] * 3
    assert (await caller.ask()).status_code == 200


async def test_requests_are_counted_whatever_became_of_them(start: Start) -> None:
    caller = await start()
    await caller.ask()
    await caller.ask(Authorization="")
    await caller.client.get("/nowhere")
    caller.sandbox.fault(Fault())
    await caller.ask()
    assert caller.sandbox.requests == 4


async def test_what_is_set_goes_before_the_scenario_until_it_is_cleared(start: Start) -> None:
    caller = await start(Scenario("gaps", series={"numbers.remaining": (None,)}))
    assert (await caller.ask()).status_code == 503
    caller.sandbox.set({"numbers.remaining": 1})
    caller.sandbox.set({"stats.messagesLast24h": 7})
    body = (await caller.ask()).json()
    assert (body["numbers"]["remaining"], body["stats"]["messagesLast24h"]) == (1, 7)
    caller.sandbox.clear()
    assert (await caller.ask()).status_code == 503


async def test_what_is_set_for_a_sub_account_is_its_own(start: Start) -> None:
    caller = await start("agency")
    caller.sandbox.set({"numbers.remaining": 0}, sub="cedar")
    shown = {sub: (await caller.body("/v1/usage", sub=sub))["numbers"]["remaining"] for sub in (None, "cedar", "acme")}
    assert shown == {None: 5, "cedar": 0, "acme": 5}
    caller.sandbox.clear()
    assert (await caller.body("/v1/usage", sub="cedar"))["numbers"]["remaining"] == 5


async def test_only_a_sub_account_that_is_there_can_be_set_or_fail(start: Start) -> None:
    sandbox = (await start("agency")).sandbox
    with pytest.raises(ValueError, match=r"there is no sub-account 'cedarr', did you mean 'cedar'\?"):
        sandbox.set({"numbers.remaining": 1}, sub="cedarr")
    with pytest.raises(ValueError, match="there is no sub-account 'x'"):
        sandbox.fault(Fault(), sub="x")


async def test_only_known_fields_can_be_set_and_none_below_zero(start: Start) -> None:
    sandbox = (await start()).sandbox
    with pytest.raises(ValueError, match=r"unknown field 'numbers.remaning', did you mean 'numbers.remaining'\?"):
        sandbox.set({"numbers.remaning": 1})
    with pytest.raises(ValueError, match="counts from 0 up, not -1"):
        sandbox.set({"numbers.remaining": -1})


async def test_a_story_with_a_start_runs_from_there_as_the_clock_does(start: Start) -> None:
    caller = await start("month-end")
    seen = []
    for _ in range(2):
        answer = await caller.ask()
        body = answer.json()
        seen.append((answer.headers["date"], body["reportGeneratedAt"], body["periodStart"], body["periodEnd"]))
        caller.clock.move(hours=3)
    assert seen == snapshot(
        [
            ("Mon, 30 Nov 2026 21:55:00 GMT", "2026-11-30T21:55:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("Tue, 01 Dec 2026 00:55:00 GMT", "2026-12-01T00:55:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ]
    )


async def test_the_story_starts_on_entering() -> None:
    clock = Hand()
    sandbox = Sandbox(scenario="numbers", key=KEY, now=clock)
    clock.move(minutes=20)
    async with sandbox, httpx.AsyncClient(base_url=sandbox.base_url, trust_env=False) as client:
        answer = await client.get("/v1/usage", headers={"Authorization": f"Bearer {KEY}"})
    assert answer.json()["numbers"]["remaining"] == 5


async def test_a_hundred_requests_at_once_are_all_answered(start: Start) -> None:
    caller = await start()
    answers = await asyncio.gather(*(caller.ask() for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_thousand_connections_are_kept_and_asked_again(start: Start) -> None:
    sandbox = (await start(Scenario("crowd", more_subs=1_000))).sandbox
    url = httpx.URL(sandbox.base_url)
    connections = await asyncio.gather(*(asyncio.open_connection(url.host, url.port) for _ in range(1_000)))

    async def ask(number: int) -> bytes:
        reader, writer = connections[number]
        sub = f"X-Sub-Account-Id: sub_{number + 1:04}"
        writer.write(f"GET /v1/usage HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n{sub}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [line for line in head.splitlines() if line.startswith(b"Content-Length: ")]
        await reader.readexactly(int(length.split()[1]))
        return head.split(b"\r\n")[0]

    for _ in range(2):
        assert set(await asyncio.gather(*map(ask, range(1_000)))) == {b"HTTP/1.1 200 OK"}
    for _, writer in connections:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in connections))


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "a\r\nb", " k"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(SandboxError, match="the key must be plain ASCII"):
        Sandbox(scenario="steady", key=key)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_speed_at_which_nothing_moves_is_refused(speed: float) -> None:
    with pytest.raises(SandboxError, match="the speed must be a number above 0"):
        Sandbox(scenario="steady", key=KEY, speed=speed)


def test_an_empty_host_which_would_listen_everywhere_is_refused() -> None:
    with pytest.raises(SandboxError, match="the host must not be empty"):
        Sandbox(scenario="steady", key=KEY, host="")


def test_a_rate_limit_of_nothing_is_refused() -> None:
    with pytest.raises(SandboxError, match="one request a minute at least, not 0"):
        Sandbox(scenario="steady", key=KEY, rate_limit=0)


async def test_a_port_that_is_taken_is_refused_in_words_and_leaves_nothing_open(start: Start) -> None:
    port = httpx.URL((await start()).sandbox.base_url).port
    assert port is not None
    with pytest.raises(SandboxError) as caught:
        await Sandbox(scenario="steady", key=KEY, port=port).__aenter__()
    assert str(caught.value).replace(str(port), "PORT") == snapshot(
        "the sandbox cannot listen on 127.0.0.1, port PORT: Address already in use. "
        "Choose another with --listen; port 0 takes a free one"
    )


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 70_000), ("bad..name", 0), ("fe80::1%nowhere", 0), ("203.0.113.7", 0)]
)
async def test_an_address_that_cannot_be_had_is_refused(host: str, port: int) -> None:
    with pytest.raises(SandboxError, match=rf"cannot listen on {host}, port {port}: \w.*Choose another"):
        await Sandbox(scenario="steady", key=KEY, host=host, port=port).__aenter__()


async def test_an_ipv6_address_stands_in_brackets() -> None:
    sandbox = Sandbox(scenario="steady", key=KEY, host="::1", port=8787)
    assert sandbox.base_url == "http://[::1]:8787"


async def test_after_leaving_nobody_answers() -> None:
    async with Sandbox(scenario="steady", key=KEY, now=Hand()) as sandbox:
        url = sandbox.base_url
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)
