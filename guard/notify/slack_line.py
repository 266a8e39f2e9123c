"""One connection of Slack's Socket Mode, over slack-sdk's client: it is replaced rather than mended.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from guard.notify.slack_log import SILENT

PING_EVERY: Final = timedelta(seconds=5)
"""How often a sign of life goes out; without an answer for four times as long the connection counts as broken."""

_FAREWELL_S: Final = 1.0


class Line(SocketModeClient):
    """A connection to `url`, which is a secret: it holds a ticket that Slack takes once.

    `hear` gets what Slack sends and the id of the app that it is sent to, empty if Slack has not said; each is answered
    before, since Slack waits for three seconds. The client that this is made of would try the same address again and
    again where it fails; here all that makes it want a new connection sets `over` instead.
    """

    def __init__(
        self, url: str, *, hear: Callable[[SocketModeRequest, str], None], ping_every: timedelta = PING_EVERY
    ) -> None:
        """Connects to nothing yet, but has to be closed."""
        web_client = AsyncWebClient(logger=SILENT, retry_handlers=[])
        super().__init__("", SILENT, web_client, ping_interval=ping_every.total_seconds())
        self.wss_uri = url
        self.over = asyncio.Event()
        self._app_id = ""
        self._hear = hear
        self._greeted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.message_listeners.append(self._read)
        self.socket_mode_request_listeners.append(self._take)

    @property
    def is_up(self) -> bool:
        """Whether it can be heard over, also while Slack wants it to be replaced."""
        return self.current_session is not None and not self.current_session.closed and not self.stale

    async def open(self, *, within: timedelta) -> bool:
        """Connects, and waits for Slack's greeting; whether it came, in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self.connect()  # type: ignore[no-untyped-call] # slack-sdk types it not
                return await asyncio.shield(self._greeted)
        return False

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - as the base class has it
        """Is called where the client would connect anew: when Slack asks for it, or nothing is heard any more."""
        self.over.set()
        self._greet(came=False)

    async def disconnect(self) -> None:
        """Says farewell, and waits not long for an answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_S):
                await super().disconnect()  # type: ignore[no-untyped-call] # slack-sdk types it not

    async def close(self) -> None:
        """Ends all of it."""
        await super().close()  # type: ignore[no-untyped-call] # slack-sdk types it not
        tasks = (self.message_processor, self.current_session_monitor, self.message_receiver)
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)

    async def _read(self, _client: AsyncBaseSocketModeClient, message: Mapping[str, Any], _raw: str | None) -> None:
        if message.get("type") == "hello":
            info = message.get("connection_info")
            self._app_id = str(info.get("app_id") or "") if isinstance(info, dict) else ""
            self._greet(came=True)

    def _greet(self, *, came: bool) -> None:
        if not self._greeted.done():
            self._greeted.set_result(came)

    async def _take(self, _client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        try:
            await self.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        finally:  # a press whose answer is lost comes once more, and counts once
            self._hear(request, self._app_id)
