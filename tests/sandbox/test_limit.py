from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.sandbox.limit import RateLimit

AT = datetime(2026, 11, 23, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def test_the_request_over_the_limit_waits_until_the_oldest_is_a_minute_old() -> None:
    limit = RateLimit(2)
    assert [limit.admit(at(seconds)) for seconds in (0, 10, 20.5, 59.9, 60, 61)] == [0, 0, 40, 1, 0, 9]


def test_a_clock_that_went_back_waits_a_minute_at_most() -> None:
    limit = RateLimit(1)
    limit.admit(at(3600))
    assert limit.admit(at(0)) == 60


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one request a minute"):
        RateLimit(0)


@given(a_minute=st.integers(1, 5), gaps=st.lists(st.floats(0, 40), max_size=60))
def test_never_too_many_pass_and_none_is_refused_without_need(a_minute: int, gaps: list[float]) -> None:
    limit, now, passed = RateLimit(a_minute), AT, list[datetime]()
    for gap in gaps:
        now += timedelta(seconds=gap)
        recent = [then for then in passed if now - then < MINUTE]
        if limit.admit(now) == 0:
            passed.append(now)
            assert len(recent) < a_minute
        else:
            assert len(recent) == a_minute


@given(gaps=st.lists(st.floats(0, 40), max_size=30))
def test_waiting_as_long_as_asked_always_helps(gaps: list[float]) -> None:
    limit, now = RateLimit(2), AT
    for gap in gaps:
        now += timedelta(seconds=gap)
        if wait_s := limit.admit(now):
            now += timedelta(seconds=wait_s)
            assert limit.admit(now) == 0
