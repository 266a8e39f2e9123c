from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.agentphone.headers import http_date, retry_after

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("1", 1),
        (" 90 ", 90),
        ("1.5", 1.5),
        ("0.2", 1),
        ("1e9", 3600),
        ("1e999", 3600),
        ("9" * 400, 3600),
        ("3600", 3600),
        ("3601", 3600),
        ("", 60),
        ("-1", 60),
        ("nan", 60),
        ("inf", 60),
        ("1_0", 60),
        ("٣", 60),
        ("5, 6", 60),
        ("Mon, 23 Nov 2026 14:05:00 GMT", 1),
        ("Mon, 23 Nov 2026 14:04:59 GMT", 60),
        ("Mon, 23 Nov 2026 14:06:40 GMT", 100),
        ("Mon, 23 Nov 2026 15:06:40 +0100", 100),
        ("Mon, 23 Nov 2026 14:06:40 -0000", 100),
        ("Mon, 23 Nov 2099 14:06:40 GMT", 3600),
        ("Mon, 01 Jan 0000 00:00:00 GMT", 60),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 60),
    ],
)
def test_a_wait_is_read_within_its_bounds(text: str, wait_s: float) -> None:
    assert retry_after(text, now=NOW) == timedelta(seconds=wait_s)


@given(st.text())
def test_no_text_breaks_a_date_and_what_is_read_is_utc(text: str) -> None:
    read = http_date(text)
    assert read is None or read.tzinfo is UTC


@given(st.text() | st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT")))
def test_every_wait_is_between_a_second_and_an_hour(text: str) -> None:
    assert timedelta(seconds=1) <= retry_after(text, now=NOW) <= timedelta(hours=1)
