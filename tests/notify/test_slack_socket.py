import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from guard.message import Firing
from guard.model import AlertKey
from guard.notify.slack_buttons import ENDED, Press, PressKind, button_blocks
from guard.notify.slack_socket import SlackSocket
from tests.builders import NOW
from tests.stand_ins.socket_mode import SECRETS, SocketStandIn, SocketThread
from tests.stand_ins.workspace import Workspace
from tests.stand_ins.workspace_state import APP_TOKEN
from tests.waiting import until

KEY = AlertKey("main", "numbers-remaining")
FIRING = Firing(KEY, "inc_1")
QUICK = timedelta(milliseconds=20)
LONG = timedelta(seconds=20)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[SocketStandIn]:
    async with SocketStandIn() as stand_in:
        yield stand_in


@dataclass
class Hand:
    """Takes presses; `answer` is what the person is told, `hold` is waited for before."""

    answer: str = ""
    fault: Exception | None = None
    hold: asyncio.Event | None = None
    presses: list[Press] = field(default_factory=list)

    async def __call__(self, press: Press) -> str:
        self.presses.append(press)
        if self.hold is not None:
            await self.hold.wait()
        if self.fault is not None:
            raise self.fault
        return self.answer

    async def until(self, number: int) -> None:
        await until(lambda: len(self.presses) >= number)


def socket(
    slack: SocketStandIn | str,
    hand: Callable[[Press], Awaitable[str]],
    *,
    token: str = APP_TOKEN,
    deadline: timedelta = LONG,
    ping_every: timedelta = LONG,
) -> SlackSocket:
    url = slack if isinstance(slack, str) else slack.api_url
    return SlackSocket(
        token,
        base_url=url,
        press=hand,
        now=lambda: NOW,
        deadline=deadline,
        first_wait=QUICK,
        ping_every=ping_every,
    )


@asynccontextmanager
async def serving(listener: SlackSocket) -> AsyncIterator[SlackSocket]:
    task = asyncio.create_task(listener.serve())
    try:
        yield listener
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def button(action_id: str) -> dict[str, Any]:
    """A button as the message has it."""
    (block,) = button_blocks(FIRING, link="https://guard.example.com")
    elements = block["elements"]
    assert isinstance(elements, list)
    found: dict[str, Any] = next(each for each in elements if each["action_id"] == action_id)
    return found


ACK = button("guard.ack")


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if getattr(record, "event", "") == event]


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Any:
    caplog.set_level("DEBUG")
    yield
    lines = [f"{record.getMessage()} {record.exc_text} {record.__dict__}" for record in caplog.get_records("call")]
    everything = "\n".join([*lines, *capfd.readouterr()])
    assert not [secret for secret in SECRETS if secret in everything]


# --- presses -------------------------------------------------------------------------------------------------------


async def test_a_press_of_acknowledge_is_handed_on_with_who_and_what(slack: SocketStandIn) -> None:
    hand = Hand()
    async with serving(socket(slack, hand)) as listener:
        await slack.until_open()
        envelope = await slack.press(slack.pressed(ACK))
        await hand.until(1)
        await until(lambda: slack.answered == [envelope])
        assert listener.is_connected
    assert hand.presses == [Press(PressKind.ACK, KEY, "inc_1", for_=None, by="@ann", at=NOW)]
    assert not listener.is_connected


async def test_a_press_of_silence_says_for_how_long(slack: SocketStandIn) -> None:
    hand = Hand()
    async with serving(socket(slack, hand)):
        await slack.until_open()
        for hours in (1, 4, 24):
            await slack.press(slack.pressed(button(f"guard.silence.{hours}h")))
        await hand.until(3)
    assert {(each.kind, each.for_) for each in hand.presses} == {
        (PressKind.SILENCE, timedelta(hours=hours)) for hours in (1, 4, 24)
    }


