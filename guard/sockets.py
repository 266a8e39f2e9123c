"""Sockets: one connection to Slack for each app whose buttons people may press."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from guard.clock import Clock
from guard.config import ChannelConfig
from guard.logs import log
from guard.notify.channels import SlackApp, slack_apps, socket_for

if TYPE_CHECKING:
    from guard.notify.slack_socket import Handler, SlackSocket

_FAILED: Final = "listening failed, and begins anew"


@dataclass(slots=True)
class Sockets:
    """Listens for the channels that it was told of last; what it cannot reach is visible, and stops nothing."""

    press: "Handler"
    clock: Clock
    _apps: Mapping[SlackApp, tuple[str, ...]] = field(default_factory=dict)  # with the names of their channels
    _sockets: dict[SlackApp, "SlackSocket"] = field(default_factory=dict)
    _tasks: dict[SlackApp, asyncio.Task[None]] = field(default_factory=dict)
    _ending: set[asyncio.Task[None]] = field(default_factory=set)

    def follow(self, channels: Iterable[ChannelConfig]) -> None:
        """Listens for these channels, and no others; a connection that goes on as it was is not touched."""
        self._apps = slack_apps(channels)
        for app in self._tasks.keys() - self._apps.keys():
            self._end(app)
        for app in self._apps.keys() - self._tasks.keys():
            self._sockets[app] = socket = socket_for(app, press=self.press, now=self.clock.now)
            self._tasks[app] = task = asyncio.ensure_future(socket.serve())
            task.add_done_callback(partial(self._done, app))

    @property
    def unheard(self) -> dict[str, str]:
        """Why presses in each channel with buttons are not heard, by its name; empty texts where they are."""
        sockets = ((app, self._sockets.get(app)) for app in self._apps)
        return {name: socket.lost if socket else _FAILED for app, socket in sockets for name in self._apps[app]}

    def end(self) -> set[asyncio.Task[None]]:
        """Listens no more, and gives what is still to be waited for."""
        for app in list(self._tasks):
            self._end(app)
        return set(self._ending)

    def _end(self, app: SlackApp) -> None:
        del self._sockets[app]
        task = self._tasks.pop(app)
        self._ending.add(task)
        task.cancel()

    def _done(self, app: SlackApp, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("sockets.unplanned", "listening for presses of buttons failed; it begins anew", exc=fault)
        if self._tasks.get(app) is task:
            del self._tasks[app], self._sockets[app]
