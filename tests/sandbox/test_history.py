from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot

from guard.sandbox.history import daily, monthly
from guard.sandbox.scenario_file import load_scenario
from tests.sandbox.telling import MINUTE, told


def rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["data"]
    return found


def test_days_are_in_the_order_of_time_and_end_today() -> None:
    assert daily(told(), days=3) == snapshot(
        {
            "data": [
                {"date": "2026-11-21", "messages": 496, "calls": 48, "webhooks": 542},
                {"date": "2026-11-22", "messages": 434, "calls": 43, "webhooks": 474},
                {"date": "2026-11-23", "messages": 400, "calls": 39, "webhooks": 436},
            ],
            "days": 3,
        }
    )


def test_months_are_in_the_order_of_time_and_end_with_this_one() -> None:
    assert monthly(told(), months=3) == snapshot(
        {
            "data": [
                {"month": "2026-09", "messages": 18724, "calls": 866, "webhooks": 20445},
                {"month": "2026-10", "messages": 19220, "calls": 1891, "webhooks": 20987},
                {"month": "2026-11", "messages": 13854, "calls": 1363, "webhooks": 15127},
            ],
            "months": 3,
        }
    )


@pytest.mark.parametrize("noun", ["messages", "calls", "webhooks"])
@pytest.mark.parametrize("at", [datetime(2026, 11, 23, 14, 5, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)])
def test_months_are_sums_of_their_days(at: datetime, noun: str) -> None:
    shown = told(at=at)
    of_days: dict[str, int] = {}
    for row in rows(daily(shown, days=365)):
        of_days[row["date"][:7]] = of_days.get(row["date"][:7], 0) + row[noun]
    for row in rows(monthly(shown, months=12)):
        assert row[noun] == of_days[row["month"]]


def test_before_the_account_began_there_is_nothing() -> None:
    first, *_, last = rows(monthly(told(), months=24))
    assert first == {"month": "2024-12", "messages": 0, "calls": 0, "webhooks": 0}
    assert last["messages"] > 0


def test_the_whole_life_is_the_sum_of_all_months() -> None:
    shown = told()
    assert sum(row["messages"] for row in rows(monthly(shown, months=24))) == shown.stats["stats.totalMessages"]


def test_a_day_of_webhooks_is_what_the_counter_grew() -> None:
    yesterday, today = told(), told(None, timedelta(days=1))
    grown = today.stats["stats.totalWebhookDeliveries"] - yesterday.stats["stats.totalWebhookDeliveries"]
    until_then = rows(daily(yesterday, days=1))[0]["webhooks"]
    assert sum(row["webhooks"] for row in rows(daily(today, days=2))) == until_then + grown


def test_at_the_end_of_the_month_its_row_is_closed_and_a_new_one_begins() -> None:
    story = load_scenario("month-end")
    before, after = (rows(monthly(told(story, minutes * MINUTE), months=2)) for minutes in (124, 126))
    assert [row["month"] for row in before] == ["2026-10", "2026-11"]
    assert [row["month"] for row in after] == ["2026-11", "2026-12"]
    assert before[1]["messages"] <= after[0]["messages"] <= before[1]["messages"] + 2
    assert after[1]["messages"] == 2
