"""The time that a report is about: from one time of telling to the next, as the clocks of its zone show them; pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from guard.config import ReportConfig, Rhythm
from guard.model import Incident

_STEPS: Final = {Rhythm.DAILY: timedelta(days=1), Rhythm.WEEKLY: timedelta(days=7)}
_LATEST: Final = timedelta(days=3)  # that a weekly one may be told; the next daily one comes sooner


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a week that is over, or goes on; of a day on which the clocks are put back 25 hours."""

    id: str  # the same for each report of this rhythm and day, whatever the time of day: none is told twice
    start_at: datetime
    end_at: datetime


def last_period(report: ReportConfig, *, now: datetime) -> Period:
    """The newest one that is over."""
    day = now.astimezone(report.tz).date()
    if report.every is Rhythm.WEEKLY:
        day -= timedelta(days=(day.weekday() - report.day) % 7)
    if _instant(report, day) > now:
        day -= _STEPS[report.every]
    start_at, end_at = _instant(report, day - _STEPS[report.every]), _instant(report, day)
    return Period(f"report-{report.every}-{day}", start_at, end_at)


def running_period(report: ReportConfig, *, now: datetime) -> Period:
    """The one that goes on, as far as it is over."""
    return Period("report-so-far", last_period(report, now=now).end_at, now)


def due_period(report: ReportConfig, *, now: datetime) -> Period | None:
    """The one to tell of by now; None where that time is so long ago that nobody would want it any more."""
    period = last_period(report, now=now)
    return period if now - period.end_at < _LATEST else None


def period_of(incident: Incident) -> Period:
    """The one that an incident stands for, as it is stored."""
    assert incident.ended_at is not None  # noqa: S101 - a report is told of what is over
    return Period(incident.id, incident.started_at, incident.ended_at)


def _instant(report: ReportConfig, day: date) -> datetime:
    """When the clocks show the time of telling on a day.

    Where they skip it, that is as long after the skip as it would have been, and where they show it twice the first
    time.
    """
    return datetime.combine(day, report.at, report.tz).astimezone(UTC)
