"""A rule file without the lines that are no TOML, so that all others can be looked at."""

import re
from typing import Final

from guard.rules.complaint import Span

_WORD: Final = re.compile(r"""[ \t]*["']?(?P<name>[\w-]+)""")
_KIND: Final = r"(?:accounts|channels|rules)"
# With brackets of its own, or without any.
_HEADER: Final = re.compile(rf"[ \t]*(?:\[|[({{]?{_KIND}\.[\w-]+[)}}:]?[ \t]*(?:#|$))", re.MULTILINE)
_NAMED: Final = re.compile(r"[ \t]*[\[({]*[ \t]*(?P<kind>accounts|channels|rules)[ \t]*\.[ \t]*(?P<name>[^\]\n]*)")
_SECTION: Final = re.compile(r"[^\n]*(?:\n(?![ \t]*\[)[^\n]*)*")
# A value in brackets up to the line that closes it; neither holds a header, nor a list an equals sign.
_BRACKETS: Final = re.compile(
    r"[^=\n]*=[ \t]*(?:\[[^]\n]*(?:\n(?![ \t]*\[)[^]=\n]*)*\]|\{[^}\n]*(?:\n[^}\[\n]*)*\})[^\n]*"
)
_LINE: Final = re.compile(r"[^\n]*")
_LONGEST_NAME: Final = 64


class Repair:
    """The text as far as it is mended; every place in it stays where it was."""

    def __init__(self, text: str) -> None:
        """Takes a text whose lines end in a line feed only."""
        self.text = text
        self.lost: set[str] = set()  # names that stood on lines that are gone
        self.made_up: set[str] = set()  # names of tables whose own cannot be read
        self._seen: set[int] = set()

    def mend(self, line: Span, *, is_above: bool) -> bool:
        """Takes out the line on which an error was found, or the one above it; a header gets a name that can be read.

        False when that line was mended before: the mistake was further up, so the line above goes too.
        """
        is_new = line.start not in self._seen
        self._seen.add(line.start)
        if is_above or not is_new:
            line = self._above(line)
        if _HEADER.match(self.text, line.start):
            self._mend_header(line)
        else:
            self._blank(_BRACKETS.match(self.text, line.start) or _LINE.match(self.text, line.start))
        return is_new

    def _above(self, line: Span) -> Span:
        end = len(self.text[: line.start].rstrip())
        start = self.text.rfind("\n", 0, end) + 1
        return Span(start, end)

    def _mend_header(self, line: Span) -> None:
        """Puts a made-up name of the same length into the header; without one, its whole table goes."""
        self.lost |= set(re.findall(r"[\w-]+", self.text[line.start : line.end])[:1])
        named = _NAMED.match(self.text, line.start)
        header = self._made_up(named["kind"], line.end - line.start) if named else None
        if named is None or header is None:
            self._blank(_SECTION.match(self.text, line.start))
            return
        self.lost.add(named["name"].strip(" \t\"'"))
        self.text = self.text[: line.start] + header + self.text[line.end :]

    def _made_up(self, kind: str, length: int) -> str | None:
        width = min(length - len(f"[{kind}.]"), _LONGEST_NAME)
        names = (str(number).zfill(width) for number in range(100))
        name = next((name for name in names if len(name) == width and f"{kind}.{name}]" not in self.text), None)
        if name is None:
            return None
        self.made_up.add(name)
        return f"[{kind}.{name}]".ljust(length)

    def _blank(self, match: re.Match[str] | None) -> None:
        if match is None:  # pragma: no cover -- an empty line matches too
            return
        self.lost |= {word["name"] for line in match[0].split("\n") if (word := _WORD.match(line))}
        blank = re.sub(r"[^\n]", " ", match[0])
        self.text = self.text[: match.start()] + blank + self.text[match.end() :]
