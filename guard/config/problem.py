"""One mistake in a rule file: where it is, what is wrong, and how it is shown."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from guard.rules.complaint import Severity

_BEFORE: Final = 60  # what is shown of a long line before the mistake
_BEHIND: Final = 80
_TAB: Final = "    "


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake; `line` and `column` count from 1, the column in characters."""

    path: str
    line: int
    column: int
    severity: Severity
    text: str
    source_line: str = ""  # without its end; secrets in it are masked
    width: int = 1  # how many characters of the line are meant

    def __str__(self) -> str:
        """The first line of what is shown: `rules.toml:12:9: error: unknown field …`."""
        return f"{self.path}:{self.line}:{self.column}: {self.severity.value}: {self.text}"

    def render(self) -> str:
        """The problem, its line, and a caret under what is meant; without a line break at the end."""
        if not self.source_line.strip():
            return str(self)
        first = max(0, self.column - 1 - _BEFORE)
        start = self.column - 1
        end = start + max(1, self.width)
        before, meant, behind = (
            _visible(self.source_line[part]) for part in (slice(first, start), slice(start, end), slice(end, None))
        )
        meant, behind = meant[:_BEHIND], behind[: max(0, _BEHIND - len(meant))]
        marks = "^" + "~" * (_columns(meant) - 1)
        return f"{self}\n  {before}{meant}{behind}\n  {' ' * _columns(before)}{marks}"

    def as_dict(self) -> dict[str, str | int]:
        """The problem as JSON has it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "severity": self.severity.value,
            "text": self.text,
            "source": self.source_line,
        }


def errors_text(problems: Iterable[Problem]) -> str:
    """All errors among the problems, each with its line; for the text of a ConfigError. Warnings are left out."""
    return "\n".join(problem.render() for problem in problems if problem.severity is Severity.ERROR)


def _visible(text: str) -> str:
    """The text in printable characters only, so that the caret below it stays in its place wherever it is shown."""
    return "".join(_TAB if char == "\t" else char if char.isprintable() else "\ufffd" for char in text)


def _columns(text: str) -> int:
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)
