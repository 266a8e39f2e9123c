"""Which mail addresses a rule file may name: plain ones, which every mail server takes."""

import re
from contextlib import suppress
from email.headerregistry import Address
from typing import Final

LONGEST: Final = 254
"""Of an address, in characters. RFC 5321, section 4.5.3.1.3: a path has at most 256, and two are its brackets."""

_LONGEST_LOCAL: Final = 64
_LONGEST_NAME: Final = 100
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"  # RFC 5322, section 3.2.3
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1035, section 2.3.1
_PLAIN: Final = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")
_NAMED: Final = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>\s*")


def mailbox_fault(text: str) -> str | None:
    """Why mail cannot be sent to an address, as the end of a sentence about it; None when it can."""
    local, at, domain = text.rpartition("@")
    if not at:
        return "is no mail address; write one such as ops@example.com"
    if "@" in local and re.search(r"[,;\s]", text):
        return "holds more than one address; write each in quotes of its own"
    if _NAMED.fullmatch(text):
        return "is more than an address"
    if not text.isascii():
        part = "in front of the @" if domain.isascii() else "behind the @"
        return f"holds letters {part} that few mail servers take"
    match = _PLAIN.fullmatch(text)
    if match is None:
        return "is no mail address; write one such as ops@example.com"
    is_long = len(text) > LONGEST or len(match["local"]) > _LONGEST_LOCAL
    return (
        f"is too long; an address has at most {LONGEST} characters, {_LONGEST_LOCAL} before the @" if is_long else None
    )


def meant_mailbox(text: str) -> str:
    """The address that is probably meant by a text that is none; empty when nobody can tell."""
    named = _NAMED.fullmatch(text)
    bare = (named["address"] if named else text).strip().removeprefix("mailto:")
    local, _, domain = bare[: 2 * LONGEST].rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()  # an umlaut in a domain has an ASCII form too
    found = f"{local}@{domain}"
    return "" if mailbox_fault(found) else found


def split_sender(text: str) -> tuple[str, str]:
    """Splits `Name <address>`, or an address alone, into the name, which may be empty, and the address."""
    match = _NAMED.fullmatch(text)
    if match is None:
        return "", text
    name = match["name"].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, match["address"].strip()


def sender_fault(name: str, address: str) -> str | None:
    """The same as `mailbox_fault` for a name and an address."""
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        return f"has a name of more than {_LONGEST_NAME} characters, or with some that cannot be printed"
    return mailbox_fault(address)


def meant_sender(text: str) -> str:
    """The name and address that are probably meant by a text that is neither; empty when nobody can tell."""
    name, address = split_sender(text)
    if not name:
        name, _, address = text.strip().rpartition(" ")
    found = meant_mailbox(address)
    is_good = found and not sender_fault(name.strip(), found)
    return sender_text(name.strip(), found) if is_good else ""


def sender_text(name: str, address: str) -> str:
    """A name and an address that have no fault, as a mail's header has them.

    >>> sender_text("", "a@b.org"), sender_text("Quota Guard", "a@b.org"), sender_text("Guard, Inc.", "a@b.org")
    ('a@b.org', 'Quota Guard <a@b.org>', '"Guard, Inc." <a@b.org>')
    """
    return str(Address(name, addr_spec=address))
