import re
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

import pytest
from aiosmtplib.email import quote_address
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from guard.message import Fact, Message, compose, one_line, shortened, trial
from guard.model import Level, Occasion
from guard.notify.mail_html import html
from guard.notify.mail_mime import Envelope, Mailbox, brief_mail, mail, mailbox
from guard.notify.mail_text import plain_text
from guard.notify.mail_thread import Thread, topic
from tests.builders import NOW, knowledge, reading
from tests.notify.examples import NAMES, NASTY, PATIENT, digest, message, messages
from tests.test_message import firing, resolved, told, utc

FROM, TO = Mailbox("guard@example.com"), Mailbox("ops@example.com")
RESOLVED = compose([resolved()], now=NOW, zone_of=utc)
DIGEST = replace(compose([told(), told(level=Level.WARNING), resolved()], now=NOW, zone_of=utc), more=2)
ESCALATED = compose([told(Occasion.ESCALATED, notified=knowledge(Level.WARNING))], now=NOW, zone_of=utc)
FIRED = compose(
    [
        told(
            alert=firing(
                reading=reading(
                    description="Release some\nin the dashboard.", runbook="https://example.com/numbers?a=1&b=2"
                )
            )
        )
    ],
    now=NOW,
    zone_of=utc,
)


class Page(HTMLParser):
    """What a page shows, a line for each block, and what it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        lines = (re.sub(r"[ \t]+", " ", line).strip() for line in self.shown.split("\n"))
        self.shown = "\n".join(filter(None, lines))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in {"p", "h1", "tr", "li", "body"}:
            self.shown += "\n"
        if tag == "body":
            self.shown = ""
        if tag == "td":
            self.shown += " | "

    def handle_data(self, data: str) -> None:
        self.shown += data


def made(shown: Message | None = None, *, receipt: str = "", key: str = "k1", sender: Mailbox = FROM) -> bytes:
    thread = Thread.of(receipt) if receipt else None
    return mail(shown or message(), Envelope(sender, TO, key, thread), at=NOW)


def read(raw: bytes) -> EmailMessage:
    parsed = message_from_bytes(raw, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def part(raw: bytes, subtype: str) -> str:
    (found,) = [each for each in read(raw).walk() if each.get_content_type() == f"text/{subtype}"]
    text: str = found.get_content()
    return text.replace("\r\n", "\n")


# --- what people read ----------------------------------------------------------------------------------------------


def test_a_firing_as_text() -> None:
    assert plain_text(FIRED) == snapshot("""\
[critical] main / numbers-remaining
1 of 12 phone numbers left

Account: main
Value: 1, critical below 2, warning below 3
Since: 2026-11-23 14:05 UTC
Data: 0 s old

Release some
in the dashboard.

Runbook: https://example.com/numbers?a=1&b=2
""")


def test_an_escalation_as_text() -> None:
    assert plain_text(ESCALATED) == snapshot("""\
[escalated critical] main / numbers-remaining
1 of 12 phone numbers left

Account: main
Value: 1, critical below 2, warning below 3
Before: warning
Since: 2026-11-23 14:05 UTC
Data: 0 s old
""")


def test_a_resolved_one_as_text() -> None:
    assert plain_text(RESOLVED) == snapshot("""\
[resolved] main / numbers-remaining
5 of 12 phone numbers left

Account: main
Value: 5, critical below 2, warning below 3
Peak: 1 (critical)
Lasted: 15 min
Why: recovered
Fired: 2026-11-23 14:05 UTC
Resolved: 2026-11-23 14:20 UTC
Data: 0 s old
""")


def test_a_digest_as_text() -> None:
    assert plain_text(DIGEST) == snapshot("""\
[digest critical] main
3 alerts, 1 of them resolved

- [critical] main / numbers-remaining: 1 of 12 phone numbers left
- [warning] main / numbers-remaining: 1 of 12 phone numbers left
- [resolved] main / numbers-remaining: 5 of 12 phone numbers left
and 2 more
""")


def test_a_trial_as_text() -> None:
    assert plain_text(trial("mail", now=NOW)) == snapshot("""\
[test] mail
this channel works; all is well and nothing needs doing

Sent: 2026-11-23 14:05 UTC
""")


def test_a_firing_as_a_page() -> None:
    assert Page(html(FIRED)).shown == snapshot("""\
