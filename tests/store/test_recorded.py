"""Polls that are read one after another straight from the driver are those that the store gives elsewhere."""

from datetime import timedelta
from typing import Final

from guard.model import Answer, Endpoint, Failure, FailureKind
from guard.store import Poll, Unit
from guard.store.database import Database
from tests.builders import MINUTE, NOW, at

FAILED = Failure(FailureKind.RATE_LIMITED, "the API answered 429", retry_after=timedelta(seconds=1.5))
OUTCOMES: Final[list[Answer | Failure]] = [
    Answer({"numbers": {"used": 1}}, '{"numbers": {"used": 1}}', NOW - MINUTE),
    FAILED,
    Failure(FailureKind.SERVER, "the API answered 503"),
    *(Answer({"n": number}, f'{{"n": {number}}}') for number in range(100)),
]


def test_what_was_recorded_comes_back_oldest_first(database: Database) -> None:
    polls = [
        Poll("main", at(number / 7), outcome, Endpoint.USAGE, number * timedelta(microseconds=3))
        for number, outcome in enumerate(OUTCOMES)
    ]

    def work(unit: Unit) -> None:
        for poll in (*polls, Poll("main", NOW, FAILED, Endpoint.DAILY), Poll("other", NOW, FAILED)):
            unit.record_poll(poll)
        assert list(unit.recorded("main", since=NOW)) == polls == unit.polls("main", count=200)[::-1]
        assert list(unit.recorded("main", since=at(1))) == polls[7:]
        assert [each.endpoint for each in unit.recorded("main", since=NOW, endpoint=Endpoint.DAILY)] == ["daily"]

    database.run(work)


def test_an_equal_answer_of_a_sibling_came_with_its_own_poll_by_the_servers_clock(database: Database) -> None:
    """Or what was said again after midnight would be read as of the day before."""
    answers = [Answer({"data": []}, '{"data": []}', server_at) for server_at in (NOW, NOW + MINUTE, None)]

    def work(unit: Unit) -> None:
        for number, answer in enumerate(answers):
            unit.record_poll(Poll("main", at(number), answer, Endpoint.DAILY))
        found = [each.outcome for each in unit.recorded("main", since=NOW, endpoint=Endpoint.DAILY)]
        assert found == answers

    database.run(work)


def test_an_equal_answer_is_read_once(database: Database) -> None:
    def work(unit: Unit) -> None:
        for number in range(2):
            unit.record_poll(Poll("main", at(number), OUTCOMES[0]))
        one, two = unit.recorded("main", since=NOW)
        assert one.outcome is two.outcome

    database.run(work)
