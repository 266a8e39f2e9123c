"""Defects and long failures: one message that cannot be composed, and one cause that lasts."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from guard.message import Message, compose
from guard.model import DeliveryState, EventKind, Telling
from guard.outbox import Outbox
from tests.outbox.desk import DOWN, desk, facts
from tests.stand_ins.notifier import Broken
from tests.stand_ins.slack import Answer
from tests.wiring import FIVE_RULES, events


async def test_a_message_that_cannot_be_composed_is_dead_and_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(tellings: Sequence[Telling], **others: Any) -> Message:
        if tellings[0].alert.key.rule == "numbers-0":
            raise ValueError("a defect")
        return compose(tellings, **others)

    two = FIVE_RULES[: FIVE_RULES.index("[rules.numbers-2]")]
    async with desk(tmp_path, rules=two) as it:
        monkeypatch.setattr("guard.outbox.call.compose", half)
        await it.sees(1)
        for _ in range(3):
            await it.sends()
        assert it.told == ["critical"]
        (dead,) = await it.deliveries(DeliveryState.DEAD)
        assert dead.why == "the message could not be composed: ValueError"


async def test_what_goes_on_failing_in_the_same_way_is_one_event(tmp_path: Path) -> None:
    async with desk(tmp_path, DOWN, DOWN, DOWN, Answer(status=500, body="fatal_error")) as it:
        await it.sees(1)
        for _ in range(5):
            await it.sends()
            it.clock.move(minutes=10)
        assert it.told == ["critical"]
        retried = [event.text for event in await events(it.store) if event.kind is EventKind.RETRIED]
        assert retried == ["Slack answered 503 service_unavailable", "Slack answered 500 fatal_error"]


async def test_a_digest_says_of_each_alert_which_incident_was_missed(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=FIVE_RULES) as it:
        await it.sees(1)
        await it.sends()
        it.slack.script.append(DOWN)
        await it.sees(9)
        await it.sends()
        it.clock.move(minutes=1)
        await it.sees(1)
        await it.sends()
        assert it.told == ["digest critical", "digest critical"]
        assert facts(it.slack.shown[1]).count("the incident before fired") == 5


async def test_a_notifier_that_raises_when_it_looks_is_not_asked_for_ever(tmp_path: Path) -> None:
    class Finder(Broken):
        finds: ClassVar[bool] = True

    async with desk(tmp_path) as it:
        await it.sees(2)
        outbox = Outbox(it.store, {"ops": Finder()}, it.outbox.zone_of, it.clock)
        attempts = []
        for _ in range(5):
            while await outbox.attempt("ops"):
                (waiting,) = await it.deliveries()
            attempts.append((waiting.may_have_arrived, waiting.attempted_at == it.clock.now()))
            it.clock.move(minutes=6)
        # It is looked for until it counts as not arrived, and is then sent again, and so on.
        assert attempts == [(True, True), (True, False), (True, False), (True, True), (True, False)]


async def test_an_attempt_that_was_written_down_and_never_made_is_made_later(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        await it.sees(1)
        await it.store.run(partial(it.outbox._begin, channel="ops", now=it.clock.now()))  # and then nobody hears of it
        assert [each.state for each in await it.deliveries()] == [DeliveryState.SENDING]
        it.clock.move(seconds=1)
        await it.sends()
        it.clock.move(seconds=10)
        await it.sends()
        assert it.told == ["critical"]
        (sent,) = await it.deliveries()
        assert sent.state is DeliveryState.SENT
