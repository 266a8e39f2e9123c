from hypothesis import given
from hypothesis import strategies as st

from guard.sandbox.ledger import Grown, Rate
from guard.sandbox.rhythm import DAY_S
from guard.sandbox.shown import Anchor, Shown
from tests.sandbox.telling import AT

AT_S = int(AT.timestamp())
LEDGER = Grown(Rate(total=81_240, a_day=620), AT_S, total=81_240)
WEEK_AGO_S = AT_S - 7 * DAY_S
WEEK_AGO = LEDGER.count(WEEK_AGO_S)


def bent(week_ago: int, now: int) -> Shown:
    """The ledger with two anchors that show other numbers."""
    return Shown(LEDGER, (Anchor(WEEK_AGO_S, WEEK_AGO, week_ago), Anchor(AT_S, 81_240, now)))


def test_where_the_answer_shows_what_is_counted_nothing_is_bent() -> None:
    shown = bent(WEEK_AGO, 81_240)
    for days in (0, 3, 7, 40, 300):
        assert shown.count(AT_S - days * DAY_S) == LEDGER.count(AT_S - days * DAY_S)


def test_what_is_more_than_counted_has_only_just_come() -> None:
    shown = bent(WEEK_AGO, 81_240 + 500)
    assert shown.between(AT_S - 1, AT_S) == 500 + LEDGER.count(AT_S) - LEDGER.count(AT_S - 1)


def test_what_is_less_than_counted_is_missing_everywhere() -> None:
    shown = bent(WEEK_AGO, WEEK_AGO + 10)
    assert shown.between(WEEK_AGO_S, AT_S) == 10
    assert 0 < shown.between(WEEK_AGO_S, AT_S - 3 * DAY_S) < 10


def test_the_older_past_is_stretched_to_fit() -> None:
    assert bent(2 * WEEK_AGO, 3 * WEEK_AGO).count(WEEK_AGO_S - 30 * DAY_S) == 2 * LEDGER.count(WEEK_AGO_S - 30 * DAY_S)


def test_where_nothing_was_counted_all_of_it_comes_at_the_end() -> None:
    still = Grown(Rate(0, 0), AT_S, total=0)
    shown = Shown(still, (Anchor(WEEK_AGO_S, 0, 7), Anchor(AT_S, 0, 9)))
    assert [shown.count(WEEK_AGO_S - 1), shown.count(WEEK_AGO_S), shown.count(AT_S - 1), shown.total] == [0, 7, 7, 9]


def test_after_the_present_there_is_nothing_more() -> None:
    assert bent(WEEK_AGO, 81_240).count(AT_S + DAY_S) == 81_240


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.integers(-200 * DAY_S, 0), st.integers(-200 * DAY_S, 0))
def test_it_never_falls(week_ago: int, more: int, one: int, other: int) -> None:
    shown = bent(week_ago, week_ago + more)
    early, late = sorted((AT_S + one, AT_S + other))
    assert shown.count(early) <= shown.count(late)
