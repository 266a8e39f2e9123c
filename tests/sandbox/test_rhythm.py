from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from guard.sandbox.rhythm import AN_AVERAGE_DAY, DAY_S, HOUR_S, weight

MONDAY_S = 4 * DAY_S  # 1970-01-05

seconds = st.integers(-100 * 365 * DAY_S, 200 * 365 * DAY_S)


@given(seconds, seconds)
def test_it_never_falls(one: int, other: int) -> None:
    early, late = sorted((one, other))
    assert weight(early) <= weight(late)


@given(seconds)
def test_every_week_is_the_same(at_s: int) -> None:
    assert weight(at_s + 7 * DAY_S) - weight(at_s) == 7 * AN_AVERAGE_DAY


def test_a_day_is_busier_than_a_night_and_a_workday_than_a_sunday() -> None:
    hours = [weight(MONDAY_S + (hour + 1) * HOUR_S) - weight(MONDAY_S + hour * HOUR_S) for hour in range(24)]
    days = [later - earlier for earlier, later in pairwise(weight(MONDAY_S + day * DAY_S) for day in range(8))]
    assert hours[10] > 5 * hours[3]
    assert days[0] > days[6]
    assert sum(hours) == days[0]