async def test_an_envelope_is_answered_also_while_the_handler_hangs(slack: SocketStandIn) -> None:
    hand = Hand(hold=asyncio.Event())
    async with serving(socket(slack, hand)):
        await slack.until_open()
        first = await slack.press(slack.pressed(ACK))
        await hand.until(1)
        second = await slack.press(slack.pressed(button("guard.silence.1h")))
        async with asyncio.timeout(3):
            await until(lambda: set(slack.answered) == {first, second})
    assert len(hand.presses) == 1


async def test_a_press_that_is_told_twice_acts_once_and_is_answered_twice(slack: SocketStandIn) -> None:
    hand = Hand()
    async with serving(socket(slack, hand)):
        await slack.until_open()
        await slack.press(slack.pressed(ACK), envelope="e1")
        await hand.until(1)
        await slack.press(slack.pressed(ACK), envelope="e1")
        await slack.press(slack.pressed(ACK), envelope="e2")
        await until(lambda: len(slack.answered) == 3)
        await slack.press(slack.pressed(button("guard.silence.1h")))
        await hand.until(2)
    assert [each.kind for each in hand.presses] == [PressKind.ACK, PressKind.SILENCE]


async def test_who_pressed_too_late_is_told_so_alone(slack: SocketStandIn) -> None:
    async with serving(socket(slack, Hand(ENDED))):
        await slack.until_open()
        await slack.press(slack.pressed(ACK))
        await until(lambda: bool(slack.told))
    assert slack.told == [{"response_type": "ephemeral", "replace_original": False, "text": ENDED}]


