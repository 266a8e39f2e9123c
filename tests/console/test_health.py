import pytest

from guard.console.health import Health

BEGAN_S = 1_000.0
MINUTE_S = 60.0


def health(*, every_s: float = MINUTE_S) -> Health:
    return Health(every_s=every_s, began_s=BEGAN_S)


def test_a_service_that_has_just_begun_is_well_and_says_that_there_was_no_cycle() -> None:
    condition = health().condition(BEGAN_S + 1)
    assert condition.is_ok
    assert condition.cycles == 0
    assert condition.last_cycle_age_s is None


def test_it_counts_cycles_and_tells_the_age_of_the_last() -> None:
    it = health()
    for minutes in (1, 2, 3):
        it.cycled(BEGAN_S + minutes * MINUTE_S)
    condition = it.condition(BEGAN_S + 3 * MINUTE_S + 12.5)
    assert (condition.cycles, condition.last_cycle_age_s) == (3, 12.5)


@pytest.mark.parametrize(
    ("every_s", "allowed_s"),
    [(1.0, 60.0), (20.0, 60.0), (30.0, 90.0), (60.0, 180.0), (3600.0, 10_800.0)],
)
def test_it_fails_after_three_intervals_without_a_cycle_but_not_within_a_minute(
    every_s: float, allowed_s: float
) -> None:
    it = health(every_s=every_s)
    it.cycled(BEGAN_S + 5)
    assert it.condition(BEGAN_S + 5 + allowed_s).is_ok
    assert not it.condition(BEGAN_S + 5 + allowed_s + 0.1).is_ok
    it.cycled(BEGAN_S + 5 + allowed_s + 0.1)
    assert it.condition(BEGAN_S + 5 + allowed_s + 0.1).is_ok


def test_it_fails_when_the_first_cycle_does_not_come() -> None:
    it = health()
    assert it.condition(BEGAN_S + 3 * MINUTE_S).is_ok
    assert it.condition(BEGAN_S + 4 * MINUTE_S).reasons == ("no cycle was completed since the start 4 min ago",)


def test_it_says_for_how_long_there_was_no_cycle() -> None:
    it = health()
    it.cycled(BEGAN_S + MINUTE_S)
    assert it.condition(BEGAN_S + 6 * MINUTE_S + 3).reasons == ("no cycle was completed for 5 min 3 s",)


def test_it_fails_while_the_database_takes_no_writes() -> None:
    it = health()
    it.cycled(BEGAN_S)
    it.store_failing = True
    assert it.condition(BEGAN_S + 1).reasons == ("the database takes no writes",)
    assert len(it.condition(BEGAN_S + 4 * MINUTE_S).reasons) == 2
    it.store_failing = False
    assert it.condition(BEGAN_S + 1).is_ok
