"""The built-in alert guard.store_failing, told straight to channels over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from guard.errors import StorageError
from guard.notify.slack_webhook import SlackWebhookNotifier
from guard.store_failing import StoreFailing
from tests.stand_ins.clock import HandClock
from tests.stand_ins.notifier import Broken
from tests.stand_ins.slack import Answer, Drop, SlackStandIn
from tests.wiring import logged

FULL = StorageError("guard.db cannot grow, the disk is full")


@dataclass
class Failing:
    store: StoreFailing
    clock: HandClock
    slacks: list[SlackStandIn]

    async def fails(self, times: int = 1, *, minutes: float = 1) -> None:
        for _ in range(times):
            self.clock.move(minutes=minutes)
            await self.store.failed("main", FULL)

    @property
    def told(self) -> list[int]:
        """How many messages each channel got that tell of the failing."""
        return [sum("[critical]" in post["text"] for post in slack.shown) for slack in self.slacks]


@asynccontextmanager
async def failing(*scripts: tuple[Answer | Drop, ...]) -> AsyncIterator[Failing]:
    """A store that fails, and a channel for each script."""
    clock = HandClock()
    async with AsyncExitStack() as stack:
        slacks = [await stack.enter_async_context(SlackStandIn(*script)) for script in scripts]
        notifiers = {str(number): SlackWebhookNotifier(slack.url, mention={}) for number, slack in enumerate(slacks)}
        yield Failing(StoreFailing(notifiers, dict.fromkeys([*notifiers, "broken"], ("",)), clock), clock, slacks)


async def test_the_third_failure_in_a_row_is_told_to_every_channel_once() -> None:
    async with failing((), ()) as it:
        await it.fails(2)
        assert it.told == [0, 0]
        await it.fails(5)
        assert it.told == [1, 1]
        (post,) = it.slacks[0].shown
        assert post["text"].startswith("[critical] guard.store_failing: quota-guard cannot write to its database")
        assert "the disk is full" in str(post["blocks"])


async def test_what_goes_on_is_told_again_every_hour_and_not_more_often() -> None:
    async with failing(()) as it:
        await it.fails(180)
        assert it.told == [3]


async def test_a_commit_that_works_begins_the_count_anew(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "guard")
    async with failing(()) as it:
        for _ in range(3):
            await it.fails(2)
            await it.store.worked("main")
            await it.store.worked("main")
        assert it.told == [0]
    assert (
        logged(caplog)
        == [
            ("store.failed", {"account": "main", "in_a_row": 1}),
            ("store.failed", {"account": "main", "in_a_row": 2}),
            ("store.recovered", {"account": "main"}),
        ]
        * 3
    )


async def test_each_account_counts_for_itself() -> None:
    async with failing(()) as it:
        for name in ("main", "second", "third"):
            await it.store.failed(name, FULL)
        assert it.told == [0]


async def test_who_was_told_is_told_of_the_end_once() -> None:
    async with failing((), (Answer(status=503),)) as it:
        await it.fails(3)
        await it.store.worked("main")
        await it.store.worked("main")
        assert [post["text"] for post in it.slacks[0].shown][1:] == [
            "[resolved] guard.store_failing: quota-guard can write to its database again"
        ]
        assert it.slacks[1].shown == []


async def test_failing_again_within_the_hour_is_not_told_again() -> None:
    async with failing(()) as it:
        await it.fails(3)
        await it.store.worked("main")
        await it.fails(20)
        assert it.told == [1]
        await it.fails(40)
        assert it.told == [2]


async def test_a_channel_that_did_not_take_it_is_told_with_the_next_failure_and_the_others_are_not() -> None:
    async with failing((Answer(status=503),), ()) as it:
        await it.fails(3)
        assert it.told == [0, 1]
        await it.fails(10)
        assert it.told == [1, 1]


@pytest.mark.parametrize(
    "answer", [Answer(status=404, body="no_service"), Drop(after_reading=True)], ids=["rejected", "unsure"]
)
async def test_a_channel_that_never_will_or_perhaps_did_is_left_alone_for_the_hour(answer: Answer | Drop) -> None:
    async with failing((answer,)) as it:
        await it.fails(50)
        assert len(it.slacks[0].received) == 1
        await it.fails(20)
        assert it.told == [1]


async def test_after_the_clock_went_back_it_is_told_again() -> None:
    async with failing(()) as it:
        await it.fails(3)
        it.clock.move(hours=-5)
        await it.fails(1)
        assert it.told == [2]


async def test_a_notifier_that_raises_is_logged_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with failing(()) as it:
        it.store.notifiers = {"broken": Broken(), **it.store.notifiers}
        await it.fails(3)
        assert it.told == [1]
    assert logged(caplog)[-1] == ("delivery.unplanned", {"channel": "broken"})


async def test_a_channel_that_did_not_take_it_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with failing((Answer(status=503),), ()) as it:
        await it.fails(3)
    assert logged(caplog)[-1] == ("store.untold", {"channel": "0"})
    assert caplog.messages[-1] == "Slack answered 503"


async def test_a_sub_account_is_told_of_as_any_other_but_the_end_is_its_master_accounts_to_tell() -> None:
    async with failing(()) as it:
        for _ in range(3):
            await it.store.failed("main:acme", FULL)
            await it.store.worked("main:birch")
        assert it.told == [1]
        assert not it.store.is_failing
        await it.store.worked("main:acme")
        assert len(it.slacks[0].shown) == 1
        await it.store.worked("main")
        assert len(it.slacks[0].shown) == 2


async def test_a_thousand_sub_accounts_that_fail_once_tell_nothing_and_end_nothing() -> None:
    async with failing(()) as it:
        for number in range(1000):
            await it.store.failed(f"main:{number}", FULL)
        assert it.told == [0]
        await it.fails(3)
        for number in range(1000):
            await it.store.worked(f"main:{number}")
        assert it.told == [1]
        assert it.store.is_failing
        assert len(it.slacks[0].shown) == 1


async def test_one_account_that_works_again_is_not_the_end_while_another_still_fails() -> None:
    async with failing(()) as it:
        await it.fails(3)
        for _ in range(3):
            await it.store.failed("other", FULL)
        await it.store.worked("main")
        assert len(it.slacks[0].shown) == 1
        await it.store.worked("other")
        assert len(it.slacks[0].shown) == 2
