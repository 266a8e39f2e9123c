"""How a value moved in the last day, from the answers that are stored: what messages draw as a line."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from guard.model import AlertKey, Answer, Failure, FailureKind
from guard.outbox.past import Points, value_past
from guard.store import Poll, Unit
from guard.store.database import Database
from tests.builders import NOW
from tests.pressing import pressing
from tests.wiring import config

KEY = AlertKey("main", "it")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
Past = Callable[..., Points]


def rule(value: str, more: str = "") -> str:
    return f'[rules.it]\nvalue = "{value}"\nwarning = "< 3"\n{more}'


def answered(remaining: float | None, account: str = "main", *, ago: timedelta) -> Poll:
    numbers = {"used": 1, "limit": 12, "remaining": remaining}
    usage = {"numbers": numbers, "plan": {"name": "growth"}, "stats": {}}
    return Poll(account, NOW - ago, Answer(usage, json.dumps(usage)))


@contextmanager
def stored(path: Path, polls: Iterable[Poll]) -> Iterator[Past]:
    """Gives the past of a rule on what is stored."""

    def fill(unit: Unit) -> None:
        for poll in polls:
            unit.record_poll(poll)

    with closing(Database(path / "guard.db", create=True)) as database:
        database.run(fill)

        def past(rules: str, key: AlertKey = KEY, account: str = "") -> Points:
            ready = partial(value_past, key=key, config=config(rules=rules, account=account), now=NOW)
            return database.run(ready)

        yield past


def hourly(*remaining: float | None, account: str = "main") -> list[Poll]:
    """An answer at each full hour, the last one now."""
    return [answered(each, account, ago=number * HOUR) for number, each in enumerate(reversed(remaining))][::-1]


def test_it_is_the_value_at_the_end_of_each_hour_oldest_first(tmp_path: Path) -> None:
    polls = [answered(number, ago=number * 10 * MINUTE) for number in range(6 * 30)]
    with stored(tmp_path, polls) as past:
        found = past(rule("numbers.remaining"))
    assert found == tuple((NOW - number * HOUR, 6.0 * number) for number in range(23, -1, -1))


def test_an_hour_without_a_good_answer_has_no_point(tmp_path: Path) -> None:
    failure = Failure(FailureKind.SERVER, "it answered 503")
    polls = [answered(7, ago=3 * HOUR + MINUTE), Poll("main", NOW - HOUR, failure), answered(5, ago=HOUR - MINUTE)]
    with stored(tmp_path, polls) as past:
        assert past(rule("numbers.remaining")) == ((polls[0].at, 7.0), (polls[2].at, 5.0))


def test_a_value_that_is_worked_out_of_one_answer_and_the_budgets_has_a_past_too(tmp_path: Path) -> None:
    budget = "budgets = { floor = 4 }"
    with stored(tmp_path, hourly(6, 2)) as past:
        found = past(rule("numbers.remaining / budgets.floor"), account=budget)
    assert [value for _, value in found] == [1.5, 0.5]


def test_an_answer_without_the_field_has_no_point(tmp_path: Path) -> None:
    with stored(tmp_path, hourly(6, None, 2)) as past:
        assert [value for _, value in past(rule("numbers.remaining"))] == [6.0, 2.0]


@pytest.mark.parametrize(
    ("value", "more"),
    [
        ("increase(stats.totalMessages, 1h)", ""),
        ("today.messages", ""),
        ("number.messages", 'each = "number"'),
    ],
)
def test_what_needs_more_than_one_answer_has_none(tmp_path: Path, value: str, more: str) -> None:
    with stored(tmp_path, hourly(6, 2)) as past:
        assert past(rule(value, more)) == ()


@pytest.mark.parametrize(
    "key",
    [AlertKey("main", "gone"), AlertKey("gone", "it"), AlertKey("main:acme", "it"), AlertKey("main", "guard.no_data")],
    ids=str,
)
def test_an_alert_of_no_rule_has_none(tmp_path: Path, key: AlertKey) -> None:
    with stored(tmp_path, hourly(6, 2)) as past:
        assert past(rule("numbers.remaining"), key) == ()


def test_a_sub_account_has_its_own(tmp_path: Path) -> None:
    polls = [*hourly(6, 2), *hourly(9, 8, account="main:acme")]
    with stored(tmp_path, polls) as past:
        found = past(rule("numbers.remaining"), AlertKey("main:acme", "it"), 'sub_accounts = "all"')
    assert [value for _, value in found] == [9.0, 8.0]


async def test_a_message_of_one_alert_draws_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with pressing(tmp_path, caplog) as hand:
        for left in (9, 7, 5, 3):
            await hand.fire(left)
            hand.desk.clock.passes(HOUR.total_seconds())
        await hand.fire(2)
        assert "▁" in hand.whole()
        assert "█" in hand.whole()
