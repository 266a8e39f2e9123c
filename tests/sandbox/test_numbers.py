from datetime import timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot

from guard.sandbox.numbers import MOST_ROWS, by_number
from guard.sandbox.scenario import Scenario
from guard.sandbox.scenario_file import load_scenario, scenario_names
from guard.sandbox.statement import Statement
from tests.sandbox.telling import MINUTE, told


def rows(of: Statement) -> list[dict[str, Any]]:
    body: Any = by_number(of)
    found: list[dict[str, Any]] = body["data"]
    return found


def test_a_row_is_as_the_api_has_it() -> None:
    listed = rows(told())
    assert listed[0] == snapshot(
        {
            "numberId": "num_1",
            "phoneNumber": "+14155550101",
            "country": "US",
            "status": "active",
            "agentId": "agt_1",
            "agentName": "Support",
            "messages": 23211,
            "calls": 858,
        }
    )
    assert listed[4] == snapshot(
        {
            "numberId": "num_5",
            "phoneNumber": "+14155550105",
            "country": "US",
            "status": "active",
            "agentId": None,
            "agentName": None,
            "messages": 7737,
            "calls": 343,
        }
    )


@pytest.mark.parametrize("name", scenario_names())
def test_there_is_a_row_for_each_number_in_use_and_together_they_have_everything(name: str) -> None:
    story = load_scenario(name)
    before: dict[str, dict[str, Any]] = {}
    for minutes in range(0, 120, 7):
        shown = told(story, minutes * MINUTE)
        listed = rows(shown)
        assert len(listed) == shown.numbers["numbers.used"]
        assert len({row["phoneNumber"] for row in listed}) == len({row["numberId"] for row in listed}) == len(listed)
        for noun in ("messages", "calls"):
            assert sum(row[noun] for row in listed) == shown.stats[f"stats.total{noun.capitalize()}"]
            assert all(row[noun] >= before.get(row["numberId"], row)[noun] for row in listed)
        before |= {row["numberId"]: row for row in listed}


@pytest.mark.parametrize("used", [1, 2, 7, 8, 9, 300])
def test_any_number_of_numbers_adds_up(used: int) -> None:
    shown = told(hand={"numbers.used": used, "numbers.remaining": 0})
    assert len(rows(shown)) == used
    assert sum(row["messages"] for row in rows(shown)) == shown.stats["stats.totalMessages"]


def test_without_numbers_there_are_no_rows() -> None:
    assert rows(told(hand={"numbers.used": 0})) == []


def test_a_million_numbers_are_not_listed() -> None:
    assert len(rows(told(hand={"numbers.used": 10**6}))) == MOST_ROWS


def test_a_number_that_comes_and_goes_stays_idle() -> None:
    story = Scenario("wave", series={"numbers.used": (3, 5, 3)})
    listed = rows(told(story, MINUTE))
    assert [row["messages"] > 0 for row in listed] == [True, True, True, False, False]


def test_ids_and_numbers_of_two_accounts_differ() -> None:
    story = Scenario("two", more_subs=2)
    master, one, two = (rows(told(story, timedelta(), account=name)) for name in ("", "sub_0001", "sub_0002"))
    for key in ("numberId", "phoneNumber"):
        assert len({row[key] for row in (*master, *one, *two)}) == len(master) + len(one) + len(two)
