"""Messages that would have been sent: what a replay tells, as rows that two rule files are compared by."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from guard.message.telling import mark, summary
from guard.model import AlertKey
from guard.replay import Told
from guard.units import iso

_Identity = tuple[datetime, AlertKey, str, str, str]


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


class By(StrEnum):
    """Which of two rule files would have sent a message."""

    NEW = "new"
    RUNNING = "running"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Differing:
    """A message, and which rule file would have sent it; None where there is only one."""

    by: By | None
    message: WouldBe

    def as_dict(self) -> dict[str, Any]:
        """For JSON: with the sign of one that only one of two files would have sent."""
        sign = {By.NEW: "+", By.RUNNING: "-"}.get(self.by, "") if self.by else ""
        return {"sign": sign, "by": self.by or By.NEW, **self.message.as_dict()}


def differences(
    running: Iterable[WouldBe], new: Iterable[WouldBe], *, renamed: Mapping[str, str] = MappingProxyType({})
) -> list[Differing]:
    """Both files' messages in order of time; those that differ in their words alone are the same.

    `renamed` gives the running rules' names, each with what the new file calls it: under both names it is the same.
    What both would have sent stands in the new file's words.
    """
    before = [(_identity(each, renamed), each) for each in sorted(running)]
    after = [(_identity(each, {}), each) for each in sorted(new)]
    both = Counter(identity for identity, _ in before) & Counter(identity for identity, _ in after)
    found = [each for each in _signed(before, both, alone=By.RUNNING) if each.by is By.RUNNING]
    found += _signed(after, both, alone=By.NEW)
    return sorted(
        found, key=lambda each: (each.message.at, _known_as(each.message.key, renamed), each.by is not By.RUNNING)
    )


def _signed(
    messages: Iterable[tuple[_Identity, WouldBe]], both: Mapping[_Identity, int], *, alone: By
) -> list[Differing]:
    """The messages with whose they are; of those that are alike, as many as there are in both are both's."""
    left = Counter(both)
    found: list[Differing] = []
    for identity, message in messages:
        is_common = left[identity] > 0
        left[identity] -= 1
        found.append(Differing(By.BOTH if is_common else alone, message))
    return found


def _identity(message: WouldBe, renamed: Mapping[str, str]) -> _Identity:
    return (message.at, _known_as(message.key, renamed), message.mark, message.channel, message.recipient)


def _known_as(key: AlertKey, renamed: Mapping[str, str]) -> AlertKey:
    return replace(key, rule=renamed.get(key.rule, key.rule))
