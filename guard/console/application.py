"""The routes: each path, and what it answers."""

from datetime import datetime
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from guard.clock import Clock
from guard.console.door import Door
from guard.console.health import ChannelCondition, Health
from guard.settings import Listen

OK: Final = 200
FAILING: Final = 503


def routes(health: Health, clock: Clock) -> list[Route]:
    """Every route there is."""

    async def healthz(_request: Request) -> JSONResponse:
        condition = health.condition(clock.monotonic_s())
        age_s = condition.last_cycle_age_s
        return JSONResponse(
            {
                "status": "ok" if condition.is_ok else "failing",
                "at": clock.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
                "cycles": condition.cycles,
                "last_cycle_age_s": None if age_s is None else round(age_s, 1),
                "reasons": [*condition.reasons, *condition.notes],
                "channels": [_channel(each, now=clock.now()) for each in condition.channels],
            },
            OK if condition.is_ok else FAILING,
        )

    return [Route("/healthz", healthz)]


def _channel(channel: ChannelCondition, *, now: datetime) -> dict[str, object]:
    waits = None if channel.oldest_pending_at is None else round((now - channel.oldest_pending_at).total_seconds(), 1)
    return {
        "channel": channel.channel,
        "failing": channel.failing,
        "oldest_pending_age_s": waits,
        "dead": channel.dead,
        "buttons": channel.buttons,
    }


def application(health: Health, clock: Clock, listen: Listen) -> ASGIApp:
    """The routes behind the door, which stands around Starlette's own answers too: 404, 500."""
    app = Starlette(routes=routes(health, clock))
    app.router.redirect_slashes = False  # a redirect would repeat what the Host header says
    return Door(app, listen)
