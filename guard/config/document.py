"""A rule file as TOML: its values, the place of each, and the problems found so far."""

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from guard.config.places import MOST_LEVELS, Path, Places, places, within
from guard.config.source import LONGEST_LINE, MOST_BYTES, Source
from guard.rules.complaint import Complaint, Severity, Span

if TYPE_CHECKING:
    from guard.config.problem import Problem

_MOST_ERRORS: Final = 200
_MOST_SYNTAX_ERRORS: Final = 10
_TOML_ERROR: Final = re.compile(r"(?P<text>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")
_SETTING: Final = re.compile(r"""[ \t]*["']?(?P<name>[\w-]+)["']?(?:[ \t]*\.[ \t]*["']?[\w-]+["']?)*[ \t]*(?:=|["'])""")

_WORDING: Final = {
    "Invalid value": "this is no TOML value; texts stand in quotes",
    "Invalid statement": "this is neither key = value nor a [table]",
    "Expected '=' after a key in a key/value pair": "a key is followed by = and a value",
    "Expected newline or end of document after a statement": "the line should end here; texts stand in quotes",
    "Invalid initial character for a key part": "a key is expected here",
    "Expected ']' at the end of a table declaration": "the table's header is not closed with ]",
    "Expected ']]' at the end of an array declaration": "the header is not closed with ]]",
    "Unclosed array": "the list is not closed with ]",
    "Unclosed inline table": "the table is not closed with }",
    "Unterminated string": "the text is not closed with a quote",
    "Illegal character '\\n'": "the text is not closed with a quote on its line",
    "Unescaped '\\' in a string": "a backslash in double quotes begins an escape; write two, or use single quotes",
    "Cannot overwrite a value": "this is set twice",
    "Invalid date or datetime": "this is no date",
}


class TooManyError(Exception):
    """Enough errors were found; what else is wrong shows when they are mended."""


class Document:
    """The values of a rule file, and the problems with them.

    After mistakes in the TOML itself `values` holds what can be read without the lines that they stand on; it is empty
    when nothing can.
    """

    def __init__(self, text: str, *, path: str) -> None:
        """Reads a text; never raises for any text."""
        text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self.values: dict[str, Any] = {}
        self.lost: set[str] = set()  # keys that were set on lines that cannot be read
        self.problems: list[Problem] = []
        self._places = Places() if _is_beyond(text) else places(text)
        self.source = Source(text, path=path, found=self._places)
        self._read()

    @property
    def has_errors(self) -> bool:
        """Whether the file cannot be used."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def complain(
        self,
        path: Path,
        text: str,
        *,
        severity: Severity = Severity.ERROR,
        on_key: bool = False,
        part: Span | None = None,
    ) -> None:
        """Notes a problem with the value at a path, with its key, or with a part of it if it is a string.

        Raises TooManyError when enough errors are known.
        """
        place = self._places.of(path)
        span = place.key if on_key or place.value is None else place.value
        if part is not None and place.value is not None:
            span = within(self.source.text, place.value, part, expected=self._string(path))
        self._note(span, text, severity)

    def complain_about(self, path: Path, complaint: Complaint) -> None:
        """Notes what the rule language complained about in the string at a path."""
        self.complain(path, complaint.text, severity=complaint.severity, part=complaint.span)

    def miss(self, path: Path, text: str) -> None:
        """Notes that a table lacks something, unless it may stand on a line that cannot be read."""
        if not self.lost:
            self.complain(path, text, on_key=True)

    def _note(self, span: Span, text: str, severity: Severity = Severity.ERROR, *, is_toml: bool = True) -> None:
        self.problems.append(self.source.problem(span, text, severity, is_toml=is_toml))
        if severity is Severity.ERROR and len(self.problems) >= _MOST_ERRORS and self._error_count() >= _MOST_ERRORS:
            raise TooManyError

    def _error_count(self) -> int:
        return sum(problem.severity is Severity.ERROR for problem in self.problems)

    def _string(self, path: Path) -> str:
        value: Any = self.values
        for key in path:
            value = value[key]
        return value if isinstance(value, str) else ""

    # --- reading the TOML -------------------------------------------------------------------------------------------

    def _read(self) -> None:
        beyond = _is_beyond(self.source.text)
        if beyond:
            self._note(*beyond, is_toml=False)
        elif self._places.too_deep:
            self._note(self._places.too_deep, f"nested deeper than {MOST_LEVELS} levels", is_toml=False)
        else:
            self._read_lines(self.source.text)

    def _read_lines(self, text: str) -> None:
        """Reads the TOML; a line that is wrong is noted and read as empty, so that the others are looked at too."""
        for _ in range(_MOST_SYNTAX_ERRORS):
            try:
                self.values = tomllib.loads(text)
            except RecursionError:
                return self._note(Span(0, 0), "nested too deeply", is_toml=False)
            except ValueError as error:
                line = self._syntax_error(str(error))
            else:
                break
            setting = line and _SETTING.match(text, line.start, line.end)
            if not line or not setting:
                return None
            self.lost.add(setting["name"])
            text = text[: line.start] + " " * (line.end - line.start) + text[line.end :]
        if self.lost:
            self._places = places(text)
        return None

    def _syntax_error(self, message: str) -> Span | None:
        """Notes an error of tomllib; gives the line it is on, None when that is not known."""
        match = _TOML_ERROR.fullmatch(message)
        text = match["text"] if match else message
        if match is None or match["line"] is None:
            self._note(self._end(), _WORDING.get(text, f"the file ends too early: {_lowered(text)}"), is_toml=False)
            return None
        offset = self.source.offset(int(match["line"]), int(match["column"]))
        line = self.source.line(int(match["line"]))
        again = self._again(line) if text.startswith("Cannot") else None
        if again is None:
            self._note(Span(offset, offset + 1), _WORDING.get(text, _lowered(text)), is_toml=False)
        else:
            here, first = again
            self._note(
                here, f"this is written twice, first on line {self.source.position(first.start)[0]}", is_toml=False
            )
        return line

    def _again(self, line: Span) -> tuple[Span, Span] | None:
        """A key on that line which was there before, and where."""
        return next((pair for pair in self._places.twice if line.start <= pair[0].start < line.end + 1), None)

    def _end(self) -> Span:
        end = len(self.source.text.rstrip())
        return Span(max(0, end - 1), end)


def _is_beyond(text: str) -> tuple[Span, str] | None:
    """What about a text is too much to be looked at, and where."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        return Span(0, 0), f"a rule file has at most {MOST_BYTES:,} bytes"
    start = 0
    for line in text.split("\n"):
        if len(line) > LONGEST_LINE:
            return Span(start, start + 1), f"a line has at most {LONGEST_LINE:,} characters, and this one {len(line):,}"
        start += len(line) + 1
    return None


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
