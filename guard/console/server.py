"""uvicorn within the service: it listens, stops at once, and never takes signals or stops anything."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from guard.console.application import application
from guard.console.health import Health
from guard.logs import log
from guard.parts import Parts
from guard.settings import Listen

RETRY_S: Final = 60.0
LIFE_S: Final = 10.0  # of a connection: uvicorn sets no limit to how slowly a request may come
MOST_CONNECTIONS: Final = 64  # each is a file handle, and polling needs some too


class Console:
    """Answers on an address for as long as `serve` runs."""

    def __init__(self, listen: Listen, health: Health, parts: Parts) -> None:
        """Takes where it listens; nothing is done yet."""
        self.port: int | None = None  # while it listens
        self._listen = listen
        self._app = application(health, parts, listen)
        self._why = ""  # it does not listen

    async def serve(self) -> None:
        """Listens until it is cancelled, which it then obeys at once; never raises.

        Where it cannot listen, a taken port perhaps, that is logged once, and tried again every minute.
        """
        while True:
            try:
                await self._serve()
            except OSError as fault:
                self._cannot(os.strerror(fault.errno) if fault.errno else str(fault))
            except Exception as fault:  # noqa: BLE001 - whatever ails the console, the service goes on
                log.error("console.unplanned", "the console failed; it is tried again", exc=fault)
            self.port = None
            await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=RETRY_S)

    async def _serve(self) -> None:
        family = socket.AF_INET6 if ":" in self._listen.host else socket.AF_INET
        with socket.create_server((self._listen.host, self._listen.port), family=family) as listener:
            self.port = listener.getsockname()[1]
            self._why = ""
            address = Listen(self._listen.host, self.port)
            log.info("console.listening", "the console answers", address=address, token=self._listen.token is not None)
            await _Server(_config(self._app)).serve([listener])

    def _cannot(self, why: str) -> None:
        if why != self._why:
            text = "the console cannot listen; all else goes on, and it is tried again"
            log.warning("console.unavailable", text, address=self._listen, why=why)
        self._why = why


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",  # below it whoever connects could fill the log
        workers=1,  # else it reads WEB_CONCURRENCY
    )


class _Connection(H11Protocol):
    """A connection that ends after a while, however little has come by then."""

    _end: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._end = self.loop.call_later(LIFE_S, transport.abort)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """uvicorn's server as a guest in the service's loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the service; uvicorn would take them away, and raise them again at its end."""
        yield

    async def main_loop(self) -> None:
        """Waits until it is cancelled; then nobody who is slow is waited for."""
        try:
            await super().main_loop()
        finally:
            for server in self.servers:
                server.close()
            for connection in list(self.server_state.connections):
                connection.transport.abort()
