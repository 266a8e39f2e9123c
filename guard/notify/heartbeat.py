"""The sign of life outside: asks one URL after each completed cycle, so that its silence tells of our death."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from guard.logs import log

DEADLINE_S: Final = 10.0
_SUCCESS: Final = 2  # the first digit; a redirect is none, for it is not followed: the address is a secret


@dataclass(slots=True)
class Heartbeat:
    """Pings `url`, which is a secret; a ping that fails is logged once until one succeeds, and never raised."""

    url: str = field(repr=False)
    _failing: bool = False
    _session: aiohttp.ClientSession | None = None

    async def beat(self) -> None:
        """Asks the URL once, within 10 s."""
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True)
        try:
            async with (
                asyncio.timeout(DEADLINE_S),
                self._session.get(self.url, allow_redirects=False) as answer,
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
