"""Socket Mode: listens for presses of the buttons under Slack's messages, and has them acted upon.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import random
from typing import Final, assert_never

import aiohttp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from guard.lifecycle.backoff import FIRST, backoff
from guard.logs import log
from guard.notify.exchange import DEADLINE, exchange
from guard.notify.notifier import Rejected, Retry, Unsure
from guard.notify.slack_buttons import NoPress, Press, Pressed, press_of
from guard.notify.slack_line import PING_EVERY, Line
from guard.notify.slack_log import SILENT
from guard.notify.slack_web import said, web_client

Handler = Callable[[Press], Awaitable[str]]
"""Does what a press asks for, and gives what to tell the person alone; empty where the message itself will show it."""

_FAILED: Final = "That did not work; please try again, or use the command line (guard ack, guard silence)."
_UNUSABLE: Final = "base_url, or the proxy's address, is no usable URL, or app_token holds what no token may"
_ADVICE: Final = "see that Socket Mode is on in the app, and that its app-level token has the scope connections:write"
_LONGEST_WAIT: Final = timedelta(minutes=5)
_PRESSES_MOST: Final = 100  # waiting at one time
_KNOWN_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class _Down:
    """No connection came about; `after` is how long Slack asked to be left alone."""

    why: str
    after: timedelta = timedelta()


class SlackSocket:
    """Listens for one app, whichever of its channels are pressed in.

    `app_token` is a secret: it goes to `base_url`, which ends in a slash, and into no text. `press` is called for one
    press after the other, each within the deadline; `now` tells when that was.
    """

    def __init__(
        self,
        app_token: str,
        *,
        base_url: str,
        press: Handler,
        now: Callable[[], datetime],
        deadline: timedelta = DEADLINE,
        first_wait: timedelta = FIRST,
        ping_every: timedelta = PING_EVERY,
    ) -> None:
        """Connects to nothing yet."""
        self._token = app_token
        self._base_url = base_url
        self._press = press
        self._now = now
        self._deadline = deadline
        self._first_wait = first_wait
        self._ping_every = ping_every
        self._line: Line | None = None
        self._lost: str | None = None  # why, as it was logged last; None before anything was
        self._waiting = asyncio.Queue[Pressed](_PRESSES_MOST)
        self._known = deque[str](maxlen=_KNOWN_MOST)  # presses that were taken

    @property
    def is_connected(self) -> bool:
        """Whether presses are heard now."""
        return self._line is not None and self._line.is_up

    @property
    def lost(self) -> str:
        """Why presses are not heard now, for people; empty while they are."""
        return "" if self.is_connected else self._lost or "the connection is being made"

    async def serve(self) -> None:
        """Listens until it is cancelled, connecting anew whenever it has to; never raises for faults of the network."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._act())
            try:
                await self._listen()
            finally:
                await self._replace(None)

    # --- the connection --------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        failures = 0
        while True:
            line = await self._opened()
            if isinstance(line, Line):
                await self._replace(line)
                self._note("")
                failures, wait = 0, self._first_wait  # also where Slack greets and hangs up, greets and hangs up
                await line.over.wait()
                if not line.is_up:
                    self._note("the connection broke off")
            else:
                await self._replace(None)
                self._note(line.why)
                failures += 1
                wait = max(line.after, self._backoff(failures))
            await _pause(wait)

    async def _opened(self) -> Line | _Down:
        """A connection that Slack has greeted; the one before stays meanwhile, so that no press is lost in between."""
        asked = await exchange(self._asked, deadline=self._deadline, unusable=_UNUSABLE)
        match asked:
            case Retry(why, after):
                return _Down(why, after or timedelta())
            case Unsure(why) | Rejected(why):
                return _Down(why)
            case str(url):
                return await self._greeted(url)
            case _ as never:
                assert_never(never)

    async def _asked(self, session: aiohttp.ClientSession) -> str | Retry | Rejected:
        """Where to connect to, once."""
        client = web_client(self._token, base_url=self._base_url, session=session)
        answer = await said(client.apps_connections_open(app_token=self._token), secret=self._token)
        url = answer.body.get("url")
        if answer.ok and isinstance(url, str) and self._is_safe(url, "wss"):
            return url
        if answer.ok:
            return Rejected("Slack named no address to connect to")
        return answer.unread or Rejected(f"{answer.why}: {_ADVICE}")

    async def _greeted(self, url: str) -> Line | _Down:
        line = Line(url, hear=self._hear, ping_every=self._ping_every)
        is_open = False
        try:
            is_open = await line.open(within=self._deadline)
        finally:
            if not is_open:
                await line.close()
        return line if is_open else _Down("Slack did not take the connection, or did not say so in time")

    async def _replace(self, line: Line | None) -> None:
        before, self._line = self._line, line
        if before is not None:
            await before.close()

    def _note(self, lost: str) -> None:
        """Logs whether presses are heard, and if not why, when that is another than before."""
        if lost == "" and self._lost != "":
            log.info("slack.buttons_connected", "presses of buttons are heard")
        elif lost and not self._lost:
            log.warning("slack.buttons_lost", f"presses of buttons are not heard: {lost}")
        self._lost = lost

    def _backoff(self, failures: int) -> timedelta:
        jitter = random()  # noqa: S311 - a backoff's jitter guards no secret
        return backoff(failures, longest=_LONGEST_WAIT, jitter=jitter, first=self._first_wait)

    def _is_safe(self, url: str, scheme: str) -> bool:
        """Whether it is one of TLS; where the API itself is spoken to without, on loopback, it need not be."""
        plain = scheme.removesuffix("s")
        return url.startswith(f"{scheme}://") or (
            self._base_url.startswith("http://") and url.startswith(f"{plain}://")
        )

    # --- presses ---------------------------------------------------------------------------------------------------

    def _hear(self, request: SocketModeRequest, app_id: str) -> None:
        """Takes what Slack sends, once."""
        if request.type != "interactive":
            return
        pressed = press_of(request.payload, app_id=app_id, at=self._now())
        if isinstance(pressed, NoPress):
            if pressed.why:
                log.warning("slack.press_ignored", f"a press of a button was ignored: {pressed.why}")
        elif pressed.id not in self._known:
            try:
                self._waiting.put_nowait(pressed)
            except asyncio.QueueFull:
                log.warning("slack.press_ignored", "a press of a button was ignored: too many are waiting")
            else:
                self._known.append(pressed.id)

    async def _act(self) -> None:
        while True:
            pressed = await self._waiting.get()
            text = await self._acted(pressed.press)
            if text and self._is_safe(pressed.answer_url, "https"):
                await self._tell(pressed.answer_url, text)

    async def _acted(self, press: Press) -> str:
        fields = {"kind": press.kind, "alert": press.key, "incident": press.incident_id, "by": press.by}
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                text = await self._press(press)
        except Exception as fault:  # noqa: BLE001 - a press that fails must not stop the next
            log.error("slack.press_failed", "a press of a button came to nothing", exc=fault, **fields)
            return _FAILED
        log.info("slack.pressed", text or "somebody pressed a button", **fields)
        return text

    async def _tell(self, url: str, text: str) -> None:
        """Tells the person alone; `url` is a secret for half an hour."""
        told = await exchange(partial(_told, url=url, text=text), deadline=self._deadline, unusable="no usable URL")
        if not isinstance(told, int):
            log.warning("slack.press_unanswered", f"who pressed a button was not told what came of it: {told.why}")


async def _told(session: aiohttp.ClientSession, *, url: str, text: str) -> int:
    client = AsyncWebhookClient(url, session=session, logger=SILENT, retry_handlers=[])
    only_to_them = {"response_type": "ephemeral", "replace_original": False, "text": text}
    return (await client.send_dict(only_to_them)).status_code


async def _pause(wait: timedelta) -> None:
    """Lets the time pass; whoever cancels need not wait for it."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(wait.total_seconds(), passed.set)
    await passed.wait()
