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

_POLICY: Final = SMTP.clone(cte_type="7bit")  # seven bits pass every server
_LINE: Final = 75  # of a header; with the blank before what goes on there are 76, RFC 2047's limit
_SUBJECT: Final = 150
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
    """Who sends a mail to whom, and by which id; `thread` is the id of the mail that it replies to, if it does."""

    sender: Mailbox
    recipient: Mailbox
    key: str  # of the delivery; not empty
    thread: str = ""

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
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(shown.text, envelope, at=at))
    body = EmailMessage(policy=_POLICY)
    body.set_content(plain_text(shown))
    body.add_alternative(html(shown), subtype="html")
    return head.encode("ascii", errors="replace") + body.as_bytes()


def _headers(subject: str, envelope: Envelope, *, at: datetime) -> Iterator[tuple[str, str]]:
    yield "Subject", _encoded(shortened(subject, at_most=_SUBJECT), header="Subject")
    yield "From", _from(envelope.sender)
    yield "To", envelope.recipient.address
    yield "Date", format_datetime(at)
    yield "Message-ID", envelope.message_id
    if envelope.thread:
        thread = one_line(envelope.thread)
        yield "In-Reply-To", thread
        yield "References", thread
    yield "Auto-Submitted", "auto-generated"  # RFC 3834: so nobody's machine answers it
    yield "X-Auto-Response-Suppress", "All"  # the same for Exchange


def _from(sender: Mailbox) -> str:
    if _is_plain(sender.name):
        return formataddr((sender.name, sender.address))
    return f"{_encoded(sender.name, header='From')} <{sender.address}>"


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
    )


def _short(text: str) -> str:
    return shortened(one_line(text), at_most=_TEXT)
