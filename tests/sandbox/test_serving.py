import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from inline_snapshot import snapshot

from guard.sandbox.errors import SandboxError
from guard.sandbox.serving import serve

KEY = "it's-a-key"


@asynccontextmanager
async def announced(scenario: str, *, speed: float = 1) -> AsyncIterator[list[str]]:
    """A sandbox that serves until the block ends, and all lines that it announced."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    options = {"scenario": scenario, "key": KEY, "host": "127.0.0.1"}
    serving = asyncio.create_task(serve(**options, port=0, speed=speed, announce=lines.put_nowait))
    async with asyncio.timeout(5):
        said = [await lines.get()]
    while not lines.empty():  # they all come at once
        said.append(lines.get_nowait())
    yield said
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_it_announces_what_a_person_needs_and_ends_when_cancelled() -> None:
    async with announced("numbers", speed=60) as said:
        [line] = [line for line in said if line.startswith("Try:")]
        curl = shlex.split(line.removeprefix("Try:"))
        url, header = curl[-1], curl[2]
        name, _, value = header.partition(": ")
        others = [line.split()[-1] for line in said[said.index(line) + 1 :]]
        async with httpx.AsyncClient(trust_env=False) as client:
            for each in (url, *(url.removesuffix("/v1/usage") + other for other in others)):
                assert (await client.get(each, headers={name: value})).status_code == 200
    port = str(httpx.URL(url).port)
    assert [line.replace(port, "PORT") for line in said] == snapshot(
        [
            "A pretend AgentPhone is on http://127.0.0.1:PORT until Ctrl-C.",
            "API key:  it's-a-key",
            "Scenario: numbers: phone numbers run out, to 2 and then 1 of 12, and come back",
            "Speed:    60 (a minute of the story takes 1 s)",
            "Accounts: the master",
            "Try:      curl -H 'Authorization: Bearer it'\"'\"'s-a-key' http://127.0.0.1:PORT/v1/usage",
            "Also:     /v1/usage/daily?days=30",
            "          /v1/usage/monthly?months=6",
            "          /v1/usage/by-number",
            "          /v1/usage/by-agent?period=month",
            "          /v1/webhooks/deliveries/stats?hours=24",
            "          /v1/sub-accounts?limit=100",
        ]
    )


async def test_at_the_real_speed_it_says_so() -> None:
    async with announced("steady") as said:
        assert "Speed:    1" in said


async def test_it_names_the_sub_accounts_and_when_the_story_starts(tmp_path: Path) -> None:
    crowd = tmp_path / "crowd.toml"
    crowd.write_text("start = 2026-11-30T22:00:00Z\nsub_accounts = 1_200\n[sub.acme]\n")
    async with announced("agency") as few, announced(str(crowd)) as many:
        said = [line for line in (*few, *many) if line.startswith(("Accounts:", "Starts:"))]
    assert said == snapshot(
        [
            "Accounts: the master, and with the header X-Sub-Account-Id: acme, birch, cedar, dune, elm",
            "Starts:   2026-11-30 22:00:00 UTC",
            (
                "Accounts: the master, and with the header X-Sub-Account-Id: "
                "acme, sub_0001, sub_0002, sub_0003, sub_0004 and 1,196 more"
            ),
        ]
    )


async def test_an_unknown_scenario_is_refused_before_anything_is_announced() -> None:
    with pytest.raises(SandboxError) as caught:
        await serve(scenario="numbrs", key=KEY, host="127.0.0.1", port=0, speed=1, announce=pytest.fail)
    assert str(caught.value).startswith("there is no scenario 'numbrs', did you mean 'numbers'?")
