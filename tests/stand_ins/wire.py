"""A server below HTTP: it takes a connection, says some bytes and closes, resets or falls silent."""

import asyncio
from contextlib import suppress
from enum import Enum, auto
from typing import Self


class Ending(Enum):
    """What comes after the bytes."""

    CLOSE = auto()
    RESET = auto()
    SILENCE = auto()
    DRIP = auto()  # one byte more every 20 ms, without end


class WireStandIn:
    """Listens on a free port of loopback, for one connection only if `once`.

    It says its bytes when it is asked; `asked` holds the first line of each connection.
    """

    def __init__(self, says: bytes = b"", ending: Ending = Ending.CLOSE, *, once: bool = False) -> None:
        self.says = says
        self.ending = ending
        self.once = once
        self.asked: list[bytes] = []
        self.port = 0
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, scheme: str = "http", *, path: str = "") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        if self.once:
            self._server.close()
        with suppress(ConnectionError):
            self.asked.append((await reader.read(4096)).partition(b"\r\n")[0])
            writer.write(self.says)
            await writer.drain()
        match self.ending:
            case Ending.SILENCE:
                await self._over.wait()
            case Ending.DRIP:
                await self._drip(writer)
            case Ending.RESET:
                writer.transport.abort()
            case Ending.CLOSE:
                pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        while not self._over.is_set():
            writer.write(b"x")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 0.02)
