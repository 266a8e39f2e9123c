"""A report: how things are after a day or a week, whether or not anything happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from guard.message.message import Fact, Line, Message
from guard.message.telling import alert_name
from guard.message.text import listed, one_line
from guard.model import Alert, AlertKey, Bound, Incident, Level
from guard.units import count_text, counted, duration_text, instant_text, share_text, value_text, without_noun

_FIRING: Final = 8  # lines of each kind at most; the rest is counted
_LIMITS: Final = 8
_PACES: Final = 4
_MOVERS: Final = 4
_UNTOLD: Final = 6
_NAMED: Final = 3  # accounts in the title


@dataclass(frozen=True, slots=True)
class Limit:
    """A value that a rule watches, and the next worse bound; `left` is how far away that is, in the value's unit."""

    key: AlertKey
    value: float
    level: Level
    bound: Bound
    left: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a month will have come to at its end, probably between `low` and `high`, and what it may come to."""

    account: str
    what: str
    middle: float
    low: float
    high: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Mover:
    """What a counter grew by in the period, and in the one before; None where that is not known."""

    account: str
    field: str
    grown: float
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Untold:
    """What a channel was not told of an alert, and why."""

    key: AlertKey
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class Quality:
    """How the asking went."""

    polls: int = 0
    failed: int = 0
    longest: timedelta = timedelta()  # without a good answer
    longest_of: str = ""  # the account of that


@dataclass(frozen=True, slots=True)
class Report:
    """All that one says; every list in the order in which it is told, the most important first."""

    start_at: datetime
    end_at: datetime
    accounts: tuple[str, ...]  # the master accounts
    fired: int = 0  # incidents that began in the period
    resolved: int = 0  # and that ended in it
    longest: Incident | None = None  # of those that lie in it in whole or in part
    firing: tuple[Alert, ...] = ()
    limits: tuple[Limit, ...] = ()  # at rest
    paces: tuple[Pace, ...] = ()
    movers: tuple[Mover, ...] = ()
    untold: tuple[Untold, ...] = ()
    quality: Quality = Quality()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing happened that anybody has to look at."""
        return not (self.fired or self.resolved or self.firing or self.untold)


def report_message(report: Report, *, zone: tzinfo) -> Message:
    """The message that tells it, with times in this zone; it has no level, so that it pings nobody."""
    kinds: tuple[tuple[int, list[Line]], ...] = (
        (_FIRING, [_firing(each, end_at=report.end_at) for each in report.firing]),
        (_UNTOLD, [_untold(each) for each in report.untold]),
        (_LIMITS, [_limit(each) for each in report.limits]),
        (_PACES, [_pace(each) for each in report.paces]),
        (_MOVERS, [_mover(each) for each in report.movers]),
    )
    return Message(
        mark="report",
        title=listed([*map(one_line, report.accounts)], at_most=_NAMED),
        summary=_summary(report),
        facts=tuple(_facts(report, zone=zone)),
        lines=tuple(line for most, lines in kinds for line in lines[:most]),
        more=sum(max(0, len(lines) - most) for most, lines in kinds),
    )


def _summary(report: Report) -> str:
    if report.is_quiet:
        return "all quiet, nothing fired" if report.quality.polls else "nothing was asked, so nothing is known"
    parts = [
        f"{counted(report.fired, 'alert')} fired",
        f"{report.resolved:,} resolved",
        f"{len(report.firing):,} firing now",
    ]
    if report.untold:
        parts.append(f"{len(report.untold):,} not told")
    return ", ".join(parts)


def _facts(report: Report, *, zone: tzinfo) -> Iterator[Fact]:
    yield Fact("Period", f"{instant_text(report.start_at, zone)} to {instant_text(report.end_at, zone)}")
    if report.longest is not None:
        yield Fact("Longest incident", _lasted(report.longest, end_at=report.end_at))
    yield Fact("Data", _quality(report.quality))


def _lasted(incident: Incident, *, end_at: datetime) -> str:
    lasted = duration_text(min(incident.ended_at or end_at, end_at) - incident.started_at)
    why = f", {incident.reason.value}" if incident.reason else ", still firing" if incident.ended_at is None else ""
    return f"{alert_name(incident.key)}, {lasted} ({incident.peak.word}{why})"


def _quality(quality: Quality) -> str:
    if not quality.polls:
        return "no polls"
    failed = f"{share_text(quality.failed / quality.polls)} of {quality.polls:,} polls failed"
    return f"{failed}; longest without an answer {duration_text(quality.longest)} ({one_line(quality.longest_of)})"


def _firing(alert: Alert, *, end_at: datetime) -> Line:
    said = one_line(alert.reading.summary) if alert.reading else ""
    since = f" ({_so_long(end_at - alert.incident.started_at)})" if alert.incident else ""
    text = f"{alert_name(alert.key)}: {said or 'firing'}{since}"
    return Line(mark=alert.level.word if alert.level else "firing", level=alert.level, ended=False, text=text)


def _so_long(duration: timedelta) -> str:
    """For how long at the period's end; what fires is as of now, which may be later."""
    return f"for {duration_text(duration)}" if duration >= timedelta() else "since the period ended"


def _untold(untold: Untold) -> Line:
    text = f"{alert_name(untold.key)}, to {one_line(untold.channel)}: {one_line(untold.why)}"
    return Line(mark="not told", level=None, ended=False, text=text)


def _limit(limit: Limit) -> Line:
    unit = one_line(limit.unit)
    plain = without_noun(unit)
    bound = f"{limit.level.word} {limit.bound.operator} {value_text(limit.bound.number, plain)}"
    text = f"{alert_name(limit.key)}: {value_text(limit.value, unit)}; {bound}, {value_text(limit.left, plain)} left"
    return Line(mark="limit", level=None, ended=False, text=text)


def _pace(pace: Pace) -> Line:
    text = f"{one_line(pace.account)}: {count_text(pace.middle)} {pace.what} by the end of the month"
    text += f", probably {count_text(pace.low)} to {count_text(pace.high)}" if pace.low < pace.high else ""
    if pace.limit is not None:
        text += f", of {count_text(pace.limit)} ({share_text(pace.middle / pace.limit)})"
    return Line(mark="pace", level=None, ended=False, text=text)


def _mover(mover: Mover) -> Line:
    before = "" if mover.before is None else f" ({count_text(mover.before)} in the period before)"
    text = f"{one_line(mover.account)}: {one_line(mover.field)} grew by {count_text(mover.grown)}{before}"
    return Line(mark="grew", level=None, ended=False, text=text)
