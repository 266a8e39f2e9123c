"""The one place where tests wait: for a condition, and never for a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

DEADLINE_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.005


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Returns as soon as the condition holds; raises TimeoutError if it does not within 20 s."""
    async with asyncio.timeout(DEADLINE_S):
        while not await _holds(condition):
            await _turn()


async def _holds(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> bool:
    found = condition()
    return found if isinstance(found, bool) else await found


async def _turn() -> None:
    await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=_LOOK_EVERY_S)
