"""Who is told, and how often again: `notify` and `remind`, wherever they stand, and which of them goes first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from guard.config.keys import LEVELS, REMIND, Keys
from guard.config.table import Table, kind
from guard.model import Level
from guard.rules.complaint import hint
from guard.rules.policy import Remind

Routes = Mapping[Level, tuple[str, ...]]
"""Channel names by level; a level that is absent notifies nobody."""

_BUILT_IN: Final = {Level.CRITICAL: timedelta(hours=4), Level.WARNING: timedelta(hours=24)}
_MOST_REMINDERS: Final = 1_000
_MOST_NAMED: Final = 5
_SUCH_AS: Final = '["ops"]'


def read_notify(table: Table, channels: Collection[str]) -> Routes | None:
    """The routes of `notify`, where a list goes for all levels; None where it is absent."""
    if "notify" not in table:
        return None
    names = _names(table, "notify", channels)
    return dict.fromkeys(Level, names)


def read_notify_by_level(table: Table, channels: Collection[str]) -> Routes | None:
    """The same for a rule, where a table by level may stand instead of the list."""
    if not isinstance(table.values.get("notify"), dict):
        return read_notify(table, channels)
    by_level = table.table("notify", such_as="{ critical = ['ops'] }")
    if by_level is None:  # pragma: no cover -- it was seen to be a table
        return None
    by_level.check_keys(Keys(LEVELS), where=" in notify, which goes by level")
    return {level: _names(by_level, level.word, channels) for level in Level if level.word in by_level}


def read_fallback(table: Table, channels: Collection[str]) -> tuple[str, ...]:
    """The channels of `fallback`; none where it is absent."""
    return _names(table, "fallback", channels) if "fallback" in table else ()


def _names(table: Table, key: str, channels: Collection[str]) -> tuple[str, ...]:
    """A list of channel names, each once, in the list's order."""
    values = table.values[key]
    if not isinstance(values, list):
        table.wrong(key, f"{key} is a list of channels, such as {_SUCH_AS}, and this is {kind(values)}")
        return ()
    for index, name in enumerate(values):
        fault = _fault(name, channels, lost=table.document.lost)
        if fault:
            table.document.complain((*table.path, key, index), fault)
    return tuple(dict.fromkeys(name for name in values if isinstance(name, str)))


def _fault(name: object, channels: Collection[str], *, lost: Collection[str]) -> str | None:
    if not isinstance(name, str):
        return f"a channel's name is a text, and this is {kind(name)}"
    if name in channels:
        return None
    there = sorted(set(channels).difference(lost))
    known = f"; there is {', '.join(there[:_MOST_NAMED])}" if there else ""
    return f"unknown channel {name!r}{hint(name, there) or known}"


@dataclass(frozen=True, slots=True)
class Reminders:
    """What one `remind` says; what it leaves out is said by the one around it."""

    every: Mapping[Level, timedelta | None]  # None: never
    at_most: int | None = None


def read_remind(table: Table) -> Reminders | None:
    """The table `remind`; None where it is absent."""
    remind = table.table("remind", such_as='{ critical = "4h", info = "off" }')
    if remind is None:
        return None
    remind.check_keys(REMIND, where=" in remind")
    every = {level: _interval(remind, level.word) for level in Level if level.word in remind}
    return Reminders(every, remind.whole_number("max", most=_MOST_REMINDERS))


def _interval(remind: Table, key: str) -> timedelta | None:
    if remind.values[key] == "off":
        return None
    if isinstance(remind.values[key], bool):
        remind.wrong(key, f'{key} is a duration such as "4h", or "off"')
        return None
    interval = remind.duration(key, tail=', or "off"')
    if interval == timedelta():
        remind.wrong(key, f'{key} reminds without pause; write "off" for never')
    return interval


def resolved(*reminders: Reminders | None) -> Remind:
    """The reminders in force, from those of the file's defaults to those of the rule; built-in ones at first."""
    every: dict[Level, timedelta | None] = dict(_BUILT_IN)
    at_most = Remind().at_most
    for each in reminders:
        if each is not None:
            every.update(each.every)
            at_most = at_most if each.at_most is None else each.at_most
    return Remind({level: interval for level, interval in sorted(every.items()) if interval is not None}, at_most)
