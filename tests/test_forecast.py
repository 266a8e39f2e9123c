"""What a month will come to, and what a rolling sum will fall to."""

import math
from datetime import timedelta
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.forecast import Projection, projection, roll_off
from tests.builders import NOW, at

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
COUNTS = st.integers(0, 10**6)


def projected(*days: float, spent: float = 0, left_days: float = 10) -> Projection:
    found = projection(days, spent=spent, left_days=left_days)
    assert found is not None
    return found


# --- a month ---------------------------------------------------------------------------------------------------------


def test_even_days_go_on_as_they_were() -> None:
    assert projected(*[100] * 28, spent=1500, left_days=15.5) == Projection(3050, 3050, 3050)


@pytest.mark.parametrize("days", [[], [100], [100, 100], [0, 0, 0, 100, 100]])
def test_fewer_than_three_days_since_the_first_traffic_make_no_projection(days: list[float]) -> None:
    assert projection(days, spent=200, left_days=20) is None


def test_days_before_the_first_traffic_were_no_rest() -> None:
    assert projected(*[0] * 20, 90, 100, 110) == projected(90, 100, 110)


def test_an_account_that_never_had_traffic_will_have_none() -> None:
    assert projected(0, 0, 0) == Projection(0, 0, 0)


def test_only_the_last_four_weeks_count() -> None:
    assert projected(*[9000] * 30, *[100] * 28).middle == 1000


def test_a_weekly_pattern_is_in_the_mean_and_in_the_range() -> None:
    found = projected(*[100, 100, 100, 100, 100, 30, 30] * 4, left_days=14)
    assert found.middle == pytest.approx(1120)
    assert 500 < found.low < found.middle < found.high < 1800


def test_the_range_is_the_wider_the_fewer_days_there_are() -> None:
    def width(days: int) -> float:
        found = projected(*[90, 110] * (days // 2), spent=10**6, left_days=20)
        return found.high - found.low

    widths = [width(days) for days in (4, 8, 12, 16, 20, 24, 28)]
    assert widths == sorted(widths, reverse=True)


def test_the_range_is_that_of_the_formula() -> None:
    days = [80.0, 120.0] * 14
    deviation = math.sqrt(sum((day - 100) ** 2 for day in days) / 27)
    aside = 1.440 * deviation * 10 * math.sqrt(1 / (28 / 4) + 1 / (10 / 4))
    found = projected(*days, spent=500, left_days=10)
    assert (found.low, found.high) == pytest.approx((1500 - aside, 1500 + aside))


@given(st.lists(COUNTS, min_size=3, max_size=40), COUNTS, st.floats(0, 31))
def test_a_projection_is_ordered_and_never_below_what_is_spent(days: list[int], spent: int, left_days: float) -> None:
    found = projection(days, spent=spent, left_days=left_days)
    if found is not None:
        assert spent <= found.low <= found.middle * (1 + 1e-12)
        assert found.middle <= found.high
        assert math.isfinite(found.high)


# --- a rolling sum ---------------------------------------------------------------------------------------------------


def test_what_entered_first_leaves_first() -> None:
    totals = [(NOW - DAY, 0), (NOW - 12 * HOUR, 40), (NOW, 100)]
    left = [roll_off(100, totals, window=DAY, horizon=hours * HOUR) for hours in (0, 11, 12, 23, 24, 30)]
    assert left == [100, 100, 60, 60, 0, 0]


def test_a_history_that_is_shorter_than_the_window_tells_nothing() -> None:
    assert roll_off(100, [(NOW - 23 * HOUR, 0), (NOW, 100)], window=DAY, horizon=HOUR) is None
    assert roll_off(100, [], window=DAY, horizon=HOUR) is None


def test_a_window_that_is_over_is_empty_whatever_is_known() -> None:
    assert roll_off(100, [], window=DAY, horizon=DAY) == 0


def test_a_counter_that_fell_takes_nothing_along() -> None:
    totals = [(NOW - DAY, 900), (NOW - 23 * HOUR, 5), (NOW - 22 * HOUR, 15), (NOW, 100)]
    assert roll_off(95, totals, window=DAY, horizon=2 * HOUR) == 85


def test_a_sum_never_falls_below_zero() -> None:
    assert roll_off(10, [(NOW - DAY, 0), (NOW - 23 * HOUR, 50), (NOW, 50)], window=DAY, horizon=HOUR) == 0


@given(st.lists(st.integers(0, 100), min_size=61, max_size=180), st.integers(0, 60))
def test_the_roll_off_is_what_a_window_shows_when_nothing_more_happens(grown: list[int], horizon: int) -> None:
    window = 60
    totals = [(at(minute), float(sum(grown[: minute + 1]))) for minute in range(len(grown))]
    quiet = grown + [0] * horizon
    found = roll_off(sum(grown[-window:]), totals, window=timedelta(minutes=window), horizon=timedelta(minutes=horizon))
    assert found == sum(quiet[-window:])


def test_the_mean_is_that_of_the_days() -> None:
    assert projected(1, 2, 6, left_days=1).middle == fmean([1, 2, 6])
