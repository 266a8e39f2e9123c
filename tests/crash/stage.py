"""What the service under fire talks to, in a process of its own: a usage API, and a Slack that is slow and refuses.

Prints one line of JSON with its addresses, then serves until its standard input is closed. Every post that it accepts
is appended to a file before it is answered, so nothing that a sender may believe to be delivered is missing there.
"""

import asyncio
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from guard.sandbox.scenario_file import load_scenario
from guard.sandbox.server import Sandbox

KEY: Final = "key-of-the-stage"
REFUSED: Final = 0.4
SLOWEST_S: Final = 0.06
REFUSALS: Final[tuple[tuple[int, str, dict[str, str]], ...]] = (
    (500, "internal_error", {}),
    (503, "<html>busy</html>", {}),
    (429, "", {"Retry-After": "1"}),
)
FINE: Final = {"numbers.remaining": 9}


@dataclass
class Receiver:
    """Takes Slack's webhook posts; while it is rough it is slow and refuses two in five."""

    file: Path
    chance: random.Random
    rough: bool = True

    async def take(self, request: web.Request) -> web.Response:
        """Answers one post."""
        payload = await request.json()
        if self.rough and self.chance.random() < REFUSED:
            await _pass(self.chance.random() * SLOWEST_S)
            status, body, headers = self.chance.choice(REFUSALS)
            return web.Response(status=status, text=body, headers=headers)
        post = {"key": payload["metadata"]["event_payload"]["key"], "text": payload["text"]}
        with self.file.open("a") as file:
            file.write(json.dumps(post) + "\n")
        if self.rough:  # a kill in here comes after acceptance and before the sender knows of it
            await _pass(self.chance.random() * SLOWEST_S)
        return web.Response(text="ok")


async def _pass(duration_s: float) -> None:
    """Lets time pass: a slow receiver is what this is about."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(duration_s, done.set_result, None)
    await done


async def serve(directory: Path, *, seed: int, speed: float) -> None:
    """Serves until standard input ends; `POST /calm` and `POST /value/N` steer it."""
    receiver = Receiver(directory / "posts.jsonl", random.Random(seed))  # noqa: S311 - a seed, to be repeated
    scenario = load_scenario(str(directory / "scenario.toml"))
    async with Sandbox(scenario=scenario, key=KEY, speed=speed) as sandbox:

        async def calm(_request: web.Request) -> web.Response:
            receiver.rough = False
            sandbox.set(FINE)
            return web.Response()

        async def value(request: web.Request) -> web.Response:
            sandbox.set({"numbers.remaining": int(request.match_info["number"])})
            return web.Response()

        app = web.Application()
        app.add_routes([web.post("/services/T0/B0/token", receiver.take), web.post("/calm", calm)])
        app.add_routes([web.post("/value/{number}", value)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        print(json.dumps({"api": sandbox.base_url, "slack": f"http://127.0.0.1:{port}"}), flush=True)  # noqa: T201 - the harness reads it
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), seed=int(sys.argv[2]), speed=float(sys.argv[3])))