[critical] main / numbers-remaining
1 of 12 phone numbers left
Account | main
Value | 1, critical below 2, warning below 3
Since | 2026-11-23 14:05 UTC
Data | 0 s old
Release some
in the dashboard.
Runbook: https://example.com/numbers?a=1&b=2\
""")


def test_an_escalation_as_a_page() -> None:
    assert Page(html(ESCALATED)).shown == snapshot("""\
[escalated critical] main / numbers-remaining
1 of 12 phone numbers left
Account | main
Value | 1, critical below 2, warning below 3
Before | warning
Since | 2026-11-23 14:05 UTC
Data | 0 s old\
""")


def test_a_resolved_one_as_a_page() -> None:
    assert Page(html(RESOLVED)).shown == snapshot("""\
[resolved] main / numbers-remaining
5 of 12 phone numbers left
Account | main
Value | 5, critical below 2, warning below 3
Peak | 1 (critical)
Lasted | 15 min
Why | recovered
Fired | 2026-11-23 14:05 UTC
Resolved | 2026-11-23 14:20 UTC
Data | 0 s old\
""")


def test_a_digest_as_a_page() -> None:
    assert Page(html(DIGEST)).shown == snapshot("""\
[digest critical] main
3 alerts, 1 of them resolved
[critical] main / numbers-remaining: 1 of 12 phone numbers left
[warning] main / numbers-remaining: 1 of 12 phone numbers left
[resolved] main / numbers-remaining: 5 of 12 phone numbers left
and 2 more\
""")


@pytest.mark.parametrize(
    ("shown", "colour"),
    [
        (message(), "#b42318"),
        (message(level=Level.WARNING), "#b54708"),
        (message(level=Level.INFO), "#175cd3"),
        (message(level=None), "#475467"),
        (message(ended=True), "#067647"),
    ],
    ids=["critical", "warning", "info", "test", "resolved"],
)
def test_the_page_shows_the_level_s_colour(shown: Message, colour: str) -> None:
    assert f"border-left:4px solid {colour}" in html(shown)


@pytest.mark.parametrize(
    ("runbook", "target"),
    [
        ("https://example.com/a?b=1&c='2'", "https://example.com/a?b=1&c='2'"),
        ("http://wiki/numbers", "http://wiki/numbers"),
        ("javascript:alert(1)", None),
        ("see the <wiki>", None),
        ('https://example.com/"onclick="x', 'https://example.com/"onclick="x'),
    ],
)
def test_a_runbook_is_a_link_if_it_can_be_one(runbook: str, target: str | None) -> None:
    page = Page(html(message(runbook=runbook)))
    assert [attributes for tag, attributes in page.tags if tag == "a"] == (
        [{"href": target, "class": "info-text", "style": "color:#175cd3"}] if target else []
    )
    assert page.shown.endswith(f"\nRunbook: {runbook}")


@pytest.mark.parametrize("name", [*NASTY, "<script>alert(1)</script>", "<img src=//evil.example/x>", "' onload='x"])
def test_any_name_is_text_wherever_it_stands(name: str) -> None:
    lines = digest(1, text=name).lines
    facts = (Fact(name, name), Fact(name, name, NOW))
    everywhere = message(mark=name, title=name, summary=name, facts=facts, lines=lines, description=name, runbook=name)
    plain = message(facts=facts, lines=lines, description="plain", runbook="plain")
    tags = [tag for tag, _ in Page(html(plain)).tags]
    raw = made(everywhere)
    assert [tag for tag, _ in Page(part(raw, "html")).tags] == tags if one_line(name) else True
    assert not set(part(raw, "html") + part(raw, "plain")) & set("\x1b\x9b\x85\u2028\u202e\ud800")


def test_a_drawing_is_narrow_enough_for_a_phone_and_nothing_else_is() -> None:
    facts = (Fact("Last 24 h", "····▄▄▅▅▆▇▇█▁▂▂▃▄▄▅▅▆▇▇█"), Fact("Value", "1"))
    cells = [attributes["style"] for tag, attributes in Page(html(message(facts=facts))).tags if tag == "td"]
    assert ["monospace" in (style or "") for style in cells] == [True, False]


def test_the_page_loads_nothing() -> None:
    page = Page(html(FIRED))
    assert not {tag for tag, _ in page.tags} & {"img", "link", "script", "iframe", "form"}
    assert not re.search(r"url\(|@import|src=", html(FIRED))


# --- headers -------------------------------------------------------------------------------------------------------


def test_the_subject_stays_behind_its_name_and_folds_later() -> None:
    head, _, _ = made(message(summary="one word after the other " * 9)).partition(b"\r\nFrom: ")
    assert head.decode().splitlines() == snapshot(
        [
            "Subject: =?utf-8?q?=5Bcritical=5D_main_/_numbers-remaining=3A_one_word_af?=",
            " =?utf-8?q?ter_the_other_one_word_after_the_other_one_word_after_the_othe?=",
            " =?utf-8?q?r_one_word_after_the=E2=80=A6?=",
        ]
    )


def test_a_subject_with_other_letters_is_encoded_in_short_words() -> None:
    head, _, _ = made(message(summary="1 von 12 Nummern übrig ☎" * 9)).partition(b"\r\nFrom: ")
    assert all(len(line) <= 76 for line in head.split(b"\r\n"))
    assert read(made(message(summary="übrig")))["Subject"] == "[critical] main / numbers-remaining: übrig"


@PATIENT
@given(messages())
@example(message(summary="=?utf-8?q?=0D=0ABcc:_x@example.com?="))
@example(message(summary="x" * 200))
@example(message(title="0 ", summary="x" * 200))
def test_whatever_a_message_holds_its_subject_is_read_as_it_was_meant(any_message: Message) -> None:
    subject = read(made(any_message))["Subject"]
    about = shortened(f"{one_line(any_message.title)}: {one_line(any_message.summary)}", at_most=120)
    meant = f"[{one_line(any_message.mark)}] {about}"
    # White space at a fold may come back as another one.
    assert "".join(subject.split()) == "".join(meant.split())


@PATIENT
@given(messages(), NAMES)
def test_whatever_a_message_holds_the_mail_is_well_formed(any_message: Message, receipt: str) -> None:
    raw = made(any_message, receipt=receipt)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998 or len(receipt) > 900
    parsed = read(raw)
    known = {"Subject", "From", "To", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "List-Id"}
    more = {"Thread-Topic", "X-Auto-Response-Suppress", "X-Quota-Guard-State", "X-Quota-Guard-Level"}
    assert set(parsed) <= known | more | {"Content-Type", "MIME-Version"}
    assert [each.get_content_type() for each in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert not any(each.defects for each in parsed.walk())
    assert part(raw, "plain").startswith(f"[{any_message.mark}] ")


@pytest.mark.parametrize(
    ("shown", "labels"),
    [
        (FIRED, {"State": "critical", "Level": "critical", "Alert": "main/numbers-remaining"}),
        (ESCALATED, {"State": "escalated critical", "Level": "critical", "Alert": "main/numbers-remaining"}),
        (RESOLVED, {"State": "resolved", "Level": "critical", "Alert": "main/numbers-remaining"}),
        (DIGEST, {"State": "digest critical", "Level": "critical"}),
        (trial("mail", now=NOW), {"State": "test"}),
    ],
    ids=["fired", "escalated", "resolved", "digest", "trial"],
)
def test_headers_of_our_own_tell_what_to_filter_by(shown: Message, labels: dict[str, str]) -> None:
    start = "X-Quota-Guard-"
    found = {name.removeprefix(start): value for name, value in read(made(shown)).items() if name.startswith(start)}
    assert found == labels


@pytest.mark.parametrize("state", ["[warning]", "[escalated critical]", "[resolved]"])
def test_all_subjects_of_a_thread_are_one_but_for_the_state(state: str) -> None:
    long = message(summary="word " * 90)
    receipt = Thread("<k0@example.com>", topic(long)).receipt
    raw = made(message(mark=state.strip("[]"), summary="another one"), receipt=receipt)
    assert read(raw)["Subject"] == f"{state} {topic(long)}"
    assert len(topic(long)) == 120


@given(st.text(max_size=30) | NAMES)
def test_whatever_is_kept_of_a_thread_is_read_again_as_it_was(text: str) -> None:
    thread = Thread.of(text)
    assert Thread.of(thread.receipt) == thread
    assert Thread.of(Thread("<k@a.b>", topic(message(summary=text))).receipt).root == "<k@a.b>"


def test_the_short_mail_says_what_happened_and_where_to_look() -> None:
    parsed = read(brief_mail(FIRED, Envelope(FROM, TO, "k1"), at=NOW))
    assert parsed["Subject"] == read(made(FIRED))["Subject"]
    assert (parsed.get_content_type(), parsed.get_content().replace("\r\n", "\n")) == snapshot(
        (
            "text/plain",
            """\
