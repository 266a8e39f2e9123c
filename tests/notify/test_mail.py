import asyncio
import re
import ssl
from datetime import timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise

import aiosmtplib
import pytest
from inline_snapshot import snapshot

from guard.config.things import Security
from guard.message import Message, compose
from guard.model import Level, Occasion
from guard.notify.mail import EmailNotifier, _Connection, _own_name
from guard.notify.notifier import Edit, Post, Rejected, Reply, Retry, Sent, Unsure
from tests.builders import NOW, knowledge
from tests.notify.examples import digest, message
from tests.stand_ins.mail import CERTIFICATE, EXPIRED, PASSWORD, USERNAME, MailStandIn, OddMailServer, Step, tls
from tests.test_message import resolved, told, utc

OPS = "ops@example.com"


def notifier(port: int, security: Security = Security.NONE, **changes: object) -> EmailNotifier:
    fields: dict[str, object] = {
        "host": "localhost",
        "port": port,
        "security": security,
        "username": "",
        "password": "",
        "sender": "Quota Guard <guard@example.com>",
        "now": lambda: NOW,
    }
    return EmailNotifier(**fields | changes)  # type: ignore[arg-type] # a builder's keywords are checked by what it builds


def sent(key: str) -> Sent:
    return Sent(f"<{key}@example.com> main / numbers-remaining: 1 of 12 phone numbers left")


def post(shown: Message | None = None, recipient: str = OPS) -> Post:
    return Post(shown or message(), recipient)


@pytest.fixture
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


# --- what arrives --------------------------------------------------------------------------------------------------


async def test_a_message_is_one_mail_to_one_recipient_with_an_id_made_from_the_key() -> None:
    async with MailStandIn() as server:
        assert await notifier(server.port).deliver(post(), key="k1") == sent("k1")
    (received,) = server.received
    assert (received.sender, received.recipients) == ("guard@example.com", (OPS,))
    assert [f"{name}: {value}" for name, value in received.mail.items() if name != "Content-Type"] == snapshot(
        [
            "Subject: [critical] main / numbers-remaining: 1 of 12 phone numbers left",
            "From: Quota Guard <guard@example.com>",
            "To: ops@example.com",
            "Date: Mon, 23 Nov 2026 14:05:00 +0000",
            "Message-ID: <k1@example.com>",
            "Thread-Topic: main / numbers-remaining: 1 of 12 phone numbers left",
            "List-Id: <quota-guard.example.com>",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: OOF, AutoReply",
            "X-Quota-Guard-State: critical",
            "X-Quota-Guard-Level: critical",
            "MIME-Version: 1.0",
        ]
    )
    assert parsedate_to_datetime(received.mail["Date"]) == NOW
    assert [part.get_content_type() for part in received.mail.walk()] == snapshot(
        ["multipart/alternative", "text/plain", "text/html"]
    )


async def test_an_incident_is_one_thread_that_begins_with_its_first_mail() -> None:
    story = [
        compose([told(level=Level.WARNING)], now=NOW, zone_of=utc),
        compose([told(Occasion.ESCALATED, notified=knowledge(Level.WARNING))], now=NOW, zone_of=utc),
        compose([resolved()], now=NOW, zone_of=utc),
    ]
    async with MailStandIn() as server:
        channel = notifier(server.port)
        first = await channel.deliver(post(story[0]), key="k0")
        assert isinstance(first, Sent)
        for number, shown in enumerate(story[1:], start=1):
            outcome = await channel.deliver(Reply(shown, first.receipt, OPS, is_loud=True), key=f"k{number}")
            assert outcome == Sent(first.receipt)
        await channel.close()
    root, *replies = [received.mail for received in server.received]
    assert (root["In-Reply-To"], root["References"]) == (None, None)
    assert [(mail["In-Reply-To"], mail["References"]) for mail in replies] == [(root["Message-ID"],) * 2] * 2
    assert {mail["Thread-Topic"] for mail in (root, *replies)} == {
        "main / numbers-remaining: 1 of 12 phone numbers left"
    }
    assert [received.mail["Subject"] for received in server.received] == snapshot(
        [
            "[warning] main / numbers-remaining: 1 of 12 phone numbers left",
            "[escalated critical] main / numbers-remaining: 1 of 12 phone numbers left",
            "[resolved] main / numbers-remaining: 1 of 12 phone numbers left",
        ]
    )
    assert "[resolved] main / numbers-remaining\n5 of 12 phone numbers left\n" in server.received[-1].text()


