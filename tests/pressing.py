"""A service with buttons under its messages, moved second by second, between a sandbox and a Slack workspace."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from guard.model import Ack, Silence
from tests.editing import Desk, Editing, editing
from tests.stand_ins.socket_mode import TEAM, SocketStandIn
from tests.stand_ins.workspace import Workspace
from tests.stand_ins.workspace_state import APP_TOKEN, TOKEN, Posted
from tests.waiting import until
from tests.wiring import NUMBERS, logged

HEARD = {"ops": ""}


@dataclass
class Pressing:
    """A service that runs, and the hand that presses."""

    desk: Desk
    it: Editing
    workspace: Workspace
    socket: SocketStandIn
    caplog: pytest.LogCaptureFixture

    async def until_heard(self) -> None:
        await until(lambda: self.it.service._sockets.unheard == HEARD)

    async def fire(self, left: int) -> None:
        """Shows so many numbers left, and has that told."""
        self.desk.shows(left)
        await self.it.tick()
        await self.it.passes(3)

    async def press(self, text: str, *, root: int = 0, by: str = "ann") -> None:
        """Presses a button as it stands, and waits until what that does is done, and shown."""
        await self.press_again(self.button(text, root=root), by=by)

    async def press_again(self, button: dict[str, Any], *, by: str = "ann") -> None:
        """Presses a button that may no longer stand there."""
        await self.touch(button, by=by)
        await self.it.rest()

    async def touch(self, button: dict[str, Any], *, by: str = "ann") -> None:
        """Presses it, and waits until what that does is done."""
        before = self._pressed
        user = {"id": f"U0{by.upper()}", "username": by, "team_id": TEAM}
        await self.socket.press(self.socket.pressed({**button, "action_ts": f"179544.{before:04}"}, user=user))
        await until(lambda: self._pressed > before)

    @property
    def _pressed(self) -> int:
        return [event for event, _ in logged(self.caplog)].count("slack.pressed")

    def button(self, text: str, *, root: int = 0) -> dict[str, Any]:
        """A button under a message that stands by itself."""
        elements = [each for block in self.root(root).blocks[-1] for each in block.get("elements", ())]
        found: dict[str, Any] = next(
            each for each in elements if each["type"] == "button" and each["text"]["text"] == text
        )
        return found

    def root(self, number: int = 0) -> Posted:
        return self.workspace.ops.roots[number]

    def whole(self, root: int = 0) -> str:
        """All that a message shows now."""
        return str(self.root(root).blocks[-1])

    @property
    def story(self) -> list[tuple[str, list[str]]]:
        """The mark of each root, and those of its replies."""
        ops = self.workspace.ops
        return [(root.mark, [each.mark for each in ops.thread(root)]) for root in ops.roots]

    @property
    def told(self) -> list[str]:
        """What people who pressed were told alone."""
        return [each["text"] for each in self.socket.told]

    async def silences(self) -> list[Silence]:
        """Those that were not ended."""
        found: list[Silence] = await self.it.parts.store.run(lambda unit: unit.silences())
        return [each for each in found if each.ended_at is None]

    async def acks(self) -> list[Ack]:
        """All there ever were, of incidents with an alert."""
        alerts = await self.it.alerts()
        incidents = [each.incident.id for each in alerts.values() if each.incident]
        found: list[Ack] = await self.it.parts.store.run(lambda unit: unit.acks(incidents))
        return found


def buttons_text(desk: Desk, api_url: str, rules: str = NUMBERS) -> str:
    """The desk's rule file, with a bot's channel whose app listens."""
    bot = f'token = "${{TOKEN}}"\nchannel = "#ops"\nbase_url = "{api_url}"\napp_token = "${{APP_TOKEN}}"'
    return desk.text(rules).replace('webhook_url = "${URL_0}"', bot)


@asynccontextmanager
async def pressing(path: Path, caplog: pytest.LogCaptureFixture, rules: str = NUMBERS) -> AsyncIterator[Pressing]:
    """A service, already connected."""
    caplog.set_level("INFO", "guard")
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(editing(path))
        socket = await stack.enter_async_context(SocketStandIn())
        workspace = stack.enter_context(Workspace(now=desk.clock.now))
        workspace.state.ticket = socket.ticket
        desk.secrets.update(TOKEN=TOKEN, APP_TOKEN=APP_TOKEN)
        desk.says(buttons_text(desk, workspace.api_url, rules))
        async with desk.serving() as it:
            hand = Pressing(desk, it, workspace, socket, caplog)
            await hand.until_heard()
            yield hand
