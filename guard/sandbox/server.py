"""The sandbox: /v1/usage over HTTP, as a scenario tells it."""

import asyncio
import hmac
import json
import os
import shlex
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import isfinite
from types import TracebackType
from typing import Final, Self

from aiohttp import hdrs, web

from guard.sandbox.answers import play, refusal
from guard.sandbox.errors import SandboxError, suggestion
from guard.sandbox.limit import RateLimit
from guard.sandbox.scenario import Fault, Scenario
from guard.sandbox.scenario_file import load_scenario
from guard.sandbox.usage import FIELDS, usage

_SUB_ACCOUNT: Final = "X-Sub-Account-Id"
_GAP: Final = Fault(status=503)  # what `_` in a series means


class Sandbox:
    """A pretend AgentPhone, from entering `async with` to leaving it.

    The story starts on entering. Its time is told by `now` (aware UTC) where that is given; else it runs `speed` times
    as fast as the real one, from the real present on. Port 0 takes one that is free.
    """

    def __init__(
        self,
        *,
        scenario: Scenario | str,
        key: str,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        rate_limit: int | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        """Takes a scenario, or its name or path; `rate_limit` is in requests a minute, None for none.

        Raises SandboxError for an unknown or broken scenario, a key no header can carry, no host, and a speed or limit
        not above 0.
        """
        _check(key=key, host=host, speed=speed, rate_limit=rate_limit)
        self.scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self.requests = 0  # all that came, whatever the answer was
        self._key = key.encode()
        self._host, self._port = host, port
        self._now = now or _scaled_now(speed)
        self._limit = RateLimit(rate_limit) if rate_limit is not None else None
        self._set: dict[str, int] = {}
        self._fault: Fault | None = None
        self._started_at = self._now()
        self._closing = asyncio.Event()
        self._runner = self._built()

    @property
    def base_url(self) -> str:
        """What clients put before `/v1/usage`; holds the real port once the sandbox is entered."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listens, and starts the story; raises SandboxError when the address cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except (OSError, OverflowError, ValueError) as error:  # the latter two: a port or name that cannot be
            await self._runner.cleanup()
            why = f"the sandbox cannot listen on {self._host}, port {self._port}: {_plain(error)}"
            raise SandboxError(f"{why}. Choose another with --listen; port 0 takes a free one") from None
        self._port = self._runner.addresses[0][1]
        self._started_at = self._now()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops listening and drops every connection, those that hang too."""
        self._closing.set()
        await self._runner.cleanup()

    def set(self, values: Mapping[str, int]) -> None:
        """From now on shows these numbers (0 or more) in place of the scenario's, beside those that were set before.

        Raises ValueError for a name that is no field.
        """
        for name, value in values.items():
            if name not in FIELDS:
                raise ValueError(f"unknown field {name!r}{suggestion(name, FIELDS)}")
            if value < 0:
                raise ValueError(f"{name} counts from 0 up, not {value}")
        self._set |= values

    def fault(self, fault: Fault) -> None:
        """From now on every request for usage goes wrong so; the fault's own times do not count."""
        self._fault = fault

    def clear(self) -> None:
        """Back to the scenario: forgets what was set, and the fault."""
        self._set, self._fault = {}, None

    def _built(self) -> web.AppRunner:
        app = web.Application(middlewares=[self._counted])
        app.router.add_get("/v1/usage", self._usage, allow_head=False)
        app.on_response_prepare.append(self._stamped)
        return web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)

    @web.middleware
    async def _counted(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests += 1
        try:
            return await handler(request)
        except web.HTTPException as error:  # the router's: no such path, no such method
            response = refusal(error.status)
            if hdrs.ALLOW in error.headers:
                response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            return response

    async def _stamped(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers[hdrs.DATE] = format_datetime(self._now(), usegmt=True)  # the story's time, as the body's
        response.headers[hdrs.SERVER] = "quota-guard-sandbox"

    async def _usage(self, request: web.Request) -> web.StreamResponse:
        at = self._now()
        elapsed = at - self._started_at
        scripted = self.scenario.values_at(elapsed) | self._set
        known = {name: value for name, value in scripted.items() if value is not None}
        whole = json.dumps(usage(known, at=at, elapsed=elapsed))
        fault = self._fault or self.scenario.fault_at(elapsed) or (_GAP if len(known) < len(scripted) else None)
        if fault is not None:  # before the key: what fails in front of the API asks nobody for one
            return await play(fault, request, whole=whole, closing=self._closing)
        return self._refused(request, at=at) or web.Response(text=whole, content_type="application/json")

    def _refused(self, request: web.Request, *, at: datetime) -> web.Response | None:
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            key.strip().encode(errors="surrogateescape"), self._key
        ):
            return refusal(401)
        if self._limit is not None and (wait_s := self._limit.admit(at)):
            return refusal(429, retry_after=str(wait_s))
        sub_account = request.headers.get(_SUB_ACCOUNT)
        if sub_account is None:
            return None
        if not sub_account.strip():
            why = {"loc": ["header", _SUB_ACCOUNT], "msg": "The id must not be empty.", "type": "value_error"}
            return refusal(422, detail=[why])
        return refusal(404, detail="There is no such sub-account: the sandbox has none, only the master account.")


def _check(*, key: str, host: str, speed: float, rate_limit: int | None) -> None:
    if not (key.isascii() and key.isprintable()) or not key or " " in key:
        raise SandboxError("the key must be plain ASCII without spaces, as HTTP headers are")
    if not host:  # it would listen everywhere
        raise SandboxError("the host must not be empty; 127.0.0.1 is for this machine alone")
    if not (isfinite(speed) and speed > 0):
        raise SandboxError(f"the speed must be a number above 0, not {speed:g}")
    if rate_limit is not None and rate_limit < 1:
        raise SandboxError(f"the rate limit must be one request a minute at least, not {rate_limit}")


def _scaled_now(speed: float) -> Callable[[], datetime]:
    started_at = datetime.now(UTC)  # noqa: TID251 - the sandbox imports nothing of the guard, guard.clock neither
    started_s = time.monotonic()
    return lambda: started_at + timedelta(seconds=(time.monotonic() - started_s) * speed)


def _plain(error: Exception) -> str:
    """The system's own words, without what asyncio puts around them."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(getattr(error, "strerror", None) or error).rstrip(".")  # a name that was not found has errno below 0


async def serve(
    *, scenario: str, key: str, host: str, port: int, speed: float, announce: Callable[[str], None]
) -> None:
    """Runs a sandbox until cancelled, after announcing line by line where it is and how to ask it.

    Raises SandboxError when something is wrong with what it is given.
    """
    async with Sandbox(scenario=scenario, key=key, host=host, port=port, speed=speed) as sandbox:
        for line in _announcement(sandbox, key=key, speed=speed):
            announce(line)
        await asyncio.Event().wait()


def _announcement(sandbox: Sandbox, *, key: str, speed: float) -> list[str]:
    story = sandbox.scenario
    header = shlex.quote(f"Authorization: Bearer {key}")
    return [
        f"A pretend AgentPhone is on {sandbox.base_url} until Ctrl-C.",
        f"API key:  {key}",
        f"Scenario: {story.name}" + (f": {story.about}" if story.about else ""),
        f"Speed:    {speed:g}" + ("" if speed == 1 else f" (a minute of the story takes {60 / speed:g} s)"),
        f"Try:      curl -H {header} {sandbox.base_url}/v1/usage",
    ]
