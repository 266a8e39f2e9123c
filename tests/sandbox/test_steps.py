import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.sandbox.steps import Steps, known

ITEMS = st.lists(st.integers(0, 50) | st.none(), min_size=1, max_size=12).filter(any)


def test_each_item_lasts_and_the_last_one_is_held() -> None:
    steps = Steps((5, 4, 7), every_s=60)
    assert [steps.value(second) for second in (0, 59, 60, 179, 180, 10**9)] == [5, 5, 4, 7, 7, 7]
    assert steps.length_s == 180


def test_rises_and_falls_are_added_up_apart() -> None:
    steps = Steps((5, 4, 7, 1), every_s=60)
    assert [steps.risen(60 * minute) for minute in range(5)] == [0, 0, 3, 3, 3]
    assert [steps.fallen(60 * minute) for minute in range(5)] == [0, 1, 1, 7, 7]


def test_a_lap_starts_again_and_the_way_back_up_is_a_rise() -> None:
    steps = Steps((5, 7, 1), every_s=60, lap_s=240)
    assert [steps.value(60 * minute) for minute in range(6)] == [5, 7, 1, 1, 5, 7]
    assert [steps.risen(60 * minute) for minute in range(6)] == [0, 2, 2, 2, 6, 8]


@pytest.mark.parametrize(
    ("items", "filled"), [((), ()), ((None,), ()), ((None, None, 3), (3, 3, 3)), ((3, None, 4, None), (3, 3, 4, 4))]
)
def test_gaps_are_filled_from_the_left(items: tuple[int | None, ...], filled: tuple[int, ...]) -> None:
    assert known(items) == filled


@given(ITEMS, st.integers(0, 2_000))
def test_what_it_shows_is_where_it_began_and_what_rose_and_fell(items: list[int | None], second: int) -> None:
    steps = Steps(items, every_s=60)
    assert steps.value(second) == steps.values[0] + steps.risen(second) - steps.fallen(second)
