import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from guard.notify.slack_bot import SlackBotNotifier
from guard.outbox.pace import Pace
from tests.builders import NOW
from tests.outbox.desk import desk
from tests.stand_ins.notifier import Broken
from tests.stand_ins.workspace import Workspace
from tests.stand_ins.workspace_state import OPS, TOKEN

THREE_RULES = "".join(
    f'[rules.{level}-numbers]\nvalue = "numbers.remaining"\n{level} = "< 3"\n'
    for level in ("info", "warning", "critical")
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


def bot(channel: str = "C0OPS") -> SlackBotNotifier:
    return SlackBotNotifier("xoxb-1", channel=channel, base_url="https://slack.com/api/", mention={})


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def taken(pace: Pace, *seconds: float) -> list[float]:
    """When of these instants a message goes out."""
    return [each for each in seconds if pace.takes(bot(), now=at(each))]


def test_a_channel_takes_one_message_a_second() -> None:
    assert taken(Pace(), 0, 0.3, 0.6, 0.89, 1.2, 1.9, 2.2, 60, 60.5, 61) == [0, 1.2, 2.2, 60, 61]


def test_whoever_looks_once_a_second_and_is_not_always_on_time_sends_once_a_second() -> None:
    looks = [number + 0.005 * (number % 2) for number in range(600)]
    assert taken(Pace(), *looks) == looks


@pytest.mark.parametrize("every", [0.01, 0.1, 0.91, 0.95, 0.999])
def test_whoever_looks_more_often_sends_no_more_often(every: float) -> None:
    sent = taken(Pace(), *(number * every for number in range(int(60 / every))))
    assert len(sent) <= 61
    assert min(later - sooner for sooner, later in pairwise(sent)) >= 0.9 - 1e-9


def test_two_channels_of_the_rule_file_share_the_pace_of_one_of_slack_and_others_do_not() -> None:
    pace = Pace()
    assert pace.takes(bot(), now=NOW)
    assert not pace.takes(bot(), now=NOW)
    assert pace.takes(bot("C0DEV"), now=NOW)


def test_what_asks_for_no_pace_has_none() -> None:
    pace = Pace()
    assert all(pace.takes(Broken(), now=NOW) for _ in range(9))


def test_after_the_clock_went_back_nothing_waits() -> None:
    pace = Pace()
    assert pace.takes(bot(), now=at(3600))
    assert pace.takes(bot(), now=NOW)
    assert not pace.takes(bot(), now=NOW)


async def test_messages_of_one_channel_go_out_in_their_order_a_second_apart_and_edits_do_not_wait(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, rules=THREE_RULES) as it:
        with Workspace(now=it.clock.now) as slack:
            bots = SlackBotNotifier(TOKEN, channel=OPS, base_url=slack.api_url, mention={})
            it.outbox.notifiers = {"ops": bots}
            await it.sees(1)
            for shown in (1, 2, 3):
                assert await it.sends() == 1
                assert not await it.outbox.attempt("ops")
                assert [root.mark for root in slack.ops.roots] == ["critical", "warning", "info"][:shown]
                it.clock.move(seconds=1)
            assert not await it.outbox.wait("ops")
            await it.sees(5)
            await it.sends()
            assert slack.methods.count("chat.update") == 2
            assert slack.methods.count("chat.postMessage") == 4


async def test_what_only_its_pace_holds_back_can_be_waited_for(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=THREE_RULES) as it:
        with Workspace(now=it.clock.now) as slack:
            it.outbox.notifiers = {"ops": SlackBotNotifier(TOKEN, channel=OPS, base_url=slack.api_url, mention={})}
            assert not await it.outbox.wait("ops")
            await it.sees(1)
            await it.sends()
            it.clock.move(seconds=0.85)
            begun_s = asyncio.get_running_loop().time()
            assert await it.outbox.wait("ops")
            assert asyncio.get_running_loop().time() - begun_s >= 0.14
            it.clock.move(seconds=0.15)
            assert await it.sends() == 1