async def test_a_handler_that_fails_stops_nothing_and_the_person_is_told(
    slack: SocketStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    hand = Hand(fault=RuntimeError("a defect"))
    async with serving(socket(slack, hand)):
        await slack.until_open()
        await slack.press(slack.pressed(ACK))
        await until(lambda: bool(slack.told))
        hand.fault = None
        await slack.press(slack.pressed(button("guard.silence.1h")))
        await hand.until(2)
    assert "try again" in slack.told[0]["text"]
    assert len(logged(caplog, "slack.press_failed")) == 1


async def test_a_handler_that_hangs_is_given_up_at_the_deadline(slack: SocketStandIn) -> None:
    hand = Hand(hold=asyncio.Event())
    async with serving(socket(slack, hand, deadline=timedelta(seconds=0.5))):
        await slack.until_open()
        await slack.press(slack.pressed(ACK))
        await until(lambda: bool(slack.told))
    assert "try again" in slack.told[0]["text"]


async def test_where_the_person_cannot_be_told_the_log_says_so(
    slack: SocketStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    hand = Hand(ENDED)
    async with serving(socket(slack, hand, deadline=timedelta(seconds=0.5))):
        await slack.until_open()
        for url in ("", "ftp://evil.example", "http://127.0.0.1:9/s3cretAnswerAddress"):
            await slack.press(slack.pressed({**ACK, "action_ts": url}, response_url=url))
        await hand.until(3)
        await until(lambda: bool(logged(caplog, "slack.press_unanswered")))
    assert len(logged(caplog, "slack.press_unanswered")) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"api_app_id": "A0ANOTHER"}, "another app's"),
        ({"user": {"id": "U0STRANGER", "username": "eve", "team_id": "T0ELSEWHERE"}}, "of another workspace"),
        ({"user": None}, "who pressed it"),
        ({"actions": [{**ACK, "value": "{"}]}, "malformed"),
        ({"actions": [{**ACK, "action_id": "else"}]}, "no button of ours"),
        ({"actions": [{**button("guard.open")}]}, ""),
        ({"type": "view_submission"}, "no button of ours"),
    ],
)
async def test_a_press_that_is_none_of_ours_is_ignored(
    slack: SocketStandIn, changes: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    hand = Hand()
    async with serving(socket(slack, hand)):
        await slack.until_open()
        first = await slack.press(slack.pressed(ACK, **changes))
        await until(lambda: slack.answered == [first])
        await slack.press(slack.pressed(button("guard.silence.1h")))
        await hand.until(1)
    assert [each.kind for each in hand.presses] == [PressKind.SILENCE]
    ignored = logged(caplog, "slack.press_ignored")
    assert len(ignored) == bool(why)
    assert why in "".join(ignored)


async def test_what_is_no_press_is_answered_where_it_can_be_and_does_nothing(slack: SocketStandIn) -> None:
    hand = Hand()
    async with serving(socket(slack, hand)):
        await slack.until_open()
        await slack.say("nonsense")
        await slack.say("{")
        await slack.say({"type": "interactive", "envelope_id": "e0", "payload": 5})
        await slack.say({"type": "events_api", "envelope_id": "e1", "payload": {"event": {}}})
        await slack.press(slack.pressed(ACK))
        await hand.until(1)
    assert "e1" in slack.answered


async def test_more_presses_than_anybody_makes_are_not_kept(
    slack: SocketStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    hand = Hand(hold=asyncio.Event())
    async with serving(socket(slack, hand)):
        await slack.until_open()
        for number in range(103):
            await slack.press(slack.pressed(ACK) | {"actions": [{**ACK, "action_ts": str(number)}]})
        await until(lambda: len(slack.answered) == 103)
        await until(lambda: bool(logged(caplog, "slack.press_ignored")))
    assert "too many" in logged(caplog, "slack.press_ignored")[0]


# --- the connection ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_when_slack_asks_for_another_connection_the_old_one_is_heard_until_that_stands(
    slack: SocketStandIn, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    hand = Hand()
    async with serving(socket(slack, hand)) as listener:
        await slack.until_open()
        await slack.disconnect(reason)
        await slack.press(slack.pressed(ACK), line=0)
        await hand.until(1)
        await slack.until_open(2)
        await slack.press(slack.pressed(button("guard.silence.1h")), line=1)
        await hand.until(2)
        assert listener.is_connected
    assert slack.asked == 2
    assert len(logged(caplog, "slack.buttons_connected")) == 1
    assert not logged(caplog, "slack.buttons_lost")


async def test_a_connection_that_breaks_off_is_made_again(
    slack: SocketStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    hand = Hand()
    async with serving(socket(slack, hand, ping_every=QUICK)):
        for number in range(1, 4):
            await slack.until_open(number)
            await slack.press(slack.pressed({**ACK, "value": ACK["value"].replace("inc_1", f"inc_{number}")}))
            await hand.until(number)
            slack.drop()
        await slack.until_open(4)
    assert [each.incident_id for each in hand.presses] == ["inc_1", "inc_2", "inc_3"]
    assert logged(caplog, "slack.buttons_lost") == ["presses of buttons are not heard: the connection broke off"] * len(
        logged(caplog, "slack.buttons_lost")
    )


async def test_a_connection_that_slack_closes_is_made_again(slack: SocketStandIn) -> None:
    async with serving(socket(slack, Hand(), ping_every=QUICK)):
        await slack.until_open()
        await slack.lines[0].close()
        await slack.until_open(2)


def refused(error: str, *, status: int = 200, **headers: str) -> Callable[[], web.Response]:
    return lambda: web.json_response({"ok": False, "error": error}, status=status, headers=headers)


def page() -> web.Response:
    return web.Response(status=503, text="<!doctype html>", content_type="text/html")


def nowhere() -> web.Response:
    return web.json_response({"ok": True, "url": "ftp://s3cretTicket.example"})


def unknown_ticket(slack: SocketStandIn) -> Callable[[], web.Response]:
    return lambda: web.json_response({"ok": True, "url": f"{slack.ticket()}-another"})


async def test_refusals_are_outlasted_and_logged_once(slack: SocketStandIn, caplog: pytest.LogCaptureFixture) -> None:
    slack.refusals.extend([page, nowhere, refused("internal_error"), refused("missing_scope")])
    async with serving(socket(slack, Hand())) as listener:
        await slack.until_open()
        await until(lambda: listener.is_connected)
    assert slack.asked == 5
    assert len(logged(caplog, "slack.buttons_lost")) == 1
    assert len(logged(caplog, "slack.buttons_connected")) == 1


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (refused("missing_scope"), "connections:write"),
        (refused("invalid_auth"), "invalid_auth"),
        (refused("ratelimited", status=429, **{"Retry-After": "30"}), "429 ratelimited"),
        (nowhere, "no address"),
    ],
)
async def test_what_is_wrong_is_said(
    slack: SocketStandIn, refusal: Callable[[], web.Response], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    slack.refusals.extend([refusal] * 9)
    async with serving(socket(slack, Hand())) as listener:
        await until(lambda: bool(logged(caplog, "slack.buttons_lost")))
        assert not listener.is_connected
    assert says in logged(caplog, "slack.buttons_lost")[0]


async def test_slack_is_left_alone_for_as_long_as_it_asks(slack: SocketStandIn) -> None:
    slack.refusals.append(refused("ratelimited", status=429, **{"Retry-After": "1"}))
    begun_s = asyncio.get_running_loop().time()
    async with serving(socket(slack, Hand())):
        await slack.until_open()
    assert asyncio.get_running_loop().time() - begun_s >= 1


async def test_a_ticket_that_is_not_taken_is_exchanged_for_another(slack: SocketStandIn) -> None:
    slack.refusals.append(unknown_ticket(slack))
    async with serving(socket(slack, Hand(), deadline=timedelta(seconds=0.5))):
        await slack.until_open()
    assert slack.asked == 2


async def test_a_connection_without_a_greeting_counts_for_nothing(slack: SocketStandIn) -> None:
    slack.is_mute = True
    async with serving(socket(slack, Hand(), deadline=timedelta(seconds=0.5))) as listener:
        await slack.until_open()
        assert not listener.is_connected
        slack.is_mute = False
        await slack.until_open(2)


async def test_a_farewell_in_place_of_a_greeting_counts_for_nothing(
    slack: SocketStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    good, slack.greeting = slack.greeting, {"type": "disconnect", "reason": "too_many_websockets"}
    async with serving(socket(slack, Hand())) as listener:
        await slack.until_open()
        slack.greeting = good
        await until(lambda: listener.is_connected)
    assert len(logged(caplog, "slack.buttons_lost")) == 1


async def test_where_nobody_listens_it_goes_on_trying(caplog: pytest.LogCaptureFixture) -> None:
    async with SocketStandIn() as gone:
        url = gone.api_url
    async with serving(socket(url, Hand())):
        await until(lambda: bool(logged(caplog, "slack.buttons_lost")))
    assert "connection refused" in logged(caplog, "slack.buttons_lost")[0]


async def test_an_address_that_is_none_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(socket("slack.com/api/", Hand())):
        await until(lambda: bool(logged(caplog, "slack.buttons_lost")))
    assert "base_url" in logged(caplog, "slack.buttons_lost")[0]


async def test_an_api_of_tls_is_not_left_for_a_connection_without(slack: SocketStandIn) -> None:
    listener = socket("https://slack.com/api/", Hand())
    assert not listener._is_safe("ws://slack.com/link", "wss")
    assert listener._is_safe("wss://slack.com/link", "wss")
    assert not socket(slack, Hand())._is_safe("ftp://slack.com/link", "wss")


# --- the stand-in, as other tests use it ---------------------------------------------------------------------------


async def test_a_workspace_with_socket_mode_leads_to_a_socket_in_another_thread() -> None:
    hand = Hand()
    with Workspace() as workspace, SocketThread() as sockets:
        workspace.state.ticket = sockets.stand_in.ticket
        async with serving(socket(workspace.api_url, hand)) as listener:
            await until(lambda: listener.is_connected)
            await asyncio.to_thread(sockets.run, sockets.stand_in.press(sockets.stand_in.pressed(ACK)))
            await hand.until(1)
    assert hand.presses[0].by == "@ann"


async def test_a_workspace_without_socket_mode_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with Workspace() as workspace:
        async with serving(socket(workspace.api_url, Hand())):
            await until(lambda: bool(logged(caplog, "slack.buttons_lost")))
    assert "invalid_auth" in logged(caplog, "slack.buttons_lost")[0]
