"""The text of a rule file: its lines, and what may be shown of them."""

import codecs
from bisect import bisect_right
from typing import Final

from guard.config.mask import masked, masked_line, scrubbed
from guard.config.places import Places
from guard.config.problem import Problem
from guard.rules.complaint import Severity, Span

MOST_BYTES: Final = 1 << 20
MOST_READ: Final = 2 * MOST_BYTES
"""So many bytes of a rule file are to be read that one that is too long is refused for its length."""

LONGEST_LINE: Final = 4_000
"""In characters. It also bounds dotted keys, whose cost for tomllib grows with the square of their length."""

_LONGEST_TEXT: Final = 300


def decode(raw: bytes, path: str) -> str | Problem:
    """The text of a rule file as it stands on the disk: at most 1 MiB of UTF-8, without its byte-order mark."""
    if len(raw) > MOST_BYTES:
        return _whole(path, f"the file has {len(raw):,} bytes; a rule file has at most {MOST_BYTES:,}")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _whole(path, "the file is UTF-16; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Problem(path, line, column, Severity.ERROR, "the file is not UTF-8 here; save it as UTF-8")


def _whole(path: str, text: str) -> Problem:
    return Problem(path, 1, 1, Severity.ERROR, text)


class Source:
    """A text whose lines end in a line feed only, and the lines of it that are safe to show."""

    def __init__(self, text: str, *, path: str, found: Places) -> None:
        """Takes the places found in the text, which tell where secrets may stand."""
        self.path = path
        self.text = text
        self._shown = masked(text, found)
        self._starts = [0, *(offset + 1 for offset, char in enumerate(text) if char == "\n")]

    def mask(self, found: Places) -> None:
        """Masks what stands at more places where secrets may be, once it is known where the lines' tables are."""
        self._shown = masked(self._shown, found)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset in characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, both from 1; at most the text's length."""
        start = self._starts[min(line, len(self._starts)) - 1]
        return min(start + column - 1, len(self.text))

    def line(self, number: int) -> Span:
        """Where a line (from 1) begins and ends, without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return Span(start, end)

    def problem(self, span: Span, text: str, severity: Severity = Severity.ERROR, *, is_toml: bool = True) -> Problem:
        """A problem with a part of the text; secrets are masked in the line and in what is said about it.

        Of a line that is no TOML only what surely is no secret is shown.

        No line is shown for an empty part: it stands for the file as a whole.
        """
        number, column = self.position(span.start)
        line = self.line(number)
        width = max(1, min(span.end, line.end) - span.start)
        shown = self._shown[line.start : line.end] if span.end > span.start else ""
        shown = shown if is_toml else masked_line(shown)
        said = scrubbed(text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…")
        return Problem(self.path, number, column, severity, said, shown, width)
