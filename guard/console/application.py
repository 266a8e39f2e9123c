"""The routes: each path, and what it answers."""

from datetime import datetime
from typing import Final

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from guard.console.door import Door
from guard.console.health import ChannelCondition, Health
from guard.console.pages import Pages
from guard.message.link import ALERTS
from guard.parts import Parts
from guard.settings import Listen
from guard.units import iso

OK: Final = 200
FAILING: Final = 503


class _AnyText(Convertor[str]):
    """The rest of a path, whatever it holds; Starlette's own stops at a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """The text itself."""
        return value

    def to_string(self, value: str) -> str:
        """The text itself."""
        return value


register_url_convertor("text", _AnyText())


def routes(health: Health, parts: Parts, pages: Pages) -> list[Route]:
    """Every route there is."""
    clock = parts.clock

    async def healthz(_request: Request) -> JSONResponse:
        condition = health.condition(clock.monotonic_s())
        age_s = condition.last_cycle_age_s
        return JSONResponse(
            {
                "status": "ok" if condition.is_ok else "failing",
                "at": iso(clock.now().replace(microsecond=0)),
                "cycles": condition.cycles,
                "last_cycle_age_s": None if age_s is None else round(age_s, 1),
                "reasons": [*condition.reasons, *condition.notes],
                "channels": [_channel(each, now=clock.now()) for each in condition.channels],
            },
            OK if condition.is_ok else FAILING,
        )

    return [
        Route("/healthz", healthz),
        Route("/", pages.overview),
        Route("/style.css", pages.style),
        Route(f"/{ALERTS}/{{key:text}}", pages.alert),
    ]


def _channel(channel: ChannelCondition, *, now: datetime) -> dict[str, object]:
    waits = None if channel.oldest_pending_at is None else round((now - channel.oldest_pending_at).total_seconds(), 1)
    return {
        "channel": channel.channel,
        "failing": channel.failing,
        "oldest_pending_age_s": waits,
        "dead": channel.dead,
        "buttons": channel.buttons,
    }


def application(health: Health, parts: Parts, listen: Listen) -> ASGIApp:
    """The routes behind the door, which stands around Starlette's own answers too: 404, 500."""
    pages = Pages(health, parts)

    async def nothing(request: Request, _fault: Exception) -> Response:
        return pages.nothing(request, "There is no such page.")

    app = Starlette(routes=routes(health, parts, pages), exception_handlers={404: nothing})
    app.router.redirect_slashes = False  # a redirect would repeat what the Host header says
    return Door(app, listen)