async def test_a_reply_to_a_receipt_without_a_topic_has_its_own() -> None:
    async with MailStandIn() as server:
        outcome = await notifier(server.port).deliver(Reply(message(), "<k0@example.com>", OPS), key="k1")
    assert outcome == Sent("<k0@example.com>")
    assert server.received[0].mail["In-Reply-To"] == "<k0@example.com>"
    assert server.received[0].mail["Subject"] == "[critical] main / numbers-remaining: 1 of 12 phone numbers left"


async def test_a_copy_has_the_same_id() -> None:
    async with MailStandIn() as server:
        for _ in range(2):
            await notifier(server.port).deliver(post(), key="k1")
    assert {received.mail["Message-ID"] for received in server.received} == {"<k1@example.com>"}


async def test_two_deliveries_at_once_do_not_disturb_each_other() -> None:
    async with MailStandIn() as server:
        channel = notifier(server.port)
        await asyncio.gather(channel.deliver(post(), key="k1"), channel.deliver(post(digest()), key="k2"))
    assert sorted(received.mail["Message-ID"] for received in server.received) == [
        "<k1@example.com>",
        "<k2@example.com>",
    ]


async def test_a_line_of_a_dot_arrives_as_it_is() -> None:
    async with MailStandIn() as server:
        await notifier(server.port).deliver(post(message(description=".\n..\n.hidden")), key="k1")
    assert "\n.\n..\n.hidden\n" in server.received[0].text()


async def test_the_mail_has_seven_bits_and_no_bare_line_ends() -> None:
    async with MailStandIn() as server:
        await notifier(server.port).deliver(post(message(summary="1 of 12 ☎ left"), "ops@example.com"), key="k1")
    raw = server.received[0].raw
    assert raw.isascii()
    assert all((before == 13) == (after == 10) for before, after in pairwise(raw))


# --- security and login --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_under_tls_it_logs_in_and_delivers(security: Security) -> None:
    offers = MailStandIn(starttls=security is Security.STARTTLS, implicit_tls=security is Security.TLS, login=True)
    async with offers as server:
        channel = notifier(server.port, security, username=USERNAME, password=PASSWORD)
        assert await channel.deliver(post(), key="k1") == sent("k1")
        assert await channel.deliver(post(), key="k2") == sent("k2")
    assert {(received.secure, received.user) for received in server.received} == {(True, USERNAME)}


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("security", Security)
async def test_a_login_that_is_refused_is_refused_for_good(security: Security) -> None:
    offers = MailStandIn(starttls=security is Security.STARTTLS, implicit_tls=security is Security.TLS, login=True)
    async with offers as server:
        outcome = await notifier(server.port, security, username=USERNAME, password="wrong").deliver(post(), key="k1")
    assert outcome == Rejected("the mail server refused the login: 535 5.7.8 Authentication credentials invalid")
    assert server.received == []


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_nobody_vouches_for_is_tried_again_and_gets_nothing(security: Security) -> None:
    offers = MailStandIn(starttls=security is Security.STARTTLS, implicit_tls=security is Security.TLS)
    async with offers as server:
        outcome = await notifier(server.port, security).deliver(post(), key="k1")
    assert outcome == Retry("the mail server's certificate is not trusted: self-signed certificate")
    assert server.received == []


