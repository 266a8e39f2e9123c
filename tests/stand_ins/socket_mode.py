"""Slack's side of Socket Mode: it gives tickets, speaks over web sockets, and takes what one person alone is told."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, Final, Self, TypeVar

from aiohttp import WSMsgType, web

from tests.stand_ins.workspace_state import APP_TOKEN, BOT, OPS, PERSON
from tests.waiting import until

APP: Final = "A0QUOTAGUARD"
TEAM: Final = "T0WORKSPACE"
TICKET: Final = "s3cretTicket"
SECRETS: Final = (APP_TOKEN, APP_TOKEN.lower(), "s3cretTokenOfTheApp", TICKET, "s3cretAnswerAddress")

Refusal = Callable[[], web.Response]
T = TypeVar("T")


class SocketStandIn:
    """Listens on a free port of loopback.

    `refusals` are what calls of apps.connections.open are answered, first to last, in place of an address. A line is
    greeted unless `is_mute`.
    """

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = deque(refusals)
        self.is_mute = False
        self.greeting: dict[str, Any] = {"type": "hello", "connection_info": {"app_id": APP}, "num_connections": 1}
        self.lines: list[web.WebSocketResponse] = []  # all that were ever open
        self.answered: list[str] = []  # ids of envelopes, in the order of their answers
        self.told: list[dict[str, Any]] = []  # what people were told alone
        self.told_status = 200
        self.asked = 0  # how often an address was asked for
        self._numbers = count(1)
        self._tickets: set[str] = set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self._open)
        app.router.add_get("/link", self._link)
        app.router.add_post("/actions/{address}", self._hear)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._at = "127.0.0.1:{1}".format(*self._runner.addresses[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self.lines:
            _abort(line)
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"http://{self._at}/api/"

    def ticket(self) -> str:
        """An address to connect to, once."""
        ticket = f"{TICKET}{next(self._numbers)}"
        self._tickets.add(ticket)
        return f"ws://{self._at}/link?ticket={ticket}"

    # --- what a test does ------------------------------------------------------------------------------------------

    async def until_open(self, number: int = 1) -> None:
        """Waits until so many lines were opened in all."""
        await until(lambda: len(self.lines) >= number)

    async def say(self, message: dict[str, Any] | str, *, line: int = -1) -> None:
        """Sends a message as it is."""
        await self.lines[line].send_str(message if isinstance(message, str) else json.dumps(message))

    async def press(self, payload: dict[str, Any], *, envelope: str = "", line: int = -1) -> str:
        """Sends a press, in an envelope whose id is given back."""
        envelope = envelope or f"envelope-{next(self._numbers)}"
        about = {"type": "interactive", "envelope_id": envelope, "accepts_response_payload": False}
        await self.say({**about, "payload": payload}, line=line)
        return envelope

    async def disconnect(self, reason: str, *, line: int = -1) -> None:
        """Asks for another connection in place of this one."""
        await self.say({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}, line=line)

    def drop(self, *, line: int = -1) -> None:
        """Tears a line down without a word."""
        _abort(self.lines[line])

    def pressed(self, button: dict[str, Any], **changes: object) -> dict[str, Any]:
        """What Slack tells of a press of this button, by keyword otherwise."""
        action = {"block_id": "guard.buttons", "action_ts": "1795442700.000100", **button}
        user = {"id": PERSON, "username": "ann", "name": "ann", "team_id": TEAM}
        return {
            "type": "block_actions",
            "user": user,
            "api_app_id": APP,
            "team": {"id": TEAM, "domain": "stand-in"},
            "enterprise": None,
            "channel": {"id": OPS, "name": "ops"},
            "message": {"user": BOT, "ts": "1795442600.000100"},
            "response_url": f"http://{self._at}/actions/s3cretAnswerAddress",
            "actions": [action],
            **changes,
        }

    # --- the wire --------------------------------------------------------------------------------------------------

    async def _open(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.refusals:
            return self.refusals.popleft()()
        if request.headers.get("Authorization") != f"Bearer {APP_TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        return web.json_response({"ok": True, "url": self.ticket()})

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.remove(ticket)
        line = web.WebSocketResponse()
        await line.prepare(request)
        if not self.is_mute:
            await line.send_json(self.greeting)
        self.lines.append(line)
        async for message in line:
            if message.type is WSMsgType.TEXT:
                self.answered.append(message.json()["envelope_id"])
        return line

    async def _hear(self, request: web.Request) -> web.Response:
        self.told.append(await request.json())
        return web.Response(status=self.told_status, text="ok")


class SocketThread:
    """A stand-in in a thread of its own, for tests that wait for another process; `stand_in` may always be read."""

    def __init__(self) -> None:
        self.stand_in = SocketStandIn()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.stand_in.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.stand_in.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does something with the stand-in there, such as `press`, and gives what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


def _abort(line: web.WebSocketResponse) -> None:
    transport = line._req.transport if line._req else None
    if transport is not None:
        transport.abort()
