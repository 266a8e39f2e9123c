"""The pages for people: each is one short read of the store, put into a template."""

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from guard.console.alert_page import read_alert_page
from guard.console.health import Health
from guard.console.overview import Alerts, channel_rows, read_alerts, service_lines
from guard.errors import StorageError
from guard.message import one_line
from guard.message.link import ALERTS
from guard.message.telling import alert_name
from guard.model import AlertKey
from guard.parts import Parts, zones_of
from guard.store import Unit
from guard.units import counted, exact_instant_text

T = TypeVar("T")

REFRESH_S: Final = 30
UNREADABLE: Final = (StorageError, TimeoutError)
READ_S: Final = 5.0  # a read that takes longer is given up, as where the disk hangs
_ALERTS: Final = f"/{ALERTS}/".encode()
_DEEPEST: Final = 3  # steps from /alerts/ACCOUNT/RULE/SUBJECT up
_STYLE: Final = Path(__file__).with_name("style.css").read_text("utf-8")


class Pages:
    """The pages of one service."""

    def __init__(self, health: Health, parts: Parts) -> None:
        """Takes what they tell of; a rule file that is exchanged exchanges the parts' own."""
        self._health = health
        self._parts = parts
        self._templates = Environment(
            loader=PackageLoader("guard.console"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_clean,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    async def style(self, _request: Request) -> Response:
        """All that the pages look like."""
        return Response(_STYLE, media_type="text/css")

    async def overview(self, request: Request) -> Response:
        """The first page: how the service does, and what is not at rest."""
        condition = self._health.condition(self._parts.clock.monotonic_s())
        zone_of = zones_of(self._parts.config)
        try:
            alerts = await self._read(partial(read_alerts, now=self._parts.clock.now(), zone_of=zone_of))
        except UNREADABLE:  # the cycles log it
            alerts = None
        return self._page(
            "overview.html",
            request,
            status=HTTPStatus.SERVICE_UNAVAILABLE if alerts is None else HTTPStatus.OK,
            refresh_s=REFRESH_S,
            heading=_heading(alerts, is_ok=condition.is_ok),
            alerts=alerts,
            is_ok=condition.is_ok,
            service=service_lines(condition),
            channels=channel_rows(condition.channels, now=self._parts.clock.now()),
        )

    async def alert(self, request: Request) -> Response:
        """The page of one alert."""
        key = _key_at(request.scope["raw_path"])
        if key is None:
            return self.nothing(request, "An alert is /alerts/ACCOUNT/RULE, or /alerts/ACCOUNT/RULE/SUBJECT.")
        config, now = self._parts.config, self._parts.clock.now()
        try:
            page = await self._read(partial(read_alert_page, key=key, config=config, now=now, zone_of=zones_of(config)))
        except UNREADABLE:  # the cycles log it
            why = "The database cannot be read now. The log says more."
            return self._sorry(request, HTTPStatus.SERVICE_UNAVAILABLE, "No answer", why, refresh_s=REFRESH_S)
        if page is None:
            return self.nothing(request, f"Neither the database nor the rule file knows {alert_name(key)}.")
        return self._page("alert.html", request, refresh_s=REFRESH_S, page=page)

    def nothing(self, request: Request, why: str) -> Response:
        """The page of what is not there."""
        return self._sorry(request, HTTPStatus.NOT_FOUND, "Nothing is here", why)

    def _sorry(self, request: Request, status: HTTPStatus, heading: str, why: str, *, refresh_s: int = 0) -> Response:
        return self._page("sorry.html", request, status=status, refresh_s=refresh_s, heading=heading, why=why)

    def _page(
        self, template: str, request: Request, *, status: HTTPStatus = HTTPStatus.OK, refresh_s: int, **values: object
    ) -> Response:
        html = self._templates.get_template(template).render(
            at=exact_instant_text(self._parts.clock.now()), refresh_s=refresh_s, root=_root(request), **values
        )
        return HTMLResponse(html, status)

    async def _read(self, work: Callable[[Unit], T]) -> T:
        """What a read gives; raises one of UNREADABLE where the database gives nothing, or not soon."""
        async with asyncio.timeout(READ_S):
            return await self._parts.store.run(work)


def _clean(value: object) -> object:
    """What a template shows: text on one line, without what steers the direction of writing; it is escaped after."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")  # which a part of the page itself has
    return one_line(str(value)) if is_text else value


def _heading(alerts: Alerts | None, *, is_ok: bool) -> str:
    if alerts is None:
        return "Nobody knows what fires"
    count = len(alerts.rows) + alerts.more
    if count:
        return f"{counted(count, 'alert')} not at rest"
    return "Nothing fires." if is_ok else "Nothing fires, as far as anybody knows."


def _root(request: Request) -> str:
    """The way up to the first page, so that links also lead there where a proxy has put a path before all of ours.

    A slash within a subject, which a proxy may have unquoted, is no step of the address that the browser shows.
    """
    raw_path: bytes = request.scope["raw_path"]
    steps = raw_path.count(b"/") - 1
    return "../" * (min(steps, _DEEPEST) if raw_path.startswith(_ALERTS) else steps) or "./"


def _key_at(raw_path: bytes) -> AlertKey | None:
    """The alert of a path as `alert_url` writes it; a proxy may have unquoted the slashes of a subject."""
    parts = raw_path.decode("latin-1").removeprefix(f"/{ALERTS}/").split("/", 2)
    account, rule, subject = [*map(unquote, parts), "", ""][:3]
    return AlertKey(account, rule, subject) if account and rule else None
