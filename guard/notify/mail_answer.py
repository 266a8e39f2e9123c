"""What a mail server's refusal means for the delivery, and what failed where it gave no answer; pure.

A reply is a code and text for people: 2xx taken, 4xx try again later, 5xx never (RFC 5321, section 4.2.1).
"""

import base64
import os
import socket
import ssl
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

import aiosmtplib

from guard.message import one_line, shortened
from guard.notify.notifier import Rejected, Retry

_LATER: Final = 4  # the first digit
_NEVER: Final = 5
_SHORT_OF_PATIENCE: Final = frozenset({450, 451})  # what greylisting answers: it wants to see the same mail again later
_GREYLISTED: Final = timedelta(minutes=1)
_WHAT: Final[Mapping[type[aiosmtplib.SMTPResponseException], str]] = {
    aiosmtplib.SMTPConnectResponseError: "the connection",
    aiosmtplib.SMTPHeloError: "our greeting",
    aiosmtplib.SMTPAuthenticationError: "the login",
    aiosmtplib.SMTPSenderRefused: "the sender",
    aiosmtplib.SMTPRecipientRefused: "the recipient",
    aiosmtplib.SMTPDataError: "the message",
}
_TEXT: Final = 120  # characters of what the server says
_TELLING: Final = 6  # characters of a secret in a row that are not shown; a shorter secret is looked for as a whole


def refusal(fault: aiosmtplib.SMTPResponseException, *, secrets: Iterable[str]) -> Retry | Rejected | None:
    """What an answer other than success means; None for one that has no place there, or is no SMTP.

    What the server says is shown on one line and short, unless it repeats one of the secrets.
    """
    kind = fault.code // 100
    if kind not in {_LATER, _NEVER}:
        return None
    what = next((words for error, words in _WHAT.items() if isinstance(fault, error)), "a command")
    said = shortened(one_line(fault.message), at_most=_TEXT)
    if _gives_away(said, secrets):
        said = "(a text that repeats the login)"
    answered = f"{fault.code} {said}".strip()
    if is_final(fault):
        return Rejected(f"the mail server refused {what}: {answered}")
    after = _GREYLISTED if fault.code in _SHORT_OF_PATIENCE else None
    return Retry(f"the mail server put off {what}: {answered}", after)


def is_final(fault: aiosmtplib.SMTPResponseException) -> bool:
    """Whether the server will never take this, as it is."""
    return fault.code // 100 == _NEVER


def spellings(username: str, password: str) -> tuple[str, ...]:
    """What a login puts on the wire; a server that repeats what it was sent would tell one of these.

    The name itself is none: it is mostly the sender's address. May hold empty texts.
    """
    name, word = (text.encode(errors="surrogatepass") for text in (username, password))
    encoded = (base64.b64encode(each).decode() for each in (name, word, b"\0" + name + b"\0" + word))
    return (password, *encoded)


def fault_text(fault: Exception) -> str:
    """What failed, in words of our own; of others' texts only the reason why a certificate is not trusted."""
    while isinstance(fault, aiosmtplib.SMTPException) and isinstance(fault.__cause__, Exception):
        fault = fault.__cause__
    match fault:
        case ssl.SSLCertVerificationError():
            reason = shortened(one_line(fault.verify_message), at_most=_TEXT)
            return f"the mail server's certificate is not trusted: {reason}"
        case ssl.SSLError():
            return "TLS failed; security or port may be another one"
        case socket.gaierror():
            return "the mail server's name could not be resolved"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case ConnectionError():
            return "the mail server closed the connection"
        case _:  # asyncio's sum of what failed at several addresses
            return "none of the mail server's addresses could be reached"


def _gives_away(said: str, secrets: Iterable[str]) -> bool:
    """Whether a part of a secret stands in a text, in whatever case and however wrapped."""
    text = _squeezed(said)
    return any(
        secret[start : start + _TELLING] in text
        for secret in map(_squeezed, secrets)
        if secret
        for start in range(max(1, len(secret) - _TELLING + 1))
    )


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()
