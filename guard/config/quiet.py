"""`[quiet.*]` and a rule's `quiet`: times of the week in which critical alone is told."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from guard.config.accounts import read_zone
from guard.config.keys import QUIET
from guard.config.table import Table, kind
from guard.rules.complaint import hint
from guard.rules.policy import QuietWindow

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As files have them, in the order of `datetime.weekday`."""

_ALL_DAYS: Final = frozenset(range(7))
_MEANT: Final = {
    **dict.fromkeys(("weekday", "weekdays", "workdays"), "mon-fri"),
    **dict.fromkeys(("weekend", "weekends"), "sat-sun"),
}
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_HOW: Final = 'write one from "00:00" to "23:59"'
_SUCH_AS: Final = '["nights"]'
_MOST_DAYS: Final = 50
_MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class QuietDraft:
    """A quiet window as the file says it, before an account lends it a zone."""

    name: str
    days: frozenset[int]  # Monday is 0
    start: time  # the same as `end`, midnight, for whole days
    end: time
    tz: tzinfo | None  # None: the account's

    def on(self, tz: tzinfo) -> QuietWindow:
        """The window on an account of this zone."""
        return QuietWindow(self.name, self.days, self.start, self.end, self.tz or tz)


# --- the window -------------------------------------------------------------------------------------------------------


def read_window(table: Table) -> QuietDraft:
    """Reads one window; what is wrong is noted."""
    table.check_keys(QUIET, where=" for a quiet window")
    start, end = read_time(table, "from"), read_time(table, "to")
    missing = next((key for key in ("from", "to") if key not in table), "")
    if missing and ("from" in table or "to" in table):
        table.document.miss(table.path, f"{missing} is missing: write both from and to, or neither for whole days")
    elif start is not None and start == end:
        table.wrong("to", "to is the same as from; leave out both for whole days")
    return QuietDraft(table.name, _days(table), start or time(), end or time(), read_zone(table))


def read_time(table: Table, key: str) -> time | None:
    """A time of day; None where it is absent or wrong."""
    text = table.string(key, such_as='"22:00"')
    if text is None:
        return None
    if _TIME.fullmatch(text):
        return time.fromisoformat(text)
    padded = f"0{text}"
    how = 'write "00:00" for the end of the day' if text == "24:00" else _HOW
    if _TIME.fullmatch(padded):
        how = f'write "{padded}"'
    table.wrong(key, f"{key}: {text!r} is no time of day; {how}")
    return None


def _days(table: Table) -> frozenset[int]:
    """The days on which it begins; all where nothing is said."""
    values = table.values.get("days")
    if values is None:
        return _ALL_DAYS
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_DAYS:
        this = "this is empty" if values == [] else f"this is {kind(values)}"
        table.wrong("days", f'days is a list such as ["mon-fri", "sun"], and {this}')
        return _ALL_DAYS
    found = frozenset[int]()
    for index, value in enumerate(values):
        days = _range(value) if isinstance(value, str) else None
        if days is None:
            table.document.complain((*table.path, "days", index), _day_fault(value))
        found |= days or frozenset()
    return found


def _range(text: str) -> frozenset[int] | None:
    """The days of `mon`, or of `fri-mon`, which goes over the week's end; None where it is neither."""
    first, dash, last = text.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        return None
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1))


def _day_fault(value: object) -> str:
    if not isinstance(value, str):
        return f'a day is a text such as "mon" or "mon-fri", and this is {kind(value)}'
    shortened = "-".join(part.strip()[:3] for part in value.lower().split("-"))
    meant = _MEANT.get(value.lower(), shortened)
    how = f"did you mean {meant!r}?" if _range(meant) else f'write {", ".join(DAYS)}, or a range such as "mon-fri"'
    return f"{value!r} is no day, {how}" if _range(meant) else f"{value!r} is no day; {how}"


# --- its use ----------------------------------------------------------------------------------------------------------


def read_quiet(table: Table, windows: Collection[str]) -> tuple[str, ...]:
    """The windows that a rule names, each once; `windows` are those that there are."""
    values = table.values.get("quiet", [])
    if not isinstance(values, list):
        table.wrong("quiet", f"quiet is a list of windows, such as {_SUCH_AS}, and this is {kind(values)}")
        return ()
    for index, name in enumerate(values):
        fault = _fault(name, windows, lost=table.document.lost)
        if fault:
            table.document.complain((*table.path, "quiet", index), fault)
    return tuple(dict.fromkeys(name for name in values if isinstance(name, str)))


def _fault(name: object, windows: Collection[str], *, lost: Collection[str]) -> str | None:
    if not isinstance(name, str):
        return f"a quiet window's name is a text, and this is {kind(name)}"
    if name in windows:
        return None
    there = sorted(set(windows).difference(lost))
    known = f"; there is {', '.join(there[:_MOST_NAMED])}" if there else f"; write it under [quiet.{name}]"
    return f"unknown quiet window {name!r}{hint(name, there) or known}"


# --- what people call it ----------------------------------------------------------------------------------------------


def window_text(window: QuietWindow) -> str:
    """A window in words: `nights (mon-fri 22:00-06:00 Europe/Berlin)`.

    >>> from datetime import UTC
    >>> window_text(QuietWindow("week-ends", frozenset({5, 6}), time(), time(), UTC))
    'week-ends (sat-sun UTC)'
    """
    times = "" if window.start == window.end else f"{window.start:%H:%M}-{window.end:%H:%M}"
    days = "" if window.days == _ALL_DAYS else ", ".join(_runs(window.days))
    zone = str(getattr(window.tz, "key", window.tz))
    return f"{window.name} ({' '.join(filter(None, (days, times, zone)))})"


def _runs(days: frozenset[int]) -> Iterator[str]:
    """Days as a list has them: `mon-wed`, `fri`."""
    rest = sorted(days)
    while rest:
        length = next((number for number, day in enumerate(rest) if day != rest[0] + number), len(rest))
        run, rest = rest[:length], rest[length:]
        yield DAYS[run[0]] if length == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}"


def end_of(window: QuietWindow, *, now: datetime) -> datetime | None:
    """When a window that covers this instant is over, in UTC; None for one that never is.

    >>> nights = QuietWindow("nights", frozenset(range(7)), time(22), time(7), UTC)
    >>> end_of(nights, now=datetime(2026, 11, 23, 23, tzinfo=UTC))
    datetime.datetime(2026, 11, 24, 7, 0, tzinfo=datetime.timezone.utc)
    """
    today = now.astimezone(window.tz).date()
    for ahead in range(9):  # a week, and a day at each end of it
        at = datetime.combine(today + timedelta(days=ahead), window.end, window.tz).astimezone(UTC)
        if at > now and not window.covers(at):
            return at
    return None
