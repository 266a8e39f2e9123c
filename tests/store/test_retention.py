"""What is forgotten, and when; and what stays however old it is."""

from datetime import datetime, timedelta

import pytest

from guard.model import Answer, DeliveryState, Event, EventKind, Failure, FailureKind, Level, State
from guard.store import Poll, Unit
from guard.store.database import Database
from tests.builders import KEY, MINUTE, NOW, alert, delivery, incident, knowledge, notification

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FAILED = Failure(FailureKind.SERVER, "503")


def ago(length: timedelta) -> datetime:
    return NOW - length


def answer(text: str) -> Answer:
    return Answer({"text": text}, f'{{"text": "{text}"}}')


def polls_at(database: Database) -> list[datetime]:
    return [poll.at for poll in reversed(database.run(lambda unit: unit.polls("main", count=100_000)))]


def answers(database: Database) -> set[str]:
    return {payload for (payload,) in database._file.execute("SELECT payload FROM answer")}


@pytest.mark.parametrize(
    ("at", "left"),
    [
        (ago(MINUTE), 4),
        (ago(14 * DAY) + HOUR, 4),
        (ago(14 * DAY) - HOUR, 1),  # 13:05 to 13:08 two weeks before 14:05
        (ago(399 * DAY), 1),
        (ago(401 * DAY), 0),
    ],
)
def test_polls_are_kept_whole_for_14_days_then_one_an_hour_for_400(database: Database, at: datetime, left: int) -> None:
    def work(unit: Unit) -> None:
        for minute in range(4):
            unit.record_poll(Poll("main", at + minute * MINUTE, answer("same")))

    database.run(work)
    database.run(lambda unit: unit.prune(NOW))
    assert len(polls_at(database)) == left
    assert answers(database) == ({answer("same").text} if left else set())


def test_an_hour_keeps_its_first_good_poll_or_else_its_first(database: Database) -> None:
    hour = ago(20 * DAY).replace(minute=0)

    def work(unit: Unit) -> None:
        unit.record_poll(Poll("main", hour, FAILED))
        unit.record_poll(Poll("main", hour + 1 * MINUTE, answer("kept")))
        unit.record_poll(Poll("main", hour + 2 * MINUTE, answer("dropped")))
        unit.record_poll(Poll("main", hour + HOUR, FAILED))
        unit.record_poll(Poll("main", hour + HOUR + MINUTE, FAILED))
        unit.record_poll(Poll("side", hour + 2 * MINUTE, answer("dropped")))

    database.run(work)
    database.run(lambda unit: unit.prune(NOW))
    assert polls_at(database) == [hour + MINUTE, hour + HOUR]
    assert sorted(answers(database)) == [answer("dropped").text, answer("kept").text]
    assert len(database.run(lambda unit: unit.polls("side", count=9))) == 1


def test_pruning_each_hour_keeps_the_same_as_pruning_once(database: Database) -> None:
    start = ago(15 * DAY).replace(minute=0)
    database.run(lambda unit: unit.prune(start + 14 * DAY))

    def work(unit: Unit) -> None:
        for step in range(60):
            unit.record_poll(Poll("main", start + step * 7 * MINUTE, answer(str(step))))

    database.run(work)
    for hours in range(10):
        for minutes in (0, 20, 40):
            now = start + 14 * DAY + hours * HOUR + minutes * MINUTE
            database.run(lambda unit, now=now: unit.prune(now))  # type: ignore[misc] # mypy cannot infer a lambda's defaults
    hours_left = [at.replace(minute=0) for at in polls_at(database)]
    assert hours_left == [start + hour * HOUR for hour in range(7)]
    assert len(answers(database)) == 7


