"""Durations in other words."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.rules.durations import meant, written
from guard.units import parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1 hour", "1h"),
        ("2 Hrs.", "2h"),
        ("10min", "10m"),
        ("10M", "10m"),
        ("90 seconds", "90s"),
        ("1h30m", "90m"),
        ("1 hour and 30 minutes", "90m"),
        ("1 h 1 s", "3601s"),
        ("1.5h", "90m"),
        ("0.5 days", "12h"),
        ("2 weeks", "14d"),
        ("PT15M", "15m"),
        (" 7d ", "7d"),
    ],
)
def test_a_duration_in_other_words_is_understood(text: str, duration: str) -> None:
    assert meant(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PT",
        "1",
        "hour",
        "one hour",
        "1 month",
        "3 numbers",
        "1.5s",
        "0 hours",
        "-1h",
        "1h soon",
        "1e3h",
        "999999999w",
        "999999999.5s",
    ],
)
def test_what_is_no_duration_for_sure_is_none(text: str) -> None:
    assert meant(text) is None


@given(st.text(max_size=40))
def test_whatever_was_meant_can_be_read(text: str) -> None:
    duration = meant(text)
    assert duration is None or parse_duration(duration)


@given(st.integers(1, 10**6))
def test_what_is_written_is_the_same_duration_when_it_is_read(seconds: int) -> None:
    text = written(timedelta(seconds=seconds))
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert meant(text) == text