async def test_what_is_trusted_is_looked_up_again_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async with MailStandIn(implicit_tls=True) as server:
        channel = notifier(server.port, Security.TLS)
        assert isinstance(await channel.deliver(post(), key="k1"), Retry)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert await channel.deliver(post(), key="k1") == sent("k1")


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_for_another_name_is_not_taken(security: Security) -> None:
    offers = MailStandIn(starttls=security is Security.STARTTLS, implicit_tls=security is Security.TLS)
    async with offers as server:
        outcome = await notifier(server.port, security, host="127.0.0.1").deliver(post(), key="k1")
    assert outcome == Retry(
        "the mail server's certificate is not trusted: IP address mismatch, certificate is not valid for '127.0.0.1'."
    )


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_has_expired_is_not_taken(security: Security, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(EXPIRED))
    offers = MailStandIn(
        starttls=security is Security.STARTTLS, implicit_tls=security is Security.TLS, certificate=EXPIRED
    )
    async with offers as server:
        outcome = await notifier(server.port, security).deliver(post(), key="k1")
    assert outcome == Retry("the mail server's certificate is not trusted: certificate has expired")
    assert server.received == []


async def test_without_starttls_nothing_is_sent() -> None:
    async with OddMailServer() as server:
        channel = notifier(server.port, Security.STARTTLS, username=USERNAME, password=PASSWORD)
        assert await channel.deliver(post(), key="k1") == Retry(
            "the mail server does not offer STARTTLS; without it nothing is sent"
        )
    assert [line.split()[0] for line in server.lines] == [b"EHLO", b"QUIT"]


@pytest.mark.usefixtures("_trusted")
async def test_what_was_said_before_the_encryption_began_is_not_believed_afterwards() -> None:
    async def say_too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.steps["EHLO"] = b"250 odd.test\r\n"
        writer.write(b"220 go ahead\r\n250-odd.test\r\n250 AUTH PLAIN\r\n")
        await writer.drain()
        await writer.start_tls(tls())

    steps: dict[str, Step] = {"EHLO": b"250-odd.test\r\n250 STARTTLS\r\n", "STARTTLS": say_too_much}
    async with OddMailServer(steps) as server:
        channel = notifier(server.port, Security.STARTTLS, username=USERNAME, password=PASSWORD)
        outcome = await channel.deliver(post(), key="k1")
    assert outcome == Rejected("the mail server offers no login that is known here (PLAIN, LOGIN, CRAM-MD5)")
    assert [line.split()[0] for line in server.lines] == [b"EHLO", b"STARTTLS", b"EHLO", b"QUIT"]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_what_is_no_tls_is_called_so(security: Security) -> None:
    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 go ahead\r\n")
        await reader.read(1)
        writer.write(b"500 what?\r\n")
        await reader.read()

    async with OddMailServer({"EHLO": b"250-odd.test\r\n250 STARTTLS\r\n", "STARTTLS": pretend}) as server:
        outcome = await notifier(server.port, security).deliver(post(), key="k1")
    assert outcome == Retry("TLS failed; security or port may be another one")


@pytest.mark.parametrize(
    ("offered", "line"),
    [
        (b"PLAIN LOGIN CRAM-MD5", b"AUTH PLAIN AGd1YXJkAHBhc3MgcGhyYXNlIDdmM1E=\r\n"),
        (b"CRAM-MD5 LOGIN", b"AUTH LOGIN Z3VhcmQ=\r\n"),
        (b"CRAM-MD5 GSSAPI", b"AUTH CRAM-MD5\r\n"),
    ],
)
async def test_one_way_of_logging_in_is_tried_and_no_other_after_it(offered: bytes, line: bytes) -> None:
    steps = {"EHLO": b"250-odd.test\r\n250 AUTH " + offered + b"\r\n", "AUTH": b"535 no\r\n"}
    async with OddMailServer(steps) as server:
        outcome = await notifier(server.port, username=USERNAME, password=PASSWORD).deliver(post(), key="k1")
    assert outcome == Rejected("the mail server refused the login: 535 no")
    assert [sent for sent in server.lines if sent.startswith(b"AUTH")] == [line]