[critical] main / numbers-remaining
1 of 12 phone numbers left

Runbook: https://example.com/numbers?a=1&b=2
""",
        )
    )


def test_a_long_id_of_a_thread_stays_whole() -> None:
    root = f"<{'0123456789abcdef' * 4}@{'x' * 60}.example.com>"
    raw = made(receipt=f"{root} main / spend: much")
    assert f"\r\nIn-Reply-To: {root}\r\nReferences: {root}\r\n".encode() in raw


@pytest.mark.parametrize(
    ("key", "message_id"),
    [
        ("0123456789abcdef", "<0123456789abcdef@example.com>"),
        (
            "guard.store_failing:critical:2026-11-23T14:05:00+00:00",
            "<guard-store-failing-critical-2026-11-23T14-05-00+00-00@example.com>",
        ),
        ("<a@b>\r\nBcc: x", "<-a-b-Bcc-x@example.com>"),
    ],
)
def test_any_key_makes_a_good_id(key: str, message_id: str) -> None:
    assert Envelope(FROM, TO, key).message_id == message_id
    assert read(made(key=key))["Message-ID"] == message_id


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("guard@example.com", Mailbox("guard@example.com")),
        ("root@localhost", Mailbox("root@localhost")),
        ("Quota Guard <guard@example.com>", Mailbox("guard@example.com", "Quota Guard")),
        ('"Guard, Quota" <a.b+c@mail.example.com>', Mailbox("a.b+c@mail.example.com", "Guard, Quota")),
        ("=?utf-8?q?a=0Ab?= <guard@example.com>", Mailbox("guard@example.com", "=?utf-8?q?a=0Ab?=")),
        ("Wächter\u202e <guard@example.com>", Mailbox("guard@example.com", "Wächter")),
    ],
)
def test_an_address_is_read_with_its_name(text: str, read_as: Mailbox) -> None:
    assert mailbox(text) == read_as
    raw = made(sender=mailbox(text))
    (sender,) = read(raw)["From"].addresses
    assert (sender.addr_spec, sender.display_name) == (read_as.address, read_as.name)


@pytest.mark.parametrize("name", ["W" * 100, "ä" * 100, "☎ " * 49 + "☎", "many words " * 9])
def test_a_long_name_of_the_sender_is_folded_and_read_as_it_was(name: str) -> None:
    raw = made(sender=Mailbox("guard@example.com", name.strip()))
    head, _, _ = raw.partition(b"\r\nTo: ")
    assert all(len(line) <= 76 for line in head.split(b"\r\n") if b"=?" in line)
    (sender,) = read(raw)["From"].addresses
    # The standard library takes the end of a line between two encoded words for a blank.
    assert ("".join(sender.display_name.split()), sender.addr_spec) == ("".join(name.split()), "guard@example.com")


@pytest.mark.parametrize(
    "text",
    [
        *("", "<>", "guard", "@example.com", "guard@", "a b@example.com", "a@b@c", "a@.example", "a@b.example."),
        *("a@exämple.com", "ä@b.example", "a@b.example>", "a@b.example, c@d.example", "a@b.example x"),
        *("a@b> RCPT TO:<c@d", "x" * 300, "x" * 65 + "@b.example", "a@" + "b" * 300),
    ],
)
def test_what_is_no_address_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' (is no|is more than|is too long|holds)"):
        mailbox(text)


@PATIENT
@given(st.text(max_size=30) | NAMES | st.from_regex(r"[!-~]{1,9}@[a-z]{1,3}\.[a-z]{2}", fullmatch=True))
def test_whatever_is_read_as_an_address_stands_in_a_command_as_it_is(text: str) -> None:
    with suppress(ValueError):
        address = mailbox(text).address
        assert quote_address(address) == f"<{address}>"
