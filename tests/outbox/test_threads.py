"""A channel that has threads and edits: a Slack bot, told over HTTP into a stand-in workspace."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from guard.model import CallKind, DeliveryState, EventKind
from tests.outbox.desk import Bench, bench
from tests.stand_ins.clock import HandClock
from tests.stand_ins.workspace import Ending, Fault, Workspace
from tests.stand_ins.workspace_state import Posted
from tests.wiring import FIVE_RULES, NUMBERS, bot, config_with, events, kinds, logged

DROPPED = Fault(ending=Ending.DROP, is_kept=True)  # Slack took it, and nobody heard
LOST = Fault(ending=Ending.DROP)
DOWN = Fault(status=503)


@dataclass
class Channel:
    """One account, and one bot's channel."""

    desk: Bench
    slack: Workspace

    async def sees(self, left: int, *, minutes: float = 1, seconds: float = 0) -> None:
        """A cycle that finds so many numbers left, and all that follows of it."""
        self.desk.clock.move(minutes=minutes, seconds=seconds)
        await self.desk.sees(left)
        await self.desk.sends()

    async def later(self, *, seconds: float) -> None:
        self.desk.clock.move(seconds=seconds)
        await self.desk.sends()

    @property
    def roots(self) -> list[Posted]:
        return self.slack.ops.roots

    @property
    def story(self) -> list[tuple[str, list[str]]]:
        """The state in brackets of each root now, and of the replies in its thread."""
        return [(root.mark, [each.mark for each in self.slack.ops.thread(root)]) for root in self.roots]


@asynccontextmanager
async def channel(path: Path, *, rules: str = NUMBERS, slack: Workspace | None = None) -> AsyncIterator[Channel]:
    clock = HandClock()
    with slack or Workspace(now=clock.now) as workspace:
        async with bench(config_with(bot(workspace.api_url), rules=rules), path, clock) as desk:
            yield Channel(desk, workspace)


# --- one message an incident ---------------------------------------------------------------------------------------


