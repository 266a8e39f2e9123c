"""A scenario file's text: parsed, and with the line of everything that it says."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from guard.sandbox.errors import SandboxError, suggestion

_WORDS: Final = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    dict: "a table",
    list: "written as [[faults]]",
    datetime: "an instant without quotes, as 2026-11-30T22:00:00Z",
}
_TOML_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")

_T = TypeVar("_T")

Path = tuple[str, ...]
"""Where something stands: the names of its tables, and its own."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text, and the name that errors give it."""

    text: str
    place: str

    def parsed(self) -> dict[str, object]:
        """All of it; raises SandboxError where it is no TOML."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = _TOML_LINE.search(str(error))
            why = _TOML_LINE.sub("", str(error))
            raise self._problem(why, int(found[1]) if found else None) from None
        except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
            raise self._problem("this is no scenario: a number is too long, or brackets are too deep") from None

    def problem(self, why: str, *, path: Path = (), nth: int | None = None) -> SandboxError:
        """A mistake at that path, or in the nth table (from 0) of those that a double bracket heads with it."""
        return self._problem(why, self.line(path, nth=nth))

    def know(
        self, table: Mapping[str, object], known: Iterable[str], *, what: str, path: Path, nth: int | None = None
    ) -> None:
        """Raises SandboxError for a key that is not known; `path` is the table's."""
        for key in table:
            if key not in known:
                where = path if nth is not None else (*path, key)
                raise self.problem(f"unknown {what} {key!r}{suggestion(key, known)}", path=where, nth=nth)

    def take(self, table: Mapping[str, object], kind: type[_T], path: Path, *, nth: int | None = None) -> _T | None:
        """What the table holds under the last name of the path; None where it has no such key.

        It must be of exactly that kind (true is no status). Raises SandboxError for another. With `nth`, the path leads
        into that one of many tables.
        """
        value = table.get(path[-1])
        if value is None or (isinstance(value, kind) and type(value) is kind):
            return value
        where = path if nth is None else path[:-1]
        raise self.problem(f"{path[-1]} must be {_WORDS[kind]}", path=where, nth=nth)

    def _problem(self, why: str, line: int | None = None) -> SandboxError:
        return SandboxError(f"{self.place}: {why}" if line is None else f"{self.place}:{line}: {why}")

    def line(self, path: Path, *, nth: int | None = None) -> int | None:
        """The first line that sets what the path names, or heads it; None when it is written otherwise."""
        name = ".".join(path)
        if nth is None:
            return next((line for said, _, line in self._said() if said == name), None)
        headers = [line for said, is_one_of_many, line in self._said() if said == name and is_one_of_many]
        return headers[nth] if nth < len(headers) else None

    def _said(self) -> Iterator[tuple[str, bool, int]]:
        """What each line names, dotted; whether it heads one of many tables; and its number."""
        table = ""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if line.lstrip().startswith("["):
                table = _name(line)
                yield table, line.lstrip().startswith("[["), number
            elif name := _name(f"{line.partition('=')[0]}=0"):
                yield f"{table}.{name}" if table else name, False, number


def _name(line: str) -> str:
    """The dotted name that a line of TOML gives to a table or a value; empty when it is no such line by itself."""
    try:
        said: object = tomllib.loads(line)
    except (ValueError, RecursionError):
        return ""
    names = []
    while isinstance(said, dict) and said:
        [(name, said)] = said.items()
        names.append(name)
        said = said[0] if isinstance(said, list) else said
    return ".".join(names)
