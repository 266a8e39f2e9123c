"""`[report]`: when people are told how things are, whether or not anything happened; and the default of all of it."""

from collections.abc import Collection
from datetime import UTC, time, tzinfo
from typing import Final

from guard.config.accounts import read_zone
from guard.config.keys import REPORT
from guard.config.quiet import DAYS, read_time
from guard.config.routes import read_notify
from guard.config.table import Table
from guard.config.things import ReportConfig, Rhythm
from guard.model import Level
from guard.rules.complaint import hint

USUAL: Final = ReportConfig(Rhythm.DAILY, time(9), day=0, tz=UTC, notify=())
"""What `[report]` leaves out, but for whom it tells."""


def read_report(table: Table, channels: Collection[str], *, tz: tzinfo, notify: tuple[str, ...]) -> ReportConfig:
    """Reads the table; `tz` and `notify` are those that go where it names none. What is wrong is noted."""
    table.check_keys(REPORT, where=" under [report]")
    every = _every(table)
    if "day" in table and every is Rhythm.DAILY:
        table.wrong("day", 'day is for a weekly report; write every = "weekly", or leave the day out')
    told = read_notify(table, channels)
    if told is not None and not told[Level.INFO]:
        table.wrong("notify", "notify names no channel; leave out [report] where nobody is to be told")
    return ReportConfig(
        every=every,
        at=read_time(table, "at") or USUAL.at,
        day=_day(table),
        tz=read_zone(table) or tz,
        notify=notify if told is None else told[Level.INFO],
    )


def _every(table: Table) -> Rhythm:
    text = table.string("every", such_as='"daily"')
    if text is None:
        return USUAL.every
    if text not in set(Rhythm):
        near = hint(text, [each.value for each in Rhythm]) or '; write "daily" or "weekly"'
        table.wrong("every", f"every: {text!r} is not how often a report is told{near}")
        return Rhythm.WEEKLY  # so that a day beside it is not called wrong too
    return Rhythm(text)


def _day(table: Table) -> int:
    text = table.string("day", such_as='"mon"')
    if text is None:
        return USUAL.day
    if text not in DAYS:
        shortened = text.lower()[:3]
        how = f"did you mean {shortened!r}?" if shortened in DAYS else f"write one of {', '.join(DAYS)}"
        table.wrong("day", f"day: {text!r} is no day; {how}")
        return USUAL.day
    return DAYS.index(text)
