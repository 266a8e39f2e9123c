"""Statements that go to SQLite's driver directly: they write the very bytes that SQLAlchemy would write."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Table, bindparam, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import StatementError

from guard.errors import StorageError
from guard.store import Unit
from guard.store.database import Database
from guard.store.prepared import Prepared
from guard.store.tables import (
    ACCOUNT,
    ALERT,
    ANSWER,
    DELIVERY,
    EVENT,
    INCIDENT,
    NOTIFICATION,
    POLL,
    SUB_ACCOUNT,
    Duration,
)
from tests.builders import NOW

TABLES: Final = (ACCOUNT, ALERT, ANSWER, DELIVERY, EVENT, INCIDENT, NOTIFICATION, POLL, SUB_ACCOUNT)
ZONES: Final = (UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=5, minutes=45)))
VALUES: Final[dict[type, st.SearchStrategy[Any]]] = {
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    str: st.text(st.characters(exclude_categories=["Cs"])),
    datetime: st.datetimes(timezones=st.sampled_from(ZONES)).filter(lambda instant: 2 < instant.year < 9999),
    timedelta: st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000)),
}


class Undo(Exception):  # noqa: N818 - it is no error
    """Ends a transaction without a trace."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("store") / "guard.db", create=True)
    yield database
    database.close()


def values_of(table: Table) -> st.SearchStrategy[dict[str, Any]]:
    """Whatever a row of a table may hold; what it refers to is elsewhere, and not looked for before a commit."""

    def some(column: Column[Any]) -> st.SearchStrategy[Any]:
        inner = getattr(column.type, "impl", column.type)  # what a type of SQLModel's, or of ours, is made of
        value = VALUES[timedelta if isinstance(column.type, Duration) else inner.python_type]
        return st.none() | value if column.nullable else value

    columns = [each for each in table.columns if each.computed is None and each.name not in {"id", "answer_id"}]
    named = {column.name: some(column) for column in columns}
    return st.fixed_dictionaries(named | {name: st.just("1") for name in ("id",) if table in {INCIDENT, SUB_ACCOUNT}})


def stored(unit: Unit, table: Table) -> list[Any]:
    """The rows of a table as they lie in the file: the kind and the value of each column."""
    names = [column.name for column in table.columns if column.name != "id"]
    kinds = ", ".join(f"typeof({name}), {name}" for name in names)
    driver: Any = unit._connection.connection.dbapi_connection
    rows: list[Any] = driver.execute(f"SELECT {kinds} FROM {table.name}").fetchall()  # noqa: S608 - a test's own table
    return rows


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@settings(max_examples=40)
@given(data=st.data())
def test_a_prepared_statement_writes_what_sqlalchemy_writes(
    shared: Database, table: Table, data: st.DataObject
) -> None:
    values = data.draw(values_of(table))
    named = insert(table).values({table.c[name]: bindparam(name) for name in values})

    def work(unit: Unit, *, is_prepared: bool) -> None:
        if is_prepared:
            Prepared(named).execute(unit._connection, values)
        else:
            unit._connection.execute(insert(table), values)
        rows.append(stored(unit, table))
        raise Undo

    rows: list[Any] = []
    for is_prepared in (True, False):
        with pytest.raises(Undo):
            shared.run(lambda unit, is_prepared=is_prepared: work(unit, is_prepared=is_prepared))  # type: ignore[misc] # mypy cannot infer a lambda's defaults
    by_hand, by_sqlalchemy = rows
    assert len(by_hand) == 1
    assert by_hand == by_sqlalchemy


ADD: Final = insert(POLL).values({POLL.c[name]: bindparam(name) for name in ("account", "endpoint", "at", "age")})


@pytest.mark.parametrize("naive", [True, False], ids=["naive", "aware"])
def test_an_instant_without_a_zone_is_refused_as_by_sqlalchemy(database: Database, naive: bool) -> None:
    at = NOW.replace(tzinfo=None) if naive else NOW
    poll = {"account": "main", "endpoint": "usage", "at": at, "age": timedelta()}

    def prepared(unit: Unit) -> None:
        Prepared(ADD).execute(unit._connection, poll)

    def plain(unit: Unit) -> None:
        unit._connection.execute(insert(POLL), poll)

    for work, error in ((prepared, ValueError), (plain, StatementError)):
        if naive:
            with pytest.raises(error):
                database.run(work)
        else:
            database.run(work)
    assert len(database.run(lambda unit: stored(unit, POLL))) == (0 if naive else 2)


def test_a_select_takes_values_as_they_are_and_other_values_do_not_matter(database: Database) -> None:
    find = Prepared(select(ANSWER.c.payload).where(ANSWER.c.account == bindparam("account")))
    named = {"account": "main", "endpoint": "usage", "digest": "d", "payload": "{}"}

    def work(unit: Unit) -> tuple[Any, Any]:
        unit._connection.execute(insert(ANSWER), named)
        mine, theirs = ({**named, "account": whose} for whose in ("main", "other"))
        return find.execute(unit._connection, mine).fetchone(), find.execute(unit._connection, theirs).fetchone()

    assert database.run(work) == (("{}",), None)


def test_what_the_driver_raises_is_the_stores_fault_and_undoes_the_transaction(database: Database) -> None:
    def work(unit: Unit) -> None:
        good = {"account": "main", "endpoint": "usage", "at": NOW, "age": timedelta()}
        Prepared(ADD).execute(unit._connection, good)
        Prepared(ADD).execute(unit._connection, {**good, "account": None})

    with pytest.raises(StorageError, match="NOT NULL"):
        database.run(work)
    assert database.run(lambda unit: stored(unit, POLL)) == []


def test_a_value_that_is_missing_is_an_error_and_not_nothing(database: Database) -> None:
    def work(connection: Connection) -> None:
        Prepared(ADD).execute(connection, {"account": "main", "endpoint": "usage", "at": NOW})

    with pytest.raises(KeyError, match="age"):
        database.run(lambda unit: work(unit._connection))
