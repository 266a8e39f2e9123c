"""Every path and what answers it; pure."""

from collections.abc import Callable, Mapping
from typing import Final

from guard.sandbox.agents import PERIODS, by_agent
from guard.sandbox.deliveries import delivery_stats
from guard.sandbox.fields import DELIVERIES, SUB_ACCOUNTS, USAGE
from guard.sandbox.history import daily, monthly
from guard.sandbox.numbers import by_number
from guard.sandbox.query import Query
from guard.sandbox.statement import Statement
from guard.sandbox.usage import usage

Body = Mapping[str, object]

_MOST_SUB_ACCOUNTS: Final = 100


def sub_accounts(names: Mapping[str, str], query: Query) -> Body:
    """A page of the listing, of sub-accounts' names by their ids; raises BadQueryError."""
    limit = query.number("limit", least=1, most=_MOST_SUB_ACCOUNTS, usual=20)
    offset = query.number("offset", least=0, most=10**9, usual=0)
    query.check()
    page = list(names.items())[offset : offset + limit]
    return {"data": [{"id": account, "name": name} for account, name in page]}


def _usage(of: Statement, _query: Query) -> Body:
    return usage(of)


def _daily(of: Statement, query: Query) -> Body:
    days = query.number("days", least=1, most=365, usual=30)
    query.check()
    return daily(of, days=days)


def _monthly(of: Statement, query: Query) -> Body:
    months = query.number("months", least=1, most=24, usual=6)
    query.check()
    return monthly(of, months=months)


def _by_number(of: Statement, _query: Query) -> Body:
    return by_number(of)


def _by_agent(of: Statement, query: Query) -> Body:
    period, zone = query.choice("period", PERIODS), query.zone("tz")
    query.check()
    return by_agent(of, period=period, zone=zone)


def _delivery_stats(of: Statement, query: Query) -> Body:
    hours = query.number("hours", least=1, most=720, usual=24)
    query.check()
    return delivery_stats(of, hours=hours)


ROUTES: Final[Mapping[str, Callable[[Statement, Query], Body]]] = {
    USAGE: _usage,
    "/v1/usage/daily": _daily,
    "/v1/usage/monthly": _monthly,
    "/v1/usage/by-number": _by_number,
    "/v1/usage/by-agent": _by_agent,
    DELIVERIES: _delivery_stats,
}
"""What answers for one account, by path; each may raise BadQueryError."""

EXAMPLES: Final = (
    USAGE,
    "/v1/usage/daily?days=30",
    "/v1/usage/monthly?months=6",
    "/v1/usage/by-number",
    "/v1/usage/by-agent?period=month",
    f"{DELIVERIES}?hours=24",
    f"{SUB_ACCOUNTS}?limit=100",
)
"""One request that works for each path."""
