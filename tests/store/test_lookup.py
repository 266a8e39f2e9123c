"""What a page shows of alerts."""

from dataclasses import replace
from datetime import timedelta

from guard.model import AlertKey, Event, EventKind, Flapping, Level, Reason, State, Timer
from guard.store.database import Database
from tests.builders import KEY, NOW, alert, at, incident, knowledge, notification

HELD = Timer(timedelta(minutes=1), NOW)


def key(rule: str) -> AlertKey:
    return AlertKey("main", rule)


def test_what_is_not_at_rest_comes_the_worst_first_and_the_rest_is_counted(database: Database) -> None:
    began = [incident(id=each, key=key(each)) for each in ("a", "b", "c")]
    worst_first = [
        alert(key=key("c"), state=State.FIRING, level=Level.CRITICAL, incident=began[2]),
        alert(key=key("b"), state=State.FIRING, level=Level.WARNING, incident=began[1]),
        alert(key=key("a"), state=State.RECOVERING, level=Level.WARNING, incident=began[0]),
        alert(key=key("f"), state=State.PENDING, timers={Level.CRITICAL: HELD}),
        alert(key=key("d"), flapping=Flapping(Level.WARNING, HELD, "a")),
        alert(key=key("e"), unknown=HELD, unknown_why="a limit is 0"),
    ]
    at_rest = [alert(key=key("g")), alert(key=key("h"), unknown_why="too short a history")]
    database.run(lambda unit: unit.save_alerts([*at_rest, *reversed(worst_first)]))
    assert database.run(lambda unit: unit.busy_alerts(limit=10)) == (worst_first, 6)
    assert database.run(lambda unit: unit.busy_alerts(limit=2)) == (worst_first[:2], 6)


def test_where_all_is_at_rest_there_is_nothing(database: Database) -> None:
    database.run(lambda unit: unit.save_alerts([alert()]))
    assert database.run(lambda unit: unit.busy_alerts(limit=10)) == ([], 0)


def test_one_alert_is_found_with_its_incident_by_all_of_its_key(database: Database) -> None:
    firing = alert(state=State.FIRING, level=Level.WARNING, incident=incident())
    other = alert(key=replace(KEY, subject="n/1"))
    database.run(lambda unit: unit.save_alerts([firing, other]))
    assert database.run(lambda unit: unit.alert(KEY)) == firing
    assert database.run(lambda unit: unit.alert(other.key)) == other
    assert database.run(lambda unit: unit.alert(replace(KEY, subject="n"))) is None


def test_the_notifications_of_one_alert_are_those_of_no_other(database: Database) -> None:
    known = [notification(channel=each, desired=knowledge()) for each in ("mail", "ops")]
    others = notification(replace(KEY, account="side"), desired=knowledge())
    database.run(lambda unit: unit.save_incidents([incident()]))
    database.run(lambda unit: unit.save_desired([*known, others]))
    assert database.run(lambda unit: unit.notifications_of(KEY)) == known


def test_the_last_incidents_of_an_alert_come_newest_first(database: Database) -> None:
    began = [incident(id=str(n), started_at=at(n), ended_at=at(n + 1), reason=Reason.RECOVERED) for n in range(3)]
    other = incident(id="other", key=key("other"))
    fired = [Event(each.started_at, each.key, EventKind.FIRED, each.id) for each in (*began, other)]
    ended = [Event(at(9), each.key, EventKind.RESOLVED, each.id) for each in began]
    database.run(lambda unit: unit.save_incidents([*began, other]))
    database.run(lambda unit: unit.add_events([*fired, *ended]))
    assert database.run(lambda unit: unit.incidents_of(KEY, limit=2)) == [began[2], began[1]]
