"""The answer of /v1/usage/by-agent: what each agent's numbers have had since the period began; pure."""

from datetime import datetime, timedelta, tzinfo
from typing import Final

from guard.sandbox.instant import instant, utc
from guard.sandbox.numbers import AGENTS, agent_id, busy, call_deal, message_deal, numbers_of, seconds_deal
from guard.sandbox.statement import Statement

PERIODS: Final = ("week", "month", "year")
"""A week starts on Monday."""

_UNASSIGNED: Final = "Unassigned"


def by_agent(of: Statement, *, period: str, zone: tzinfo) -> dict[str, object]:
    """A row for each agent, and one for the numbers without any; the rows add up to all of the period until now.

    `period` is one of PERIODS, and the calendar's of the zone.
    """
    start, end = _bounds(utc(of.at_s).astimezone(zone), period)
    start_s, end_s = (int(each.timestamp()) for each in (start, end))
    rows = [_row(of, agent, name, since_s=start_s) for agent, name in enumerate(AGENTS)]
    return {
        "data": [*rows, _row(of, None, _UNASSIGNED, since_s=start_s)],
        "period": period,
        "periodStart": instant(start_s),
        "periodEnd": instant(end_s),
    }


def _row(of: Statement, agent: int | None, name: str, *, since_s: int) -> dict[str, object]:
    return {
        "agentId": None if agent is None else agent_id(of, agent),
        "agentName": name,
        **_sums(of, agent, since_s=since_s),
        "isOrphan": agent is None,
    }


def _sums(of: Statement, agent: int | None, *, since_s: int) -> dict[str, int]:
    numbers = busy(of)
    held = numbers_of(agent, busy_numbers=numbers)
    deals = {
        "messages": (message_deal(numbers), of.messages),
        "calls": (call_deal(numbers), of.calls),
        "totalSeconds": (seconds_deal(numbers), of.calls),
    }
    return {
        name: sum(
            deal.held(number, dealt=shown.total) - deal.held(number, dealt=shown.count(since_s)) for number in held
        )
        for name, (deal, shown) in deals.items()
    }


def _bounds(at: datetime, period: str) -> tuple[datetime, datetime]:
    """The first instant of the period around `at`, and of the next one, both midnights of its zone."""
    today = at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    match period:
        case "week":
            start = today - timedelta(days=today.weekday())
            return start, start + timedelta(days=7)
        case "month":
            start = today.replace(day=1)
            return start, (start + timedelta(days=31)).replace(day=1)
        case _:
            start = today.replace(month=1, day=1)
            return start, start.replace(year=start.year + 1)
