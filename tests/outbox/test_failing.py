"""Channels that refuse or fall behind: what is told of it, to whom, and who stands in for them meanwhile."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from guard.config import Config, load
from guard.lifecycle.strait import strait
from guard.model import (
    CHANNEL_FAILING,
    AlertKey,
    CallKind,
    DeliveryState,
    EventKind,
    Level,
    Reason,
    Silence,
)
from guard.model import Answer as Usage
from guard.outbox import ChannelWatch, revive
from guard.outbox.failing import Noted, note_failing
from guard.reporting import Reporter
from guard.store import Poll, Unit
from tests.builders import delivery
from tests.outbox.desk import DOWN, Bench, bench, marked
from tests.stand_ins.clock import HandClock
from tests.stand_ins.mail import MailStandIn
from tests.stand_ins.slack import Answer, SlackStandIn
from tests.wiring import API_KEY, NOWHERE, NUMBERS, kinds, logged, mail

GONE = Answer(status=404, body="no_service")
ANN, BEN = "ann@example.com", "ben@example.com"
OPS = AlertKey("main", CHANNEL_FAILING, "ops")


@dataclass
class Office(Bench):
    """One account, a Slack webhook `ops` and a channel `mail`, moved by hand."""

    slack: SlackStandIn
    mails: MailStandIn

    async def looks(self) -> Noted:
        """All channels send what is due, then it is looked whether they fail, and what is new is sent."""
        noted = await self._looks()
        await self._looks()
        return noted

    async def _looks(self) -> Noted:
        for channel in self.parts.config.channels:
            await self.sends(channel)
        return await ChannelWatch(self.store, self.clock).look(self.parts.config)

    async def passes(self, minutes: int, *, left: int) -> None:
        """Lets so many minutes pass, each with a cycle that finds so many numbers left."""
        for _ in range(minutes):
            self.clock.move(minutes=1)
            await self.sees(left)
            await self.looks()

    @property
    def posted(self) -> list[str]:
        """What people saw in Slack."""
        return [_briefly(str(post["text"])) for post in self.slack.shown]

    def mailed(self, to: str = ANN) -> list[str]:
        """The subjects of what somebody got."""
        return [_briefly(str(each.mail["Subject"])) for each in self.mails.received if each.recipients == (to,)]

    async def level(self, channel: str = "ops") -> Level | None:
        """How badly a channel fails."""
        alerts = await self.store.run(lambda unit: unit.alerts_by_rule(CHANNEL_FAILING))
        found = alerts.get(replace(OPS, subject=channel))
        return found.level if found else None


def _briefly(text: str) -> str:
    return f"{marked(text)} {text.partition('] ')[2].partition(':')[0]}"


def configured(
    slack: SlackStandIn | None,
    mails: MailStandIn,
    *,
    to: Iterable[str] = (ANN,),
    defaults: str = "",
    rule: str = "",
    api: str = NOWHERE,
) -> Config:
    """A rule file that notifies `ops`, or `mail` where there is no Slack; `rule` are more lines of its one rule."""
    text = f'[accounts.main]\napi_key = "${{KEY}}"\nbase_url = "{api}"\n'
    text += '[channels.ops]\nkind = "slack"\nwebhook_url = "${URL}"\n' if slack else ""
    text += mail(mails.port, *to)
    notify = "ops" if slack else "mail"
    text += f'[defaults]\nnotify = ["{notify}"]\n{defaults}\n{NUMBERS}{rule}'
    environ = {"KEY": API_KEY, "URL": slack.url if slack else ""}
    loaded = load(text, path="rules.toml", secret=environ.get)
    assert loaded.config is not None, [str(problem) for problem in loaded.problems]
    return loaded.config


@asynccontextmanager
async def office(
    path: Path, *script: Answer, fallback: bool = False, to: Iterable[str] = (ANN,), rule: str = ""
) -> AsyncIterator[Office]:
    """An office whose rules notify `ops`, and whose Slack answers by script."""
    defaults = 'fallback = ["mail"]' if fallback else ""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(SlackStandIn(*script))
        mails = await stack.enter_async_context(MailStandIn())
        setting = configured(slack, mails, to=to, defaults=defaults, rule=rule)
        it = await stack.enter_async_context(bench(setting, path, HandClock()))
        yield Office(it.parts, it.clock, slack, mails)


@asynccontextmanager
async def post_room(path: Path, *to: str) -> AsyncIterator[Office]:
    """An office with mail alone."""
    async with AsyncExitStack() as stack:
        mails = await stack.enter_async_context(MailStandIn())
        slack = await stack.enter_async_context(SlackStandIn())
        it = await stack.enter_async_context(bench(configured(None, mails, to=to), path, HandClock()))
        yield Office(it.parts, it.clock, slack, mails)


async def mended(it: Office) -> None:
    """Has what was refused tried again, as a test message that arrives does."""
    await it.store.run(lambda unit: revive(unit, "ops"))
    await it.looks()


# --- refused for good ----------------------------------------------------------------------------------------------


async def test_a_channel_that_refuses_is_told_through_the_others_once_and_so_is_its_end(tmp_path: Path) -> None:
    async with office(tmp_path, GONE) as it:
        await it.sees(1)
        await it.looks()
        assert await it.level() is Level.CRITICAL
        await it.passes(20, left=1)
        assert it.mailed() == ["critical main / guard.channel_failing / ops"]
        await mended(it)
        assert await it.level() is None
        assert it.mailed()[1:] == ["resolved main / guard.channel_failing / ops"]
        assert it.posted == ["critical main / numbers-remaining"]


async def test_the_message_says_what_was_answered_what_waits_and_what_to_do(tmp_path: Path) -> None:
    async with office(tmp_path, GONE) as it:
        await it.sees(1)
        await it.looks()
        text = it.mails.received[0].text()
    assert "ops refuses messages for good: " in text
    assert "no_service" in text
    assert "1 alert waits there." in text
    assert "Check the webhook_url of [channels.ops], then run `guard send-test ops`" in text.replace("\n", " ")


async def test_a_probe_that_is_refused_neither_ends_it_nor_tells_it_again(tmp_path: Path) -> None:
    async with office(tmp_path, *[GONE] * 9) as it:
        await it.sees(1)
        await it.looks()
        await it.passes(3 * 60 + 10, left=1)
        assert len(it.slack.received) == 4
        assert it.mailed() == ["critical main / guard.channel_failing / ops"]
        assert (await kinds(it.store, key=OPS)).count(EventKind.FIRED) == 1


async def test_it_is_not_over_before_the_answer_to_a_probe_is_known(tmp_path: Path) -> None:
    async with office(tmp_path, GONE, DOWN) as it:
        await it.sees(1)
        await it.looks()
        it.clock.move(hours=1)
        await it.looks()
        assert [each.state for each in await it.deliveries(DeliveryState.PENDING)] == [DeliveryState.PENDING]
        assert await it.level() is Level.CRITICAL


async def test_a_silence_holds_it_back(tmp_path: Path) -> None:
    async with office(tmp_path, GONE) as it:
        now = it.clock.now()
        silence = Silence("*/guard.channel_failing/*", now, now.replace(hour=23))
        await it.store.run(lambda unit: unit.add_silence(silence))
        await it.sees(1)
        await it.looks()
        assert await it.level() is Level.CRITICAL
        assert it.mailed() == []


async def test_a_channel_that_leaves_the_rule_file_fails_no_more(tmp_path: Path) -> None:
    async with office(tmp_path, GONE) as it:
        await it.sees(1)
        await it.looks()
        without = replace(it.parts.config, channels={"mail": it.parts.config.channels["mail"]})
        await it.store.run(partial(note_failing, config=without, now=it.clock.now()))
        assert await it.level() is None
        incidents = await it.store.run(lambda unit: unit.events(limit=1, key=OPS))
        assert incidents[0].text == Reason.SUBJECT_GONE


async def test_it_goes_on_where_it_began_when_another_account_becomes_the_first(tmp_path: Path) -> None:
    async with office(tmp_path, GONE) as it:
        await it.sees(1)
        await it.looks()
        (main,) = it.parts.config.accounts
        it.clock.move(minutes=1)
        two = replace(it.parts.config, accounts=(replace(main, name="other"), main))
        noted = await it.store.run(partial(note_failing, config=two, now=it.clock.now()))
        assert [alert.key for each in noted.decisions for alert in each.alerts] == [OPS]


# --- behind --------------------------------------------------------------------------------------------------------


async def test_three_hours_without_slack_are_told_by_mail_in_time_and_slack_gets_the_truth_of_now(
    tmp_path: Path,
) -> None:
    async with office(tmp_path, *[DOWN] * 600, fallback=True) as it:
        await it.sees(2)
        await it.looks()
        await it.passes(14, left=2)
        assert it.mailed() == []
        await it.passes(7, left=2)
        assert sorted(it.mailed()) == [
            "warning main / guard.channel_failing / ops",
            "warning main / numbers-remaining",
        ]
        await it.passes(79, left=1)
        await it.passes(80, left=5)
        assert it.mailed()[2:] == ["escalated critical main / numbers-remaining", "resolved main / numbers-remaining"]
        it.slack.script.clear()
        await it.passes(6, left=5)
        assert it.posted == ["resolved main / numbers-remaining"]
        assert it.mailed()[4:] == ["resolved main / guard.channel_failing / ops"]
        assert await it.deliveries(DeliveryState.PENDING, DeliveryState.DEAD) == []


async def test_a_start_after_a_long_stop_finds_nobody_behind_who_was_not_asked(tmp_path: Path) -> None:
    async with office(tmp_path, DOWN) as it:
        await it.sees(1)
        await it.sends()
        it.clock.move(hours=5)
        noted = await ChannelWatch(it.store, it.clock).look(it.parts.config)
        assert [each.is_failing for each in noted.straits] == [False, False]
        await it.looks()
        assert it.mailed() == []


async def test_what_is_behind_and_then_refused_gets_worse(tmp_path: Path) -> None:
    async with office(tmp_path, *[DOWN] * 14) as it:
        await it.sees(1)
        await it.passes(20, left=1)
        it.slack.script.clear()
        it.slack.script.extend([GONE] * 3)
        await it.passes(6, left=1)
        assert it.mailed() == [
            "warning main / guard.channel_failing / ops",
            "escalated critical main / guard.channel_failing / ops",
        ]


def test_edits_that_are_refused_are_nobody_s_trouble() -> None:
    now = HandClock().now()
    dead = replace(delivery(), call=CallKind.EDIT, state=DeliveryState.DEAD)
    assert strait("ops", [dead], now=now).is_clear


# --- several at once -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def both_down(path: Path) -> AsyncIterator[Office]:
    """An office whose Slack and whose mail are out of reach for an hour, in which an alert fires."""
    async with office(path, *[DOWN] * 99, rule='notify = ["ops", "mail"]\n') as it:
        it.mails.refusals = {ANN: ["451 4.3.2 not now"] * 99}
        await it.sees(1)
        await it.passes(60, left=1)
        assert (await it.level(), await it.level("mail")) == (Level.WARNING, Level.WARNING)
        yield it


async def test_channels_that_come_back_together_hear_nothing_of_one_another(tmp_path: Path) -> None:
    async with both_down(tmp_path) as it:
        it.slack.script.clear()
        it.mails.refusals.clear()
        await it.passes(10, left=1)  # each is tried within five minutes, and not at the same time
        assert it.posted == it.mailed() == ["critical main / numbers-remaining"]
        assert (await it.level(), await it.level("mail")) == (None, None)


async def test_who_comes_back_hears_nothing_of_another_that_was_not_tried_since(tmp_path: Path) -> None:
    async with both_down(tmp_path) as it:
        it.slack.script.clear()
        it.mails.refusals.clear()
        it.clock.move(minutes=6)
        later = it.clock.now() + timedelta(minutes=4)
        for each in await it.deliveries(DeliveryState.PENDING):
            if each.channel == "mail":
                waiting = replace(each, due_at=later, attempted_at=it.clock.now() - timedelta(minutes=1))
                await it.store.run(partial(Unit.save_delivery, delivery=waiting))
        await it.passes(3, left=1)
        assert (it.posted, it.mailed()) == (["critical main / numbers-remaining"], [])
        await it.passes(3, left=1)
        assert it.posted == it.mailed() == ["critical main / numbers-remaining"]


async def test_who_comes_back_hears_nothing_of_another_whose_answer_is_not_known(tmp_path: Path) -> None:
    async with both_down(tmp_path) as it:
        it.slack.script.clear()
        it.clock.move(minutes=6)
        await it.sends("ops")
        await ChannelWatch(it.store, it.clock).look(it.parts.config)
        assert await it.sends("ops") == 0
        it.mails.refusals.clear()
        await it.looks()
        assert it.posted == it.mailed() == ["critical main / numbers-remaining"]


async def test_who_comes_back_first_is_told_of_another_that_is_tried_in_vain_after_that(tmp_path: Path) -> None:
    async with both_down(tmp_path) as it:
        it.slack.script.clear()
        await it.passes(12, left=1)
        assert it.posted[1:] == ["warning main / guard.channel_failing / mail"]
        it.mails.refusals.clear()
        await it.passes(6, left=1)
        assert it.posted[2:] == ["resolved main / guard.channel_failing / mail"]
        assert it.mailed() == ["critical main / numbers-remaining"]


async def test_who_comes_back_is_told_at_once_of_another_that_refuses_for_good(tmp_path: Path) -> None:
    async with both_down(tmp_path) as it:
        it.mails.refusals = {ANN: ["550 5.1.1 no such user"] * 9}
        await it.passes(6, left=1)
        it.slack.script.clear()
        await it.passes(6, left=1)
        assert sorted(it.posted) == [
            "critical main / guard.channel_failing / mail",
            "critical main / numbers-remaining",
        ]


async def test_one_message_that_was_refused_keeps_nobody_from_hearing_of_another_channel(tmp_path: Path) -> None:
    async with office(tmp_path, *[DOWN] * 99, rule='notify = ["ops", "mail"]\n') as it:
        it.mails.refusals = {ANN: ["550 5.7.1 looks like spam"]}
        await it.sees(1)
        await it.passes(20, left=1)
        assert it.mailed() == ["warning main / guard.channel_failing / ops"]


async def test_after_the_clock_went_back_a_channel_that_was_well_by_then_is_told_of_another(tmp_path: Path) -> None:
    async with both_down(tmp_path) as it:
        it.slack.script.clear()
        it.mails.refusals.clear()
        await it.passes(10, left=1)
        it.clock.move(days=-1)
        it.mails.refusals = {ANN: ["451 4.3.2 not now"] * 99}
        await it.sees(5)
        await it.passes(20, left=5)
        assert it.posted[1:] == ["resolved main / numbers-remaining", "warning main / guard.channel_failing / mail"]


# --- some recipients of many ---------------------------------------------------------------------------------------


async def test_one_recipient_who_is_refused_is_named_to_the_others_of_the_channel_and_not_to_themselves(
    tmp_path: Path,
) -> None:
    async with post_room(tmp_path, ANN, BEN) as it:
        it.mails.refusals = {BEN: ["550 5.1.1 no such user"] * 9}
        await it.sees(1)
        await it.looks()
        await it.passes(90, left=1)
        assert await it.level("mail") is Level.CRITICAL
        assert it.mailed() == ["critical main / numbers-remaining", "critical main / guard.channel_failing / mail"]
        assert it.mailed(BEN) == []
        text = it.mails.received[1].text()
        assert f"mail refuses messages to {BEN} for good" in " ".join(text.split())
        assert {each.recipient for each in await it.deliveries(DeliveryState.DEAD)} == {BEN}
        it.mails.refusals.clear()
        await it.passes(60, left=1)
        assert it.mailed()[2:] == ["resolved main / guard.channel_failing / mail"]
        assert it.mailed(BEN) == ["critical main / numbers-remaining"]


async def test_with_no_channel_left_it_is_logged_once_and_told_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "guard")
    async with post_room(tmp_path, BEN) as it:
        it.mails.refusals = {BEN: ["550 5.1.1 no such user"]}
        await it.sees(1)
        noted = await it.looks()
        assert noted.failing == {"mail": f"mail refuses messages to {BEN} for good: {noted.straits[0].why}"}
        await it.passes(70, left=1)
        assert await it.store.run(lambda unit: [each.key.rule for each in unit.notifications()]) == [
            "numbers-remaining"
        ]
    told = [(name, fields["channel"]) for name, fields in logged(caplog) if name.startswith("channel.")]
    assert told == [("channel.failing", "mail"), ("channel.recovered", "mail")]


# --- the last resort -----------------------------------------------------------------------------------------------


async def test_the_fallback_is_told_what_the_channel_refused_and_of_its_end(tmp_path: Path) -> None:
    async with office(tmp_path, *[GONE] * 9, fallback=True) as it:
        await it.sees(1)
        await it.looks()
        await it.passes(10, left=1)
        assert sorted(it.mailed()) == [
            "critical main / guard.channel_failing / ops",
            "critical main / numbers-remaining",
        ]
        await it.passes(5, left=5)
        assert it.mailed()[2:] == ["resolved main / numbers-remaining"]


async def test_the_fallback_hears_nothing_of_what_the_channel_was_told_before(tmp_path: Path) -> None:
    async with office(tmp_path, Answer(), *[GONE] * 9, fallback=True) as it:
        await it.sees(2)
        await it.looks()
        await it.sees(1)
        await it.looks()
        assert sorted(it.mailed()) == [
            "critical main / guard.channel_failing / ops",
            "critical main / numbers-remaining",
        ]
        assert it.posted == ["warning main / numbers-remaining"]


async def test_once_the_channel_is_mended_the_fallback_hears_of_the_end_alone(tmp_path: Path) -> None:
    async with office(tmp_path, GONE, fallback=True) as it:
        await it.sees(2)
        await it.looks()
        await mended(it)
        before = len(it.mailed())
        await it.passes(2, left=1)
        assert len(it.mailed()) == before
        await it.passes(2, left=5)
        assert it.mailed()[before:] == ["resolved main / numbers-remaining"]
        assert it.posted[1:] == ["escalated critical main / numbers-remaining", "resolved main / numbers-remaining"]


async def test_the_fallback_is_not_told_what_was_over_before_the_channel_was_failing(tmp_path: Path) -> None:
    async with office(tmp_path, *[DOWN] * 60, fallback=True) as it:
        await it.passes(5, left=1)
        await it.passes(20, left=5)
        assert it.mailed() == ["warning main / guard.channel_failing / ops"]


async def test_while_a_channel_fails_the_fallback_gets_its_reports_and_the_channel_the_newest_later(
    tmp_path: Path,
) -> None:
    async with office(tmp_path, *[GONE] * 99, fallback=True, rule='[report]\nat = "09:00"\n') as it:
        reporter = Reporter(it.store, it.clock)
        await it.store.run(lambda unit: unit.record_poll(Poll("main", it.clock.now(), Usage({}, "{}"))))
        it.clock.move(hours=19)
        for _ in range(3):
            await reporter.look(it.parts.config)
            await it.looks()
            await it.passes(3, left=5)
            it.clock.move(days=1)
        told = [each for each in it.mails.received if "[report]" in str(each.mail["Subject"])]
        days = [f"2026-11-{day} 09:00 UTC to 2026-11-{day + 1} 09:00 UTC" for day in (23, 24, 25)]
        assert [day in each.text() for day, each in zip(days, told, strict=True)] == [True] * 3
        it.slack.script.clear()
        await it.looks()
        assert it.posted == ["report main"]
        assert it.mailed()[-1] == "resolved main / guard.channel_failing / ops"


async def test_a_fallback_that_gets_the_report_anyway_gets_it_once(tmp_path: Path) -> None:
    report = '[report]\nat = "09:00"\nnotify = ["ops", "mail"]\n'
    async with office(tmp_path, *[GONE] * 99, fallback=True, rule=report) as it:
        await it.store.run(lambda unit: unit.record_poll(Poll("main", it.clock.now(), Usage({}, "{}"))))
        it.clock.move(hours=19)
        await Reporter(it.store, it.clock).look(it.parts.config)
        await it.looks()
        await it.passes(3, left=5)
        assert it.mailed().count("report main") == 1


async def test_without_a_fallback_nobody_stands_in(tmp_path: Path) -> None:
    async with office(tmp_path, *[GONE] * 9) as it:
        await it.sees(1)
        await it.looks()
        await it.passes(3, left=1)
        assert it.mailed() == ["critical main / guard.channel_failing / ops"]
