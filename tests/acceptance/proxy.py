"""A TCP proxy of our own between the guard and whom it talks to: it harms as many connections as it is told to."""

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, Self

_ABORT: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends a reset
_PIECE: Final = 64 * 1024


class Ending(Enum):
    """What follows upon the last byte that goes through."""

    CLOSE = auto()
    RESET = auto()
    SWALLOW = auto()  # the connection stays, and nothing comes any more


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a connection: `at_most` bytes go through, in pieces, a pause before each."""

    at_most: int | None = None
    ending: Ending = Ending.CLOSE
    piece: int = _PIECE
    pause_s: float = 0


@dataclass(frozen=True, slots=True)
class Harm:
    """What happens to a connection; with `may_arrive` all that was asked may have gone through unanswered."""

    name: str
    asked: Way = field(default_factory=Way)
    answered: Way = field(default_factory=Way)
    may_arrive: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether only a deadline ends it."""
        return self.answered.ending is Ending.SWALLOW


SLOW: Final = (
    Harm("every piece late by 0.3 s", Way(pause_s=0.3), Way(pause_s=0.3)),
    Harm("a byte at a time", Way(piece=1, pause_s=0.0002), Way(piece=1, pause_s=0.0002)),
)
CUT_WHILE_ASKING: Final = tuple(
    Harm(f"{ending.name.lower()} at byte {at} of what is asked", asked=Way(at, ending))
    for ending, at in ((Ending.CLOSE, 0), (Ending.CLOSE, 60), (Ending.RESET, 1), (Ending.RESET, 300))
)
CUT_WHILE_ANSWERING: Final = tuple(
    Harm(f"{ending.name.lower()} at byte {at} of what is answered", answered=Way(at, ending), may_arrive=True)
    for ending, at in ((Ending.CLOSE, 0), (Ending.CLOSE, 90), (Ending.RESET, 1), (Ending.RESET, 130))
)
SWALLOWED: Final = (Harm("every answer swallowed", answered=Way(0, Ending.SWALLOW), may_arrive=True),)


class Proxy:
    """One address on loopback before another one. `harm` says what happens to the next `times` connections."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._harms: list[Harm] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def harm(self, harm: Harm, times: int) -> None:
        """Harms so many connections that are made from now on; those that stand end."""
        with self._changed:
            self._harms = [harm] * times
        self._loop.call_soon_threadsafe(self._hang_up)

    def until_harmed(self, within_s: float) -> bool:
        """Waits until as many were harmed as was asked for."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._harms, within_s)

    # --- in the thread of its own ----------------------------------------------------------------------------------

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        self._open: set[asyncio.Task[None] | None] = set()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        self._hang_up()
        await asyncio.gather(*filter(None, self._open), return_exceptions=True)

    def _hang_up(self) -> None:
        for task in self._open:
            task and task.cancel()

    def _next(self) -> Harm:
        with self._changed:
            harm = self._harms.pop() if self._harms else Harm("none")
            self._changed.notify_all()
            return harm

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        harm = self._next()
        self._open.add(asyncio.current_task())
        writers = [writer]
        with suppress(OSError, asyncio.CancelledError):
            there = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(there[1])
            ways = (_pass(reader, there[1], harm.asked), _pass(there[0], writer, harm.answered))
            if await _first(*(asyncio.ensure_future(way) for way in ways)) is Ending.RESET:
                _reset(writer)
        for each in writers:
            each.close()
        self._open.discard(asyncio.current_task())


async def _first(*ways: "asyncio.Future[Ending]") -> Ending:
    """How the connection ends: as the way that ends first says."""
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> Ending:
    left = way.at_most
    while left is None or left > 0:
        piece = await reader.read(way.piece if left is None else min(way.piece, left))
        if not piece:
            return Ending.CLOSE
        if way.pause_s:
            await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=way.pause_s)
        writer.write(piece)
        await writer.drain()
        left = None if left is None else left - len(piece)
    if not way.at_most:  # with no byte at all: only once there is one
        await reader.read(_PIECE)
    if way.ending is Ending.SWALLOW:
        while await reader.read(_PIECE):
            pass
        await asyncio.Event().wait()  # until the other side has had enough
    return way.ending


def _reset(writer: asyncio.StreamWriter) -> None:
    wire = writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    writer.transport.abort()
