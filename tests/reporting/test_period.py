from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.config import Rhythm
from guard.config.report import USUAL
from guard.reporting.period import due_period, last_period, running_period
from tests.builders import NOW

BERLIN = ZoneInfo("Europe/Berlin")
WEEKLY = replace(USUAL, every=Rhythm.WEEKLY)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "start_at", "end_at"),
    [
        ("2026-11-23 08:59:59", "2026-11-21 09:00", "2026-11-22 09:00"),
        ("2026-11-23 09:00:00", "2026-11-22 09:00", "2026-11-23 09:00"),
        ("2026-11-24 08:59:59", "2026-11-22 09:00", "2026-11-23 09:00"),
    ],
)
def test_a_day_is_over_when_the_clock_shows_the_time(now: str, start_at: str, end_at: str) -> None:
    period = last_period(USUAL, now=utc(now))
    assert (period.start_at, period.end_at) == (utc(start_at), utc(end_at))


@pytest.mark.parametrize(
    ("day", "now", "end_at"),
    [
        (0, "2026-11-23 09:00", "2026-11-23 09:00"),
        (0, "2026-11-23 08:00", "2026-11-16 09:00"),
        (6, "2026-11-23 14:05", "2026-11-22 09:00"),
        (1, "2026-11-23 14:05", "2026-11-17 09:00"),
    ],
)
def test_a_week_is_over_on_its_day(day: int, now: str, end_at: str) -> None:
    period = last_period(replace(WEEKLY, day=day), now=utc(now))
    assert (period.start_at, period.end_at) == (utc(end_at) - timedelta(days=7), utc(end_at))


@pytest.mark.parametrize(
    ("day", "hours", "end_at"),
    [
        ("2026-03-29", 23, "2026-03-29 07:00"),
        ("2026-10-25", 25, "2026-10-25 08:00"),
        ("2026-10-26", 24, "2026-10-26 08:00"),
    ],
)
def test_the_time_is_that_of_the_clocks_of_the_zone(day: str, hours: int, end_at: str) -> None:
    period = last_period(replace(USUAL, tz=BERLIN), now=utc(f"{day} 20:00"))
    assert period.end_at == utc(end_at)
    assert period.end_at - period.start_at == timedelta(hours=hours)


def test_a_time_that_the_clocks_skip_comes_as_long_after_the_skip() -> None:
    period = last_period(replace(USUAL, tz=BERLIN, at=time(2, 30)), now=utc("2026-03-29 12:00"))
    assert period.end_at == utc("2026-03-29 01:30")  # 03:30 in Berlin


def test_a_time_that_the_clocks_show_twice_is_its_first() -> None:
    report = replace(USUAL, tz=BERLIN, at=time(2, 30))
    first, second = (last_period(report, now=utc(f"2026-10-25 {at}")) for at in ("00:31", "01:31"))
    assert first == second
    assert first.end_at == utc("2026-10-25 00:30")


def test_another_time_of_the_same_day_is_the_same_report() -> None:
    early, late = (last_period(replace(USUAL, at=time(hour)), now=NOW) for hour in (9, 10))
    assert early.id == late.id == "report-daily-2026-11-23"
    assert last_period(WEEKLY, now=NOW).id == "report-weekly-2026-11-23"


@pytest.mark.parametrize(("hours", "is_due"), [(0, True), (71, True), (72, False), (167, False)])
def test_a_weekly_report_that_was_missed_is_told_within_three_days(hours: int, is_due: bool) -> None:
    assert (due_period(WEEKLY, now=utc("2026-11-23 09:00") + timedelta(hours=hours)) is not None) is is_due


@given(now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy wants them so
def test_the_last_report_is_always_due_within_a_day_and_periods_leave_no_gap(now: datetime) -> None:
    report = replace(USUAL, tz=BERLIN)
    period = due_period(report, now=now)
    assert period is not None
    assert timedelta() <= now - period.end_at <= timedelta(hours=25)
    assert last_period(report, now=period.start_at).end_at == period.start_at


def test_the_period_that_goes_on_begins_where_the_last_one_ends() -> None:
    period = running_period(USUAL, now=NOW)
    assert (period.start_at, period.end_at) == (utc("2026-11-23 09:00"), NOW)
