"""A rule file as TOML: its values, the place of each, and the problems found so far."""

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from guard.config.places import MOST_LEVELS, Path, Places, places, within
from guard.config.repair import Repair
from guard.config.source import LONGEST_LINE, MOST_BYTES, Source
from guard.config.wording import OPEN_LIST, wording
from guard.rules.complaint import Complaint, Severity, Span

if TYPE_CHECKING:
    from guard.config.problem import Problem

_MOST_ERRORS: Final = 200
_MOST_SYNTAX_ERRORS: Final = 20
_TOML_ERROR: Final = re.compile(r"(?P<text>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")
_OPEN_TEXTS: Final = {"Unterminated string": '"""', "Expected \"'''\"": "'''"}


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
        self.lost: set[str] = set()  # names that stood on lines that cannot be read
        self.made_up: set[str] = set()  # names of tables whose own cannot be read
        self.faulty: set[Path] = set()  # accounts, channels and rules about which there was an error
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
        if severity is Severity.ERROR:
            self.faulty.add(path[:2])
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
        """Reads the TOML; what is wrong is noted and taken out, so that everything else is looked at too."""
        repair = Repair(text)
        for _ in range(_MOST_SYNTAX_ERRORS):
            try:
                self.values = tomllib.loads(repair.text)
            except RecursionError:
                return self._note(Span(0, 0), "nested too deeply", is_toml=False)
            except ValueError as error:
                span, message = self._syntax_error(str(error))
                line = self.source.line(self.source.position(span.start)[0])
                if repair.mend(line, is_above=message == OPEN_LIST):
                    self._note(span, message, is_toml=False)
            else:
                break
        if repair.text != text:
            self.lost, self.made_up = repair.lost, repair.made_up
            self._places = places(repair.text)
            self.source.mask(self._places)
        return None

    def _syntax_error(self, message: str) -> tuple[Span, str]:
        """Where an error of tomllib is, and what it means."""
        match = _TOML_ERROR.fullmatch(message)
        text = match["text"] if match else message
        span = self._error_span(match, text)
        line = self.source.line(self.source.position(span.start)[0])
        again = self._again(line) if text.startswith("Cannot") else None
        if again is not None:
            here, first = again
            return here, f"this is written twice, first on line {self.source.position(first.start)[0]}"
        before, behind = self.source.text[line.start : span.start], self.source.text[span.start : line.end]
        return span, wording(text, before=before, behind=behind)

    def _error_span(self, match: re.Match[str] | None, text: str) -> Span:
        """A character; where tomllib only found the end too early, the quotes that were not closed, else the end."""
        if match and match["line"]:
            offset = self.source.offset(int(match["line"]), int(match["column"]))
            return Span(offset, offset + 1)
        quotes = self.source.text.rfind(_OPEN_TEXTS.get(text, "\n\n\n"))
        end = len(self.source.text.rstrip())
        return Span(quotes, quotes + 3) if text in _OPEN_TEXTS and quotes >= 0 else Span(max(0, end - 1), end)

    def _again(self, line: Span) -> tuple[Span, Span] | None:
        """A key on that line which was there before, and where."""
        return next((pair for pair in self._places.twice if line.start <= pair[0].start < line.end + 1), None)


def _is_beyond(text: str) -> tuple[Span, str] | None:
    """Why a text is not even looked at, and where."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        return Span(0, 0), f"a rule file has at most {MOST_BYTES:,} bytes"
    if "\r" in text and "\n" not in text:
        return Span(0, 0), "the lines end in CR alone; save the file with the line ends of Unix or Windows"
    start = 0
    for line in text.split("\n"):
        if len(line) > LONGEST_LINE:
            return Span(start, start + 1), f"a line has at most {LONGEST_LINE:,} characters, and this one {len(line):,}"
        start += len(line) + 1
    return None
