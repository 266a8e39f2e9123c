"""What the service under fire talks to: a usage API, and those who are told. It is forked before any thread exists.

It tells its addresses as one line of JSON, then serves until it is killed.
"""

import asyncio
import json
import logging
import os
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

from aiohttp import web

from guard.clock import Clock
from guard.sandbox.scenario_file import load_scenario
from guard.sandbox.server import Sandbox
from tests.crash.channels import KEY, WEBHOOK_PATH
from tests.crash.receivers import Bot, Mail, Weather, Webhook, described

FINE: Final = {"numbers.remaining": 9}
SCENARIO: Final = """
interval = "1s"
repeat = true
[series]
"numbers.remaining" = "9x20 2x15 1x20 9x25 1x12"
"""


async def serve(directory: Path, told: int, *, seed: int, speed: float, origin: tuple[datetime, float]) -> None:
    """Serves for ever. `told` is the descriptor that is told the addresses, `origin` where the service's clock begins.

    `POST /calm` and `POST /value/N` steer it, `GET /taken` shows what was taken.
    """
    logging.disable()  # a connection that a kill cuts is nothing to speak of
    (directory / "scenario.toml").write_text(SCENARIO)
    weather = Weather(Random(seed))  # noqa: S311 - a seed, to be repeated
    webhook = Webhook(weather)
    scenario = load_scenario(str(directory / "scenario.toml"))
    with Bot(weather, now=Clock(speed, *origin).now) as bot:
        async with Sandbox(scenario=scenario, key=KEY, speed=speed) as sandbox, Mail(weather=weather) as mail:

            async def calm(_request: web.Request) -> web.Response:
                weather.rough = False
                bot.mend()
                sandbox.set(FINE)
                return web.Response()

            async def value(request: web.Request) -> web.Response:
                sandbox.set({"numbers.remaining": int(request.match_info["number"])})
                return web.Response()

            async def taken(_request: web.Request) -> web.Response:
                every = described([*webhook.taken, *bot.taken, *mail.taken])
                return web.json_response({"taken": every, "unanswered": mail.unanswered})

            app = web.Application()
            app.add_routes([web.post(WEBHOOK_PATH, webhook.take), web.post("/calm", calm), web.get("/taken", taken)])
            app.add_routes([web.post("/value/{number}", value)])
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            steering = f"http://127.0.0.1:{runner.addresses[0][1]}"
            addresses = {"api": sandbox.base_url, "steering": steering, "slack": bot.api_url, "mail": str(mail.port)}
            os.write(told, json.dumps(addresses).encode() + b"\n")
            await asyncio.Event().wait()