@pytest.mark.usefixtures("_trusted")
async def test_it_logs_in_by_login_where_that_is_what_there_is() -> None:
    async with MailStandIn(starttls=True, login=True, withheld=("PLAIN",)) as server:
        channel = notifier(server.port, Security.STARTTLS, username=USERNAME, password=PASSWORD)
        assert await channel.deliver(post(), key="k1") == sent("k1")
    assert [received.user for received in server.received] == [USERNAME]


@pytest.mark.parametrize("offered", [b"250 AUTH GSSAPI\r\n", b"250 8BITMIME\r\n"])
async def test_a_server_that_offers_no_known_login_is_given_up(offered: bytes) -> None:
    async with OddMailServer({"EHLO": b"250-odd.test\r\n" + offered}) as server:
        outcome = await notifier(server.port, username=USERNAME, password=PASSWORD).deliver(post(), key="k1")
    assert outcome == Rejected("the mail server offers no login that is known here (PLAIN, LOGIN, CRAM-MD5)")


# --- refusals ------------------------------------------------------------------------------------------------------


async def test_a_greylisted_recipient_is_tried_again_after_a_minute_and_then_taken() -> None:
    async with MailStandIn(refusals={OPS: ["450 4.2.0 Greylisted, come back later"]}) as server:
        channel = notifier(server.port)
        assert await channel.deliver(post(), key="k1") == Retry(
            "the mail server put off the recipient: 450 4.2.0 Greylisted, come back later", timedelta(minutes=1)
        )
        assert await channel.deliver(post(), key="k1") == sent("k1")
    assert len(server.received) == 1


async def test_one_recipient_is_refused_while_another_is_taken() -> None:
    async with MailStandIn(refusals={"gone@example.com": ["550 5.1.1 No such user"]}) as server:
        channel = notifier(server.port)
        assert await channel.deliver(post(recipient="gone@example.com"), key="k1") == Rejected(
            "the mail server refused the recipient: 550 5.1.1 No such user"
        )
        assert await channel.deliver(post(), key="k2") == sent("k2")
    assert [received.recipients for received in server.received] == [(OPS,)]


async def test_a_mail_that_is_refused_for_what_it_holds_is_sent_once_more_short_and_plain() -> None:
    async with MailStandIn(rejections=["554 5.7.1 looks like spam"]) as server:
        assert await notifier(server.port).deliver(post(), key="k1") == sent("k1")
    whole, brief = server.received
    assert brief.mail["Message-ID"] == whole.mail["Message-ID"] == "<k1@example.com>"
    assert (brief.mail["Subject"], brief.mail.get_content_type()) == (whole.mail["Subject"], "text/plain")
    assert brief.text() == snapshot("""\
[critical] main / numbers-remaining
1 of 12 phone numbers left

Runbook: https://example.com/numbers
""")


async def test_a_mail_that_is_refused_both_ways_is_given_up() -> None:
    async with MailStandIn(rejections=["554 5.7.1 no", "554 5.7.1 and no again"]) as server:
        assert await notifier(server.port).deliver(post(), key="k1") == Rejected(
            "the mail server refused the message: 554 5.7.1 and no again"
        )


@pytest.mark.parametrize("second", [b"503 5.5.1 no more\r\n", b"421 4.7.0 enough\r\n"])
async def test_what_was_refused_stays_so_where_the_server_wants_no_second(second: bytes) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.steps["MAIL"] = second
        writer.write(b"552 5.3.4 too large\r\n")

    async with OddMailServer({".": refuse}) as server:
        outcome = await notifier(server.port).deliver(post(), key="k1")
    assert outcome == Rejected("the mail server refused the message: 552 5.3.4 too large")


async def test_a_fault_after_the_short_one_went_out_is_left_open() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.steps["."] = b"hm\r\n"
        writer.write(b"554 no\r\n")

    async with OddMailServer({".": refuse}) as server:
        assert isinstance(await notifier(server.port).deliver(post(), key="k1"), Unsure)


