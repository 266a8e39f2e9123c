"""A receiver of webhooks: it takes posts on any path, answers by script and remembers what came, byte by byte."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from tests.stand_ins.slack import Answer, Drop


@dataclass(frozen=True, slots=True)
class Post:
    """One post that was read, whatever it was answered."""

    path: str
    headers: Mapping[str, str]  # looked up in any case
    body: bytes


class Receiver:
    """Listens on a free port of loopback; `script` is answered first to last, then everything is 204."""

    def __init__(self, *script: Answer | Drop) -> None:
        self.script = deque(script)
        self.posts: list[Post] = []  # in the order of arrival
        self.arrived = asyncio.Event()
        self.origin = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 << 20)
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)  # 0 means for ever
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        step = self.script.popleft() if self.script else Answer(204, "")
        self.arrived.set()
        if isinstance(step, Drop) and not step.after_reading:
            return _cut(request)
        self.posts.append(Post(request.path, request.headers.copy(), await request.read()))
        if isinstance(step, Drop):
            return _cut(request)
        if step.hold is not None:
            await step.hold.wait()
        body = step.body.encode() if isinstance(step.body, str) else step.body
        return web.Response(status=step.status, body=body, headers={"Content-Type": "text/html"} | dict(step.headers))


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
