"""What a start makes of the outbox, and of what fires under a rule file that says something else by now."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from guard.cycle import retire_gone
from guard.model import DeliveryState, EventKind, Failure, FailureKind, Level, State
from tests.builders import KEY
from tests.outbox.desk import DOWN, desk, facts, seated
from tests.stand_ins.slack import Answer, SlackStandIn
from tests.wiring import NUMBERS, events, kinds

GONE: Final = Answer(status=404, body="no_service")
PENDING: Final = DeliveryState.PENDING
OTHER: Final = NUMBERS.replace("numbers-remaining", "other")
BOTH: Final = NUMBERS + OTHER


# --- what was being sent -------------------------------------------------------------------------------------------


async def test_what_was_being_sent_when_the_service_ended_is_unsure_and_sent_again_with_the_same_key(
    tmp_path: Path,
) -> None:
    async with SlackStandIn(Answer(hold=asyncio.Event())) as slack:
        async with seated(tmp_path, slack, rules=BOTH) as it:
            await it.sees(2)
            attempt = asyncio.ensure_future(it.outbox.attempt("ops"))
            await slack.arrived.wait()
            attempt.cancel()
            await asyncio.wait({attempt})
        async with seated(tmp_path, slack, rules=BOTH, hours=3) as it:
            (unsure,) = [each for each in await it.deliveries() if each.attempts]
            assert (unsure.state, unsure.due_at, unsure.key) == (PENDING, it.clock.now(), it.keys[0])
            last = (await events(it.store))[-1]
            assert (last.kind, last.channel, last.level) == (EventKind.UNSURE, "ops", Level.WARNING)
            assert last.text == "the service ended while it was sent; it may have arrived"
            assert await it.sends() == 2
            assert len(it.keys) == 3
            assert len(set(it.keys)) == 2


async def test_what_was_sent_is_not_sent_again_after_a_start(tmp_path: Path) -> None:
    async with SlackStandIn() as slack:
        for hours in range(3):
            async with seated(tmp_path, slack, hours=hours) as it:
                await it.sees(2)
                assert await it.sends() == (hours == 0)


@pytest.mark.parametrize("answer", [DOWN, GONE], ids=["waits", "is dead"])
async def test_what_waits_or_is_dead_stays_as_it_is_at_a_start(tmp_path: Path, answer: Answer) -> None:
    async with SlackStandIn(answer) as slack:
        async with seated(tmp_path, slack) as it:
            await it.sees(2)
            await it.sends()
            before = await it.deliveries()
        async with seated(tmp_path, slack) as it:
            assert await it.deliveries() == before
            assert await it.sends() == 0


# --- channels ------------------------------------------------------------------------------------------------------


async def test_a_channel_that_was_mended_has_its_dead_messages_sent(tmp_path: Path) -> None:
    async with SlackStandIn(GONE) as old, SlackStandIn() as new:
        async with seated(tmp_path, old) as it:
            await it.sees(2)
            await it.sends()
        async with seated(tmp_path, new) as it:
            assert await it.sends() == 1
            assert it.told == ["warning"]
        async with seated(tmp_path, new) as it:
            assert await it.sends() == 0


async def test_a_channel_that_is_gone_from_the_rule_file_is_dropped_with_an_event(tmp_path: Path) -> None:
    async with SlackStandIn() as slack:
        async with seated(tmp_path, slack, names=("ops", "mail")) as it:
            await it.sees(2)
            await it.sends("ops")
            await it.sees(1)
        async with seated(tmp_path, slack, names=("ops",)) as it:
            dropped = [event for event in await events(it.store) if event.kind is EventKind.DROPPED]
            assert [(event.key, event.channel, event.level, event.text) for event in dropped] == [
                (KEY, "mail", Level.CRITICAL, "the channel is no longer in the rule file")
            ]
            assert {each.channel for each in await it.store.run(lambda unit: unit.notifications())} == {"ops"}
            assert await it.sends() == 1
            assert it.told == ["warning", "escalated critical"]


async def test_what_a_channel_that_is_gone_had_heard_of_or_had_waiting_leaves_nothing_behind(tmp_path: Path) -> None:
    async with SlackStandIn(DOWN) as slack:
        async with seated(tmp_path, slack, names=("ops", "mail")) as it:
            await it.sees(2)
            await it.sends("mail")
            await it.sends("ops")
        async with seated(tmp_path, slack, names=("new",)) as it:
            assert PENDING not in [each.state for each in await it.deliveries()]
            assert await it.store.run(lambda unit: unit.notifications()) == []
            assert (await kinds(it.store)).count(EventKind.DROPPED) == 1  # the other one knew all there was to know
            await it.sees(2)
            assert await it.sends("new") == 1


# --- rules and accounts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "reason"), [(OTHER, "rule removed"), (NUMBERS + "enabled = false\n", "rule disabled")]
)
async def test_what_fires_under_a_rule_that_is_gone_is_told_as_ended_with_the_reason(
    tmp_path: Path, rules: str, reason: str
) -> None:
    async with SlackStandIn() as slack:
        async with seated(tmp_path, slack) as it:
            await it.sees(1)
            await it.sends()
        async with seated(tmp_path, slack, rules=rules) as it:
            await it.sends()
            assert it.told == ["critical", "resolved"]
            assert reason in facts(slack.shown[-1])
            assert (await it.store.run(lambda unit: unit.alerts()))[KEY].state is State.OK


async def test_what_fires_on_an_account_that_is_gone_is_told_as_ended_with_the_reason(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        await it.sees(1)
        await it.sends()
        await it.store.run(lambda unit: retire_gone(unit, {}, now=it.clock.now()))
        await it.sends()
        assert it.told == ["critical", "resolved"]
        assert "account removed" in facts(it.slack.shown[-1])
        before = await kinds(it.store)
        await it.store.run(lambda unit: retire_gone(unit, {}, now=it.clock.now()))
        assert await kinds(it.store) == before


async def test_what_was_pending_under_a_rule_that_is_gone_calms_down_and_nobody_is_told(tmp_path: Path) -> None:
    async with SlackStandIn() as slack:
        async with seated(tmp_path, slack, rules=NUMBERS + 'for = "5m"\n') as it:
            await it.sees(1)
        async with seated(tmp_path, slack, rules=OTHER) as it:
            assert (await kinds(it.store))[-1] is EventKind.CALMED
            assert await it.sends() == 0


async def test_what_fires_under_a_rule_that_stays_goes_on(tmp_path: Path) -> None:
    async with SlackStandIn() as slack:
        for rules in (NUMBERS, NUMBERS + OTHER.replace("numbers.remaining", "numbers.used")):
            async with seated(tmp_path, slack, rules=rules) as it:
                await it.sees(1)
                await it.sends()
        assert len(slack.shown) == 1


async def test_missing_data_goes_on_over_a_start(tmp_path: Path) -> None:
    refused = Failure(FailureKind.UNAUTHORIZED, "the API refused the key")
    async with SlackStandIn() as slack:
        for _ in range(2):
            async with seated(tmp_path, slack) as it:
                await it.cycle(refused)
                await it.sends()
        assert len(slack.shown) == 1


async def test_a_rule_that_was_changed_is_looked_at_anew_and_its_end_says_so(tmp_path: Path) -> None:
    async with SlackStandIn() as slack:
        async with seated(tmp_path, slack) as it:
            await it.sees(2)
            await it.sends()
        async with seated(tmp_path, slack, rules=NUMBERS.replace('critical = "< 2"', 'critical = "< 3"')) as it:
            await it.sees(2)
            await it.sends()
            assert it.told == ["warning", "escalated critical"]
        async with seated(tmp_path, slack, rules=NUMBERS.replace("< 3", "< 2").replace("< 2", "< 1")) as it:
            await it.sees(2)
            await it.sends()
            assert it.told == ["warning", "escalated critical", "resolved"]
            assert "rule changed" in facts(slack.shown[-1])


async def test_a_rule_whose_text_alone_was_changed_says_nothing(tmp_path: Path) -> None:
    async with SlackStandIn() as slack:
        for rules in (NUMBERS, NUMBERS.replace("phone numbers left", "left")):
            async with seated(tmp_path, slack, rules=rules) as it:
                await it.sees(2)
                await it.sends()
        assert len(slack.shown) == 1
