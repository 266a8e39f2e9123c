"""A message: what it says, in the order in which every channel says it, and those of them that tell of no alert."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from guard.message.link import first_url
from guard.message.text import one_line
from guard.model import STORE_FAILING, AlertKey, Level, Occasion, Telling
from guard.units import instant_text

_EMOJI: Final = {Level.CRITICAL: "🔴", Level.WARNING: "🟠", Level.INFO: "🔵"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know; `text` is complete, `at` lets a channel show the instant in the reader's own zone."""

    name: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One alert in a digest, or one thing in a report."""

    mark: str
    level: Level | None
    ended: bool
    text: str  # of an alert its title and summary

    @property
    def emoji(self) -> str:
        """The line's colour, for channels that show it."""
        return _emoji(self.level, ended=self.ended)


@dataclass(frozen=True, slots=True)
class Firing:
    """The incident that a message tells of while it goes on: what somebody can acknowledge, or silence."""

    key: AlertKey
    incident_id: str
    is_acked: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What one message says, in the order in which every channel says it.

    `mark` is what people filter by (`critical`, `escalated critical`, `reminder critical`, `resolved`,
    `digest critical`, `report`, `test`). `level` is the level spoken of, None where there is none, and with `ended` the
    level of what is over. All texts but `description` are one line without control characters. Facts without an instant
    come before those with one. `firing` is set in what tells of one incident that goes on. A digest has `lines`, worst
    first, and counts in `more` those that did not fit; so has a report. `link` is where the console shows it, empty
    where nobody said where people find the console.
    """

    mark: str
    title: str
    summary: str
    level: Level | None = None
    ended: bool = False
    facts: tuple[Fact, ...] = ()
    lines: tuple[Line, ...] = ()
    more: int = 0
    description: str = ""
    runbook: str = ""
    link: str = ""
    firing: Firing | None = None
    tellings: tuple[Telling, ...] = field(default=(), repr=False)  # what it is made of, for channels to machines

    @property
    def text(self) -> str:
        """The message in one line, as plain text and as the subject of a mail."""
        return f"[{self.mark}] {self.title}: {self.summary}"

    @property
    def emoji(self) -> str:
        """The message's colour, for channels that show it."""
        return _emoji(self.level, ended=self.ended)


def trial(channel: str, *, now: datetime, console_url: str = "") -> Message:
    """The message of `guard send-test`; its link leads to the console's first page."""
    return Message(
        mark="test",
        title=one_line(channel),
        summary="this channel works; all is well and nothing needs doing",
        facts=(Fact("Sent", instant_text(now), now),),
        link=first_url(console_url),
    )


def store_failing(fault: str, *, now: datetime) -> Message:
    """The message that goes straight to every channel when nothing can be written down; `fault` holds no secret."""
    return Message(
        mark=Level.CRITICAL.word,
        title=STORE_FAILING,
        summary="quota-guard cannot write to its database",
        level=Level.CRITICAL,
        facts=(
            Fact("Fault", one_line(fault)),
            Fact("Meanwhile", "usage is still asked for, but nothing is decided until a write succeeds"),
            Fact("Sent", instant_text(now), now),
        ),
    )


def store_recovered(*, now: datetime) -> Message:
    """The message that goes straight to every channel that was told of `store_failing`, when a write succeeds."""
    return Message(
        mark=Occasion.RESOLVED.value,
        title=STORE_FAILING,
        summary="quota-guard can write to its database again",
        level=Level.CRITICAL,
        ended=True,
        facts=(Fact("Sent", instant_text(now), now),),
    )


def _emoji(level: Level | None, *, ended: bool) -> str:
    if ended:
        return "🟢"
    return _EMOJI[level] if level else "⚪"
