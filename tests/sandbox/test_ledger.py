from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.sandbox.ledger import Grown, Ledger, Rate, Rolling, can_roll
from guard.sandbox.rhythm import DAY_S
from guard.sandbox.steps import Steps
from tests.sandbox.telling import AT

START_S = int(AT.timestamp())
RATE = Rate(total=81_240, a_day=620)

moments = st.integers(-200 * DAY_S, 20 * DAY_S)
windows = st.lists(st.integers(0, 2_000), min_size=1, max_size=40).map(lambda items: Steps(items, every_s=600))


def rolling(window: Steps) -> Rolling:
    return Rolling(RATE, START_S, older=80_620, window=window)


def test_a_grown_ledger_goes_on_as_usual_and_began_some_months_before() -> None:
    ledger = Grown(RATE, START_S, total=81_240)
    assert ledger.count(START_S) == 81_240
    assert ledger.count(START_S + 7 * DAY_S) == 81_240 + 7 * 620
    assert ledger.count(START_S - 7 * DAY_S) == 81_240 - 7 * 620
    assert ledger.count(START_S - 200 * DAY_S) == 0


def test_a_grown_ledger_follows_the_rises_of_a_series_and_no_fall() -> None:
    growth = Steps((100, 150, 90, 95), every_s=60)
    ledger = Grown(RATE, START_S, total=100, growth=growth, as_usual=False)
    assert [ledger.count(START_S + 60 * minute) for minute in range(5)] == [100, 150, 150, 155, 155]


@given(windows, moments, moments)
def test_no_ledger_ever_falls(window: Steps, one: int, other: int) -> None:
    ledgers: list[Ledger] = [Grown(RATE, START_S, total=81_240), Grown(RATE, START_S, total=81_240, growth=window)]
    ledgers += [rolling(window)] if can_roll(window) else []
    for ledger in ledgers:
        early, late = sorted((START_S + one, START_S + other))
        assert ledger.count(early) <= ledger.count(late)


@given(windows.filter(can_roll), st.integers(0, 20 * DAY_S))
def test_the_last_day_of_a_rolling_ledger_is_what_the_series_shows_for_ever(window: Steps, story_s: int) -> None:
    ledger, at_s = rolling(window), START_S + story_s
    assert ledger.count(at_s) - ledger.count(at_s - DAY_S) == window.value(story_s)


def test_what_falls_in_the_story_came_a_day_before() -> None:
    ledger = rolling(Steps((600, 600, 100), every_s=600))
    fell_at_s = START_S + 1_200
    day_before = ledger.count(fell_at_s - DAY_S) - ledger.count(fell_at_s - DAY_S - 1)
    assert day_before == 500


@pytest.mark.parametrize(
    ("items", "every", "lap_s", "can"),
    [
        ((5, 4), timedelta(minutes=1), 0, True),
        ((5, 9, 0, 5, 5), timedelta(minutes=1), 0, False),  # 9 fall, of 5
        ((5, 4), timedelta(minutes=1), 120, False),
        ((5, 5, 4), timedelta(hours=12), 0, False),  # a day later
        ((5, 5, 6), timedelta(days=12), 0, True),
    ],
)
def test_only_a_series_whose_falls_a_day_can_hold_rolls(
    items: tuple[int, ...], every: timedelta, lap_s: int, can: bool
) -> None:
    assert can_roll(Steps(items, every_s=int(every.total_seconds()), lap_s=lap_s)) is can


def test_a_story_that_ended_years_ago_costs_no_more() -> None:
    ledger = rolling(Steps((600, 500), every_s=60))
    years_s = 10_000 * 365 * DAY_S
    assert ledger.count(START_S + years_s) - ledger.count(START_S + years_s - DAY_S) == 500
