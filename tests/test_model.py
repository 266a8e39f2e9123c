from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.model import AlertKey, Level, Timer

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("gap", "counted"),
    [
        (timedelta(), timedelta()),
        (MINUTE, MINUTE),
        (3 * MINUTE, 3 * MINUTE),
        (3 * MINUTE + timedelta(microseconds=1), timedelta()),
        (timedelta(hours=8), timedelta()),
        (-MINUTE, timedelta()),
    ],
)
def test_a_gap_counts_in_full_up_to_three_intervals_and_else_not_at_all(gap: timedelta, counted: timedelta) -> None:
    timer = Timer(TEN_MINUTES, AT).known(AT + gap, every=MINUTE)
    assert timer == Timer(TEN_MINUTES + counted, AT + gap)


@given(st.lists(st.integers(0, 600), max_size=30))
def test_a_timer_never_counts_more_than_the_time_that_passed(gaps_s: list[int]) -> None:
    timer, at = Timer(timedelta(), AT), AT
    for gap_s in gaps_s:
        at += timedelta(seconds=gap_s)
        timer = timer.known(at, every=MINUTE)
    assert timer.total <= at - AT


@given(st.lists(st.integers(0, 180), max_size=30))
def test_a_timer_counts_all_the_time_that_was_looked_at_often_enough(gaps_s: list[int]) -> None:
    timer, at = Timer(timedelta(), AT), AT
    for gap_s in gaps_s:
        at += timedelta(seconds=gap_s)
        timer = timer.known(at, every=MINUTE)
    assert timer.total == at - AT


def test_a_higher_level_compares_greater_and_is_written_small() -> None:
    assert Level.INFO < Level.WARNING < Level.CRITICAL
    assert [level.word for level in Level] == ["info", "warning", "critical"]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (AlertKey("main", "numbers-remaining"), "main/numbers-remaining"),
        (AlertKey("main:acme", "agent-minutes", "agt_1"), "main:acme/agent-minutes/agt_1"),
    ],
)
def test_an_alert_is_named_by_account_rule_and_subject(key: AlertKey, text: str) -> None:
    assert str(key) == text
