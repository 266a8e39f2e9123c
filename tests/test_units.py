from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.units import (
    NEVER_S,
    count_text,
    duration_text,
    exact_instant_text,
    instant_text,
    number_text,
    parse_duration,
    share_text,
    value_text,
)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0s", timedelta()),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("36h", timedelta(hours=36)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "90", "m", "1.5h", "-1h", "1 h", "1w", "1h30m", "1M", "1h\n", "٣h", "9999999999s"]
)
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration; write a whole number and s, m, h or d"):
        parse_duration(text)


@given(st.integers(0, 999_999_999), st.sampled_from("smhd"))
def test_whatever_looks_like_a_duration_is_one(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") >= timedelta(seconds=number)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (0.4, "0 s"),
        (0.6, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3659, "1 h"),
        (5400, "1 h 30 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (10_000_000, "115 d 17 h"),
    ],
)
def test_a_duration_is_written_with_its_two_largest_parts(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2.0, "2"),
        (-1200, "-1,200"),
        (1234567, "1,234,567"),
        (1234.5, "1,234.50"),
        (0.12345, "0.123"),
        (-0.5, "-0.5"),
        (1e18, "1,000,000,000,000,000,000.00"),
    ],
)
def test_a_number_is_written_for_people(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (18_429.25, "18,429"),
        (18_429.75, "18,430"),
        (-18_429.75, "-18,430"),
        (100.4, "100"),
        (99.6, "99.60"),
        (2.5, "2.50"),
        (0.12345, "0.123"),
        (1200, "1,200"),
    ],
)
def test_a_large_count_has_no_fraction(value: float, text: str) -> None:
    assert count_text(value) == value_text(value) == value_text(value, "count") == text
    assert value_text(value, "messages") == f"{text} messages"


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.05, "5 %"), (0.0573, "5.7 %"), (1.5, "150 %"), (20, "2,000 %")]
)
def test_a_share_is_written_as_percent(share: float, text: str) -> None:
    assert share_text(share) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1200, "", "1,200"),
        (1200, "count", "1,200"),
        (0.2, "share", "20 %"),
        (90, "seconds", "1 min 30 s"),
        (90, "duration", "1 min 30 s"),
        (9e10, "duration", "115740 d 17 h"),
        (NEVER_S, "duration", "never"),
        (NEVER_S / 10, "seconds", "never"),
        (float("inf"), "duration", "never"),
        (12.5, "dollars", "$12.50"),
        (-1234.5, "dollars", "-$1,234.50"),
        (3, "numbers", "3 numbers"),
    ],
)
def test_a_value_is_written_in_its_unit(value: float, unit: str, text: str) -> None:
    assert value_text(value, unit) == text


def test_an_instant_is_written_in_its_zone() -> None:
    at = datetime(2026, 11, 23, 14, 5, 59, tzinfo=UTC)
    assert instant_text(at) == "2026-11-23 14:05 UTC"
    assert instant_text(at, ZoneInfo("America/New_York")) == "2026-11-23 09:05 EST"
    assert exact_instant_text(at, ZoneInfo("America/New_York")) == "2026-11-23 09:05:59 EST"
