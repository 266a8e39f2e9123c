"""Mail: each recipient for themselves, an incident in one thread, and a copy that mail clients know as one."""

import signal
import time

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home
from tests.acceptance.post_office import ANN, BEN, PostOffice
from tests.acceptance.rule_file import MAIL, rule_file


def _rules(api: AgentPhone, office: PostOffice) -> str:
    return rule_file(api.url, channels=MAIL % office.port + '[defaults]\nnotify = ["mail"]\n')


def test_one_crossing_is_one_mail_a_recipient_and_an_incident_is_one_thread(
    home: Home, api: AgentPhone, office: PostOffice
) -> None:
    home.write(_rules(api, office))
    with home.run() as service:
        low = api.say(2)
        office.until_marks("warning")
        assert office.mails[0].at_s - api.first_shown_s(low) <= 2
        api.say(1)
        office.until_marks("warning", "escalated critical")
        api.say(5)
        office.until_marks("warning", "escalated critical", "resolved")
        api.until_given(2)
        assert service.end() == 0
    assert len(office.mails) == 6
    for person in (ANN, BEN):
        first, *later = office.to(person)
        assert first.subject == "[warning] main / numbers-remaining: 2 of 12 phone numbers left"
        assert (first.message["To"], first.message["From"]) == (person, "Quota Guard <guard@example.com>")
        assert {each.message["In-Reply-To"] for each in later} == {first.id}
        assert "2 of 12 phone numbers left" in first.text
        assert first.message.get_body(("html",)) is not None
    assert len({each.id for each in office.mails}) == 6


def test_a_mail_that_was_taken_right_before_kill_9_comes_again_under_the_same_id(
    home: Home, api: AgentPhone, office: PostOffice
) -> None:
    home.write(_rules(api, office))
    office.is_silent = True
    api.say(1)
    with home.run() as first:
        assert office.until(lambda: len(office.mails) == 1)
        first.end(signal.SIGKILL)
    office.is_silent = False
    with home.run() as second:
        office.until_marks("critical")
        assert office.until(lambda: office.copies == 1)
        api.until_answered(2)
        assert second.end() == 0
    assert len(office.mails) == 3


def test_who_is_greylisted_gets_the_mail_later_and_the_other_one_at_once(
    home: Home, api: AgentPhone, office: PostOffice
) -> None:
    home.write(_rules(api, office))
    office.refusals[ANN] += ["451 4.7.1 Greylisted, come back later"]
    with home.run() as service:
        low = api.say(1)
        office.until_marks("critical", to=(BEN,))
        assert office.to(BEN)[0].at_s - api.first_shown_s(low) <= 2
        assert office.to(ANN) == []
        (told,) = home.read("status")["channels"]
        (waiting,) = told["deliveries"]
        assert (waiting["recipient"], waiting["state"]) == (ANN, "pending")
        assert "451" in waiting["why"]
        office.until_marks("critical", within_s=90)
        assert 59 <= office.to(ANN)[0].at_s - api.first_shown_s(low) <= 66
        api.say(5)
        office.until_marks("critical", "resolved")
        assert service.end() == 0
    assert len(office.mails) == 4


def test_an_address_that_is_refused_for_good_stops_nobody_else(home: Home, api: AgentPhone, office: PostOffice) -> None:
    home.write(_rules(api, office))
    office.refusals[ANN] += ["550 5.1.1 no such user"] * 9
    with home.run() as service:
        api.say(1)
        office.until_marks("critical", to=(BEN,))
        service.log.until("delivery.dead")
        api.say(5)
        office.until_marks("critical", "resolved", to=(BEN,))
        assert office.to(ANN) == []
        assert service.end() == 0


def test_a_signal_ends_it_within_8_seconds_while_a_mail_hangs(home: Home, api: AgentPhone, office: PostOffice) -> None:
    home.write(_rules(api, office))
    office.is_silent = True
    with home.run() as service:
        api.say(1)
        assert office.until(lambda: len(office.mails) == 1)
        began_s = time.monotonic()
        assert service.end(within_s=10) == 0
        assert time.monotonic() - began_s <= 8
    office.is_silent = False
    with home.run() as service:
        office.until_marks("critical")
        assert office.until(lambda: office.copies == 1)
        assert service.end() == 0
    assert len(office.mails) == 3


def test_send_test_mails_each_recipient_and_says_who_got_it(home: Home, api: AgentPhone, office: PostOffice) -> None:
    home.write(_rules(api, office))
    done = home.call("send-test", "mail")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"mail ({each}) took the message." for each in (ANN, BEN)]
    office.until_marks("test")
    office.refusals[ANN] += ["550 5.1.1 no such user"]
    done = home.call("send-test", "mail")
    assert done.returncode == 70
    assert f"mail ({BEN}) took the message." in done.stdout
    assert f"mail ({ANN}) refused the message" in done.stderr