@pytest.mark.parametrize(("limit", "kind"), [(1_500, "text/plain"), (100_000, "multipart/alternative")])
async def test_a_server_is_not_shown_what_is_larger_than_it_takes(limit: int, kind: str) -> None:
    async with MailStandIn(size_limit=limit) as server:
        shown = message(description="long " * 900)
        assert await notifier(server.port).deliver(post(shown), key="k1") == sent("k1")
    assert [received.mail.get_content_type() for received in server.received] == [kind]


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE many", b"SIZE " + b"9" * 9])
async def test_a_limit_of_nothing_is_none(size: bytes) -> None:
    async with OddMailServer({"EHLO": b"250-odd.test\r\n250 " + size + b"\r\n"}) as server:
        assert await notifier(server.port).deliver(post(), key="k1") == sent("k1")
    assert b"text/html" in server.lines[-2]


@pytest.mark.parametrize(
    ("recipient", "sender"),
    [
        ("", "guard@example.com"),
        ("nobody", "guard@example.com"),
        (OPS, "guard"),
        ("ops@exämple.com", "guard@example.com"),
        ("bø@example.com", "guard@example.com"),
        ("a@b> RCPT TO:<c@d", "guard@example.com"),
        ("a@b.example\r\nDATA", "guard@b\udc80"),
    ],
)
async def test_what_is_no_address_is_rejected_without_asking_anyone(recipient: str, sender: str) -> None:
    outcome = await notifier(1, sender=sender).deliver(post(recipient=recipient), key="k1")
    assert isinstance(outcome, Rejected)
    assert re.search(r"' (is no mail address|holds letters|holds more than one)", outcome.why)
    assert outcome.why.isprintable()


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "127.0.0.1", "port": 99_999},
        {"host": "x" * 70 + ".example"},
        {"host": "a\nb"},
        {"host": "a\x00b"},
    ],
    ids=str,
)
async def test_a_place_that_is_none_is_rejected(changes: dict[str, object]) -> None:
    outcome = await notifier(**{"port": 1} | changes).deliver(post(), key="k1")  # type: ignore[arg-type] # as there
    assert isinstance(outcome, Rejected)


async def test_nobody_at_home_is_tried_again() -> None:
    async with OddMailServer() as gone:
        pass
    outcome = await notifier(gone.port, host="127.0.0.1").deliver(post(), key="k1")
    assert outcome == Retry("connection refused")


async def test_a_host_that_nobody_knows_is_tried_again() -> None:
    outcome = await notifier(25, host="mail.invalid").deliver(post(), key="k1")
    assert outcome == Retry("the mail server's name could not be resolved")


async def test_a_mail_cannot_be_changed_or_found() -> None:
    channel = notifier(1)
    assert isinstance(await channel.deliver(Edit(message(), "<k1@example.com>"), key="k1"), Rejected)
    assert await channel.find(key="k1", thread="", attempted_at=NOW) is None
    assert (channel.threads, channel.edits, channel.finds) == (True, False, False)


# --- no answer -----------------------------------------------------------------------------------------------------


async def test_a_mail_that_was_taken_without_an_answer_is_left_open() -> None:
    async with MailStandIn(is_mute=True) as server:
        outcome = await notifier(server.port).deliver(post(), key="k1")
    assert outcome == Unsure("the mail may have been taken: the mail server closed the connection")
    assert len(server.received) == 1


async def test_a_delivery_that_is_cancelled_says_so_and_closes_its_connection() -> None:
    reached = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await reader.read()

    async with OddMailServer({"RCPT": wait}) as server:
        delivery = asyncio.create_task(notifier(server.port).deliver(post(), key="k1"))
        await reached.wait()
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        await server.closed()


# --- who we are ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "said"),
    [("mx.example.com", "mx.example.com"), ("3f2a9c", "[127.0.0.1]"), ("it's.mine", "[127.0.0.1]")],
)
def test_we_call_ourselves_by_a_full_name_or_by_an_address(
    host: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert _own_name() == said


async def test_nothing_is_handed_over_where_nobody_is_connected() -> None:
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await _Connection(hostname="localhost", port=1).hand_over(b"")


async def test_plain_delivery_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "create_default_context", None)
    async with MailStandIn() as server:
        assert isinstance(await notifier(server.port).deliver(post(), key="k1"), Sent)
