"""The outbox with a real database and a Slack over HTTP: what is told, how often, and what becomes of failures."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from guard.errors import StorageError
from guard.model import DeliveryState, EventKind, Level
from guard.outbox import Outbox, revive
from tests.builders import KEY, NOW
from tests.outbox.desk import DOWN, OK, desk, facts
from tests.stand_ins.notifier import Broken
from tests.stand_ins.slack import Answer, Drop
from tests.wiring import FIVE_RULES, NUMBERS, broken_store, events, kinds

GONE = Answer(status=404, body="no_service")
DEAD, PENDING, SENDING, SENT = DeliveryState.DEAD, DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.SENT


# --- the life of an alert ------------------------------------------------------------------------------------------


async def test_each_change_is_one_post_and_nothing_more_comes_while_it_stays(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        for left in (5, 2, 2, 1, 1, 2, 5, 5):
            await it.sees(left)
            await it.sends()
            it.clock.move(minutes=1)
        assert it.told == ["warning", "escalated critical", "resolved"]
        assert len(set(it.keys)) == 3
        assert (await kinds(it.store)).count(EventKind.DELIVERED) == 3


async def test_what_goes_on_is_reminded_of_when_its_time_has_come(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        for hours in (0, 3.9, 0.1, 3.9, 0.1):
            it.clock.move(hours=hours)
            await it.sees(1)
            await it.sends()
        assert it.told == ["critical", "reminder critical", "reminder critical"]


async def test_nothing_wished_for_is_no_attempt(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        await it.sees(5)
        assert not await it.outbox.attempt("ops")


async def test_four_alerts_at_once_and_more_are_one_digest(tmp_path: Path) -> None:
    async with desk(tmp_path, rules=FIVE_RULES) as it:
        await it.sees(1)
        assert await it.sends() == 1
        await it.sees(5)
        assert await it.sends() == 1
        assert it.told == ["digest critical", "digest resolved"]
        assert (await kinds(it.store)).count(EventKind.DELIVERED) == 10


async def test_of_three_messages_the_worst_goes_first_and_what_is_over_last(tmp_path: Path) -> None:
    rules = NUMBERS + "".join(
        f'[rules.{name}]\nvalue = "numbers.{field}"\n{level} = "> 9"\n'
        for name, field, level in (("a-used", "used", "info"), ("b-limit", "limit", "critical"))
    )
    for attempt in range(4):  # keys are hashes, and for some days their order is the right one by chance
        async with desk(tmp_path / str(attempt), rules=rules) as it:
            it.clock.move(days=attempt)
            await it.sees(1, **{"numbers.used": 1, "numbers.limit": 1})
            await it.sees(5, **{"numbers.used": 10, "numbers.limit": 10})
            await it.sends()
            assert it.told == ["critical", "info", "resolved"]


# --- a channel that fails ------------------------------------------------------------------------------------------


async def test_a_retry_waits_and_waits_longer_each_time(tmp_path: Path) -> None:
    async with desk(tmp_path, *[DOWN] * 12) as it:
        await it.sees(2)
        for wait_s in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300):
            assert await it.sends() == 1
            (waiting,) = await it.deliveries()
            assert waiting.state is PENDING
            assert 0.5 <= (waiting.due_at - it.clock.now()).total_seconds() / wait_s <= 1
            it.clock.move(seconds=0.49 * wait_s)
            assert await it.sends() == 0
            it.clock.move(seconds=0.51 * wait_s)
        assert await it.sends() == 1
        assert it.told == ["warning"]
        assert len(set(it.keys)) == 1


async def test_a_channel_that_asks_to_be_left_alone_is_left_alone_so_long(tmp_path: Path) -> None:
    async with desk(tmp_path, Answer(status=429, headers={"Retry-After": "77"})) as it:
        await it.sees(2)
        await it.sends()
        it.clock.move(seconds=76)
        assert await it.sends() == 0
        it.clock.move(seconds=1)
        assert await it.sends() == 1
        assert it.told == ["warning"]


async def test_while_one_message_waits_so_do_the_others_of_its_channel(tmp_path: Path) -> None:
    rules = NUMBERS + NUMBERS.replace("numbers-remaining", "other").replace("numbers.remaining", "numbers.used")
    async with desk(tmp_path, Answer(status=429, headers={"Retry-After": "60"}), rules=rules) as it:
        await it.sees(2, **{"numbers.used": 9})
        await it.sends()
        it.clock.move(seconds=59)
        await it.sees(2, **{"numbers.used": 1})
        assert await it.sends() == 0
        it.clock.move(seconds=1)
        assert await it.sends() == 2


async def test_after_the_clock_went_back_what_was_due_by_it_is_due_now(tmp_path: Path) -> None:
    async with desk(tmp_path, DOWN) as it:
        await it.sees(2)
        await it.sends()
        it.clock.move(hours=-5)
        assert await it.sends() == 1


async def test_after_the_clock_went_back_a_newer_truth_does_not_wait_either(tmp_path: Path) -> None:
    async with desk(tmp_path, DOWN) as it:
        await it.sees(2)
        await it.sends()
        it.clock.move(hours=-5)
        await it.sees(1)
        assert await it.sends() == 1
        assert it.told == ["critical"]


async def test_after_a_day_it_is_given_up_visibly_and_tried_again_an_hour_later(tmp_path: Path) -> None:
    async with desk(tmp_path, DOWN, DOWN, DOWN) as it:
        await it.sees(2)
        await it.sends()
        it.clock.move(hours=23, minutes=59)
        await it.sends()
        assert [each.state for each in await it.deliveries()] == [PENDING]
        it.clock.move(minutes=5)
        await it.sends()
        (dead,) = await it.deliveries()
        assert (dead.state, dead.why) == (DEAD, "Slack answered 503 service_unavailable; given up after 1 day")
        assert (await kinds(it.store))[-1] is EventKind.DIED
        it.clock.move(minutes=59)
        assert await it.sends() == 0
        it.clock.move(minutes=1)
        assert await it.sends() == 1
        assert it.told == ["warning"]


async def test_what_is_rejected_is_dead_at_once_and_probed_every_hour(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE, GONE) as it:
        await it.sees(2)
        for _ in range(2):
            assert await it.sends() == 1
            assert [each.state for each in await it.deliveries()] == [DEAD]
            it.clock.move(minutes=59)
            assert await it.sends() == 0
            it.clock.move(minutes=1)
        assert await it.sends() == 1
        assert it.told == ["warning"]
        died = [event for event in await events(it.store) if event.kind is EventKind.DIED]
        assert [(event.key, event.channel, event.level, event.text) for event in died] == [
            (KEY, "ops", Level.WARNING, "Slack answered 404 no_service")  # and not once an hour
        ]


async def test_a_dead_one_that_is_revived_is_sent_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE) as it:
        await it.sees(2)
        await it.sends()
        await it.store.run(lambda unit: revive(unit, "other"))
        assert await it.sends() == 0
        await it.store.run(lambda unit: revive(unit, "ops"))
        assert await it.sends() == 1
        assert it.told == ["warning"]


async def test_a_new_state_is_tried_although_the_one_before_is_dead(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE) as it:
        await it.sees(2)
        await it.sends()
        await it.sees(1)
        await it.sends()
        assert it.told == ["critical"]
        assert [each.state for each in await it.deliveries()] == [SENT]
        assert EventKind.SUPERSEDED in await kinds(it.store)


async def test_a_channel_that_refused_a_firing_is_not_told_of_its_end_until_it_is_mended(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE) as it:
        await it.sees(2)
        await it.sends()
        await it.sees(9)
        assert await it.sends() == 0
        assert [(each.state, each.covers[0].knowledge.ended) for each in await it.deliveries()] == [(DEAD, False)]
        await it.store.run(lambda unit: revive(unit, "ops"))
        assert await it.sends() == 1
        assert it.told == ["resolved"]
        assert "could not be delivered before" in facts(it.slack.shown[0])
        assert [each.state for each in await it.deliveries()] == [SENT]


async def test_a_channel_that_refused_a_firing_and_its_end_is_told_of_the_next_one_with_both(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE) as it:
        for left in (2, 9, 1):
            await it.sees(left)
            await it.sends()
            it.clock.move(minutes=1)
        assert it.told == ["critical"]
        assert "the incident before" in facts(it.slack.shown[0])


async def test_a_channel_that_refused_a_firing_is_told_how_it_stands_when_it_is_mended(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE, GONE) as it:
        for left in (2, 1, 2):
            await it.sees(left)
            await it.sends()
        await it.store.run(lambda unit: revive(unit, "ops"))
        await it.sends()
        assert it.told == ["critical"]  # the worst that it came to; how it stands now is said beside it


async def test_one_failing_channel_does_not_stop_another(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE, names=("ops", "mail")) as it:
        await it.sees(2)
        assert await it.sends("ops") == 1
        assert await it.sends("mail") == 1
        assert it.told == ["warning"]
        assert {each.channel: each.state for each in await it.deliveries()} == {"ops": DEAD, "mail": SENT}


# --- what nobody knows ---------------------------------------------------------------------------------------------


async def test_what_may_have_arrived_is_sent_again_with_the_same_key(tmp_path: Path) -> None:
    async with desk(tmp_path, Drop(after_reading=True)) as it:
        await it.sees(2)
        await it.sends()
        assert (await kinds(it.store))[-1] is EventKind.UNSURE
        it.clock.move(seconds=1)
        await it.sends()
        assert len(it.keys) == 2
        assert len(set(it.keys)) == 1


async def test_a_notifier_that_raises_is_unsure_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with desk(tmp_path) as it:
        await it.sees(2)
        broken = Outbox(it.store, {"ops": Broken()}, it.outbox.zone_of, it.clock)
        assert await broken.attempt("ops")
        (waiting,) = await it.deliveries()
        assert (waiting.state, waiting.why) == (PENDING, "the notifier failed: RuntimeError")
        assert (await kinds(it.store))[-1] is EventKind.UNSURE
    assert "the notifier failed" in caplog.text


# --- while the world moves on --------------------------------------------------------------------------------------


async def test_what_fired_and_was_resolved_while_slack_was_down_is_one_message_with_both(tmp_path: Path) -> None:
    async with desk(tmp_path, DOWN) as it:
        await it.sees(2)
        await it.sends()
        it.clock.move(minutes=15)
        await it.sees(5)
        await it.sends()
        assert it.told == ["resolved"]
        assert "fired 14:05, resolved 14:20 UTC; could not be delivered before" in facts(it.slack.shown[0])


async def test_what_waits_keeps_its_channels_backoff_when_a_newer_truth_takes_its_place(tmp_path: Path) -> None:
    async with desk(tmp_path, Answer(status=429, headers={"Retry-After": "600"})) as it:
        await it.sees(2)
        await it.sends()
        it.clock.move(minutes=5)
        await it.sees(1)
        assert await it.sends() == 0
        it.clock.move(minutes=5)
        await it.sends()
        assert it.told == ["critical"]


async def test_an_incident_that_was_missed_entirely_is_named_in_the_next_message(tmp_path: Path) -> None:
    async with desk(tmp_path, GONE) as it:
        for left in (1, 5, 2):
            await it.sees(left)
            it.clock.move(minutes=10)
        await it.sends()
        await it.store.run(lambda unit: revive(unit, "ops"))
        await it.sends()
        assert it.told == ["warning"]
        assert "the incident before fired 14:05, ended 14:15 UTC (recovered)" in facts(it.slack.shown[0])
        await it.sees(5)
        await it.sends()
        assert it.told == ["warning", "resolved"]
        assert "the incident before" not in facts(it.slack.shown[1])  # it was told of


async def test_what_changes_while_it_is_sent_is_told_next(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with desk(tmp_path, Answer(hold=hold)) as it:
        await it.sees(2)
        attempt = asyncio.ensure_future(it.sends())
        await it.slack.arrived.wait()
        await it.sees(1)
        assert not await it.outbox.attempt("ops")  # nothing is planned on what is not settled
        hold.set()
        assert await attempt == 2
        assert it.told == ["warning", "escalated critical"]


async def test_what_ends_while_it_is_sent_is_told_as_ended(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with desk(tmp_path, Answer(status=503, hold=hold), OK) as it:
        await it.sees(2)
        attempt = asyncio.ensure_future(it.outbox.attempt("ops"))
        await it.slack.arrived.wait()
        await it.sees(5)
        hold.set()
        await attempt
        it.clock.move(minutes=1)
        await it.sends()
        assert it.told == ["resolved"]


# --- a store that fails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state"), [(OK, SENT), (DOWN, PENDING), (GONE, DEAD)], ids=["sent", "retry", "dead"]
)
async def test_an_outcome_that_could_not_be_written_is_written_first_next_time_and_sent_once(
    tmp_path: Path, answer: Answer, state: DeliveryState
) -> None:
    hold = asyncio.Event()
    async with desk(tmp_path, replace(answer, hold=hold)) as it:
        await it.sees(2)
        attempt = asyncio.ensure_future(it.outbox.attempt("ops"))
        await it.slack.arrived.wait()
        with broken_store(tmp_path):
            hold.set()
            with pytest.raises(StorageError, match="vanished"):
                await attempt
            with pytest.raises(StorageError, match="vanished"):
                await it.outbox.attempt("ops")
        assert not await it.outbox.attempt("ops")
        assert len(it.keys) == 1
        assert [each.state for each in await it.deliveries()] == [state]


async def test_an_attempt_that_could_not_be_written_down_is_not_made(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        await it.sees(2)
        with broken_store(tmp_path), pytest.raises(StorageError):
            await it.outbox.attempt("ops")
        assert it.keys == []
        assert await it.sends() == 1


async def test_the_attempt_is_written_down_before_it_is_made(tmp_path: Path) -> None:
    hold = asyncio.Event()
    async with desk(tmp_path, Answer(hold=hold)) as it:
        await it.sees(2)
        attempt = asyncio.ensure_future(it.sends())
        await it.slack.arrived.wait()
        (sending,) = await it.deliveries()
        assert (sending.state, sending.attempts, sending.attempted_at) == (SENDING, 1, NOW)
        assert sending.key == it.keys[0]
        hold.set()
        await attempt
        (sent,) = await it.deliveries()
        assert (sent.state, sent.settled_at - NOW if sent.settled_at else None) == (SENT, timedelta())
