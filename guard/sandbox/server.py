"""The sandbox: AgentPhone's usage API over HTTP, as a scenario tells it."""

import asyncio
import hmac
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from math import isfinite
from types import TracebackType
from typing import Final, Self

from aiohttp import hdrs, web

from guard.sandbox.account import MASTER
from guard.sandbox.answers import document, play, refusal
from guard.sandbox.errors import SandboxError, suggestion
from guard.sandbox.fields import FIELDS, PATHS
from guard.sandbox.limit import RateLimit
from guard.sandbox.playing import Playing, UnknownAccountError
from guard.sandbox.query import BadQueryError, Query
from guard.sandbox.routes import Body
from guard.sandbox.scenario import EVERYTHING, Fault, Scenario
from guard.sandbox.scenario_file import load_scenario

_SUB_ACCOUNT: Final = "X-Sub-Account-Id"
_BACKLOG: Final = 4_096  # a thousand clients may connect at once


class Sandbox:
    """A pretend AgentPhone, from entering `async with` to leaving it.

    The story starts on entering, in the present or at the scenario's own `start`. How much of it has passed is told by
    `now` (aware UTC) where that is given; else it runs `speed` times as fast as the real time. Port 0 takes a free one.
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
        self._set: dict[str, dict[str, int]] = {}  # by account
        self._faults: dict[tuple[str | None, str], Fault] = {}  # by account and path
        self._closing = asyncio.Event()
        self._runner = self._built()
        self._begin()

    @property
    def sub_accounts(self) -> Mapping[str, str]:
        """The names of all sub-accounts by their ids, in the order of the listing."""
        return self._playing.accounts.names

    @property
    def base_url(self) -> str:
        """What clients put before `/v1/usage`; holds the real port once the sandbox is entered."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listens, and starts the story; raises SandboxError when the address cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, backlog=_BACKLOG).start()
        except (OSError, OverflowError, ValueError) as error:  # the latter two: a port or name that cannot be
            await self._runner.cleanup()
            why = f"the sandbox cannot listen on {self._host}, port {self._port}: {_plain(error)}"
            raise SandboxError(f"{why}. Choose another with --listen; port 0 takes a free one") from None
        self._port = self._runner.addresses[0][1]
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops listening and drops every connection, those that hang too."""
        self._closing.set()
        await self._runner.cleanup()

    def set(self, values: Mapping[str, int], *, sub: str | None = None) -> None:
        """From now on shows these numbers (0 or more) in place of the scenario's, beside those that were set before.

        They are the master account's, or those of one sub-account. Raises ValueError for a name that is no field, and
        for a sub-account that is not there.
        """
        for name, value in values.items():
            if name not in FIELDS:
                raise ValueError(f"unknown field {name!r}{suggestion(name, FIELDS)}")
            if value < 0:
                raise ValueError(f"{name} counts from 0 up, not {value}")
        account = MASTER if sub is None else self._known(sub)
        self._set[account] = {**self._set.get(account, {}), **values}

    def fault(self, fault: Fault, *, sub: str | None = None) -> None:
        """From now on every request for the fault's path goes wrong so; the fault's own times do not count.

        That is every account's request, or one sub-account's. It takes the place of an earlier one for the same.
        Raises ValueError for a sub-account that is not there.
        """
        account = None if sub is None else self._known(sub)
        self._faults[account, fault.path] = fault

    def clear(self) -> None:
        """Back to the scenario: forgets everything that was set, and every fault."""
        self._set, self._faults = {}, {}

    def _begin(self) -> None:
        self._started_at = self._now()
        starts_at = self.scenario.start or self._started_at.replace(microsecond=0)
        self._playing = Playing(self.scenario, starts_at=starts_at)

    def _known(self, sub: str) -> str:
        if sub not in self._playing.accounts.names:
            raise ValueError(f"there is no sub-account {sub!r}{suggestion(sub, self._playing.accounts.names)}")
        return sub

    def _built(self) -> web.AppRunner:
        app = web.Application(middlewares=[self._counted])
        for path in PATHS:
            app.router.add_get(path, partial(self._answered, path=path), allow_head=False)
        app.on_response_prepare.append(self._stamped)
        return web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)

    @web.middleware
    async def _counted(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests += 1
        try:
            return await handler(request)
        except BadQueryError as error:
            return refusal(422, detail=error.detail)
        except web.HTTPException as error:  # the router's: no such path, no such method
            response = refusal(error.status)
            if hdrs.ALLOW in error.headers:
                response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
            return response

    async def _stamped(self, _request: web.Request, response: web.StreamResponse) -> None:
        at = self._playing.starts_at + self._elapsed()
        response.headers[hdrs.DATE] = format_datetime(at, usegmt=True)  # the story's time, as the body's
        response.headers[hdrs.SERVER] = "quota-guard-sandbox"

    def _elapsed(self) -> timedelta:
        return self._now() - self._started_at

    async def _answered(self, request: web.Request, *, path: str) -> web.StreamResponse:
        elapsed = self._elapsed()
        account = request.headers.get(_SUB_ACCOUNT, MASTER)
        good = partial(self._good, request, path=path, account=account, elapsed=elapsed)
        fault = self._fault_of(account, path=path, elapsed=elapsed)
        if fault is not None:  # before the key: what fails in front of the API asks nobody for one
            return await play(fault, request, whole=good, closing=self._closing)
        return self._refused(request, elapsed=elapsed) or document(good())

    def _fault_of(self, account: str, *, path: str, elapsed: timedelta) -> Fault | None:
        for owner in (account, None):
            for place in (path, EVERYTHING):
                if (owner, place) in self._faults:
                    return self._faults[owner, place]
        return self._playing.fault(path, elapsed=elapsed, account=account, known=self._set.get(account, {}))

    def _good(self, request: web.Request, *, path: str, account: str, elapsed: timedelta) -> Body:
        """What the path answers; raises BadQueryError, and what the router raises for an account that is not there."""
        query, known = Query(request.query.items()), self._set.get(account, {})
        try:
            return self._playing.body(path, query, elapsed=elapsed, account=account, known=known)
        except UnknownAccountError:
            raise web.HTTPNotFound from None

    def _refused(self, request: web.Request, *, elapsed: timedelta) -> web.Response | None:
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            key.strip().encode(errors="surrogateescape"), self._key
        ):
            return refusal(401)
        if self._limit is not None and (wait_s := self._limit.admit(self._playing.starts_at + elapsed)):
            return refusal(429, retry_after=str(wait_s))
        sub_account = request.headers.get(_SUB_ACCOUNT)
        if sub_account is None or sub_account in self._playing.accounts.names:
            return None
        if not sub_account.strip():
            why = {"loc": ["header", _SUB_ACCOUNT], "msg": "The id must not be empty.", "type": "value_error"}
            return refusal(422, detail=[why])
        return refusal(404, detail="There is no such sub-account.")


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
