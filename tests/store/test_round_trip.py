"""What is saved comes back equal, whatever it holds."""

import json
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.errors import StorageError
from guard.model import Account, Alert, Answer, Delivery, Event, Failure, Incident, Notification
from guard.store import Poll, Unit
from guard.store.database import Database
from tests.builders import NOW, account, alert, reading

INSTANTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=9))]))
DURATIONS = st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000))
PAYLOADS = st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.booleans())
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    str: st.text(),
    datetime: INSTANTS.filter(lambda instant: 2 < instant.year < 9999),
    timedelta: DURATIONS,
    types.NoneType: st.none(),
    Answer: st.builds(lambda payload, at: Answer(payload, json.dumps(payload), at), PAYLOADS, st.none() | INSTANTS),
}


def some(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type, with all fields of a dataclass: a field added tomorrow is tried without a change here."""
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: some(hints[field.name]) for field in fields(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(some, arguments))
    if origin is Mapping:
        return st.dictionaries(*map(some, arguments), max_size=3)
    assert origin is tuple
    return st.lists(some(arguments[0]), max_size=3).map(tuple)


class Undo(Exception):  # noqa: N818 - it is no error
    """Ends a transaction without a trace, so that all examples can share one database."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("store") / "guard.db", create=True)
    yield database
    database.close()


def equal_again(database: Database, save_and_load: Callable[[Unit], object], saved: object) -> None:
    def work(unit: Unit) -> None:
        assert save_and_load(unit) == saved
        raise Undo

    with pytest.raises(Undo):
        database.run(work)


@given(saved=some(Account))
def test_an_account_comes_back_equal(shared: Database, saved: Account) -> None:
    def save_and_load(unit: Unit) -> Account | None:
        unit.save_account(Account(saved.name, failures=7))
        unit.save_account(saved)
        assert unit.accounts() == {saved.name: saved}
        return unit.account(saved.name)

    equal_again(shared, save_and_load, saved)


@given(saved=some(Alert))
def test_an_alert_comes_back_equal_with_its_incident(shared: Database, saved: Alert) -> None:
    def save_and_load(unit: Unit) -> Alert:
        unit.save_alerts([Alert(saved.key, unknown_why="not written yet")])
        unit.save_alerts([saved])
        assert unit.alerts() == unit.alerts(saved.key.account)
        return unit.alerts()[saved.key]

    equal_again(shared, save_and_load, saved)


@given(saved=some(Incident))
def test_an_incident_comes_back_equal(shared: Database, saved: Incident) -> None:
    def save_and_load(unit: Unit) -> Incident | None:
        unit.save_incidents([saved])
        return unit.incident(saved.id)

    equal_again(shared, save_and_load, saved)


@given(saved=some(Event))
def test_an_event_comes_back_equal(shared: Database, saved: Event) -> None:
    def save_and_load(unit: Unit) -> list[Event]:
        unit.add_events([saved])
        return unit.events(limit=2, since=saved.at, key=saved.key, account=saved.key.account)

    equal_again(shared, save_and_load, [saved])


def _is_stored_so(saved: Notification) -> bool:
    """What is held back is never what was notified."""
    return saved.notified is None or not saved.notified.held


@given(saved=some(Notification).filter(_is_stored_so))
def test_both_halves_of_a_notification_and_its_root_come_back_equal(shared: Database, saved: Notification) -> None:
    def save_and_load(unit: Unit) -> list[Notification]:
        unit.save_desired([saved])
        unit.save_notified([saved])
        unit.save_roots([saved])
        desired, notified = saved.desired, saved.notified
        knows = desired and notified and (notified.flapping or notified.incident_id == desired.incident_id)
        differs = desired is not None and (notified is None or replace(desired, held=False) != notified)
        waits = differs and desired is not None and bool(knows or not desired.held)
        assert unit.waiting(saved.channel) == ([saved] if waits else [])
        assert unit.notifications() == unit.notifications(saved.key.account)
        return unit.notifications()

    equal_again(shared, save_and_load, [saved])


def _covers_nothing_held(saved: Delivery) -> bool:
    return not any(cover.knowledge.held for cover in saved.covers)


@given(saved=some(Delivery).filter(_covers_nothing_held))
def test_a_delivery_comes_back_equal(shared: Database, saved: Delivery) -> None:
    def save_and_load(unit: Unit) -> list[Delivery]:
        unit.save_delivery(saved)
        assert unit.deliveries() == [saved]
        return unit.deliveries(channel=saved.channel, states=[saved.state])

    equal_again(shared, save_and_load, [saved])


@given(saved=some(Poll))
def test_a_poll_comes_back_equal(shared: Database, saved: Poll) -> None:
    def save_and_load(unit: Unit) -> list[Poll]:
        unit.record_poll(saved)
        good = [] if isinstance(saved.outcome, Failure) else [(saved.at, saved.outcome)]
        assert unit.recent_answers(saved.account, count=2, endpoint=saved.endpoint) == good
        return unit.polls(saved.account, count=2, endpoint=saved.endpoint)

    equal_again(shared, save_and_load, [saved])


def test_instants_come_back_in_utc(database: Database) -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    database.run(lambda unit: unit.save_account(account(good_at=tokyo)))
    found = database.run(lambda unit: unit.account("main"))
    assert found is not None
    assert str(found.good_at) == "2026-11-23 14:05:00+00:00"


@pytest.mark.parametrize(
    "work",
    [
        lambda unit: unit.save_account(account(good_at=NOW.replace(tzinfo=None))),
        lambda unit: unit.save_alerts([alert(reading=reading(at=NOW.replace(tzinfo=None)))]),
    ],
)
def test_an_instant_without_a_zone_is_never_stored(database: Database, work: Callable[[Unit], None]) -> None:
    with pytest.raises(Exception, match=r"time ?zone") as caught:
        database.run(work)
    assert not isinstance(caught.value, StorageError)
    assert database.run(lambda unit: (unit.accounts(), unit.alerts())) == ({}, {})
