"""How the asking went, and what was answered up to an instant."""

from datetime import timedelta
from functools import partial

import pytest

from guard.model import Answer, Endpoint, Failure, FailureKind
from guard.store import Poll, Unit
from guard.store.asking import Asking
from guard.store.database import Database
from tests.builders import MINUTE, at, incident

ANSWER = Answer({"n": 1}, '{"n":1}')
FAILURE = Failure(FailureKind.TIMEOUT, "no answer within 20 s")


def polled(database: Database, *polls: Poll) -> None:
    for poll in polls:
        database.run(partial(Unit.record_poll, poll=poll))


def asked(database: Database, begin: float, end: float) -> Asking:
    return database.run(lambda unit: unit.asking("main", begin=at(begin), end=at(end)))


def test_polls_failures_and_the_longest_time_between_answers_are_counted(database: Database) -> None:
    good = [Poll("main", at(minute), ANSWER) for minute in (0, 1, 2, 9, 10)]
    others = [Poll("other", at(5), ANSWER), Poll("main", at(5), ANSWER, Endpoint.DAILY)]
    polled(database, *good, *others, *(Poll("main", at(minute), FAILURE) for minute in (3, 6)))
    found = asked(database, 0, 10)
    assert (found.polls, found.failed) == (6, 2)
    assert (found.first_at, found.last_at) == (at(0), at(9))
    assert found.longest == pytest.approx(7 * MINUTE, abs=timedelta(milliseconds=1))


def test_the_time_before_the_first_answer_and_after_the_last_one_counts(database: Database) -> None:
    polled(database, *(Poll("main", at(minute), ANSWER) for minute in (4, 5)))
    found = asked(database, 0, 10)
    assert found.gap(at(0), at(10)) == 5 * MINUTE
    assert found.gap(at(-3), at(10)) == 7 * MINUTE
    assert asked(database, 20, 30).gap(at(20), at(30)) == 10 * MINUTE


def test_of_nothing_nothing_is_known(database: Database) -> None:
    assert asked(database, 0, 10) == Asking()
    assert not database.run(lambda unit: unit.has_polls_before(at(0)))
    assert database.run(lambda unit: unit.answer_at("main", at(0))) is None


def test_the_last_answer_up_to_an_instant_is_found(database: Database) -> None:
    polled(database, Poll("main", at(0), ANSWER), Poll("main", at(1), FAILURE), Poll("main", at(2), ANSWER))
    found = [database.run(partial(Unit.answer_at, account="main", at=at(minute))) for minute in (-1, 0, 1, 2, 3)]
    assert [each and each[0] for each in found] == [None, at(0), at(0), at(2), at(2)]
    assert database.run(lambda unit: unit.has_polls_before(at(0.1)))
    assert not database.run(lambda unit: unit.has_polls_before(at(0)))


def test_incidents_lie_within_a_time_if_a_part_of_them_does(database: Database) -> None:
    spans = {
        "before": (-20, -10),
        "into": (-5, 1),
        "in": (2, 3),
        "out of": (8, 20),
        "open": (4, None),
        "after": (10, 11),
    }
    database.run(
        lambda unit: unit.save_incidents(
            incident(id=name, started_at=at(begin), ended_at=None if end is None else at(end))
            for name, (begin, end) in spans.items()
        )
    )
    found = database.run(lambda unit: unit.incidents_within(at(0), at(10)))
    assert [each.id for each in found] == ["into", "in", "open", "out of"]
