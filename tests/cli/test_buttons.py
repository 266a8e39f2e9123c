"""`guard status` about buttons: what the service says that runs, and what is left to say where none does."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from guard.cli.buttons import Buttons, buttons_lines, read_buttons
from guard.config import Config, Secret, SlackBotConfig
from guard.lifecycle.strait import Strait
from guard.settings import Listen
from tests.console.listening import Listening, listening
from tests.stand_ins.wire import WireStandIn
from tests.stand_ins.workspace_state import APP_TOKEN, TOKEN
from tests.wiring import config

WHY = "buttons in ops do nothing: Slack says no – see to it"


def with_buttons(*names: str) -> Config:
    secrets = Secret("SLACK_BOT_TOKEN", TOKEN), Secret("SLACK_APP_TOKEN", APP_TOKEN)
    bots = [SlackBotConfig(name, secrets[0], "#ops", "http://slack/", {}, "f1", secrets[1]) for name in names]
    return replace(config(), channels={each.name: each for each in bots})


async def told(it: Listening, unheard: Mapping[str, str], *names: str) -> Buttons:
    it.health.unheard = unheard
    it.health.straits = tuple(Strait(name) for name in names)
    found = await asyncio.to_thread(read_buttons, with_buttons(*names), Listen(port=it.port))
    assert found is not None
    return found


async def test_what_the_service_hears_and_what_not_is_said_with_why() -> None:
    async with listening() as it:
        why = WHY.partition(": ")[2]
        found = await told(it, {"ops": why, "dev": ""}, "ops", "dev")
    assert found.heard == {"ops": False, "dev": True}
    assert list(buttons_lines(found)) == ["Presses of buttons are heard: dev.", f"B{WHY[1:]}"]


async def test_a_service_under_another_rule_file_knows_nothing_of_the_channel() -> None:
    async with listening() as it:
        found = await told(it, {}, "ops")
        where = f"the service at 127.0.0.1:{it.port}"
    assert found == Buttons({"ops": None}, where)
    assert list(buttons_lines(found)) == [f"Presses of buttons: nobody knows whether they are heard: ops ({where})."]


@pytest.mark.parametrize("listen", [None, Listen(port=0)])
def test_without_an_address_nobody_is_asked(listen: Listen | None) -> None:
    found = read_buttons(with_buttons("ops"), listen)
    assert found == Buttons({"ops": None}, "GUARD_LISTEN names no address to ask at")


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"reasons": 1}', b"[" * 100_000])
async def test_what_answers_and_is_no_service_counts_as_none(body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with WireStandIn(head + body) as wire:
        found = await asyncio.to_thread(read_buttons, with_buttons("ops"), Listen(port=wire.port))
    assert found == Buttons({"ops": None}, f"no service answers at 127.0.0.1:{wire.port}")


@pytest.mark.parametrize("rows", [b"1", b'[1, {"channel": "ops", "buttons": "yes"}]'])
async def test_odd_rows_say_nothing(rows: bytes) -> None:
    body = b'{"reasons": [1], "channels": %s}' % rows
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with WireStandIn(head + body) as wire:
        found = await asyncio.to_thread(read_buttons, with_buttons("ops"), Listen(port=wire.port))
    assert found is not None
    assert found.heard == {"ops": None}


def test_where_no_channel_has_buttons_nothing_is_asked_or_said() -> None:
    assert read_buttons(config(), Listen()) is None
    assert read_buttons(None, Listen()) is None
