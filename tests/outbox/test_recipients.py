"""A channel with several recipients: mail over SMTP, each address with a notified state of its own."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from guard.model import DeliveryState, EventKind
from tests.outbox.desk import Bench, bench, marked
from tests.stand_ins.clock import HandClock
from tests.stand_ins.mail import MailStandIn, Received
from tests.wiring import FIVE_RULES, NUMBERS, config_with, events, kinds, logged, mail

ANN: Final = "ann@example.com"
BEN: Final = "ben@example.com"
GREYLISTED: Final = "450 4.2.0 come back later"
UNKNOWN: Final = "550 5.1.1 no such user"


@dataclass
class Mail:
    """One account, and one channel that mails to Ann and Ben."""

    desk: Bench
    server: MailStandIn

    async def sees(self, left: int, *, minutes: float = 1) -> None:
        """A cycle that finds so many numbers left, and all that follows of it."""
        self.desk.clock.move(minutes=minutes)
        await self.desk.sees(left)
        await self.desk.sends("mail")

    def got(self, who: str) -> list[Received]:
        return [each for each in self.server.received if each.recipients == (who,)]

    def told(self, who: str) -> list[str]:
        return [marked(str(each.mail["Subject"])) for each in self.got(who)]


@asynccontextmanager
async def mailing(
    path: Path, server: MailStandIn | None = None, *, rules: str = NUMBERS, to: tuple[str, ...] = (ANN, BEN)
) -> AsyncIterator[Mail]:
    async with AsyncExitStack() as stack:
        taking = await stack.enter_async_context(server or MailStandIn())
        setting = config_with(mail(taking.port, *to), rules=rules)
        yield Mail(await stack.enter_async_context(bench(setting, path, HandClock())), taking)


async def test_each_recipient_gets_one_mail_a_change_in_one_thread(tmp_path: Path) -> None:
    async with mailing(tmp_path) as it:
        for left in (2, 2, 1, 5):
            await it.sees(left)
        for who in (ANN, BEN):
            assert it.told(who) == ["warning", "escalated critical", "resolved"]
            first, *later = (each.mail for each in it.got(who))
            assert {str(each["In-Reply-To"]) for each in later} == {str(first["Message-ID"])}
        ids = [str(each.mail["Message-ID"]) for each in it.server.received]
        assert len(set(ids)) == 6


async def test_a_rule_with_another_name_goes_on_in_the_thread_and_under_the_subject_of_before(tmp_path: Path) -> None:
    server = MailStandIn()
    async with mailing(tmp_path, server, to=(ANN,)) as it:
        await it.sees(2)
    renamed = NUMBERS.replace("[rules.numbers-remaining]", '[rules.few]\nrenamed_from = "numbers-remaining"')
    async with mailing(tmp_path, server, rules=renamed, to=(ANN,)) as it:
        await it.sees(2, minutes=5)
        await it.sees(5)
    first, last = (each.mail for each in it.got(ANN))
    assert it.told(ANN) == ["warning", "resolved"]
    assert str(last["In-Reply-To"]) == str(first["Message-ID"])
    subjects = [str(each["Subject"]).partition("] ")[2] for each in (first, last)]
    assert subjects == ["main / numbers-remaining: 2 phone numbers left"] * 2
    assert "main / few" in it.got(ANN)[1].text()


async def test_the_next_incident_is_another_thread(tmp_path: Path) -> None:
    async with mailing(tmp_path) as it:
        for left in (2, 5, 2):
            await it.sees(left)
        assert [each.mail["In-Reply-To"] is None for each in it.got(ANN)] == [True, False, True]


async def test_a_recipient_who_is_greylisted_delays_no_other_and_gets_the_mail_later(tmp_path: Path) -> None:
    async with mailing(tmp_path, MailStandIn(refusals={ANN: [GREYLISTED]})) as it:
        await it.sees(2)
        assert (it.told(ANN), it.told(BEN)) == ([], ["warning"])
        await it.sees(1, minutes=0.5)
        assert (it.told(ANN), it.told(BEN)) == ([], ["warning", "escalated critical"])
        await it.sees(1)
        assert it.told(ANN) == ["critical"]


async def test_a_recipient_who_does_not_exist_is_dead_alone(tmp_path: Path) -> None:
    async with mailing(tmp_path, MailStandIn(refusals={ANN: [UNKNOWN] * 9})) as it:
        await it.sees(2)
        (dead,) = await it.desk.deliveries(DeliveryState.DEAD)
        assert (dead.recipient, it.told(BEN)) == (ANN, ["warning"])
        (event,) = [each for each in await events(it.desk.store) if each.kind is EventKind.DIED]
        assert event.text.endswith(f"to {ANN}")


async def test_a_mail_that_may_have_been_taken_is_sent_again_with_the_same_message_id(tmp_path: Path) -> None:
    async with mailing(tmp_path, MailStandIn(is_mute=True), to=(ANN,)) as it:
        await it.sees(2)
        assert (await kinds(it.desk.store))[-1] is EventKind.UNSURE
        it.server.is_mute = False
        await it.sees(2)
        assert it.told(ANN) == ["warning", "warning"]
        assert len({str(each.mail["Message-ID"]) for each in it.got(ANN)}) == 1
        await it.sees(5)
        assert it.told(ANN)[2:] == ["resolved"]


async def test_more_than_three_alerts_are_one_digest_for_each(tmp_path: Path) -> None:
    async with mailing(tmp_path, rules=FIVE_RULES) as it:
        await it.sees(2)
        assert (it.told(ANN), it.told(BEN)) == (["digest warning"], ["digest warning"])


async def test_the_log_says_whom_a_mail_reached_and_names_three_of_many_alerts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="guard")
    async with mailing(tmp_path, rules=FIVE_RULES) as it:
        await it.sees(2)
    sent = [fields for event, fields in logged(caplog) if event == "delivery.sent"]
    assert [each["recipient"] for each in sent] == [ANN, BEN]
    assert {each["alerts"] for each in sent} == {"main/numbers-0,main/numbers-1,main/numbers-2 and 2 more"}


async def test_an_address_that_is_taken_out_is_told_nothing_more_and_a_new_one_the_present_state(
    tmp_path: Path,
) -> None:
    async with mailing(tmp_path) as it:
        await it.sees(2)
        assert it.told(ANN) == ["warning"]
    async with MailStandIn() as server:
        setting = config_with(mail(server.port, BEN, "cleo@example.com"))
        clock = HandClock()
        clock.move(minutes=5)
        async with bench(setting, tmp_path, clock) as desk:
            later = Mail(desk, server)
            await later.sees(2)
            assert (later.told(ANN), later.told(BEN), later.told("cleo@example.com")) == ([], [], ["warning"])
            await later.sees(5)
            assert (later.told(ANN), later.told(BEN), later.told("cleo@example.com")) == (
                [],
                ["resolved"],
                ["warning", "resolved"],
            )
