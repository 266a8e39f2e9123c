"""Turns at a server: so many at once, each under a deadline that counts from its beginning and not from the queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta


class Turns:
    """Lets so many bodies of `async with turn()` run at once; the others wait in the order in which they came."""

    def __init__(self, *, at_once: int, deadline: timedelta) -> None:
        """`deadline` is for each turn by itself."""
        self._at_once = at_once
        self.deadline = deadline
        self._free = asyncio.Semaphore(at_once)
        self._under_way: set[asyncio.Timeout] = set()
        self.is_closed = False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn. Raises TimeoutError once it has lasted too long, and at once when the turns are closed."""
        async with self._free, self._timeout() as timeout:
            self._under_way.add(timeout)
            try:
                yield
            finally:
                self._under_way.discard(timeout)

    async def close(self) -> None:
        """Ends all turns, those that wait included, and gives back when none is under way any more."""
        self.is_closed = True
        for timeout in self._under_way:
            if not timeout.expired():
                timeout.reschedule(0)
        for _ in range(self._at_once):
            await self._free.acquire()
        for _ in range(self._at_once):
            self._free.release()

    def _timeout(self) -> asyncio.Timeout:
        if self.is_closed:
            raise TimeoutError
        return asyncio.timeout(self.deadline.total_seconds())
