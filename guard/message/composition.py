"""Composition: from what is told to the message that says it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from guard.message.digest import digest
from guard.message.link import alert_url, first_url
from guard.message.message import Message
from guard.message.single import single
from guard.model import Telling


def compose(
    tellings: Sequence[Telling], *, now: datetime, zone_of: Callable[[str], tzinfo], console_url: str = ""
) -> Message:
    """One telling becomes a message of its own, more become a digest; never raises for what names and texts hold.

    `tellings` is not empty. `zone_of` gives an account's zone, in which times are written. `console_url` is where
    people find the console; empty: nobody said.
    """
    if len(tellings) > 1:
        message = digest(tellings, now=now, zone_of=zone_of)
        return replace(message, tellings=tuple(tellings), link=first_url(console_url))
    telling = tellings[0]
    key = telling.alert.key
    message = single(telling, now=now, zone=zone_of(key.account))
    return replace(message, tellings=(telling,), link=alert_url(console_url, key) if console_url else "")
