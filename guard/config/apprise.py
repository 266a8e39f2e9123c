"""`kind = "apprise"`: any service that Apprise speaks to, by its URL."""

import re
from typing import Final

from guard.config.keys import APPRISE
from guard.config.table import Table
from guard.config.things import AppriseConfig

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://[!-~]+")
_SERVICES: Final = "https://appriseit.com/services/"


def read_apprise(table: Table) -> AppriseConfig | None:
    """Reads a channel; None when it could not be told anything. Only Apprise itself knows whether a URL is good."""
    table.check_keys(APPRISE, where=" for an apprise channel")
    url = table.secret("url", example="APPRISE_URL")
    if url is None:
        return None
    if url.value and not _SCHEME.fullmatch(url.value):
        how = f"is no URL of Apprise; {_SERVICES} says how each service writes it"
        table.wrong("url", f"the value of {url.variable} {how}")
    return AppriseConfig(table.name, url, fingerprint="")
