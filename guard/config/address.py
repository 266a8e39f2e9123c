"""Which web addresses a rule file may name: https, and plain http to this very machine only."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from guard.config.table import Table


def read_base_url(table: Table, *, default: str) -> str:
    """The key `base_url`, an address that paths are appended to; without a slash at its end."""
    url = table.string("base_url", such_as=f'"{default}"') or default
    fault = base_fault(url)
    if fault:
        variable = table.variable("base_url")
        table.wrong("base_url", f"the value of {variable} {fault}" if variable else f"base_url {fault}")
    return url.rstrip("/")


def address_fault(url: str) -> str | None:
    """Why a secret must not be sent to an address, as the end of a sentence about it; None when it may."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "is not a web address; write one such as https://example.com"
    if parts.username is not None or parts.password is not None:
        return "holds a user or password, which belong nowhere in an address"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "begins with http://, which would send secrets unencrypted; write https://"
    return None if parts.scheme in ("https", "http") else "does not begin with https://"


def base_fault(url: str) -> str | None:
    """The same for an address that paths are appended to."""
    parts = _split(url)
    if parts is not None and (parts.query or parts.fragment):
        return "holds ? or #, and paths could not be appended to it"
    return address_fault(url)


def is_loopback(host: str) -> bool:
    """Whether a name or address is surely this very machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult | None:
    if any(not "!" <= char <= "~" for char in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    return parts
