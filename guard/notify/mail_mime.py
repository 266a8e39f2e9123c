"""A message as a mail: headers, plain text and HTML, as the bytes that an SMTP server takes; pure.

The header lines are written here and not by `EmailMessage`, which decodes what looks encoded in a name of somebody
else's choice, folds a subject behind its colon, and turns a long id in References into gibberish.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Final

from guard.config.mailbox import mailbox_fault, split_sender
from guard.message import Fact, Line, Message, one_line, shortened
from guard.notify.mail_html import html
from guard.notify.mail_text import plain_text
from guard.notify.mail_thread import Thread, topic

_POLICY: Final = SMTP.clone(cte_type="7bit")  # seven bits pass every server
_LINE: Final = 75  # of a header; with the blank before what goes on there are 76, RFC 2047's limit
_LABEL: Final = 200  # of a header to filter by
_NAME: Final = 100
_TEXT: Final = 2_000  # of each text; names of any length come from elsewhere
_DESCRIPTION: Final = 10_000
_NO_ID: Final = re.compile(r"[^A-Za-z0-9+-]+")  # what would have to be quoted in a Message-ID, and the dot with it


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, with the name of whose it is if that is known."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """What stands behind the at sign."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends a mail to whom, and by which id; `thread` is the one that it belongs to, None where it begins one."""

    sender: Mailbox
    recipient: Mailbox
    key: str  # of the delivery; not empty
    thread: Thread | None = None

    @property
    def message_id(self) -> str:
        """The mail's id, in its angle brackets: the same for the same delivery, so that a copy is shown once."""
        return f"<{_NO_ID.sub('-', self.key)}@{self.sender.domain}>"


def mailbox(text: str) -> Mailbox:
    """Reads `guard@example.com` or `Guard <guard@example.com>`, as rule files have it.

    Raises ValueError, with what is wrong, for all else.
    """
    name, address = split_sender(one_line(text))
    if fault := mailbox_fault(address):
        raise ValueError(f"{shortened(address, at_most=80)!r} {fault}")
    return Mailbox(address, shortened(name, at_most=_NAME))


def mail(message: Message, envelope: Envelope, *, at: datetime) -> bytes:
    """The whole mail, its lines ended by CRLF and of seven bits; never raises for what the message holds.

    `at` is the date that it carries, aware. Texts are cleaned, put on one line and cut where they are absurdly long.
    """
    shown = _tidy(message)
    body = EmailMessage(policy=_POLICY)
    body.set_content(plain_text(shown))
    body.add_alternative(html(shown), subtype="html")
    return _head(shown, envelope, at=at) + body.as_bytes()


def brief_mail(message: Message, envelope: Envelope, *, at: datetime) -> bytes:
    """The same with nothing in it but what happened, in plain text: for a server that refused the whole."""
    shown = replace(_tidy(message), facts=(), lines=(), more=0, description="")
    body = EmailMessage(policy=_POLICY)
    body.set_content(plain_text(shown))
    return _head(shown, envelope, at=at) + body.as_bytes()


def _head(shown: Message, envelope: Envelope, *, at: datetime) -> bytes:
    lines = (f"{name}: {value}\r\n" for name, value in _headers(shown, envelope, at=at))
    return "".join(lines).encode("ascii", errors="replace")


def _headers(shown: Message, envelope: Envelope, *, at: datetime) -> Iterator[tuple[str, str]]:
    subject = (envelope.thread and envelope.thread.topic) or topic(shown)
    yield "Subject", _encoded(f"[{shown.mark}] {subject}", header="Subject")
    yield "From", _from(envelope.sender)
    yield "To", envelope.recipient.address
    yield "Date", format_datetime(at)
    yield "Message-ID", envelope.message_id
    if envelope.thread:
        yield "In-Reply-To", envelope.thread.root
        yield "References", envelope.thread.root
    # Exchange and Outlook go by this and not by the subject, whose brackets they take for a part of it ([MS-OXCMAIL]).
    yield "Thread-Topic", _encoded(subject, header="Thread-Topic")
    yield "List-Id", f"<quota-guard.{envelope.sender.domain}>"  # RFC 2919; mail clients filter by it
    yield "Auto-Submitted", "auto-generated"  # RFC 3834: so nobody's machine answers it
    yield "X-Auto-Response-Suppress", "OOF, AutoReply"  # the same for Exchange, but not its word that a mail bounced
    for name, label in _labels(shown):
        header = f"X-Quota-Guard-{name}"
        yield header, _encoded(shortened(one_line(label), at_most=_LABEL), header=header)


def _labels(shown: Message) -> Iterator[tuple[str, str]]:
    """What people filter by that is not left to the words of a subject."""
    yield "State", shown.mark
    if shown.level is not None:
        yield "Level", shown.level.word
    if len(shown.tellings) == 1:
        yield "Alert", str(shown.tellings[0].alert.key)


def _from(sender: Mailbox) -> str:
    if _is_plain(sender.name):
        return formataddr((sender.name, sender.address))
    name = _encoded(sender.name, header="From")
    last = f"From: {name}".rpartition("\r\n")[2]
    fold = "" if len(f"{last} <{sender.address}>") <= _LINE else "\r\n"
    return f"{name}{fold} <{sender.address}>"


def _encoded(text: str, *, header: str) -> str:
    """A header's text, folded, and encoded (RFC 2047) where it must be."""
    charset = "us-ascii" if _is_plain(text) else "utf-8"
    return Header(text, charset, maxlinelen=_LINE, header_name=header).encode(linesep="\r\n")


def _is_plain(text: str) -> bool:
    """Whether a header can hold it as it is: what looks encoded would be shown as something else."""
    return text.isascii() and "=?" not in text


def _tidy(message: Message) -> Message:
    lines = shortened(message.description, at_most=_DESCRIPTION).split("\n")
    return replace(
        message,
        mark=_short(message.mark),
        title=_short(message.title),
        summary=_short(message.summary),
        facts=tuple(Fact(_short(fact.name), _short(fact.text)) for fact in message.facts),
        lines=tuple(Line(_short(line.mark), line.level, line.ended, _short(line.text)) for line in message.lines),
        description="\n".join(map(one_line, lines)).strip(),
        runbook=one_line(message.runbook),
        link=one_line(message.link),
    )


def _short(text: str) -> str:
    return shortened(one_line(text), at_most=_TEXT)
