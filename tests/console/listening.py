"""A console that listens on a free port of loopback, and requests to it as their bytes are."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from guard.console.health import Health
from guard.console.server import Console
from guard.settings import Listen
from tests.stand_ins.clock import HandClock
from tests.waiting import until

EVERY_S: Final = 60.0
FREE: Final = Listen(port=0)


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass
class Listening:
    """A console that runs."""

    console: Console
    health: Health
    serving: asyncio.Task[None]
    at: str = "127.0.0.1"

    @property
    def port(self) -> int:
        assert self.console.port is not None
        return self.console.port

    async def ask(self, path: str = "/healthz", *, method: str = "GET", **headers: str) -> Answer:
        """One request on a connection of its own; `host` is by default the one that is asked."""
        named = {"host": f"{self.at}:{self.port}", **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        reader, writer = await asyncio.open_connection(self.at, self.port)
        try:
            writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1"))
            return _answer((await reader.read()).decode("latin-1"))
        finally:
            writer.close()

    async def end(self) -> None:
        """Cancels it, and waits until it has ended."""
        self.serving.cancel()
        await asyncio.wait({self.serving})


def _answer(text: str) -> Answer:
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, value in headers.items()}, body)


@asynccontextmanager
async def listening(
    listen: Listen = FREE, *, at: str = "127.0.0.1", clock: HandClock | None = None
) -> AsyncIterator[Listening]:
    """A console that listens, and is ended if the test does not."""
    clock = clock or HandClock()
    health = Health(every_s=EVERY_S, began_s=clock.monotonic_s())
    console = Console(listen, health, clock)
    it = Listening(console, health, asyncio.ensure_future(console.serve()), at)
    try:
        await until(lambda: console.port is not None)
        yield it
    finally:
        await it.end()
