"""Where the console shows an alert: its URL, for messages and for the console's own pages; pure."""

from typing import Final
from urllib.parse import quote

from guard.model import AlertKey

ALERTS: Final = "alerts"
"""The first part of the path of every alert's page."""


def alert_url(console_url: str, key: AlertKey) -> str:
    """The URL of an alert's page, below the URL of the console, which may end in a slash.

    An empty `console_url` gives the path alone. Never raises: a lone surrogate, which no URL can hold, is a question
    mark there.

    >>> alert_url("https://guard.example.com", AlertKey("main:acme", "agent-minutes", "+1 555/0100"))
    'https://guard.example.com/alerts/main:acme/agent-minutes/%2B1%20555%2F0100'
    """
    parts = (key.account, key.rule, key.subject) if key.subject else (key.account, key.rule)
    return "/".join((console_url.rstrip("/"), ALERTS, *(quote(part, safe=":", errors="replace") for part in parts)))


def first_url(console_url: str) -> str:
    """The URL of the console's first page, which shows everything; empty where `console_url` is.

    >>> first_url("https://example.com/guard")
    'https://example.com/guard/'
    """
    return f"{console_url.rstrip('/')}/" if console_url else ""
