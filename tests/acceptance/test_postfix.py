"""Mail through a real Postfix: it takes what the service sends, and delivers it as it was meant."""

import re

from guard.config.things import Security
from guard.notify.mail import EmailNotifier
from guard.notify.mail_mime import Envelope, mail, mailbox
from guard.notify.notifier import Post, Sent
from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home
from tests.acceptance.post_office import ANN, BEN, Mail
from tests.acceptance.postfix import authority, greylist, postfix
from tests.acceptance.rule_file import MAIL, rule_file
from tests.builders import NOW
from tests.notify.examples import NASTY, digest, message

RULE = """
[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"
summary = "noch {numbers.remaining} von {numbers.limit} Nummern übrig ☎"
description = '''
.
From the dashboard: größer bestellen.
'''
labels = { team = "Straße" }
"""
SENDER = '"Wächter, Königs Wusterhausen" <guard@example.com>'
STARTS = ".\n..\n.hidden\nFrom nobody\n\n>From nobody\nlast"


def _rules(api: AgentPhone, port: int, *, security: str = "none", to: str = f'"{ANN}", "{BEN}"') -> str:
    channel = MAIL % port
    channel = channel.replace('"none"', f'"{security}"').replace('"Quota Guard <guard@example.com>"', f"'{SENDER}'")
    channel = channel.replace(f'"{ANN}", "{BEN}"', to)
    return rule_file(api.url, RULE, channels=channel + '[defaults]\nnotify = ["mail"]\n')


def _body(mail: Mail, subtype: str) -> str:
    part = mail.message.get_body((subtype,))
    assert part is not None
    assert part.defects == mail.message.defects == []
    return str(part.get_content())


def _unbounded(raw: bytes) -> bytes:
    """The mail with one and the same boundary between its parts, which is else a number at random."""
    return re.sub(rb"={15}[0-9]+==", b"boundary", raw)


def test_an_incident_is_one_thread_with_every_letter_in_place(home: Home, api: AgentPhone) -> None:
    with postfix() as office:
        home.write(_rules(api, office.port))
        with home.run() as service:
            api.say(2)
            office.until_marks(BEN, "warning")
            api.say(1)
            office.until_marks(BEN, "warning", "escalated critical")
            api.say(5)
            mails = {each: office.until_marks(each, "warning", "escalated critical", "resolved") for each in (ANN, BEN)}
            assert service.end() == 0
    topic = "main / numbers-remaining: noch 2 von 12 Nummern übrig ☎"
    for person, (first, *later) in mails.items():
        assert [each.subject for each in (first, *later)] == [
            f"[{state}] {topic}" for state in ("warning", "escalated critical", "resolved")
        ]
        assert (first.message["In-Reply-To"], first.message["References"]) == (None, None)
        assert {each.message[name] for each in later for name in ("In-Reply-To", "References")} == {first.id}
        for each, left in zip((first, *later), (2, 1, 5), strict=True):
            (sender,) = each.message["From"].addresses
            assert (sender.display_name, sender.addr_spec) == ("Wächter, Königs Wusterhausen", "guard@example.com")
            assert each.message["To"] == each.message["Delivered-To"] == person
            assert each.message["List-Id"] == "<quota-guard.example.com>"
            assert each.message["Auto-Submitted"] == "auto-generated"
            assert each.message["Thread-Topic"] == topic
            assert each.message["X-Quota-Guard-Alert"] == "main/numbers-remaining"
            for subtype in ("plain", "html"):
                text = _body(each, subtype)
                assert f"noch {left} von 12 Nummern übrig ☎" in text
                assert "team=Straße" in text
                assert "\nFrom the dashboard: größer bestellen." in text
    assert len({each.id for found in mails.values() for each in found}) == 6


async def test_every_byte_arrives() -> None:
    everything = [message(description=STARTS), digest(20, more=7), *(message(summary=name) for name in NASTY)]
    with postfix() as office:
        channel = EmailNotifier(
            host="localhost",
            port=office.port,
            security=Security.NONE,
            username="",
            password="",
            sender=SENDER,
            now=lambda: NOW,
        )
        for number, shown in enumerate(everything):
            assert isinstance(await channel.deliver(Post(shown, ANN), key=f"k{number}"), Sent)
        assert office.until(lambda: len(office.to(ANN)) == len(everything)), office.log
        arrived = {each.id: each.raw for each in office.to(ANN)}
    for number, shown in enumerate(everything):
        envelope = Envelope(mailbox(SENDER), mailbox(ANN), f"k{number}")
        _, begin, rest = arrived[envelope.message_id].partition(b"Subject: ")
        made = mail(shown, envelope, at=NOW).replace(b"\r\n", b"\n")  # as files have it
        assert _unbounded(begin + rest) == _unbounded(made)


def test_who_is_greylisted_gets_the_mail_a_minute_later(home: Home, api: AgentPhone) -> None:
    with greylist() as restriction, postfix(restrictions=restriction) as office:
        home.write(_rules(api, office.port, to=f'"{ANN}"'))
        with home.run() as service:
            api.say(1)
            service.log.until("Greylisted, come back later")
            (told,) = home.read("status")["channels"]
            (waiting,) = told["deliveries"]
            assert waiting["state"] == "pending"
            assert waiting["why"].startswith("the mail server put off the recipient: 450 4.7.1 ")
            assert office.to(ANN) == []
            office.until_marks(ANN, "critical", within_s=90)
            assert service.end() == 0
        assert office.log.count("Greylisted") == 1


def test_an_address_that_it_does_not_know_stops_nobody_else(home: Home, api: AgentPhone) -> None:
    with postfix() as office:
        home.write(_rules(api, office.port, to=f'"gone@example.com", "{BEN}"'))
        with home.run() as service:
            api.say(1)
            assert "550 5.1.1 <gone@example.com>" in service.log.until("delivery.dead")
            office.until_marks(BEN, "critical")
            assert service.end() == 0


def test_under_starttls_it_goes_to_whom_our_own_authority_vouches_for_alone(home: Home, api: AgentPhone) -> None:
    with authority() as (certificate, settings), postfix(settings=settings) as office:
        home.write(_rules(api, office.port, security="starttls", to=f'"{ANN}"'))
        api.say(1)
        with home.run() as service:
            assert "certificate is not trusted" in service.log.until("delivery.retry")
            assert service.end() == 0
        assert office.to(ANN) == []
        with home.run(SSL_CERT_FILE=str(certificate)) as service:
            (arrived,) = office.until_marks(ANN, "critical")
            assert service.end() == 0
    assert "with ESMTPS id" in arrived.message["Received"]


def test_where_mails_must_be_small_a_short_one_arrives(home: Home, api: AgentPhone) -> None:
    with postfix(settings="message_size_limit = 2000\n") as office:
        home.write(_rules(api, office.port, to=f'"{ANN}"'))
        with home.run() as service:
            api.say(1)
            (arrived,) = office.until_marks(ANN, "critical")
            assert service.end() == 0
    assert arrived.message.get_content_type() == "text/plain"
    assert "noch 1 von 12 Nummern übrig ☎" in _body(arrived, "plain")
