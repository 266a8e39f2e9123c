"""What commands print: tables for people, one JSON document for machines, complaints on stderr."""

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from guard.logs import redact
from guard.units import duration_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Format(StrEnum):
    """How a command that reads prints what it read."""

    TEXT = "text"
    JSON = "json"


_PIPE_COLUMNS: Final = 10_000  # what no terminal will show need not be broken into lines
_LAST_COLUMNS: Final = 24  # what a table's last column needs, whose cells are broken into lines
_BROKEN_COLUMNS: Final = 16  # and what another one needs whose cells may be
_GAP: Final = 2
_STYLES: Final = {"critical": "red", "warning": "dark_orange", "info": "blue"}


def printable(text: str) -> str:
    r"""The text with its line breaks, and every other character that steers a terminal written as its escape.

    >>> printable("red \x1b[31m?")
    'red \\x1b[31m?'
    """
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def say(text: str) -> None:
    """Prints lines for people on stdout."""
    print(printable(text))


def warn(text: str) -> None:
    """Says on stderr what the command goes on in spite of; registered secrets are blotted out."""
    print(f"guard: warning: {printable(redact(text))}", file=sys.stderr)


def complain(text: str) -> None:
    """Says on stderr why the command fails; registered secrets are blotted out."""
    print(f"guard: error: {printable(redact(text))}", file=sys.stderr)


def print_json(document: object) -> None:
    """Prints one JSON document, in ASCII, so that no text in it can steer a terminal."""
    print(json.dumps(document, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, broken: Collection[str] = ()) -> None:
    """Prints a table without borders; a cell that is the word of a level is shown in its colour on a terminal.

    Only a row's last cell is broken into lines, and those of the columns that `broken` names. Where that takes more
    columns than there are, each row is a paragraph.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_COLUMNS
    plain = [[" ".join(printable(cell).split()) for cell in row] for row in rows]
    cells = [[Text(cell, style=_STYLES.get(cell, "")) for cell in row] for row in plain]
    # Rich's own table takes seconds for the alerts of a thousand accounts.
    widths = [max(map(cell_len, column)) + _GAP for column in zip(columns, *plain, strict=True)]
    least = {number: _BROKEN_COLUMNS for number, column in enumerate(columns) if column in broken}
    fitted = _fitted(widths, least={**least, len(columns) - 1: _LAST_COLUMNS}, columns=console.width)
    if fitted:
        header = [Text(column, style="dim") for column in columns]
        lines = [_line(row, fitted, console) for row in (header, *cells)]
    else:
        lines = [_paragraph(row, console) for row in cells]
    with console.capture() as capture:
        console.print(*lines, sep="\n", soft_wrap=True)
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _fitted(widths: Sequence[int], *, least: Mapping[int, int], columns: int) -> list[int]:
    """The widths with the widest of those that have a least one narrowed until all fit; empty where they cannot."""
    fitted = list(widths)
    for _ in range(sum(widths) - _GAP - columns):
        wide = [number for number, each in least.items() if fitted[number] > each + _GAP]
        if not wide:
            return []
        fitted[max(wide, key=fitted.__getitem__)] -= 1
    return fitted


def _line(row: "Sequence[Text]", widths: Sequence[int], console: "Console") -> "Text":
    """The cells of a row, each below those of the others; one that is wider than its column goes on below."""
    from rich.text import Text

    broken = [
        cell.wrap(console, width - _GAP) if cell.cell_len > width - _GAP else [cell]
        for cell, width in zip(row, widths, strict=True)
    ]
    lines = []
    for parts in zip_longest(*broken, fillvalue=Text()):
        line = Text()
        for part, width in zip(parts, widths, strict=True):
            line.append_text(part).pad_right(width - part.cell_len)
        lines.append(line)
    return Text("\n").join(lines)


def _paragraph(row: "Iterable[Text]", console: "Console") -> "Text":
    """The cells of a row that say something, one behind the other; all lines but the first are indented.

    A cell that does not fit behind the one before begins a line, so that only one wider than that is broken.
    """
    from rich.text import Text

    width = max(1, console.width - _GAP)
    lines: list[Text] = []
    for cell in row:
        if lines and cell and lines[-1].cell_len + _GAP + cell.cell_len <= width:
            lines[-1].append(" " * _GAP).append_text(cell)
        elif cell:
            lines += cell.wrap(console, width)
    return Text("\n" + " " * _GAP).join(lines)


def ago(at: datetime | None, *, now: datetime) -> str:
    """How long ago an instant was, for people: `12 min ago`, `just now`, `never`.

    >>> from datetime import UTC
    >>> ago(datetime(2026, 11, 23, 14, 5, tzinfo=UTC), now=datetime(2026, 11, 23, 14, 17, tzinfo=UTC))
    '12 min ago'
    """
    if at is None:
        return "never"
    since = duration_text(now - at)
    return "just now" if since == "0 s" else f"{since} ago"
