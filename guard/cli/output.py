"""What commands print: tables for people, one JSON document for machines, complaints on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from guard.logs import redact
from guard.units import duration_text


class Format(StrEnum):
    """How a command that reads prints what it read."""

    TEXT = "text"
    JSON = "json"


_PIPE_COLUMNS: Final = 10_000  # what no terminal will show need not be broken into lines
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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table without borders; a cell that is the word of a level is shown in its colour on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = (" ".join(printable(cell).split()) for cell in row)
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_COLUMNS
    with console.capture() as capture:
        console.print(table)
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))


def iso(at: datetime | None) -> str | None:
    """An instant as JSON has it: ISO 8601 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ago(at: datetime | None, *, now: datetime) -> str:
    """How long ago an instant was, for people: `12 min ago`, `just now`, `never`.

    >>> ago(datetime(2026, 11, 23, 14, 5, tzinfo=UTC), now=datetime(2026, 11, 23, 14, 17, tzinfo=UTC))
    '12 min ago'
    """
    if at is None:
        return "never"
    since = duration_text(now - at)
    return "just now" if since == "0 s" else f"{since} ago"
