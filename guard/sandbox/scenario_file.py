"""Scenario files: built in by name, or anywhere by path; read, checked, and refused with their line."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from guard.sandbox.errors import SandboxError, suggestion
from guard.sandbox.scenario import Body, Fault, Kind, Scenario
from guard.sandbox.usage import FIELDS, NUMBERS, WEBHOOKS
from guard.series import SeriesError, parse_series

_SUFFIX: Final = ".toml"
_MOST_BYTES: Final = 1 << 20
_KEYS: Final = ("about", "interval", "repeat", "series", "faults")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_USUAL_INTERVAL: Final = timedelta(minutes=1)
_MOST_DOTS: Final = 2  # no field has more
_WORDS: Final = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    dict: "a table",
    list: "written as [[faults]]",
}
_TOML_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


def scenario_names() -> tuple[str, ...]:
    """The built-in scenarios, in alphabetical order."""
    files = (resources.files("guard.sandbox") / "scenarios").iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def load_scenario(name_or_path: str) -> Scenario:
    """The built-in scenario of that name, else the one in that file.

    Raises SandboxError when there is none, or when the file is no scenario.
    """
    names = scenario_names()
    if name_or_path in names:
        file = resources.files("guard.sandbox") / "scenarios" / f"{name_or_path}{_SUFFIX}"
        return read_scenario(file.read_text(encoding="utf-8"), name=name_or_path, place=file.name)
    path = Path(name_or_path)
    if path.suffix != _SUFFIX and "/" not in name_or_path and not path.is_file():
        raise SandboxError(
            f"there is no scenario {name_or_path!r}{suggestion(name_or_path, names) or '.'} "
            f"Built in are {', '.join(names)}; a path that ends in {_SUFFIX} names your own"
        )
    return read_scenario(_text(path), name=path.stem, place=str(path))


def read_scenario(text: str, *, name: str, place: str) -> Scenario:
    """A scenario file's text as a Scenario of that name; `place` is what errors call the file.

    Raises SandboxError for the first mistake, with its line where that can be told.
    """
    file = _File(text, place=place)
    top = file.table()
    file.know(top, _KEYS, what="key")
    scenario = Scenario(
        name=name,
        about=file.take(top, "about", str) or "",
        interval=_interval(file, top),
        series=_series(file, top),
        faults=tuple(_fault(file, fault, number=n) for n, fault in enumerate(file.take(top, "faults", list) or [])),
        repeat=file.take(top, "repeat", bool) or False,
    )
    if scenario.repeat and not scenario.length:
        raise file.problem("there is nothing to repeat; write a series or a fault", line=file.line_of("repeat"))
    return scenario


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise SandboxError(f"{path}: this is no scenario; it is longer than 1 MiB")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SandboxError(f"{path}: this is no scenario; it is not UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise SandboxError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _interval(file: "_File", top: Mapping[str, object]) -> timedelta:
    try:
        text = file.take(top, "interval", str)
        interval = _USUAL_INTERVAL if text is None else _moment(text)
    except ValueError as error:
        raise file.problem(str(error), line=file.line_of("interval")) from None
    if not interval:
        raise file.problem("interval must be longer than 0s", line=file.line_of("interval"))
    return interval


def _series(file: "_File", top: Mapping[str, object]) -> dict[str, tuple[int | None, ...]]:
    series: dict[str, tuple[int | None, ...]] = {}
    for name, text in _flat(file.take(top, "series", dict) or {}):
        if name not in FIELDS:
            raise file.problem(f"unknown field {name!r}{suggestion(name, FIELDS)}", line=file.line_of(name))
        if not isinstance(text, str):
            raise file.problem(f'{name} must be a series in quotes, as "5x10 4 _"', line=file.line_of(name))
        try:
            series[name] = tuple(_whole(value) for value in parse_series(text))
        except (SeriesError, ValueError) as error:
            raise file.problem(f"{name}: {error}", line=file.line_of(name)) from None
    for parts in (NUMBERS, WEBHOOKS):
        if series.keys() >= set(parts):
            why = f"{parts[2]} is {parts[0]} + {parts[1]}; script two of the three"
            raise file.problem(why, line=file.line_of(parts[2]))
    return series


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted names, whether the file quotes them or lets TOML make tables of them."""
    for key, value in table.items():
        if isinstance(value, dict) and prefix.count(".") < _MOST_DOTS:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _whole(value: float | None) -> int | None:
    if value is None:
        return None
    if value < 0 or not value.is_integer():
        raise ValueError(f"the API counts in whole numbers from 0 up, not {value:g}")
    return int(value)


