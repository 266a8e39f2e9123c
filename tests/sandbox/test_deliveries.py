from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot

from guard.sandbox.deliveries import delivery_stats
from guard.sandbox.fields import WEBHOOKS
from guard.sandbox.scenario import Scenario
from guard.sandbox.scenario_file import load_scenario, scenario_names
from guard.sandbox.statement import Statement
from tests.sandbox.telling import MINUTE, told


def asked(of: Statement, hours: int = 24) -> dict[str, Any]:
    return delivery_stats(of, hours=hours)


def test_the_answer_is_as_the_api_has_it() -> None:
    assert asked(told(), hours=2) == snapshot(
        {
            "total": 98,
            "success": 97,
            "failed": 1,
            "pending": 0,
            "successRate": 98.98,
            "byEventType": {
                "agent.message": {"total": 89, "success": 88, "failed": 1},
                "agent.call_ended": {"total": 9, "success": 9, "failed": 0},
            },
            "byHour": [
                {"hour": "2026-11-23T12:00:00Z", "total": 42, "success": 41, "failed": 1},
                {"hour": "2026-11-23T13:00:00Z", "total": 52, "success": 52, "failed": 0},
                {"hour": "2026-11-23T14:00:00Z", "total": 4, "success": 4, "failed": 0},
            ],
        }
    )


@pytest.mark.parametrize("hours", [1, 24, 700])
@pytest.mark.parametrize("at", [datetime(2026, 11, 23, 14, 5, 1, tzinfo=UTC), datetime(2026, 11, 23, 14, tzinfo=UTC)])
def test_every_breakdown_adds_up(at: datetime, hours: int) -> None:
    body = asked(told(at=at), hours)
    assert body["success"] + body["failed"] + body["pending"] == body["total"]
    for part in ("total", "success", "failed"):
        assert sum(row[part] for row in body["byHour"]) == body[part]
        assert sum(row[part] for row in body["byEventType"].values()) == body[part]
    assert len({row["hour"] for row in body["byHour"]}) == len(body["byHour"])


@pytest.mark.parametrize("name", scenario_names())
def test_the_last_hours_are_what_the_counters_grew(name: str) -> None:
    story = load_scenario(name)
    for minutes in range(0, 300, 13):
        before, after = told(story, minutes * MINUTE), told(story, (minutes + 120) * MINUTE)
        body = asked(after, hours=2)
        grown = [after.stats[counter] - before.stats[counter] for counter in WEBHOOKS]
        assert [body["success"], body["failed"], body["total"]] == grown


def test_failures_that_are_set_by_hand_have_only_just_come() -> None:
    quiet, failing = told(), told(hand={WEBHOOKS[1]: 1_000})
    assert asked(failing, hours=1)["failed"] - asked(quiet, hours=1)["failed"] == 1_000 - 612


def test_where_nothing_was_delivered_nothing_succeeded() -> None:
    story = Scenario("silent", series={WEBHOOKS[2]: (100,)})
    body = asked(told(story, timedelta(days=2)))
    assert (body["total"], body["successRate"]) == (0, 0.0)
