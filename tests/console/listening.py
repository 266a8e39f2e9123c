"""A console that listens on a free port of loopback, and requests to it as their bytes are."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from guard.config import Config
from guard.console.health import Health
from guard.console.server import Console
from guard.parts import Parts
from guard.settings import Listen
from tests.stand_ins.clock import HandClock
from tests.waiting import until
from tests.wiring import config as config_of
from tests.wiring import opened

EVERY_S: Final = 60.0
FREE: Final = Listen(port=0)


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in small letters, values of one that comes several times behind each other."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass
class Listening:
    """A console that runs."""

    console: Console
    health: Health
    parts: Parts
    directory: Path  # of the database
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
            return _answer(await reader.read())
        finally:
            writer.close()

    async def end(self) -> None:
        """Cancels it, and waits until it has ended."""
        self.serving.cancel()
        await asyncio.wait({self.serving})


def _answer(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for name, value in (line.split(": ", 1) for line in lines):
        headers[name.lower()] = ", ".join(filter(None, (headers.get(name.lower()), value)))
    return Answer(int(first.split()[1]), headers, body.decode())


@asynccontextmanager
async def listening(
    listen: Listen = FREE, *, at: str = "127.0.0.1", clock: HandClock | None = None, config: Config | None = None
) -> AsyncIterator[Listening]:
    """A console that listens, over a database of its own, and is ended if the test does not."""
    clock = clock or HandClock()
    health = Health(every_s=EVERY_S, began_s=clock.monotonic_s())
    with TemporaryDirectory() as directory:
        async with opened(config or config_of(), Path(directory), clock=clock) as parts:
            console = Console(listen, health, parts)
            it = Listening(console, health, parts, Path(directory), asyncio.ensure_future(console.serve()), at)
            try:
                await until(lambda: console.port is not None)
                yield it
            finally:
                await it.end()
