from hypothesis import given
from hypothesis import strategies as st

from guard.sandbox.deal import Deal

weights = st.lists(st.integers(1, 12), min_size=1, max_size=8)


@given(weights, st.integers(0, 5_000))
def test_what_all_hold_is_what_was_dealt(given_weights: list[int], dealt: int) -> None:
    deal = Deal(given_weights)
    assert sum(deal.held(holder, dealt=dealt) for holder in range(len(given_weights))) == dealt


@given(weights, st.integers(0, 5_000))
def test_nobody_ever_holds_less(given_weights: list[int], dealt: int) -> None:
    deal = Deal(given_weights)
    for holder in range(len(given_weights)):
        assert 0 <= deal.held(holder, dealt=dealt + 1) - deal.held(holder, dealt=dealt) <= 1


def test_after_a_round_each_holds_its_weight() -> None:
    deal = Deal((5, 2, 1))
    assert [deal.held(holder, dealt=16) for holder in range(3)] == [10, 4, 2]


def test_things_may_have_a_worth() -> None:
    deal = Deal((1,), worths=(10, 20))
    assert [deal.held(0, dealt=dealt) for dealt in range(4)] == [0, 10, 20, 30]
