"""A server that answers with exactly the bytes of a script, and keeps what it was sent."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Wire:
    port: int
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def header(self, name: str, *, request: int = -1) -> str | None:
        lines = self.requests[request].decode().split("\r\n")
        found = [line.split(":", 1)[1].strip() for line in lines[1:] if line.lower().startswith(f"{name.lower()}:")]
        return found[0] if found else None


@asynccontextmanager
async def wire(*scripts: Script, tls: ssl.SSLContext | None = None, keep: bool = False) -> AsyncIterator[Wire]:
    """Plays the first script to the first request, and so on; the last one to all that follow.

    Afterwards the connection is closed, or with `keep` left open for another request, unless the script closed it.
    """
    open_: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_[asyncio.current_task()] = writer
        served.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                served.requests.append(await reader.readuntil(b"\r\n\r\n"))
                await scripts[min(len(served.requests), len(scripts)) - 1](reader, writer)
                if not keep:
                    break
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    served = Wire(server.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield served
    finally:
        server.close()
        for task, writer in open_.items():
            task and task.cancel()
            writer.transport.abort()
        await asyncio.gather(*filter(None, open_), return_exceptions=True)
        await asyncio.gather(*(writer.wait_closed() for writer in open_.values()), return_exceptions=True)


def answers(body: bytes = b"", *, status: int = 200, headers: tuple[str, ...] = (), phrase: str = "OK") -> Script:
    lines = [f"HTTP/1.1 {status} {phrase}", f"Content-Length: {len(body)}", *headers]
    return says(head(*lines), body)


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def says(*parts: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return script


def repeats(first: bytes, part: bytes, *, every_s: float = 0) -> Script:
    """Goes on for ever, as fast as it is read or one part at a time; a client that has gone ends it."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not reader.at_eof():
            writer.write(part)
            await writer.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await reader.read()

    return script


def hangs_up(*parts: bytes) -> Script:
    """Says this much, and closes the connection."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(*parts)(reader, writer)
        writer.close()

    return script


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def resets(*parts: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(*parts)(reader, writer)
        linger = struct.pack("ii", 1, 0)  # close at once, with RST in place of FIN
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    return script


def closed_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
