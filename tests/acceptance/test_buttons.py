"""Buttons: what people press in the channel counts at once, and goes on counting whatever ends in between."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home
from tests.acceptance.rule_file import BOT, NUMBERS, rule_file
from tests.acceptance.workspace import NAME, Message, Workspace
from tests.stand_ins.socket_mode import SocketThread
from tests.stand_ins.workspace_state import APP_TOKEN

REMINDED = '[defaults]\nnotify = ["ops"]\nremind = { warning = "2s", critical = "2s" }\n'


@pytest.fixture
def hand(home: Home, workspace: Workspace) -> Iterator[SocketThread]:
    """Whoever presses; the workspace's app has Socket Mode on."""
    home.environ["SLACK_APP_TOKEN"] = APP_TOKEN
    with SocketThread() as socket:
        workspace.ticket = socket.stand_in.ticket
        yield socket


def _rules(api: AgentPhone, workspace: Workspace, defaults: str = REMINDED) -> str:
    bot = BOT % (NAME, workspace.base_url) + 'app_token = "${SLACK_APP_TOKEN}"\n'
    return rule_file(api.url, NUMBERS, channels=bot + defaults)


def _press(hand: SocketThread, message: Message, text: str) -> None:
    """Presses a button as it stands under a message."""
    _, blocks = json.loads(message.whole)
    elements = [each for block in blocks for each in block.get("elements", ()) if each["type"] == "button"]
    button: dict[str, Any] = next(each for each in elements if each["text"]["text"] == text)
    hand.run(hand.stand_in.until_open())
    hand.run(hand.stand_in.press(hand.stand_in.pressed(button)))


def _until_shown(workspace: Workspace, text: str) -> None:
    assert workspace.until(lambda: text in workspace.roots[0].whole, 5), workspace.roots[0].whole


def test_who_acknowledges_is_shown_and_nobody_is_reminded_until_it_gets_worse(
    home: Home, api: AgentPhone, workspace: Workspace, hand: SocketThread
) -> None:
    home.write(_rules(api, workspace))
    with home.run() as service:
        service.log.until("slack.buttons_connected")
        api.say(2)
        workspace.until_story(("warning", []))
        _press(hand, workspace.roots[0], "Acknowledge")
        _until_shown(workspace, "@ann")
        before = workspace.story
        api.say(2)
        api.until_given(5)
        assert workspace.story == before
        api.say(1)
        assert workspace.until(lambda: "*reminder critical" in workspace.story[0][1])
        assert "*escalated critical" in workspace.story[0][1]
        assert service.end() == 0


def test_while_it_is_silenced_a_rise_is_held_back_and_its_end_is_told(
    home: Home, api: AgentPhone, workspace: Workspace, hand: SocketThread
) -> None:
    home.write(_rules(api, workspace, '[defaults]\nnotify = ["ops"]\n'))
    with home.run() as service:
        service.log.until("slack.buttons_connected")
        api.say(2)
        workspace.until_story(("warning", []))
        _press(hand, workspace.roots[0], "Silence 1 h")
        _until_shown(workspace, "@ann")
        api.say(1)
        workspace.until_story(("critical", []))
        api.until_given(4)
        assert workspace.story == [("critical", [])]
        api.say(5)
        workspace.until_story(("resolved", ["resolved"]))
        assert service.end() == 0


def test_an_acknowledgement_survives_kill_9(
    home: Home, api: AgentPhone, workspace: Workspace, hand: SocketThread
) -> None:
    home.write(_rules(api, workspace))
    with home.run() as first:
        first.log.until("slack.buttons_connected")
        api.say(1)
        workspace.until_story(("critical", []))
        workspace.silent_on("chat.update")
        _press(hand, workspace.roots[0], "Acknowledge")
        first.log.until("slack.pressed")
        first.end(signal.SIGKILL)
    workspace.answer = workspace.good
    before = workspace.story
    with home.run() as second:
        _until_shown(workspace, "@ann")
        api.say(1)
        api.until_given(5)
        assert workspace.story == before
        assert second.end() == 0


def test_without_a_connection_all_else_goes_on_and_the_log_says_why(
    home: Home, api: AgentPhone, workspace: Workspace, hand: SocketThread
) -> None:
    workspace.ticket = None
    home.write(_rules(api, workspace))
    with home.run() as service:
        assert "connections:write" in service.log.until("slack.buttons_lost")
        api.say(1)
        workspace.until_story(("critical", []))
        api.say(5)
        workspace.until_story(("resolved", ["resolved"]))
        assert service.end() == 0
    assert APP_TOKEN not in service.log.text + service.out.text