async def test_an_incident_is_one_message_that_shows_its_state_with_the_story_in_its_thread(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        assert it.story == [("warning", [])]
        await it.sees(1)
        assert it.story == [("critical", ["escalated critical"])]
        await it.sees(5)
        assert it.story == [("resolved", ["escalated critical", "resolved"])]
        assert "could not be delivered before" not in str(it.roots[0].blocks[-1])


async def test_an_escalation_and_a_reminder_are_shown_in_the_channel_and_the_end_is_not(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        await it.sees(1)
        await it.sees(1, minutes=241)
        await it.sees(5)
        marks = ["resolved", "escalated critical", "reminder critical"]
        assert [each.mark for each in it.slack.ops.shown] == marks
        assert [each.text.endswith("<!here>") for each in it.slack.ops.shown] == [False, True, True]


async def test_the_log_tells_posts_edits_and_replies_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="guard")
    async with channel(tmp_path) as it:
        await it.sees(2)
        await it.sees(5)
    sent = [fields["call"] for event, fields in logged(caplog) if event == "delivery.sent"]
    assert sent == [CallKind.POST, CallKind.EDIT, CallKind.REPLY]


async def test_a_first_message_at_a_level_with_a_mention_pings(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(1)
        assert it.roots[0].text.endswith("<!here>")


async def test_a_lower_level_edits_the_message_and_tells_nobody(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(1)
        await it.sees(2)
        assert it.story == [("warning", [])]
        await it.sees(1)
        assert it.story == [("critical", [])]


async def test_a_value_that_moves_within_a_level_edits_nothing(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        for left in (1, 0, 1, 0):
            await it.sees(left)
        assert len(it.roots[0].texts) == 1


async def test_another_incident_is_another_message(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        for left in (2, 5, 1, 5):
            await it.sees(left)
        assert it.story == [("resolved", ["resolved"])] * 2


async def test_what_ended_while_slack_was_down_is_edited_before_the_next_incident_is_told(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        it.slack.always("chat.postMessage", DOWN)
        it.slack.always("chat.update", DOWN)
        await it.sees(5)
        await it.sees(1)
        it.slack.mend()
        await it.later(seconds=600)
        assert it.story == [("resolved", []), ("critical", [])]
        assert "the incident before" in str(it.roots[1].blocks[0])


async def test_after_a_digest_each_incident_speaks_for_itself(tmp_path: Path) -> None:
    async with channel(tmp_path, rules=FIVE_RULES) as it:
        await it.sees(2)
        assert it.story == [("digest warning", [])]
        three = FIVE_RULES[: FIVE_RULES.index("[rules.numbers-3]")]
        assert three.count("[rules.") == 3
    async with channel(tmp_path / "few", rules=three) as it:
        await it.sees(2)
        for _ in range(2):  # a channel takes one message a second
            await it.later(seconds=1)
        assert it.story == [("warning", [])] * 3


# --- a message that is gone ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("replied", [False, True], ids=["alone", "with replies"])
async def test_a_message_that_is_gone_gets_a_new_root_with_the_next_event(tmp_path: Path, *, replied: bool) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        if replied:
            it.slack.state.say("what is this?", thread_ts=it.roots[0].ts)
        it.slack.delete(it.roots[0])
        await it.sees(1)
        assert it.story == [("escalated critical", [])]
        assert EventKind.GONE in await kinds(it.desk.store)
        await it.sees(5)
        assert it.story == [("resolved", ["resolved"])]


async def test_a_message_that_is_gone_when_a_reminder_is_due_gets_a_new_root(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(1)
        it.slack.delete(it.roots[0])
        await it.sees(1, minutes=241)
        assert [each.mark for each in it.slack.ops.shown] == ["reminder critical"]
        await it.sees(5)
        assert it.slack.ops.shown[0].mark == "resolved"


# --- what may have arrived -----------------------------------------------------------------------------------------


async def test_what_arrived_although_nobody_heard_is_found_and_not_posted_again(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", DROPPED)
        await it.sees(2)
        await it.later(seconds=4)
        assert "conversations.history" not in it.slack.methods
        await it.later(seconds=1)
        assert it.story == [("warning", [])]
        await it.sees(5)
        assert it.story == [("resolved", ["resolved"])]


async def test_what_did_not_arrive_is_posted_after_it_was_looked_for(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", LOST)
        await it.sees(2)
        await it.later(seconds=5)
        assert it.story == [("warning", [])]
        assert len(it.slack.ops.keys) == 1


async def test_a_reply_that_arrived_is_found_in_its_thread(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        it.slack.fail("chat.postMessage", DROPPED)
        await it.sees(1)
        await it.later(seconds=5)
        assert "conversations.replies" in it.slack.methods
        assert it.story == [("critical", ["escalated critical"])]


async def test_a_first_message_that_may_have_arrived_is_looked_for_before_newer_news_is_told(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", DROPPED)
        await it.sees(2)
        await it.sees(1, minutes=0, seconds=2)
        assert it.story == [("warning", [])]
        await it.later(seconds=3)
        assert it.story == [("critical", ["escalated critical"])]


async def test_a_first_message_that_did_not_arrive_gives_way_to_newer_news(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", LOST)
        await it.sees(2)
        await it.sees(1)
        assert it.story == [("critical", [])]


async def test_while_slack_cannot_be_asked_nothing_is_posted_again(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", DROPPED)
        it.slack.always("conversations.history", DOWN)
        await it.sees(2)
        await it.later(seconds=60)
        await it.later(seconds=600)
        assert len(it.slack.ops.keys) == 1
        it.slack.mend()
        await it.later(seconds=600)
        assert it.story == [("warning", [])]
        (told,) = await it.desk.deliveries()
        assert (told.state, told.may_have_arrived) == (DeliveryState.SENT, False)


async def test_where_looking_is_not_allowed_it_is_posted_again(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", DROPPED)
        it.slack.always("conversations.history", Fault(error="missing_scope"))
        await it.sees(2)
        await it.later(seconds=60)
        assert it.story == [("warning", [])] * 2


async def test_what_was_being_sent_at_a_kill_is_looked_for_after_the_start(tmp_path: Path) -> None:
    clock = HandClock()
    with Workspace(now=clock.now) as slack:
        setting = config_with(bot(slack.api_url))
        slack.fail("chat.postMessage", Fault(ending=Ending.HANG, is_kept=True))
        async with bench(setting, tmp_path, clock) as desk:
            await desk.sees(2)
            attempt = asyncio.ensure_future(desk.outbox.attempt("ops"))
            await asyncio.to_thread(slack.until, lambda state: bool(slack.ops.keys))
            attempt.cancel()
            await asyncio.wait({attempt})
        async with bench(setting, tmp_path, clock) as desk:
            (parked,) = await desk.deliveries()
            assert (parked.state, parked.call, parked.may_have_arrived) == (DeliveryState.PENDING, CallKind.POST, True)
            assert await desk.sends() == 0
            clock.move(seconds=5)
            assert await desk.sends() == 1
            assert [root.mark for root in slack.ops.roots] == ["warning"]


async def test_an_edit_that_may_have_been_made_is_made_again(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(1)
        it.slack.fail("chat.update", DROPPED)
        await it.sees(2)
        await it.later(seconds=60)
        assert it.roots[0].mark == "warning"
        assert it.slack.methods.count("chat.update") == 2


async def test_an_edit_that_may_have_been_made_is_not_forgotten_when_the_level_is_back(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(1)
        it.slack.fail("chat.update", DROPPED)
        await it.sees(2)
        assert it.roots[0].mark == "warning"
        await it.sees(1, minutes=0, seconds=1)
        await it.later(seconds=60)
        assert it.roots[0].mark == "critical"


# --- edits that fail -----------------------------------------------------------------------------------------------


async def test_an_edit_that_fails_holds_up_no_message(tmp_path: Path) -> None:
    async with channel(tmp_path, rules=FIVE_RULES[: FIVE_RULES.index("[rules.numbers-1]")]) as it:
        await it.sees(2)
        it.slack.always("chat.update", DOWN)
        await it.sees(1)
        assert it.story == [("warning", ["escalated critical"])]
        await it.sees(5)
        assert it.story == [("warning", ["escalated critical", "resolved"])]
        it.slack.mend()
        await it.later(seconds=300)
        assert it.story == [("resolved", ["escalated critical", "resolved"])]
        texts = [event.text for event in await events(it.desk.store) if event.kind is EventKind.UNSURE]
        assert texts == ["Slack answered 503; an edit of the message"] * 2


async def test_edits_keep_their_distance_while_slack_wants_to_be_left_alone(tmp_path: Path) -> None:
    async with channel(tmp_path, rules=FIVE_RULES[: FIVE_RULES.index("[rules.numbers-2]")]) as it:
        await it.sees(1)
        it.slack.always("chat.update", Fault(error="ratelimited", headers={"Retry-After": "60"}))
        await it.sees(2)
        assert it.slack.methods.count("chat.update") == 1
        it.slack.mend()
        await it.later(seconds=59)
        assert it.slack.methods.count("chat.update") == 1
        await it.later(seconds=1)
        assert [root.mark for root in it.roots] == ["warning"] * 2


async def test_the_message_of_an_incident_is_still_edited_after_the_next_one_has_its_own(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        it.slack.always("chat.update", DOWN)
        await it.sees(5)
        await it.sees(1)
        assert it.story == [("warning", ["resolved"]), ("critical", [])]
        it.slack.mend()
        await it.later(seconds=300)
        assert it.story == [("resolved", ["resolved"]), ("critical", [])]
        await it.sees(5)
        assert it.story == [("resolved", ["resolved"])] * 2


async def test_an_edit_that_was_refused_is_tried_again_each_hour_although_the_next_incident_has_its_own_message(
    tmp_path: Path,
) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        it.slack.always("chat.update", Fault(error="missing_scope"))
        await it.sees(5)
        await it.sees(1)
        assert it.story == [("warning", ["resolved"]), ("critical", [])]
        for _ in range(3):
            await it.later(seconds=3_600)
        assert it.slack.methods.count("chat.update") == 4
        it.slack.mend()
        await it.later(seconds=3_600)
        assert it.story[0] == ("resolved", ["resolved"])


async def test_an_edit_that_is_refused_for_a_day_is_given_up(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        it.slack.always("chat.update", Fault(error="missing_scope"))
        await it.sees(5)
        await it.sees(1)
        for _ in range(30):
            await it.later(seconds=3_600)
        assert it.slack.methods.count("chat.update") == 24


async def test_a_message_that_is_gone_before_its_late_edit_takes_nothing_with_it(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        await it.sees(2)
        it.slack.always("chat.update", DOWN)
        await it.sees(5)
        await it.sees(1)
        it.slack.delete(it.roots[0])
        it.slack.mend()
        await it.later(seconds=300)
        await it.sees(5)
        assert it.story == [("resolved", ["resolved"])]


async def test_the_message_of_a_rule_that_is_gone_is_edited_even_when_nothing_else_is_left(tmp_path: Path) -> None:
    clock = HandClock()
    with Workspace(now=clock.now) as slack:
        two = FIVE_RULES[: FIVE_RULES.index("[rules.numbers-2]")]
        async with bench(config_with(bot(slack.api_url), rules=two), tmp_path, clock) as desk:
            await desk.sees(2)
            await desk.sends()
        slack.always("chat.update", DOWN)
        setting = config_with(bot(slack.api_url), rules=two[: two.index("[rules.numbers-1]")])
        for _ in range(2):  # at the first start the incident ends, at the second one the alert is forgotten
            async with bench(setting, tmp_path, clock) as desk:
                await desk.sends()
                alerts = await desk.store.run(lambda unit: unit.alerts())
        assert [key.rule for key in alerts] == ["numbers-0"]
        slack.mend()
        clock.move(minutes=10)
        async with bench(setting, tmp_path, clock) as desk:
            await desk.sends()
        assert [root.mark for root in slack.ops.roots] == ["warning", "resolved"]


# --- looks that fail -----------------------------------------------------------------------------------------------


async def test_a_look_that_fails_is_tried_less_and_less_often(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", DROPPED)
        it.slack.always("conversations.history", DOWN)
        await it.sees(2)
        for _ in range(600):
            await it.later(seconds=1)
        assert it.slack.methods.count("conversations.history") < 16


async def test_what_cannot_be_looked_for_is_sent_after_a_while_so_that_news_come_through(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", LOST)
        it.slack.always("conversations.history", DOWN)
        await it.sees(2)
        await it.sees(1, minutes=10)
        assert it.story == []
        for _ in range(2):
            await it.later(seconds=301)
        assert it.story == [("critical", [])]


async def test_after_the_clock_went_back_a_look_that_fails_is_not_made_again_and_again(tmp_path: Path) -> None:
    async with channel(tmp_path) as it:
        it.slack.fail("chat.postMessage", DROPPED)
        it.slack.always("conversations.history", DOWN)
        await it.sees(2)
        it.desk.clock.move(hours=-1)
        assert await it.desk.sends() < 5
        assert [root.mark for root in it.roots] == ["warning"] * 2  # better twice than an hour later
