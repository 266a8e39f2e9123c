"""Who is told: a Slack webhook, a Slack workspace and a mail server, which are slow and refuse while they are rough.

Each keeps what it takes before it says so. A kill may come before that, between the two, and after.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.crash.channels import Kind
from tests.crash.count import Taken
from tests.stand_ins.mail import MailStandIn
from tests.stand_ins.workspace import Ending, Fault, Workspace

REFUSED: Final = 0.4
REFUSED_BY_A_BOT: Final = 0.15  # each of its messages takes several calls
UNANSWERED: Final = 0.1
SLOWEST_S: Final = 0.06
_REFUSALS: Final[tuple[tuple[int, str, dict[str, str]], ...]] = (
    (500, "internal_error", {}),
    (503, "<html>busy</html>", {}),
    (429, "", {"Retry-After": "1"}),
)
_FAULTS: Final = (
    *(Fault(status=status, body=body, headers=headers) for status, body, headers in _REFUSALS),
    Fault(error="internal_error"),
    Fault(ending=Ending.DROP),
)
_KEPT: Final = Fault(ending=Ending.DROP, is_kept=True)
_PUT_OFF: Final = ("421 too busy", "450 greylisted", "452 no room")


@dataclass
class Weather:
    """Whether receivers are rough, and the dice that say how."""

    chance: Random
    rough: bool = True

    def refuses(self, share: float = REFUSED) -> bool:
        return self.rough and self.chance.random() < share

    def falls_silent(self) -> bool:
        """Whether something is taken and never answered."""
        return self.rough and self.chance.random() < UNANSWERED

    def pause_s(self) -> float:
        return self.chance.random() * SLOWEST_S if self.rough else 0

    async def pause(self) -> None:
        await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=self.pause_s())


@dataclass
class Webhook:
    """Takes the posts of an incoming webhook."""

    weather: Weather
    taken: list[Taken] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        payload = await request.json()
        if self.weather.refuses():
            await self.weather.pause()
            status, body, headers = self.weather.chance.choice(_REFUSALS)
            return web.Response(status=status, text=body, headers=headers)
        key = payload["metadata"]["event_payload"]["key"]
        self.taken.append(Taken(Kind.WEBHOOK, key, texts=(payload["text"],)))
        await self.weather.pause()
        return web.Response(text="ok")


class Bot(Workspace):
    """A workspace that may also take a message and tear the connection down instead of saying so."""

    def __init__(self, weather: Weather, *, now: Callable[[], datetime]) -> None:
        super().__init__(now=now)
        self._weather = weather
        self._pause = threading.Event()

    @property
    def taken(self) -> list[Taken]:
        """Every message in the channel, in the order of posting."""
        with self.still():
            return [
                Taken(Kind.BOT, each.key, id=each.ts, thread=each.thread_ts, texts=tuple(each.texts))
                for each in self.ops.messages
            ]

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        method = urlsplit(handler.path).path.removeprefix("/api/")
        self._pause.wait(self._weather.pause_s())
        if method.startswith("chat.") and self._weather.falls_silent():
            self.fail(method, _KEPT)
        elif self._weather.refuses(REFUSED_BY_A_BOT):
            self.fail(method, self._weather.chance.choice(_FAULTS))
        super()._handle(handler)

    def _reply(self, handler: BaseHTTPRequestHandler, answer: dict[str, Any], fault: Fault) -> None:
        self._pause.wait(self._weather.pause_s())
        super()._reply(handler, answer, fault)


@dataclass
class Mail(MailStandIn):
    """A mail server that may also take a mail and cut the connection; it counts how often it did."""

    weather: Weather = field(default_factory=lambda: Weather(Random(0)))  # noqa: S311 - a seed, to be repeated
    unanswered: int = 0

    @property
    def taken(self) -> list[Taken]:
        """Every mail, in the order of arrival."""
        return [
            Taken(
                Kind.MAIL,
                each.mail["Message-ID"].strip("<>").partition("@")[0],
                recipient=each.recipients[0],
                id=each.mail["Message-ID"],
                thread=each.mail["In-Reply-To"] or "",
                texts=(each.mail["Subject"],),
            )
            for each in self.received
        ]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self.weather.pause()
        if self.weather.refuses():
            return self.weather.chance.choice(_PUT_OFF)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        await self.weather.pause()
        self.is_mute = self.weather.falls_silent()
        self.unanswered += self.is_mute
        answer = await super().handle_DATA(server, session, envelope)
        await self.weather.pause()
        return answer


def described(taken: list[Taken]) -> list[dict[str, Any]]:
    """What was taken, for JSON."""
    return [asdict(each) for each in taken]
