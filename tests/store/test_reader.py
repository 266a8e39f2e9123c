"""Reading while the service runs, and when it does not, without ever changing a thing."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from guard.errors import StorageError
from guard.store import Reader, schema
from guard.store.database import Database
from tests.builders import account
from tests.store import child


def test_a_reader_sees_what_is_committed_and_keeps_its_view(database: Database, path: Path) -> None:
    database.run(lambda unit: unit.save_account(account()))
    with Reader.open(path) as reader:
        assert reader.accounts() == {"main": account()}
        database.run(lambda unit: unit.save_account(account(failures=3)))
        assert reader.accounts() == {"main": account()}
    with Reader.open(f"sqlite:///{path}") as reader:
        assert reader.account("main") == account(failures=3)


def test_a_reader_needs_no_service(path: Path) -> None:
    Database(path, create=True).close()
    with Reader.open(path) as reader:
        assert reader.accounts() == {}
    with Reader.open(path) as reader:
        assert reader.alerts() == {}


def test_a_reader_finds_what_a_killed_service_left_in_its_log(path: Path) -> None:
    child.dies(
        """
database = Database(path, create=True)
database.run(lambda unit: unit.save_account(Account("main")))
die()
""",
        path,
    )
    assert path.with_name("guard.db-wal").stat().st_size
    with Reader.open(path) as reader:
        assert reader.accounts() == {"main": account()}


def test_a_reader_cannot_write(database: Database, path: Path) -> None:
    with pytest.raises(StorageError, match="read-only"), Reader.open(path) as reader:
        reader._connection.execute(text("DELETE FROM account"))


def test_a_reader_never_creates(path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist; `guard run` or `guard once` creates it"), Reader.open(path):
        pytest.fail("there is nothing to read")
    assert list(path.parent.iterdir()) == []


def test_a_reader_refuses_a_newer_schema(path: Path) -> None:
    Database(path, create=True).close()
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("UPDATE alembic_version SET version_num = '0002'")
    file.execute("UPDATE meta SET value = '9.9.9' WHERE name = 'written_by'")
    file.close()
    with pytest.raises(StorageError, match=r"was written by quota-guard 9.9.9 .schema 0002."), Reader.open(path):
        pytest.fail("it was opened")


def test_a_reader_leaves_an_older_schema_to_the_service(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(path, create=True).close()
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002"))
    with pytest.raises(StorageError, match="was made by an older quota-guard; `guard run`"), Reader.open(path):
        pytest.fail("it was opened")


def test_a_reader_refuses_an_empty_file(path: Path) -> None:
    path.touch()
    with pytest.raises(StorageError, match="is there but empty"), Reader.open(path):
        pytest.fail("it was opened")
