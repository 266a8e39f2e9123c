from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from inline_snapshot import snapshot

from guard.sandbox.agents import PERIODS, by_agent
from guard.sandbox.history import daily
from guard.sandbox.numbers import by_number
from guard.sandbox.statement import Statement
from tests.sandbox.telling import told


def asked(of: Statement, period: str, zone: str = "UTC") -> dict[str, Any]:
    return by_agent(of, period=period, zone=ZoneInfo(zone))


def test_the_answer_is_as_the_api_has_it() -> None:
    assert asked(told(), "month") == snapshot(
        {
            "data": [
                {
                    "messages": 6927,
                    "calls": 511,
                    "totalSeconds": 13050,
                    "agentId": "agt_1",
                    "agentName": "Support",
                    "isOrphan": False,
                },
                {
                    "messages": 3959,
                    "calls": 511,
                    "totalSeconds": 13404,
                    "agentId": "agt_2",
                    "agentName": "Sales",
                    "isOrphan": False,
                },
                {
                    "messages": 1649,
                    "calls": 228,
                    "totalSeconds": 6099,
                    "agentId": "agt_3",
                    "agentName": "Reminders",
                    "isOrphan": False,
                },
                {
                    "messages": 1319,
                    "calls": 113,
                    "totalSeconds": 3906,
                    "agentId": None,
                    "agentName": "Unassigned",
                    "isOrphan": True,
                },
            ],
            "period": "month",
            "periodStart": "2026-11-01T00:00:00Z",
            "periodEnd": "2026-12-01T00:00:00Z",
        }
    )


def test_the_months_agents_have_what_its_days_have() -> None:
    shown = told()
    body: Any = daily(shown, days=23)  # it is the 23rd
    for noun in ("messages", "calls"):
        of_days = sum(row[noun] for row in body["data"])
        assert sum(row[noun] for row in asked(shown, "month")["data"]) == of_days


def test_the_unassigned_bucket_is_the_only_orphan_and_has_something() -> None:
    *agents, orphans = asked(told(), "month")["data"]
    assert (orphans["agentId"], orphans["agentName"], orphans["isOrphan"]) == (None, "Unassigned", True)
    assert orphans["messages"] > 0
    assert not any(row["isOrphan"] or row["agentId"] is None for row in agents)


def test_in_an_accounts_first_year_agents_have_what_their_numbers_have() -> None:
    shown = told(at=datetime(2026, 12, 31, tzinfo=UTC))
    numbers: Any = by_number(shown)["data"]
    for row in asked(shown, "year")["data"]:
        held = [number for number in numbers if number["agentId"] == row["agentId"]]
        assert row["messages"] == sum(number["messages"] for number in held)
        assert row["calls"] == sum(number["calls"] for number in held)


def test_a_call_takes_some_seconds() -> None:
    for row in asked(told(), "month")["data"]:
        assert 12 * row["calls"] <= row["totalSeconds"] <= 42 * row["calls"]


@pytest.mark.parametrize(
    ("period", "zone", "bounds"),
    [
        ("week", "UTC", ("2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z")),
        ("month", "UTC", ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")),
        ("year", "UTC", ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")),
        ("month", "America/New_York", ("2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z")),  # summer time ends on the 1st
        ("week", "Pacific/Auckland", ("2026-11-22T11:00:00Z", "2026-11-29T11:00:00Z")),
    ],
)
def test_a_period_is_the_calendars_of_the_zone(period: str, zone: str, bounds: tuple[str, str]) -> None:
    body = asked(told(), period, zone)
    assert (body["periodStart"], body["periodEnd"]) == bounds


@pytest.mark.parametrize("at", [datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)])
@pytest.mark.parametrize("period", PERIODS)
def test_now_lies_in_every_period(at: datetime, period: str) -> None:
    body = asked(told(at=at), period, "Asia/Kolkata")
    assert body["periodStart"] <= f"{at:%Y-%m-%dT%H:%M:%SZ}" < body["periodEnd"]
