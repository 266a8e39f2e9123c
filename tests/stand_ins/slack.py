"""A Slack that takes webhook posts over HTTP, answers by script and remembers what came."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, assert_never

from aiohttp import web

WORKSPACE: Final = "T0WORKSPACE"
WEBHOOK: Final = "B0WEBHOOKID"
TOKEN: Final = "s3cretTokenOfTheWebhook"  # the part of the address that nobody else may see
SECRETS: Final = (TOKEN, TOKEN.lower(), WEBHOOK, "/services/")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request is answered. `hold` is waited for before; without the default body it is Slack's `ok`."""

    status: int = 200
    body: str | bytes = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is cut instead of an answer, before the post was read or after it."""

    after_reading: bool


@dataclass(frozen=True, slots=True)
class Received:
    """One post that was read, whatever it was answered."""

    path: str
    headers: Mapping[str, str]
    payload: dict[str, Any]
    accepted: bool  # answered 200 ok


class SlackStandIn:
    """Listens on a free port of loopback; `script` is answered first to last, then everything is `ok`."""

    def __init__(self, *script: Answer | Drop) -> None:
        self.script = deque(script)
        self.received: list[Received] = []  # in the order of arrival
        self.arrived = asyncio.Event()  # set by every request, before its answer
        self.url = ""
        self.api_url = ""  # for a client of the Web API, which gets the same answers

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The payloads that people would see, in the order of arrival."""
        return [post.payload for post in self.received if post.accepted]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/services/{workspace}/{webhook}/{token}", self._take)
        app.router.add_route("*", "/api/{method}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)  # 0 means for ever
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/services/{WORKSPACE}/{WEBHOOK}/{TOKEN}"
        self.api_url = f"http://{host}:{port}/api/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        step = self.script.popleft() if self.script else Answer()
        self.arrived.set()
        match step:
            case Drop(after_reading=after_reading):
                if after_reading:
                    await self._remember(request, accepted=False)
                return _cut(request)
            case Answer(status, body, headers, hold):
                await self._remember(request, accepted=status == 200 and body in {"ok", b"ok"})
                if hold is not None:
                    await hold.wait()
                raw = body.encode() if isinstance(body, str) else body
                return web.Response(status=status, body=raw, headers={"Content-Type": "text/html"} | dict(headers))
            case _:
                assert_never(step)

    async def _remember(self, request: web.Request, *, accepted: bool) -> None:
        payload = await request.json() if request.method == "POST" else dict(request.query)
        self.received.append(Received(request.path, dict(request.headers), payload, accepted))


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