@pytest.mark.parametrize(
    ("state", "age", "kept"),
    [
        (DeliveryState.SENT, 29 * DAY, True),
        (DeliveryState.SENT, 31 * DAY, False),
        (DeliveryState.PENDING, 500 * DAY, True),
        (DeliveryState.SENDING, 500 * DAY, True),
        (DeliveryState.DEAD, 500 * DAY, True),
    ],
)
def test_only_what_was_sent_is_forgotten_after_30_days(
    database: Database, state: DeliveryState, age: timedelta, kept: bool
) -> None:
    database.run(lambda unit: unit.save_delivery(delivery(state=state, created_at=ago(age), settled_at=ago(age))))
    database.run(lambda unit: unit.prune(NOW))
    assert bool(database.run(lambda unit: unit.deliveries())) == kept


@pytest.mark.parametrize(("age", "kept"), [(399 * DAY, True), (401 * DAY, False)])
def test_an_ended_incident_and_its_events_are_kept_for_400_days(database: Database, age: timedelta, kept: bool) -> None:
    def work(unit: Unit) -> None:
        unit.save_incidents([incident(started_at=ago(age), ended_at=ago(age))])
        unit.add_events([Event(ago(age), KEY, EventKind.RESOLVED, "inc1")])
        told = knowledge(ended=True)
        unit.save_desired([notification(desired=told), notification(channel="late")])
        unit.save_notified(
            [notification(notified=told, notified_at=ago(age)), notification(channel="late", notified=told)]
        )

    database.run(work)
    database.run(lambda unit: unit.prune(NOW))

    def left(unit: Unit) -> tuple[int, int, int]:
        return len(unit.incidents(["inc1"])), len(unit.events(limit=9)), len(unit.notifications())

    assert database.run(left) == ((1, 1, 2) if kept else (0, 0, 0))


def test_an_open_incident_stays_with_its_events_however_old(database: Database) -> None:
    opened = incident(started_at=ago(900 * DAY))
    fired = Event(ago(900 * DAY), KEY, EventKind.FIRED, "inc1")

    def work(unit: Unit) -> None:
        unit.save_alerts([alert(state=State.FIRING, level=Level.WARNING, incident=opened)])
        unit.add_events([fired])
        unit.save_desired([notification(desired=knowledge())])
        unit.save_notified([notification(notified=knowledge(), notified_at=ago(900 * DAY))])

    database.run(work)
    database.run(lambda unit: unit.prune(NOW))
    assert database.run(lambda unit: (unit.incident("inc1"), unit.events(limit=9))) == (opened, [fired])
    assert len(database.run(lambda unit: unit.notifications())) == 1


@pytest.mark.parametrize("notified", [None, knowledge()])
def test_an_incident_whose_end_a_channel_has_yet_to_hear_of_stays(database: Database, notified: object) -> None:
    ended = incident(started_at=ago(900 * DAY), ended_at=ago(800 * DAY))
    waiting = notification(desired=knowledge(ended=True), notified=notified)

    def work(unit: Unit) -> None:
        unit.save_incidents([ended])
        unit.save_desired([waiting])
        unit.save_notified([waiting])

    database.run(work)
    database.run(lambda unit: unit.prune(NOW))
    assert database.run(lambda unit: (unit.incident("inc1"), unit.waiting("ops"))) == (ended, [waiting])


def test_after_the_clock_went_back_nothing_more_is_forgotten(database: Database) -> None:
    database.run(lambda unit: unit.record_poll(Poll("main", NOW, answer("kept"))))
    database.run(lambda unit: unit.prune(NOW + DAY))
    database.run(lambda unit: unit.prune(NOW - DAY))
    assert polls_at(database) == [NOW]


@pytest.mark.parametrize("notified", [None, knowledge(missed=("inc0",))])
def test_an_earlier_incident_whose_end_a_channel_missed_stays(database: Database, notified: object) -> None:
    missed = incident(id="inc0", started_at=ago(900 * DAY), ended_at=ago(800 * DAY))
    several = notification(desired=knowledge(missed=("inc0",)), notified=notified)

    def work(unit: Unit) -> None:
        unit.save_incidents([missed, incident()])
        unit.save_desired([several])
        unit.save_notified([several])

    database.run(work)
    database.run(lambda unit: unit.prune(NOW))
    assert database.run(lambda unit: (unit.incident("inc0"), unit.notifications())) == (missed, [several])
