"""A channel for who sits at the terminal: messages as they would read in Slack."""

import io
import os
import select
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import takewhile
from typing import ClassVar, Final, TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from guard.message import Fact, Line, Message, one_line, shortened
from guard.model import Level
from guard.notify.notifier import Call, Gone, Outcome, Post, Retry, Sent, Unsure

_WIDEST: Final = 100  # beyond it lines are hard to read, however wide the terminal
_TITLE: Final = 150  # letters; names of any length come from elsewhere
_TEXT: Final = 1000
_FACT: Final = 400
_CHUNK_BYTES: Final = 4096  # what a pipe that says it is ready takes without blocking: PIPE_BUF on Linux
_COLOURS: Final = {Level.CRITICAL: "red", Level.WARNING: "dark_orange", Level.INFO: "blue"}
_WITHOUT_UNICODE: Final = str.maketrans(
    {"·": "-", "…": "~", "▌": "|", "🔴": "*", "🟠": "*", "🔵": "*", "🟢": "*", "⚪": "*"}
)


class TerminalNotifier:
    """One channel whose messages are printed on `stream`, in colour where it is a terminal.

    `now` tells the time that is shown above each message, in `zone`. Nothing printed is wider than the terminal or
    holds control characters other than our own. `is_gone` is whether the stream last took nothing for good.
    """

    threads: ClassVar = False
    edits: ClassVar = False
    finds: ClassVar = False

    def __init__(self, name: str, *, stream: TextIO, now: Callable[[], datetime], zone: tzinfo = UTC) -> None:
        """Prints nothing yet."""
        self.is_gone = False
        self._name = name
        self._stream = stream
        self._now = now
        self._zone = zone

    async def deliver(self, call: Call, *, key: str) -> Outcome:  # noqa: ARG002 - who reads here sees a copy without it
        """Prints the message. A terminal that takes no text now, or is gone, is one to try again; nothing waits."""
        if not isinstance(call, Post):
            return Gone("what a terminal has printed cannot be edited or answered")
        text = self._rendered(call.message)
        try:
            return _printed(text, self._stream)
        except (OSError, ValueError) as fault:  # ValueError: the stream is closed
            self.is_gone = True
            return Retry(f"the terminal is gone: {type(fault).__name__}")

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:  # noqa: ARG002 - who reads here knows
        """Finds nothing: a terminal takes text and shows none."""
        return None

    async def close(self) -> None:
        """Does nothing: the stream belongs to who gave it."""

    def _rendered(self, message: Message) -> str:
        # Rich learns width and colours from the stream, but it may not write there: its writes, and flushes, can block.
        terminal, memory = Console(file=self._stream), io.StringIO()
        console = Console(
            file=memory, width=min(terminal.width, _WIDEST), force_terminal=terminal.is_terminal, highlight=False
        )
        console.print(_framed(self._name, message, at=self._now().astimezone(self._zone)))
        text, encoding = memory.getvalue(), self._stream.encoding or "utf-8"
        if terminal.options.ascii_only:
            text = text.translate(_WITHOUT_UNICODE)
        return text.encode(encoding, errors="replace").decode(encoding)


def _printed(text: str, stream: TextIO) -> Outcome:
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:  # it is in memory
        stream.write(text)
        return Sent()
    whole = left = text.encode(stream.encoding)
    while left:
        if not _takes_text(descriptor):
            why = "the terminal takes no text"
            return Retry(why) if left is whole else Unsure(why)
        stream.flush()  # what others printed before comes before
        left = left[os.write(descriptor, left[:_CHUNK_BYTES]) :]
    return Sent()


def _takes_text(descriptor: int) -> bool:
    """Whether a write would go through now. A blocked write would hold up all that the process does."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))


# --- how it looks --------------------------------------------------------------------------------------------------


def _framed(channel: str, message: Message, *, at: datetime) -> RenderableType:
    """Channel and time above, the message behind a bar in its level's colour, an empty line below."""
    name = shortened(one_line(channel), at_most=_TITLE)
    above = Text.assemble((f" #{name}", "bold"), (f"  {at:%H:%M:%S %Z}", "dim"))
    return Group(above, _Barred(Group(*_parts(message)), _colour(message)), Text())


def _parts(message: Message) -> Iterator[RenderableType]:
    undated = tuple(takewhile(lambda fact: fact.at is None, message.facts))
    title = shortened(one_line(message.title), at_most=_TITLE)
    yield Text.assemble(
        (f"{message.emoji} {one_line(message.mark)}", f"bold {_colour(message)}"), (f" · {title}", "bold")
    )
    yield Text(shortened(one_line(message.summary), at_most=_TEXT), style="bold")
    if message.description:
        yield Text("\n".join(one_line(line) for line in shortened(message.description, at_most=_TEXT).split("\n")))
    if undated or message.lines:
        yield Text()
    yield from map(_line, message.lines)
    if message.more:
        yield Text(f"and {message.more} more")
    if undated:
        yield _grid(undated)
    if dated := message.facts[len(undated) :]:
        yield Text(" · ".join(f"{_short(fact.name)} {_short(fact.text)}" for fact in dated), style="dim")
    for name, link in (("Runbook", message.runbook), ("Console", message.link)):
        if link:
            yield Text(f"{name} {_short(link)}", style="dim")


def _grid(facts: Sequence[Fact]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for fact in facts:
        grid.add_row(Text(_short(fact.name)), Text(_short(fact.text)))
    return grid


def _line(line: Line) -> Text:
    return Text.assemble((f"{line.emoji} [{one_line(line.mark)}]", _colour(line)), f" {_short(line.text)}")


def _short(text: str) -> str:
    return shortened(one_line(text), at_most=_FACT)


def _colour(spoken_of: Message | Line) -> str:
    if spoken_of.ended:
        return "green"
    return _COLOURS[spoken_of.level] if spoken_of.level else "default"


@dataclass(frozen=True, slots=True)
class _Barred:
    """What stands behind a coloured bar."""

    inside: RenderableType
    colour: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """A line of ours for each line of what is inside."""
        bar = Segment(" ▌", Style.parse(self.colour))
        for line in console.render_lines(self.inside, options.update(width=max(1, options.max_width - 3)), pad=False):
            yield from (bar, *_without_blanks([Segment(" "), *line]), Segment.line())


def _without_blanks(line: list[Segment]) -> list[Segment]:
    """The line without the blanks that a table's last column is filled up with."""
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    return [*kept[:-1], Segment(kept[-1].text.rstrip(), kept[-1].style)] if kept else []
