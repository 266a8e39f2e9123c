"""The answer of /v1/usage/by-number: an account's phone numbers, and what each has had of the whole; pure."""

from functools import cache
from typing import Final
from zlib import crc32

from guard.sandbox.deal import Deal
from guard.sandbox.fields import NUMBERS
from guard.sandbox.statement import Statement

MOST_ROWS: Final = 1_000
"""More phone numbers than that are not listed."""

_MESSAGES: Final = (12, 9, 7, 5, 4, 3, 2, 1)  # what the busiest numbers get in a round, from the first number on
_CALLS: Final = (5, 8, 3, 4, 2, 1, 1, 1)
_SECONDS: Final = tuple(12 + 37 * turn % 31 for turn in range(31))  # calls are short, so that the plan's minutes do
_ANSWERED_BY: Final = (0, 1, 0, 2, None, 1, 0, None)  # who answers each of these numbers

AGENTS: Final = ("Support", "Sales", "Reminders")
"""The names of an account's agents."""


def by_number(of: Statement) -> dict[str, object]:
    """A row for each number in use, up to MOST_ROWS, whose messages and calls add up to those of the whole life.

    Numbers that the story takes into use and gives back stay idle, so that no row's counts ever fall.
    """
    return {"data": [_row(of, index) for index in range(min(of.numbers[NUMBERS[0]], MOST_ROWS))]}


def busy(of: Statement) -> int:
    """How many of the listed numbers have all the traffic: at least one, whether or not it is listed."""
    return max(1, min(of.busy_numbers, of.numbers[NUMBERS[0]], len(_MESSAGES)))


@cache
def message_deal(numbers: int) -> Deal:
    """How messages go to so many busy numbers."""
    return Deal(_MESSAGES[:numbers])


@cache
def call_deal(numbers: int) -> Deal:
    """How calls go to so many busy numbers."""
    return Deal(_CALLS[:numbers])


@cache
def seconds_deal(numbers: int) -> Deal:
    """How long the calls of so many busy numbers take, in seconds."""
    return Deal(_CALLS[:numbers], worths=_SECONDS)


def agent_id(of: Statement, agent: int) -> str:
    """The id of one of AGENTS, counted from 0."""
    return f"agt_{_infix(of)}{agent + 1}"


def numbers_of(agent: int | None, *, busy_numbers: int) -> list[int]:
    """The busy numbers of an agent, counted from 0; those of None have no agent."""
    return [number for number in range(busy_numbers) if _ANSWERED_BY[number] == agent]


def _row(of: Statement, index: int) -> dict[str, object]:
    shared = busy(of)
    agent = _ANSWERED_BY[index] if index < len(_ANSWERED_BY) else None
    area = 415 if not of.account else 200 + crc32(of.account.encode()) % 800
    return {
        "numberId": f"num_{_infix(of)}{index + 1}",
        "phoneNumber": f"+1{area}555{101 + index:04}",
        "country": "US",
        "status": "active",
        "agentId": None if agent is None else agent_id(of, agent),
        "agentName": None if agent is None else AGENTS[agent],
        "messages": message_deal(shared).held(index, dealt=of.messages.total) if index < shared else 0,
        "calls": call_deal(shared).held(index, dealt=of.calls.total) if index < shared else 0,
    }


def _infix(of: Statement) -> str:
    """What makes the ids of one account's numbers and agents differ from those of another."""
    return f"{of.account}_" if of.account else ""
