"""Composition: from what is told to the message that says it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from guard.message.digest import digest
from guard.message.message import Message
from guard.message.single import single
from guard.model import Telling


def compose(tellings: Sequence[Telling], *, now: datetime, zone_of: Callable[[str], tzinfo]) -> Message:
    """One telling becomes a message of its own, more become a digest; never raises for what names and texts hold.

    `tellings` is not empty. `zone_of` gives an account's zone, in which times are written.
    """
    if len(tellings) > 1:
        return replace(digest(tellings, now=now, zone_of=zone_of), tellings=tuple(tellings))
    telling = tellings[0]
    return replace(single(telling, now=now, zone=zone_of(telling.alert.key.account)), tellings=(telling,))
