"""A rule's new name: what moves under it, and what stays."""

from dataclasses import replace

from guard.model import Alert, AlertKey, Cover, DeliveryState, Event, EventKind, Level, Notification, Root, State
from guard.store import Unit, rename
from guard.store.database import Database
from tests.builders import KEY, NOW, alert, delivery, incident, knowledge, notification, reading

NEW = replace(KEY, rule="numbers-left")
SUBJECT = AlertKey("main", "numbers-remaining", "num_1")
FORMER = {("main", "numbers-remaining"): "numbers-left"}


def firing(key: AlertKey = KEY, incident_id: str = "inc1") -> Alert:
    return alert(
        key=key,
        state=State.FIRING,
        level=Level.WARNING,
        incident=incident(id=incident_id, key=key),
        reading=reading(),
        fingerprint="v1",
    )


def told(key: AlertKey = KEY, incident_id: str = "inc1") -> Notification:
    known = knowledge(incident_id=incident_id)
    root = Root(incident_id, "C1:1", Level.WARNING)
    return notification(key, desired=known, notified=known, notified_at=NOW, root=root)


def write(unit: Unit, *alerts: Alert) -> None:
    unit.save_alerts(alerts)
    notifications = [told(each.key, each.incident.id) for each in alerts if each.incident]
    unit.save_desired(notifications)
    unit.save_notified(notifications)
    unit.save_roots(notifications)


def renamed(database: Database) -> None:
    database.run(lambda unit: rename(unit, FORMER))


def test_an_alert_goes_on_under_the_new_name_with_all_that_channels_know(database: Database) -> None:
    database.run(lambda unit: write(unit, firing()))
    renamed(database)
    assert database.run(lambda unit: unit.alerts()) == {NEW: firing(NEW)}
    assert database.run(lambda unit: unit.incident("inc1")) == incident(key=NEW)
    assert database.run(lambda unit: unit.notifications()) == [told(NEW)]


def test_each_subject_moves_with_the_rule(database: Database) -> None:
    database.run(lambda unit: write(unit, firing(), firing(SUBJECT, "inc2")))
    renamed(database)
    assert list(database.run(lambda unit: unit.alerts())) == [NEW, replace(SUBJECT, rule="numbers-left")]


def test_open_deliveries_tell_of_the_new_name_and_settled_ones_keep_the_old(database: Database) -> None:
    other = AlertKey("main", "other")
    covers = (Cover(KEY, knowledge()), Cover(other, knowledge(incident_id="inc2")))
    states = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD, DeliveryState.SENT)
    alone = delivery(key="alone", covers=covers[1:])

    def prepare(unit: Unit) -> None:
        write(unit, firing())
        unit.save_delivery(alone)
        for state in states:
            unit.save_delivery(delivery(key=state.value, state=state, covers=covers))

    database.run(prepare)
    renamed(database)
    found = {each.key: each for each in database.run(lambda unit: unit.deliveries())}
    assert found["alone"] == alone
    assert [found[state.value].covers[0].key for state in states] == [NEW, NEW, NEW, KEY]
    assert {each.covers[-1].key for each in found.values()} == {other}


def test_events_keep_the_old_name(database: Database) -> None:
    event = Event(NOW, KEY, EventKind.FIRED, "inc1")
    database.run(lambda unit: write(unit, firing()))
    database.run(lambda unit: unit.add_events([event]))
    renamed(database)
    assert database.run(lambda unit: unit.events(limit=9)) == [event]


def test_an_alert_that_the_new_name_has_already_is_left_alone(database: Database) -> None:
    database.run(lambda unit: write(unit, firing(), firing(NEW, "inc2")))
    before = database.run(lambda unit: unit.alerts())
    renamed(database)
    assert database.run(lambda unit: unit.alerts()) == before


def test_other_rules_and_other_accounts_stay_as_they_are(database: Database) -> None:
    side, other = AlertKey("side", KEY.rule), AlertKey("main", "other")
    database.run(lambda unit: write(unit, firing(side, "inc2"), firing(other, "inc3")))
    before = database.run(lambda unit: (unit.alerts(), unit.notifications()))
    renamed(database)
    database.run(lambda unit: rename(unit, {}))
    assert database.run(lambda unit: (unit.alerts(), unit.notifications())) == before


def test_what_a_channel_was_told_under_the_new_name_before_gives_way(database: Database) -> None:
    over = replace(told(NEW, "inc0"), root=None)

    def prepare(unit: Unit) -> None:
        unit.save_incidents([incident(id="inc0", key=NEW)])
        unit.save_desired([over])
        unit.save_notified([over])
        write(unit, firing())

    database.run(prepare)
    renamed(database)
    assert database.run(lambda unit: unit.notifications()) == [told(NEW)]


def at_rest(unit: Unit, *, heard: bool) -> None:
    """A rule of the new name fired before, and ended; its channel has heard that, or not yet."""
    unit.save_incidents([incident(id="inc0", key=NEW)])
    unit.save_alerts([alert(key=NEW)])
    over = knowledge(incident_id="inc0", ended=True)
    known = notification(NEW, desired=over, notified=over if heard else replace(over, ended=False), notified_at=NOW)
    unit.save_desired([known])
    unit.save_notified([known])
    write(unit, firing())


def test_an_alert_at_rest_under_the_new_name_gives_way(database: Database) -> None:
    database.run(lambda unit: at_rest(unit, heard=True))
    renamed(database)
    assert database.run(lambda unit: unit.alerts()) == {NEW: firing(NEW)}
    assert database.run(lambda unit: unit.notifications()) == [told(NEW)]


def test_an_end_that_a_channel_has_not_heard_yet_does_not_give_way(database: Database) -> None:
    database.run(lambda unit: at_rest(unit, heard=False))
    renamed(database)
    assert database.run(lambda unit: unit.alerts()) == {NEW: alert(key=NEW), KEY: firing()}