def _fault(file: "_File", table: object, *, number: int) -> Fault:
    line = file.line_of_fault(number)
    if not isinstance(table, dict):
        raise file.problem("each fault must be a table of its own, under [[faults]]", line=file.line_of("faults"))
    file.know(table, _FAULT_KEYS, what="key of a fault", line=line)
    try:
        read = {
            part: reader(file.take(table, key, kind, line=line))
            for key, (part, kind, reader) in _FAULT_KEYS.items()
            if key in table
        }
        return Fault(**read)
    except ValueError as error:
        raise file.problem(str(error), line=line) from None


def _moment(text: str) -> timedelta:
    moment = _duration(text)
    if moment is None:
        raise ValueError(f"{text!r} is no duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d")
    return moment


def _duration(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text)
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match else None


def _retry_after(text: str) -> str:
    """The header's text: `30s` is written `30`, as HTTP has it; anything else goes out as it stands."""
    duration = _duration(text)
    return text if duration is None else f"{duration.total_seconds():.0f}"


def _member(kinds: type[_E], word: str) -> _E:
    try:
        return kinds(word)
    except ValueError:
        known = [member.value for member in kinds]
        raise ValueError(f"{word!r} is not one of {', '.join(known)}{suggestion(word, known)}") from None


_FAULT_KEYS: Final[Mapping[str, tuple[str, type, Callable[[Any], Any]]]] = {
    "from": ("start", str, _moment),
    "to": ("end", str, _moment),
    "kind": ("kind", str, partial(_member, Kind)),
    "status": ("status", int, int),
    "body": ("body", str, partial(_member, Body)),
    "retry_after": ("retry_after", str, _retry_after),
}
"""What a fault's table may hold: the part of Fault that it becomes, what TOML must make of it, and who reads that."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file's text, and the name that errors give it."""

    text: str
    place: str

    def table(self) -> dict[str, object]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = _TOML_LINE.search(str(error))
            why = _TOML_LINE.sub("", str(error))
            raise self.problem(why, line=int(found[1]) if found else None) from None
        except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
            raise self.problem("this is no scenario: a number is too long, or brackets are too deep") from None

    def problem(self, why: str, *, line: int | None = None) -> SandboxError:
        return SandboxError(f"{self.place}: {why}" if line is None else f"{self.place}:{line}: {why}")

    def know(self, table: Mapping[str, object], known: Iterable[str], *, what: str, line: int | None = None) -> None:
        for key in table:
            if key not in known:
                raise self.problem(f"unknown {what} {key!r}{suggestion(key, known)}", line=line or self.line_of(key))

    def take(self, table: Mapping[str, object], key: str, kind: type[_T], *, line: int | None = None) -> _T | None:
        """The key's value, which must be of exactly that kind (true is no status), or None without the key."""
        value = table.get(key)
        if value is None or (isinstance(value, kind) and type(value) is kind):
            return value
        raise self.problem(f"{key} must be {_WORDS[kind]}", line=line or self.line_of(key))

    def line_of(self, name: str) -> int | None:
        """The first line that sets the name, or that is its table's header; None when it is written otherwise."""
        for part in (name, name.rpartition(".")[2]):
            pattern = rf"""^[ \t\["']*(?:[\w"'-]+[ \t]*\.[ \t]*)*["']?{re.escape(part)}["']?[ \t]*[=\]]"""
            if found := re.search(pattern, self.text, re.MULTILINE):
                return self.text.count("\n", 0, found.start()) + 1
        return None

    def line_of_fault(self, number: int) -> int | None:
        """The line of that header `[[faults]]`, counted from 0; None when faults are written inline."""
        headers = list(re.finditer(r"^\s*\[\[\s*faults\s*\]\]", self.text, re.MULTILINE))
        return self.text.count("\n", 0, headers[number].end()) + 1 if number < len(headers) else None
