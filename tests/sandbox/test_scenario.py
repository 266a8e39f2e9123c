from datetime import timedelta
from typing import Any

import pytest

from guard.sandbox.scenario import EVERYTHING, Body, Fault, Kind, Scenario

NAME = "numbers.remaining"


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def value(scenario: Scenario, minute: float) -> int | None:
    return scenario.values_at(minutes(minute))[NAME]


def test_each_item_lasts_one_interval() -> None:
    scenario = Scenario("two", interval=minutes(2), series={NAME: (5, 4, None)})
    assert [value(scenario, minute) for minute in (0, 1.9, 2, 3.9, 4)] == [5, 5, 4, 4, None]


def test_a_series_that_is_over_holds_its_last_item() -> None:
    scenario = Scenario("uneven", series={NAME: (5, 4), "numbers.limit": (10, 10, 10)})
    assert value(scenario, 500) == 4


def test_a_repeating_scenario_starts_again_when_its_longest_part_is_over() -> None:
    fault = Fault(start=minutes(1), end=minutes(4))
    scenario = Scenario("again", series={NAME: (5, 4)}, faults=(fault,), repeat=True)
    assert [value(scenario, minute) for minute in (0, 3, 4, 5)] == [5, 4, 5, 4]
    assert [scenario.fault_at(minutes(minute)) for minute in (0, 3, 4, 5)] == [None, fault, None, fault]


def test_a_fault_for_good_is_seen_before_the_scenario_repeats() -> None:
    scenario = Scenario("again", faults=(Fault(start=minutes(5)),), repeat=True)
    assert [scenario.fault_at(minutes(minute)) is not None for minute in (4, 5, 6, 11)] == [False, True, False, True]


def test_before_its_start_it_shows_the_start() -> None:
    assert value(Scenario("one", series={NAME: (5, 4)}), -10) == 5
    assert value(Scenario("one", series={NAME: (5, 4)}, repeat=True), -1) == 5


def test_a_fault_lasts_from_its_start_up_to_its_end() -> None:
    fault = Fault(start=minutes(5), end=minutes(12))
    assert [fault.covers(minutes(minute)) for minute in (4.99, 5, 11.99, 12)] == [False, True, True, False]


def test_of_two_faults_at_once_the_first_counts() -> None:
    first, second = Fault(status=500), Fault(status=502)
    assert Scenario("both", faults=(first, second)).fault_at(minutes(1)) == first


def test_a_scenario_without_anything_takes_no_time() -> None:
    assert Scenario("empty", repeat=True).length == timedelta()
    assert Scenario("empty", repeat=True).values_at(minutes(5)) == {}


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"start": minutes(5), "end": minutes(5)}, "must end after it starts"),
        ({"status": 302}, "status 302 is no fault"),
        ({"status": 600}, "status 600 is no fault"),
        ({"status": 200}, "status 200 alone is no fault"),
        ({"path": "/v1/usages"}, r"'/v1/usages' is no path of the API, did you mean '/v1/usage'\?; it is /v1/usage, "),
        ({"status": 200, "body": Body.SHORT}, "body 'short' is for a path that answers a list: /v1/sub-accounts, "),
        ({"status": 200, "body": Body.NONE, "path": EVERYTHING}, "body 'none' is for a path that answers a list"),
        ({"retry_after": "1\r\nX: y"}, "one line of plain ASCII"),
        ({"retry_after": "für immer"}, "one line of plain ASCII"),
    ],
)
def test_what_cannot_be_played_is_no_fault(parts: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Fault(**parts)


def test_an_answer_of_200_may_have_a_wrong_body_and_a_hang_no_status_at_all() -> None:
    assert Fault(status=200, body=Body.HTML).status == 200
    assert Fault(status=200, kind=Kind.HANG).kind is Kind.HANG
