"""Statements of a story, without a server."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from guard.sandbox.account import MASTER
from guard.sandbox.accounts import Accounts
from guard.sandbox.history import daily
from guard.sandbox.scenario import Scenario
from guard.sandbox.statement import Statement

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)


def told(
    story: Scenario | None = None,
    elapsed: timedelta = timedelta(),
    *,
    account: str = MASTER,
    at: datetime = AT,
    hand: Mapping[str, int] | None = None,
) -> Statement:
    """The statement so long after a story's start, which is `at` unless the story has its own.

    `hand` replaces what the story shows.
    """
    scenario = story or Scenario("quiet")
    start_at = scenario.start or at
    accounts = Accounts(scenario, start_s=int(start_at.timestamp()))
    scripted = {**accounts.story(account).values_at(elapsed), **(hand or {})}
    known = {name: value for name, value in scripted.items() if value is not None}
    return accounts.account(account).statement(known, at_s=int((start_at + elapsed).timestamp()))


def days(of: Statement, count: int, noun: str = "messages") -> list[int]:
    """The last so many days' rows of a noun, the oldest first."""
    rows: Any = daily(of, days=count)["data"]
    return [row[noun] for row in rows]


def assert_it_adds_up(of: Statement) -> None:
    """The promises of the manual that hold whatever is scripted."""
    for one, two, whole in (
        ("numbers.used", "numbers.remaining", "numbers.limit"),
        ("stats.successfulWebhookDeliveries", "stats.failedWebhookDeliveries", "stats.totalWebhookDeliveries"),
    ):
        numbers = {**of.numbers, **of.stats}
        assert numbers[one] + numbers[two] == numbers[whole]
    assert all(value >= 0 for value in (*of.numbers.values(), *of.stats.values(), *of.limits.values()))
    for noun in ("messages", "calls"):
        day, week, month, life = (of.stats[f"stats.{name}"] for name in windows_of(noun))
        rows = days(of, 60, noun)
        assert all(row >= 0 for row in rows)
        assert sum(rows[-7:]) == week
        assert sum(rows[-30:]) == month
        assert rows[-1] <= day <= rows[-1] + rows[-2]
        assert day <= week <= month <= life
        assert sum(rows) <= life


def windows_of(noun: str) -> tuple[str, str, str, str]:
    """The fields that count a noun, from narrow to wide."""
    return f"{noun}Last24h", f"{noun}Last7d", f"{noun}Last30d", f"total{noun.capitalize()}"
