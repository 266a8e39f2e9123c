"""Whom a service listens to for presses, from its first cycle over edits of the rule file to its end."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from guard import service
from guard.clock import Clock
from guard.config import Secret, SlackBotConfig
from guard.errors import ExitCode
from guard.message import Firing
from guard.model import AlertKey
from guard.notify.slack_buttons import Press, button_blocks
from guard.sockets import Sockets
from tests.pressing import HEARD, buttons_text, pressing
from tests.stand_ins.socket_mode import SocketStandIn
from tests.stand_ins.workspace import Workspace
from tests.stand_ins.workspace_state import APP_TOKEN, TOKEN
from tests.waiting import until
from tests.wiring import logged

Log = pytest.LogCaptureFixture


async def pressed(_press: Press) -> str:
    return ""


def bot(base_url: str, *, name: str = "ops", token: str = APP_TOKEN) -> SlackBotConfig:
    app_token = Secret("SLACK_APP_TOKEN", token)
    return SlackBotConfig(name, Secret("SLACK_BOT_TOKEN", TOKEN), "#ops", base_url, {}, "f1", app_token)


async def ended(sockets: Sockets) -> None:
    if tasks := sockets.end():
        await asyncio.wait(tasks)


# --- in the service ------------------------------------------------------------------------------------------------


async def test_it_listens_only_after_the_first_cycle(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        hand.it.service._health.cycles = 0
        hand.desk.says(buttons_text(hand.desk, hand.workspace.api_url).replace('app_token = "${APP_TOKEN}"', ""))
        await hand.it.look()
        assert hand.it.service._sockets.unheard == HEARD  # nothing was looked at
        await hand.it.tick()
        await hand.it.pulse()
        assert hand.it.service._sockets.unheard == {}


async def test_no_job_of_the_watchdogs_is_among_what_listens(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        for _ in range(2 * service.GIVE_UP_AFTER):
            await hand.it.pulse()
            hand.it.service._watch()
        assert not hand.it.ended.done()


async def test_it_stops_listening_at_the_end(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        (task,) = hand.it.service._sockets._tasks.values()
        hand.it.stop.set()
        async with asyncio.timeout(3):
            assert await hand.it.ended == ExitCode.DONE
        assert task.done()
        assert "service.draining" not in [event for event, _ in logged(caplog)]
        await hand.it.service._pulse()
        assert hand.it.service._sockets._tasks == {}


async def test_an_edit_that_takes_the_token_away_ends_it_and_another_app_begins(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        text = hand.desk.file.read_text()
        await hand.it.edit(text + "\n# the same channel")
        assert hand.socket.asked == 0  # of the workspace's own address alone
        assert len(hand.socket.lines) == 1
        await hand.it.edit(text.replace('app_token = "${APP_TOKEN}"', ""))
        await until(lambda: hand.socket.lines[0].closed)
        assert hand.it.service._health.unheard == {}
        await hand.fire(1)
        assert not [each for each in hand.root().blocks[-1] if each["type"] == "actions"]
        await hand.it.edit(text)
        await hand.socket.until_open(2)
        await hand.until_heard()


async def test_what_cannot_be_reached_is_visible_and_stops_nothing(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        hand.workspace.state.ticket = None
        hand.socket.drop()
        await until(lambda: hand.it.service._sockets.unheard != HEARD)
        await hand.fire(1)
        assert hand.story == [("critical", [])]
        condition = hand.it.service._health.condition(hand.desk.clock.monotonic_s())
        assert condition.is_ok
        assert condition.notes[0].startswith("buttons in ops do nothing: ")
        assert [each.buttons for each in condition.channels] == [False]


async def test_what_hears_is_visible_too(tmp_path: Path, caplog: Log) -> None:
    async with pressing(tmp_path, caplog) as hand:
        await hand.it.passes(6)
        condition = hand.it.service._health.condition(hand.desk.clock.monotonic_s())
        assert condition.notes == ()
        assert [each.buttons for each in condition.channels] == [True]


def test_the_first_poll_does_not_wait_for_what_listening_imports() -> None:
    show = "import sys, guard.service; print('slack_sdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# --- by themselves -------------------------------------------------------------------------------------------------


async def test_channels_of_one_app_share_a_connection() -> None:
    async with SocketStandIn() as slack:
        sockets = Sockets(pressed, Clock())
        sockets.follow([bot(slack.api_url), bot(slack.api_url, name="dev")])
        await until(lambda: sockets.unheard == {"ops": "", "dev": ""})
        assert slack.asked == 1
        await ended(sockets)
        assert sockets.end() == set()


async def test_a_slack_that_never_greets_does_not_hold_up_the_end() -> None:
    async with SocketStandIn() as slack:
        slack.is_mute = True
        sockets = Sockets(pressed, Clock())
        sockets.follow([bot(slack.api_url)])
        await slack.until_open()
        async with asyncio.timeout(3):
            await ended(sockets)


async def test_nor_does_a_press_that_is_being_acted_upon() -> None:
    begun = asyncio.Event()

    async def hangs(_press: Press) -> str:
        begun.set()
        await asyncio.get_running_loop().create_future()
        return ""

    firing = Firing(AlertKey("main", "it"), "inc_1")
    (block,) = button_blocks(firing)
    elements = block["elements"]
    assert isinstance(elements, list)
    async with SocketStandIn() as slack:
        sockets = Sockets(hangs, Clock())
        sockets.follow([bot(slack.api_url)])
        await slack.until_open()
        await slack.press(slack.pressed(elements[0]))
        await begun.wait()
        async with asyncio.timeout(3):
            await ended(sockets)


async def test_a_token_that_is_refused_says_why_and_what_to_do() -> None:
    refused = web.json_response({"ok": False, "error": "invalid_auth"})
    async with SocketStandIn(lambda: refused) as slack:
        sockets = Sockets(pressed, Clock())
        sockets.follow([bot(slack.api_url)])
        assert sockets.unheard == {"ops": "the connection is being made"}
        await until(lambda: "connections:write" in sockets.unheard["ops"])
        await ended(sockets)


async def test_listening_that_fails_by_a_defect_begins_anew(caplog: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        lost = ""

        async def serve(self) -> None:
            raise RuntimeError("a defect")

    caplog.set_level("INFO", "guard")
    with Workspace() as workspace:
        sockets = Sockets(pressed, Clock())
        with monkeypatch.context() as patch:
            patch.setattr("guard.sockets.socket_for", lambda *_args, **_named: Broken())
            sockets.follow([bot(workspace.api_url)])
            await until(lambda: sockets.unheard == {"ops": "listening failed, and begins anew"})
        assert [event for event, _ in logged(caplog)] == ["sockets.unplanned"]
        sockets.follow([bot(workspace.api_url)])
        assert sockets.unheard == {"ops": "the connection is being made"}
        await ended(sockets)
