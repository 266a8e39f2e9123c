"""Scenario files: built in by name, or anywhere by path; read, checked, and refused with their line."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from guard.sandbox.document import Document
from guard.sandbox.document import Path as Where
from guard.sandbox.errors import SandboxError, suggestion
from guard.sandbox.fields import FIELDS, NUMBERS, WEBHOOKS
from guard.sandbox.scenario import Body, Fault, Kind, Scenario, SubAccount
from guard.series import SeriesError, parse_series

_SUFFIX: Final = ".toml"
_MOST_BYTES: Final = 1 << 20
_KEYS: Final = ("about", "interval", "repeat", "start", "series", "faults", "sub", "sub_accounts", "sub_story")
_SUB_KEYS: Final = ("name", "series", "faults")
_SUB_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOST_SUBS: Final = 10_000
_SUB_STORIES: Final = {"main": False, "rest": True}
_YEARS: Final = range(2000, 2100)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_USUAL_INTERVAL: Final = timedelta(minutes=1)
_MOST_DOTS: Final = 2  # no field has more

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
    file = Document(text, place=place)
    return scenario_in(file, file.parsed(), name=name)


def scenario_in(file: Document, table: Mapping[str, object], *, name: str, path: Where = ()) -> Scenario:
    """The scenario that a table of a file tells; `path` leads to the table.

    Raises SandboxError for the first mistake, with its line where that can be told.
    """
    file.know(table, _KEYS, what="key", path=path)
    main = Scenario(
        name=name,
        about=file.take(table, str, (*path, "about")) or "",
        interval=_interval(file, table, path),
        series=_series(file, table, path),
        faults=_faults(file, table, path),
        repeat=file.take(table, bool, (*path, "repeat")) or False,
        start=_start(file, table, path),
        more_subs=_more_subs(file, table, path),
        more_subs_rest=_more_subs_rest(file, table, path),
    )
    scenario = replace(main, subs=_subs(file, table, main, path))
    if scenario.repeat and not any(story.length for story in (main, *(sub.story for sub in scenario.subs.values()))):
        raise file.problem("there is nothing to repeat; write a series or a fault", path=(*path, "repeat"))
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


def _interval(file: Document, top: Mapping[str, object], place: Where) -> timedelta:
    try:
        text = file.take(top, str, (*place, "interval"))
        interval = _USUAL_INTERVAL if text is None else _moment(text)
    except ValueError as error:
        raise file.problem(str(error), path=(*place, "interval")) from None
    if not interval:
        raise file.problem("interval must be longer than 0s", path=(*place, "interval"))
    return interval


def _start(file: Document, top: Mapping[str, object], place: Where) -> datetime | None:
    start = file.take(top, datetime, (*place, "start"))
    if start is None:
        return None
    if start.tzinfo is None:
        raise file.problem("start has no zone; put a Z behind it for UTC", path=(*place, "start"))
    if start.year not in _YEARS:
        raise file.problem(f"start must be in the years {_YEARS[0]} to {_YEARS[-1]}", path=(*place, "start"))
    return start.astimezone(UTC).replace(microsecond=0)


def _more_subs(file: Document, top: Mapping[str, object], place: Where) -> int:
    count = file.take(top, int, (*place, "sub_accounts")) or 0
    if not 0 <= count <= _MOST_SUBS:
        why = f"sub_accounts is a number from 0 to {_MOST_SUBS:,}, not {count}"
        raise file.problem(why, path=(*place, "sub_accounts"))
    return count


def _more_subs_rest(file: Document, top: Mapping[str, object], place: Where) -> bool:
    word = file.take(top, str, (*place, "sub_story")) or "main"
    if word not in _SUB_STORIES:
        why = f"{word!r} is not one of {', '.join(_SUB_STORIES)}{suggestion(word, _SUB_STORIES)}"
        raise file.problem(why, path=(*place, "sub_story"))
    return _SUB_STORIES[word]


def _subs(file: Document, top: Mapping[str, object], main: Scenario, place: Where) -> dict[str, SubAccount]:
    subs: dict[str, SubAccount] = {}
    for account, table in (file.take(top, dict, (*place, "sub")) or {}).items():
        path = (*place, "sub", account)
        if not isinstance(table, dict):
            raise file.problem(f"{account} must be a table; head its lines with [sub.{account}]", path=path)
        if not _SUB_ID.fullmatch(account):
            why = f"an id is at most 64 letters, digits, '.', '-' and '_', not {account!r}"
            raise file.problem(why, path=path)
        file.know(table, _SUB_KEYS, what="key of a sub-account", path=path)
        series, faults = _series(file, table, path), _faults(file, table, path)
        story = Scenario(account, interval=main.interval, repeat=main.repeat, series=series, faults=faults)
        subs[account] = SubAccount(file.take(table, str, (*path, "name")) or account, story)
    return subs


def _series(file: Document, table: Mapping[str, object], place: Where) -> dict[str, tuple[int | None, ...]]:
    path = (*place, "series")
    series: dict[str, tuple[int | None, ...]] = {}
    for name, text in _flat(file.take(table, dict, path) or {}):
        where = (*path, name)
        if name not in FIELDS:
            raise file.problem(f"unknown field {name!r}{suggestion(name, FIELDS)}", path=where)
        if not isinstance(text, str):
            raise file.problem(f'{name} must be a series in quotes, as "5x10 4 _"', path=where)
        try:
            series[name] = tuple(_whole(value) for value in parse_series(text))
        except (SeriesError, ValueError) as error:
            raise file.problem(f"{name}: {error}", path=where) from None
    for parts in (NUMBERS, WEBHOOKS):
        if series.keys() >= set(parts):
            why = f"{parts[2]} is {parts[0]} + {parts[1]}; script two of the three"
            raise file.problem(why, path=(*path, parts[2]))
        if why := _too_small(series, parts):
            raise file.problem(why, path=(*path, parts[2]))
    return series


def _too_small(series: Mapping[str, tuple[int | None, ...]], parts: tuple[str, str, str]) -> str:
    """Where the whole is scripted to be less than one of its parts, which the sandbox could not show; empty if not."""
    whole = series.get(parts[2], ())
    for part in parts[:2]:
        scripted = series.get(part, ())
        for number in range(max(len(whole), len(scripted)) if whole and scripted else 0):
            # A series that is over holds its last item.
            least, most = (each[min(number, len(each) - 1)] for each in (scripted, whole))
            if least is not None and most is not None and most < least:
                has = f"{parts[2]} is {most:,} in poll {number + 1:,}, below {part}, which is {least:,}"
                return f"{has}; it is {parts[0]} + {parts[1]}"
    return ""


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


def _faults(file: Document, table: Mapping[str, object], place: Where) -> tuple[Fault, ...]:
    path = (*place, "faults")
    return tuple(_fault(file, fault, path, nth) for nth, fault in enumerate(file.take(table, list, path) or []))


def _fault(file: Document, table: object, path: Where, nth: int) -> Fault:
    if not isinstance(table, dict):
        header = f"[[{'.'.join(path)}]]"
        raise file.problem(f"each fault must be a table of its own, under {header}", path=path)
    file.know(table, _FAULT_KEYS, what="key of a fault", path=path, nth=nth)
    try:
        read = {
            part: reader(file.take(table, kind, (*path, key), nth=nth))
            for key, (part, kind, reader) in _FAULT_KEYS.items()
            if key in table
        }
        return Fault(**read)
    except ValueError as error:
        raise file.problem(str(error), path=path, nth=nth) from None


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
    "path": ("path", str, str),
    "kind": ("kind", str, partial(_member, Kind)),
    "status": ("status", int, int),
    "body": ("body", str, partial(_member, Body)),
    "retry_after": ("retry_after", str, _retry_after),
}
"""What a fault's table may hold: the part of Fault that it becomes, what TOML must make of it, and who reads that."""
