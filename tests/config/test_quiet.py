"""Quiet windows: what a file says of them, and what becomes of that on an account."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from guard.config.quiet import end_of, window_text
from guard.config.reload import changes
from guard.rules.policy import QuietWindow
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, RULE, SUBS, config, said

NIGHTS = """
[quiet.nights]
from = "22:00"
to = "06:00"
"""
BERLIN = 'tz = "Europe/Berlin"\n'


def quiet(window: str = NIGHTS, *, account: str = ACCOUNT, names: str = '["nights"]') -> tuple[QuietWindow, ...]:
    text = account + CHANNEL + DEFAULTS + RULE + f"quiet = {names}\n" + window
    [rule] = config(text).accounts[0].rules
    return rule.policy.quiet


def test_a_window_goes_by_the_zone_of_the_account_and_by_its_own_before_that() -> None:
    every_day = frozenset(range(7))
    assert quiet() == (QuietWindow("nights", every_day, time(22), time(6), UTC),)
    [window] = quiet(account=ACCOUNT + BERLIN)
    assert window.tz == ZoneInfo("Europe/Berlin")
    [window] = quiet(NIGHTS + 'tz = "Asia/Kolkata"\n', account=ACCOUNT + BERLIN)
    assert window.tz == ZoneInfo("Asia/Kolkata")
    [window] = quiet(NIGHTS + 'tz = "UTC"\n', account=ACCOUNT + BERLIN)
    assert window.tz is UTC


@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        ('["mon"]', {0}),
        ('["mon-fri"]', {0, 1, 2, 3, 4}),
        ('["fri-mon"]', {4, 5, 6, 0}),
        ('["sun-sun"]', {6}),
        ('["mon-tue", "sun", "tue"]', {0, 1, 6}),
        ('["tue-mon"]', set(range(7))),
    ],
)
def test_days_are_days_and_ranges_which_may_go_over_the_end_of_the_week(days: str, wanted: set[int]) -> None:
    [window] = quiet(f"[quiet.nights]\ndays = {days}\n")
    assert window.days == wanted
    assert window.start == window.end == time()


def test_a_window_is_named_once_and_those_of_a_rule_are_in_its_order() -> None:
    more = '\n[quiet.week-ends]\ndays = ["sat-sun"]\n'
    names = '["week-ends", "nights", "week-ends"]'
    assert [window.name for window in quiet(NIGHTS + more, names=names)] == ["week-ends", "nights"]


def test_it_decides_nothing_so_what_fires_goes_on_when_it_is_edited() -> None:
    loud, muted = (CHANNEL + DEFAULTS + RULE + each for each in ("", f'quiet = ["nights"]\n{NIGHTS}'))
    before, after = config(SUBS + loud), config(SUBS + muted)
    (old,), (new,) = before.accounts[0].rules, after.accounts[0].rules
    assert old.policy.fingerprint == new.policy.fingerprint
    assert changes(before, after) == ("rule numbers-remaining: quiet none -> nights (22:00-06:00 UTC)",)
    assert before.accounts[0].subs
    assert after.accounts[0].subs
    [of_sub] = after.accounts[0].subs.own["acme"].rules
    assert of_sub.policy.quiet == new.policy.quiet


@pytest.mark.parametrize(
    ("days", "times", "text"),
    [
        ({0, 1, 2, 4, 6}, (22, 6), "nights (mon-wed, fri, sun 22:00-06:00 Europe/Berlin)"),
        ({5, 6}, (0, 0), "nights (sat-sun Europe/Berlin)"),
        (range(7), (0, 0), "nights (Europe/Berlin)"),
    ],
)
def test_people_read_a_window_in_one_line(days: set[int], times: tuple[int, int], text: str) -> None:
    start, end = map(time, times)
    assert window_text(QuietWindow("nights", frozenset(days), start, end, ZoneInfo("Europe/Berlin"))) == text


def test_there_may_be_many_windows_but_not_any_number() -> None:
    many = "".join(f"[quiet.w{number}]\n" for number in range(101))
    assert said(ACCOUNT + CHANNEL + DEFAULTS + RULE + many) == [
        "15:2: error: 101 quiet windows are too many; there may be 100"
    ]


def test_what_cannot_be_read_is_perhaps_what_names_a_window() -> None:
    text = ACCOUNT + CHANNEL + DEFAULTS + RULE + f"quiet = [nights]\n{NIGHTS}"
    assert [line.split(" ")[1] for line in said(text)] == ["error:"]


KOLKATA = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("days", "times", "now", "end"),
    [
        (range(7), (22, 7), "2026-11-23 23:00", "2026-11-24 07:00"),
        (range(7), (22, 7), "2026-11-24 06:59", "2026-11-24 07:00"),
        (range(7), (9, 17), "2026-11-24 12:00", "2026-11-24 17:00"),
        ({5, 6}, (0, 0), "2026-11-28 10:00", "2026-11-30 00:00"),
        ({0, 1, 2, 3, 4, 5}, (0, 0), "2026-11-23 10:00", "2026-11-29 00:00"),
    ],
)
def test_the_end_of_a_window_is_when_it_covers_no_longer(
    days: set[int], times: tuple[int, int], now: str, end: str
) -> None:
    window = QuietWindow("nights", frozenset(days), time(times[0]), time(times[1]), KOLKATA)
    at, ends_at = (datetime.fromisoformat(each).replace(tzinfo=KOLKATA) for each in (now, end))
    assert window.covers(at)
    assert end_of(window, now=at) == ends_at


def test_a_window_of_every_day_never_ends() -> None:
    always = QuietWindow("always", frozenset(range(7)), time(), time(), UTC)
    assert end_of(always, now=datetime(2026, 11, 23, tzinfo=UTC)) is None


@pytest.mark.parametrize(("at", "hours"), [("2026-10-24 23:00", 8), ("2027-03-27 23:00", 6)])
def test_a_night_in_which_the_clocks_change_is_longer_or_shorter(at: str, hours: int) -> None:
    nights = QuietWindow("nights", frozenset(range(7)), time(22), time(6), ZoneInfo("Europe/Berlin"))
    begun = datetime.fromisoformat(at).replace(tzinfo=nights.tz).astimezone(UTC)
    assert end_of(nights, now=begun) == begun + timedelta(hours=hours)
