import asyncio
import shlex

import httpx
import pytest
from inline_snapshot import snapshot

from guard.sandbox.errors import SandboxError
from guard.sandbox.server import serve

KEY = "it's-a-key"


async def test_it_announces_what_a_person_needs_and_ends_when_cancelled() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    options = {"scenario": "numbers", "key": KEY, "host": "127.0.0.1"}
    serving = asyncio.create_task(serve(**options, port=0, speed=60, announce=lines.put_nowait))
    async with asyncio.timeout(5):
        said = [await lines.get() for _ in range(5)]
    curl = shlex.split(said[4].removeprefix("Try:"))
    url, header = curl[-1], curl[2]
    name, _, value = header.partition(": ")
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url, headers={name: value})).status_code == 200
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    port = str(httpx.URL(url).port)
    assert [line.replace(port, "PORT") for line in said] == snapshot(
        [
            "A pretend AgentPhone is on http://127.0.0.1:PORT until Ctrl-C.",
            "API key:  it's-a-key",
            "Scenario: numbers: phone numbers run out, to 2 and then 1 of 12, and come back",
            "Speed:    60 (a minute of the story takes 1 s)",
            "Try:      curl -H 'Authorization: Bearer it'\"'\"'s-a-key' http://127.0.0.1:PORT/v1/usage",
        ]
    )


async def test_at_the_real_speed_it_says_so() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(
        serve(scenario="steady", key=KEY, host="127.0.0.1", port=0, speed=1, announce=lines.put_nowait)
    )
    async with asyncio.timeout(5):
        said = [await lines.get() for _ in range(5)]
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert said[3] == snapshot("Speed:    1")


async def test_an_unknown_scenario_is_refused_before_anything_is_announced() -> None:
    with pytest.raises(SandboxError) as caught:
        await serve(scenario="numbrs", key=KEY, host="127.0.0.1", port=0, speed=1, announce=pytest.fail)
    assert str(caught.value).startswith("there is no scenario 'numbrs', did you mean 'numbers'?")
