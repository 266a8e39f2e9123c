"""Every path over HTTP: what it takes, what it refuses, and how the answers of one moment go together."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from guard.sandbox.fields import PATHS
from guard.sandbox.routes import EXAMPLES
from guard.sandbox.scenario import Scenario
from guard.sandbox.scenario_file import scenario_names
from tests.sandbox.caller import Caller, Start

LISTING = "/v1/sub-accounts"


def test_there_is_an_example_for_every_path() -> None:
    assert tuple(example.partition("?")[0] for example in EXAMPLES) == PATHS


@pytest.mark.parametrize("sub", [None, "acme"])
async def test_every_example_is_answered(start: Start, sub: str | None) -> None:
    caller = await start("agency")
    for example in EXAMPLES:
        assert await caller.body(example, sub=sub)


@pytest.mark.parametrize(
    ("path", "key", "usual", "bounds"),
    [
        ("/v1/usage/daily", "days", 30, (1, 365)),
        ("/v1/usage/monthly", "months", 6, (1, 24)),
    ],
)
async def test_a_history_has_as_many_rows_as_were_asked_for(
    start: Start, path: str, key: str, usual: int, bounds: tuple[int, int]
) -> None:
    caller = await start()
    assert len((await caller.body(path))["data"]) == usual
    for count in bounds:
        body = await caller.body(f"{path}?{key}={count}")
        assert (len(body["data"]), body[key]) == (count, count)
    for count in (bounds[0] - 1, bounds[1] + 1):
        assert (await caller.get(f"{path}?{key}={count}")).status_code == 422


@pytest.mark.parametrize(
    "request_",
    [
        "/v1/usage/by-agent",
        "/v1/usage/by-agent?period=day",
        "/v1/usage/by-agent?period=week&tz=Mars",
        "/v1/usage/daily?days=week",
        "/v1/webhooks/deliveries/stats?hours=0",
        "/v1/webhooks/deliveries/stats?hours=721",
        "/v1/sub-accounts?limit=0",
        "/v1/sub-accounts?limit=101",
        "/v1/sub-accounts?offset=-1",
    ],
)
async def test_a_bad_parameter_is_422_with_its_place(start: Start, request_: str) -> None:
    answer = await (await start()).get(request_)
    assert answer.status_code == 422
    [entry] = answer.json()["detail"]
    assert entry["loc"][0] == "query"
    assert set(entry) == {"loc", "msg", "type"}


async def test_a_missing_parameter_reads_as_the_api_writes_it(start: Start) -> None:
    answer = await (await start()).get("/v1/usage/by-agent?tz=")
    assert answer.json() == snapshot(
        {
            "detail": [
                {"loc": ["query", "period"], "msg": "Field required", "type": "missing"},
                {"loc": ["query", "tz"], "msg": "Input should be an IANA time zone", "type": "value_error"},
            ]
        }
    )


async def test_parameters_that_nobody_knows_are_left_alone(start: Start) -> None:
    caller = await start()
    assert await caller.body("/v1/usage?verbose=1&days=x") == await caller.body("/v1/usage")


async def test_the_listing_is_paged(start: Start) -> None:
    caller = await start(Scenario("crowd", more_subs=230))
    pages = [(await caller.body(f"{LISTING}?limit=100&offset={offset}"))["data"] for offset in (0, 100, 200, 300)]
    assert [len(page) for page in pages] == [100, 100, 30, 0]
    ids = [row["id"] for page in pages for row in page]
    assert (ids[0], ids[-1], len(set(ids))) == ("sub_0001", "sub_0230", 230)
    assert len((await caller.body(LISTING))["data"]) == 20


async def test_named_sub_accounts_stand_before_the_others(start: Start) -> None:
    caller = await start("agency")
    assert await caller.body(LISTING) == snapshot(
        {
            "data": [
                {"id": "acme", "name": "Acme Dental"},
                {"id": "birch", "name": "Birch & Sons"},
                {"id": "cedar", "name": "Cedar Taxi"},
                {"id": "dune", "name": "Dune Hotel"},
                {"id": "elm", "name": "Elm School"},
            ]
        }
    )


async def test_without_sub_accounts_the_listing_is_empty(start: Start) -> None:
    assert await (await start()).body(LISTING) == {"data": []}


async def test_a_sub_account_has_no_sub_accounts(start: Start) -> None:
    assert await (await start("agency")).body(LISTING, sub="acme") == {"data": []}


async def test_of_a_crowd_everyone_plays_the_masters_story_or_rests(start: Start) -> None:
    series = {"numbers.remaining": (1,)}
    for rests, shown in ((False, 1), (True, 5)):
        caller = await start(Scenario("crowd", series=series, more_subs=3, more_subs_rest=rests))
        assert (await caller.body("/v1/usage", sub="sub_0003"))["numbers"]["remaining"] == shown


async def test_no_two_of_a_crowd_are_quite_the_same(start: Start) -> None:
    caller = await start(Scenario("crowd", more_subs=20))
    totals = {
        (await caller.body("/v1/usage", sub=sub))["stats"]["totalMessages"] for sub in caller.sandbox.sub_accounts
    }
    assert len(totals) > 10


async def assert_answers_agree(caller: Caller, sub: str | None) -> None:
    """What the manual promises that a person can check with curl alone."""
    usage = await caller.body("/v1/usage", sub=sub)
    stats: dict[str, int] = usage["stats"]
    days: list[dict[str, Any]] = (await caller.body("/v1/usage/daily?days=365", sub=sub))["data"]
    months: list[dict[str, Any]] = (await caller.body("/v1/usage/monthly?months=3", sub=sub))["data"]
    numbers: list[dict[str, Any]] = (await caller.body("/v1/usage/by-number", sub=sub))["data"]
    agents: dict[str, Any] = await caller.body("/v1/usage/by-agent?period=month", sub=sub)
    assert len(numbers) == usage["numbers"]["used"]
    assert (agents["periodStart"], agents["periodEnd"]) == (usage["periodStart"], usage["periodEnd"])
    for noun in ("messages", "calls"):
        assert sum(row[noun] for row in days[-7:]) == stats[f"{noun}Last7d"]
        assert sum(row[noun] for row in days[-30:]) == stats[f"{noun}Last30d"]
        assert days[-1][noun] <= stats[f"{noun}Last24h"] <= days[-1][noun] + days[-2][noun]
        assert sum(row[noun] for row in numbers) == stats[f"total{noun.capitalize()}"]
        assert sum(row[noun] for row in agents["data"]) == months[-1][noun]
    for noun in ("messages", "calls", "webhooks"):
        for month in months:
            assert month[noun] == sum(row[noun] for row in days if row["date"].startswith(month["month"]))


@pytest.mark.parametrize("name", scenario_names())
async def test_at_every_moment_of_a_story_all_answers_agree(start: Start, name: str) -> None:
    caller = await start(name)
    for _ in range(14):
        for sub in (None, *caller.sandbox.sub_accounts):
            if (await caller.ask(**({} if sub is None else {"X-Sub-Account-Id": sub}))).status_code == 200:
                await assert_answers_agree(caller, sub)
        caller.clock.move(minutes=23)


async def test_all_answers_agree_with_what_is_set_by_hand(start: Start) -> None:
    caller = await start()
    for values in ({"stats.messagesLast24h": 9_000}, {"stats.totalCalls": 3}, {"stats.messagesLast7d": 10}):
        caller.sandbox.set(values)
        await assert_answers_agree(caller, None)
