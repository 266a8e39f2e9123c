"""What the store keeps apart, keeps once, and finds again."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, event

from guard.errors import StorageError
from guard.model import (
    Ack,
    AlertKey,
    Answer,
    DeliveryState,
    Endpoint,
    Event,
    EventKind,
    Failure,
    FailureKind,
    Incident,
    Level,
    Silence,
    State,
)
from guard.store import Poll, RuleFile, Unit
from guard.store.database import Database
from tests.builders import KEY, NOW, alert, at, delivery, incident, knowledge, notification, reading

OTHER = AlertKey("side", "numbers-remaining")


def answer(text: str) -> Answer:
    return Answer({"text": text}, f'{{"text": "{text}"}}')


def count(database: Database, table: str) -> int:
    (number,) = database._file.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a test's own table
    return int(number)


def test_the_cycle_and_the_outbox_never_overwrite_each_others_half(database: Database) -> None:
    wanted, told = knowledge(Level.CRITICAL), knowledge(Level.WARNING)
    database.run(lambda unit: unit.save_incidents([incident()]))
    database.run(lambda unit: unit.save_desired([notification(desired=told)]))
    database.run(lambda unit: unit.save_notified([notification(notified=told, notified_at=NOW)]))
    database.run(lambda unit: unit.save_desired([notification(desired=wanted)]))
    both = notification(desired=wanted, notified=told, notified_at=NOW)
    assert database.run(lambda unit: unit.notifications()) == [both]
    database.run(lambda unit: unit.save_notified([notification(notified=wanted, notified_at=at(1))]))
    both = notification(desired=wanted, notified=wanted, notified_at=at(1))
    assert database.run(lambda unit: unit.notifications()) == [both]


@pytest.mark.parametrize(
    ("desired", "notified", "waits"),
    [
        (None, None, False),
        (None, knowledge(), False),
        (knowledge(), None, True),
        (knowledge(), knowledge(), False),
        (knowledge(Level.CRITICAL), knowledge(), True),
        (knowledge(reminders=1), knowledge(), True),
        (knowledge(ended=True), knowledge(), True),
        (knowledge(missed=("inc0",)), knowledge(), True),
        (knowledge(incident_id="inc2"), knowledge(), True),
    ],
)
def test_a_channel_waits_for_what_it_should_know_and_does_not(
    database: Database, desired: object, notified: object, waits: bool
) -> None:
    def work(unit: Unit) -> None:
        each = notification(desired=desired, notified=notified)
        unit.save_incidents([incident(), incident(id="inc2")])
        unit.save_desired([each, replace(each, channel="other")])
        unit.save_notified([each])
        assert unit.waiting("ops") == ([each] if waits else [])

    database.run(work)


def test_what_waits_is_found_by_its_index(database: Database) -> None:
    plan = database._file.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM notification WHERE waiting IS 1 AND channel = 'ops'"
    ).fetchall()
    assert "notification_waiting (waiting=? AND channel=?)" in plan[0][-1]


def test_an_equal_answer_is_stored_once_for_each_account_and_endpoint(database: Database) -> None:
    def work(unit: Unit) -> None:
        for minute in range(3):
            unit.record_poll(Poll("main", at(minute), answer("same")))
        unit.record_poll(Poll("side", NOW, answer("same")))
        unit.record_poll(Poll("main", NOW, answer("same"), endpoint=Endpoint.DAILY))
        unit.record_poll(Poll("main", at(3), answer("another")))

    database.run(work)
    assert (count(database, "poll"), count(database, "answer")) == (6, 4)


def test_the_recent_answers_are_the_good_ones_newest_first(database: Database) -> None:
    def work(unit: Unit) -> None:
        unit.record_poll(Poll("main", at(0), answer("oldest")))
        unit.record_poll(Poll("main", at(1), answer("older")))
        unit.record_poll(Poll("main", at(2), Failure(FailureKind.SERVER, "503")))
        unit.record_poll(Poll("main", at(3), answer("newest")))
        unit.record_poll(Poll("side", at(4), answer("another account's")))
        unit.record_poll(Poll("main", at(5), answer("another endpoint's"), endpoint=Endpoint.DAILY))

    database.run(work)
    found = database.run(lambda unit: unit.recent_answers("main", count=2))
    assert found == [(at(3), answer("newest")), (at(1), answer("older"))]


def test_an_alert_is_saved_with_its_open_incident_and_loaded_without_an_ended_one(database: Database) -> None:
    firing = alert(state=State.FIRING, level=Level.WARNING, incident=incident())
    database.run(lambda unit: unit.save_alerts([firing, alert(key=OTHER)]))
    assert database.run(lambda unit: unit.alerts()) == {KEY: firing, OTHER: alert(key=OTHER)}
    ended = incident(ended_at=at(5))

    def end(unit: Unit) -> None:
        unit.save_alerts([alert()])
        unit.save_incidents([ended])

    database.run(end)
    assert database.run(lambda unit: unit.alerts("main")) == {KEY: alert()}
    assert database.run(lambda unit: unit.incident("inc1")) == ended


def test_more_incidents_than_fit_one_statement_are_found(database: Database) -> None:
    several = {f"inc{number}": incident(id=f"inc{number}") for number in range(1200)}
    database.run(lambda unit: unit.save_incidents(several.values()))
    assert database.run(lambda unit: unit.incidents([*several, "nobody's"])) == several
    assert database.run(lambda unit: unit.incident("nobody's")) is None


def test_what_belongs_together_may_be_written_in_any_order(database: Database) -> None:
    def work(unit: Unit) -> None:
        unit.save_desired([notification(desired=knowledge())])
        unit.save_incidents([incident()])

    database.run(work)
    assert database.run(lambda unit: unit.waiting("ops")) == [notification(desired=knowledge())]


def test_nothing_is_stored_that_speaks_of_an_incident_that_is_not(database: Database) -> None:
    with pytest.raises(StorageError, match="FOREIGN KEY"):
        database.run(lambda unit: unit.save_desired([notification(desired=knowledge())]))
    assert database.run(lambda unit: unit.notifications()) == []


def test_what_is_deleted_is_gone_and_nothing_else(database: Database) -> None:
    def save(unit: Unit) -> None:
        unit.save_incidents([incident()])
        unit.save_alerts([alert(), alert(key=OTHER)])
        unit.save_desired([notification(), notification(channel="mail"), notification(recipient="a@example.com")])
        unit.save_delivery(delivery())
        unit.save_delivery(delivery(key="k2"))

    def remove(unit: Unit) -> None:
        unit.delete_alerts([KEY])
        unit.delete_notifications([notification()])
        unit.delete_delivery("k1")
        unit.delete_delivery("never there")

    database.run(save)
    database.run(remove)
    assert set(database.run(lambda unit: unit.alerts())) == {OTHER}
    left = database.run(lambda unit: unit.notifications())
    assert [(each.channel, each.recipient) for each in left] == [("mail", ""), ("ops", "a@example.com")]
    assert [each.key for each in database.run(lambda unit: unit.deliveries())] == ["k2"]


def test_deliveries_are_found_by_channel_and_state_oldest_first(database: Database) -> None:
    saved = [
        delivery(key="late", created_at=at(3)),
        delivery(key="early", created_at=at(1), state=DeliveryState.SENDING),
        delivery(key="sent", created_at=at(0), state=DeliveryState.SENT),
        delivery(key="elsewhere", created_at=at(2), channel="mail"),
    ]

    def work(unit: Unit) -> list[list[str]]:
        for each in saved:
            unit.save_delivery(each)
        open_ones = (DeliveryState.PENDING, DeliveryState.SENDING)
        found = (unit.deliveries(), unit.deliveries(states=open_ones), unit.deliveries(channel="ops", states=open_ones))
        return [[each.key for each in deliveries] for deliveries in (*found, unit.deliveries(states=()))]

    assert database.run(work) == [
        ["sent", "early", "elsewhere", "late"],
        ["early", "elsewhere", "late"],
        ["early", "late"],
        [],
    ]


def test_events_are_found_newest_first_by_time_alert_and_account(database: Database) -> None:
    first, second, third = (Event(at(minute), KEY, EventKind.FIRED, text=str(minute)) for minute in (0, 1, 1))
    elsewhere = Event(at(2), OTHER, EventKind.FIRED)

    def work(unit: Unit) -> list[list[Event]]:
        unit.add_events([first, second, third, elsewhere])
        return [
            unit.events(limit=2),
            unit.events(limit=9, since=at(1)),
            unit.events(limit=9, key=KEY),
            unit.events(limit=9, account="side"),
        ]

    assert database.run(work) == [
        [elsewhere, third],
        [elsewhere, third, second],
        [third, second, first],
        [elsewhere],
    ]


def test_a_channels_fingerprint_is_remembered(database: Database) -> None:
    for channel, fingerprint in [("ops", "v1"), ("mail", "v1"), ("ops", "v2")]:
        database.run(lambda unit, c=channel, f=fingerprint: unit.save_channel_fingerprint(c, f))  # type: ignore[misc] # mypy cannot infer a lambda's defaults
    assert database.run(lambda unit: unit.channel_fingerprints()) == {"mail": "v1", "ops": "v2"}


def test_any_number_of_alerts_is_saved_in_two_statements(database: Database) -> None:
    alerts = [
        alert(key=AlertKey("main", f"rule-{number}"), reading=reading(), incident=incident(id=f"inc{number}"))
        for number in range(10)
    ]
    statements: list[str] = []

    def note(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    event.listen(database._connection, "before_cursor_execute", note)
    database.run(lambda unit: unit.save_alerts(alerts))
    assert [statement.split(" (")[0] for statement in statements] == [
        "BEGIN IMMEDIATE",
        "INSERT INTO incident",
        "INSERT INTO alert",
    ]


def test_saving_nothing_writes_nothing(database: Database) -> None:
    def work(unit: Unit) -> None:
        unit.save_alerts([])
        unit.add_events([])
        unit.delete_notifications([])

    database.run(work)
    assert count(database, "alert") == 0


def test_the_versions_of_the_rule_file_come_back_newest_first(database: Database) -> None:
    first = RuleFile(at(0), "one", "text é", ("rules.a added",))
    second = RuleFile(at(1), "two", "other", ())

    def work(unit: Unit) -> None:
        unit.add_rule_file(first)
        unit.add_rule_file(second)

    database.run(work)
    assert database.run(lambda unit: unit.rule_files(count=5)) == [second, first]
    assert database.run(lambda unit: unit.rule_files(count=1)) == [second]


def test_a_silence_comes_back_whole_and_can_be_ended_once_before_its_time(database: Database) -> None:
    silence = Silence("main/*", at(0), at(60), {"team": "ops"}, Level.CRITICAL, "an upgrade é", "ops")
    number = database.run(lambda unit: unit.add_silence(silence))
    stored = replace(silence, id=number)
    assert database.run(lambda unit: unit.silences()) == [stored]
    assert not database.run(lambda unit: unit.end_silence(number + 1, now=at(10)))
    assert database.run(lambda unit: unit.end_silence(number, now=at(10)))
    assert not database.run(lambda unit: unit.end_silence(number, now=at(11)))
    assert database.run(lambda unit: unit.silences()) == [replace(stored, ended_at=at(10))]


def test_a_silence_whose_time_is_over_is_not_read_any_more_and_cannot_be_ended(database: Database) -> None:
    number = database.run(lambda unit: unit.add_silence(Silence("*", at(0), at(60))))
    assert database.run(lambda unit: unit.silences(since=at(59)))
    assert not database.run(lambda unit: unit.silences(since=at(60)))
    assert not database.run(lambda unit: unit.end_silence(number, now=at(60)))


def test_acks_of_an_incident_come_back_whole_until_they_are_taken_back(database: Database) -> None:
    incident = Incident("i1", KEY, at(0), Level.WARNING)
    ack = Ack("i1", Level.WARNING, at(1), "ops", "I am on it", at(9))

    def work(unit: Unit) -> int:
        unit.save_incidents([incident])
        return unit.add_ack(ack)

    number = database.run(work)
    assert database.run(lambda unit: unit.acks(["i1", "i2"])) == [replace(ack, id=number)]
    assert database.run(lambda unit: unit.acks(["i2"])) == []
    assert database.run(lambda unit: unit.end_acks("i1", now=at(2))) == 1
    assert database.run(lambda unit: unit.end_acks("i1", now=at(3))) == 0
    assert database.run(lambda unit: unit.acks(["i1"]))[0].ended_at == at(2)
