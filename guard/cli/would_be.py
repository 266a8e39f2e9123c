"""Messages that would have been sent: what a replay tells, as rows that two rule files are compared by."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guard.cli.output import iso
from guard.message.telling import mark, summary
from guard.model import AlertKey
from guard.replay import Told


@dataclass(frozen=True, slots=True, order=True)
class WouldBe:
    """One message about one alert to one recipient."""

    at: datetime
    key: AlertKey
    mark: str  # what the message begins with: `escalated critical`
    channel: str
    recipient: str
    summary: str

    @classmethod
    def of(cls, told: Told) -> "WouldBe":
        """What a channel would have been told."""
        telling = told.telling
        return cls(told.at, telling.alert.key, mark(telling), told.channel, told.recipient, summary(telling))

    @property
    def to(self) -> str:
        """The channel, and its recipient where it has several."""
        return f"{self.channel} ({self.recipient})" if self.recipient else self.channel

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "at": iso(self.at),
            "alert": str(self.key),
            "mark": self.mark,
            "channel": self.channel,
            "recipient": self.recipient,
            "summary": self.summary,
        }


@dataclass(frozen=True, slots=True)
class Differing:
    """A message that only one of two rule files would have sent, or that both would have."""

    sign: str  # `+` only the new one, `-` only the running one, empty both
    message: WouldBe


def differences(running: Iterable[WouldBe], new: Iterable[WouldBe]) -> list[Differing]:
    """Both files' messages in order of time; those that differ in their words alone are the same."""
    before, after = sorted(running), sorted(new)
    both = Counter(map(_identity, before)) & Counter(map(_identity, after))
    found = [each for each in _signed(before, both, sign="-") if each.sign] + _signed(after, both, sign="+")
    return sorted(found, key=lambda each: (each.message.at, each.message.key, each.sign != "-"))


def _signed(messages: Iterable[WouldBe], both: Mapping[tuple[object, ...], int], *, sign: str) -> list[Differing]:
    """The messages with the sign, less those of which there are as many in both."""
    left = Counter(both)
    found: list[Differing] = []
    for message in messages:
        is_common = left[_identity(message)] > 0
        left[_identity(message)] -= 1
        found.append(Differing("" if is_common else sign, message))
    return found


def _identity(message: WouldBe) -> tuple[object, ...]:
    return (message.at, message.key, message.mark, message.channel, message.recipient)
