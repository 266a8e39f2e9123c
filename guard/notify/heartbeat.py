"""The sign of life outside: asks one URL after completed cycles, so that its silence tells of our death.

While the service lives and cannot do its work, it asks the URL that says so instead: silence would say the same later.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from guard.logs import log

DEADLINE_S: Final = 10.0
PAUSE_S: Final = 10.0
"""So long is nothing asked again that would only repeat itself, however often accounts are polled."""

_SUCCESS: Final = 2  # the first digit; a redirect is none, for it is not followed: the address is a secret
_FAILING: Final = {("status", "up"): "down", ("status", "ok"): "error", ("state", "complete"): "fail"}
_TEXT: Final = "quota-guard is alive, but cannot do its work"


def failing_url(url: str) -> str:
    """The URL that tells of a failure, for one that tells that all is well; raises ValueError for what is no URL.

    A receiver that is told in the query how things are is told there (Uptime Kuma's push monitors, Sentry's and
    Cronitor's crons); for all others `/fail` ends the path, as healthchecks.io has it.
    https://healthchecks.io/docs/signaling_failures/

    >>> failing_url("https://hc-ping.com/key/guard?create=1")
    'https://hc-ping.com/key/guard/fail?create=1'
    >>> failing_url("https://kuma.example.com/api/push/key?status=up&msg=OK&ping=")
    'https://kuma.example.com/api/push/key?status=down&msg=quota-guard+is+alive%2C+but+cannot+do+its+work&ping='
    """
    parts = urlsplit(url)
    said = parse_qsl(parts.query, keep_blank_values=True)
    if not any(each in _FAILING for each in said):
        return parts._replace(path=f"{parts.path.rstrip('/')}/fail").geturl()
    changed = [(name, _TEXT if name == "msg" else _FAILING.get((name, value), value)) for name, value in said]
    return parts._replace(query=urlencode(changed)).geturl()


@dataclass(slots=True)
class Heartbeat:
    """Asks `url`, which is a secret; that it was not reached is logged once until it is, and never raised."""

    url: str = field(repr=False)
    _failing: bool = False
    _said: tuple[bool, float] | None = None  # what was last told, and when, by a clock that never goes back
    _session: aiohttp.ClientSession | None = None

    async def tell(self, *, is_well: bool, now_s: float) -> None:
        """Tells how the service is; at `now_s` of a monotonic clock nothing is told again that was within 10 s."""
        if self._said is not None and self._said[0] is is_well and now_s - self._said[1] < PAUSE_S:
            return
        self._said = is_well, now_s
        await (self.beat() if is_well else self.fail())

    async def beat(self) -> None:
        """Asks the URL once, within 10 s."""
        await self._ask(failing=False)

    async def fail(self) -> None:
        """Asks the URL that tells of a failure once, within 10 s."""
        await self._ask(failing=True)

    async def _ask(self, *, failing: bool) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True)
        try:
            url = failing_url(self.url) if failing else self.url
            async with (
                asyncio.timeout(DEADLINE_S),
                self._session.get(url, allow_redirects=False) as answer,
            ):
                why = "" if answer.status // 100 == _SUCCESS else f"it answered {answer.status}"
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as fault:
            why = type(fault).__name__
        if why and not self._failing:
            log.warning("heartbeat.failed", f"the heartbeat URL was not reached: {why}")
        self._failing = bool(why)

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
