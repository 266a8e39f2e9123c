"""`kind = "email"`: a mail server, a sender, and the people who are told."""

import re
from ipaddress import ip_address
from typing import Final

from guard.config.address import is_loopback
from guard.config.keys import EMAIL
from guard.config.mailbox import mailbox_fault, meant_mailbox, meant_sender, sender_fault, sender_text, split_sender
from guard.config.table import Table, kind
from guard.config.things import EmailConfig, Secret, Security
from guard.rules.complaint import Severity

MOST_RECIPIENTS: Final = 50

_PORTS: Final = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}  # RFC 6409, RFC 8314, RFC 5321
_HOST: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")  # as containers are named too, with _
_MORE_THAN_A_HOST: Final = re.compile(r"(?:\w+://)?(?P<host>[\w.-]+)(?::(?P<port>[0-9]{1,5}))?/?")
_LONGEST_HOST: Final = 253  # RFC 1035, section 2.3.4, without the dot at its end
_MOST_PORT: Final = 65_535
_TO: Final = '["ops@example.com"]'


def read_mail(table: Table) -> EmailConfig | None:
    """Reads a channel; None when nobody could be sent mail."""
    table.check_keys(EMAIL, where=" for an email channel")
    host = _host(table)
    security = _security(table, host or "")
    username, password = _login(table)
    port = table.whole_number("port", least=1, most=_MOST_PORT)
    _check_port(table, port, security)
    sender, to = _sender(table), _to(table)
    if host is None or sender is None:
        return None
    return EmailConfig(
        name=table.name,
        host=host,
        port=port or _PORTS[security],
        security=security,
        username=username,
        password=password,
        sender=sender,
        to=to,
        fingerprint="",
    )


def _host(table: Table) -> str | None:
    """A name or an address; empty where its variable is not set."""
    host = _text(table, "host", example="smtp.example.com")
    if not host or (_HOST.fullmatch(host) and len(host) <= _LONGEST_HOST) or _is_address(host):
        return host
    meant = None if table.variable("host") else _MORE_THAN_A_HOST.fullmatch(host)
    how = "write one such as smtp.example.com"
    if meant is not None:
        how = f'write host = "{meant["host"]}"' + (f" and port = {meant['port']}" if meant["port"] else "")
    table.wrong("host", f"{table.shown('host')} is not the name of a mail server; {how}")
    return None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _security(table: Table, host: str) -> Security:
    text = table.string("security", such_as='"starttls"')
    if text is None:
        return Security.STARTTLS
    if text not in tuple(Security):
        table.wrong("security", f"security is starttls, tls or none, and not {table.shown('security')}")
        return Security.STARTTLS
    if text == Security.NONE and host and not is_loopback(host):
        what = 'security = "none" would send all unencrypted, and is for this very machine only'
        table.wrong("security", f'{what}; write "starttls" or "tls"')
    return Security(text)


def _check_port(table: Table, port: int | None, security: Security) -> None:
    """Notes a port at which servers wait for the other way to begin encryption, and both sides for each other."""
    meant = next((each for each, usual in _PORTS.items() if usual == port), security)
    if {meant, security} == {Security.STARTTLS, Security.TLS}:
        text = f'servers usually speak {meant} at port {port}; write security = "{meant}"'
        table.wrong("port", text, severity=Severity.WARNING)


def _login(table: Table) -> tuple[str, Secret | None]:
    """Name and password, both or none."""
    if "username" not in table and "password" not in table:
        return "", None
    username = _text(table, "username", example="guard@example.com")
    return username or "", table.secret("password", example="SMTP_PASSWORD", is_password=True)


def _sender(table: Table) -> str | None:
    """The key `from`; empty where its variable is not set."""
    text = _text(table, "from", example="guard@example.com")
    if not text:
        return text
    name, address = split_sender(text)
    fault = sender_fault(name, address)
    if fault:
        near = "" if table.variable("from") else meant_sender(text)
        table.wrong("from", f"{table.shown('from')} {_advised(fault, near)}")
        return None
    return sender_text(name, address)


def _to(table: Table) -> tuple[str, ...]:
    """The addresses in the order of the file; those that are wrong are noted, and so is having none."""
    values = table.values.get("to")
    if values is None:
        table.document.miss(table.path, f"to is missing: write to = {_TO}")
    elif not isinstance(values, list):
        such_as = _TO if not isinstance(values, str) or mailbox_fault(values) else f'["{values}"]'
        table.wrong("to", f"to is a list of addresses, such as {such_as}, and this is {kind(values)}")
    elif not values:
        table.wrong("to", f"to is empty; write at least one address, such as {_TO}")
    elif len(values) > MOST_RECIPIENTS:
        table.wrong(
            "to", f"to names {len(values):,} addresses, and each gets a mail of its own; there may be {MOST_RECIPIENTS}"
        )
    else:
        return _addresses(table, values)
    return ()


def _addresses(table: Table, values: list[object]) -> tuple[str, ...]:
    by_lower: dict[str, str] = {}
    for index, value in enumerate(values):
        fault = _address_fault(value)
        if not fault and str(value).lower() in by_lower:
            fault = f"{value!r} is listed twice"
        if fault:
            table.document.complain((*table.path, "to", index), fault)
        by_lower[str(value).lower()] = str(value)
    return tuple(by_lower.values())


def _address_fault(value: object) -> str | None:
    if not isinstance(value, str):
        return f"an address is a text in quotes, and this is {kind(value)}"
    fault = mailbox_fault(value)
    return f"{value!r} {_advised(fault, meant_mailbox(value))}" if fault else None


def _advised(fault: str, near: str) -> str:
    """What is wrong, with what is probably meant instead of any other advice."""
    return f"{fault.partition(';')[0]}; did you mean {near!r}?" if near else fault


def _text(table: Table, key: str, *, example: str) -> str | None:
    """A text that must be there; empty where its variable is not set, and None when it is missing or wrong."""
    if key not in table:
        table.document.miss(table.path, f'{key} is missing: write {key} = "{example}"')
        return None
    text = table.string(key, such_as=f'"{example}"')
    return "" if text is None and table.variable(key) else text
