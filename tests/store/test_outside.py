"""One short write beside the service, by a command."""

from pathlib import Path

import pytest

from guard.errors import StorageError
from guard.store import Unit, schema
from guard.store.database import Database
from guard.store.outside import write_outside
from tests.builders import account


def test_a_command_writes_beside_the_service_and_leaves_the_log_to_it(database: Database, path: Path) -> None:
    write_outside(path, lambda unit: unit.save_account(account()))
    assert path.with_name("guard.db-wal").stat().st_size
    assert database.run(lambda unit: unit.account("main")) == account()


def test_a_command_writes_where_no_service_runs(path: Path) -> None:
    Database(path, create=True).close()
    write_outside(f"sqlite:///{path}", lambda unit: unit.save_account(account()))
    assert write_outside(path, lambda unit: unit.accounts()) == {"main": account()}


def test_a_command_that_fails_changes_nothing(database: Database, path: Path) -> None:
    def fails(unit: Unit) -> None:
        unit.save_account(account())
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        write_outside(path, fails)
    assert database.run(lambda unit: unit.accounts()) == {}


def test_a_command_neither_creates_nor_migrates(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        write_outside(path, lambda unit: unit.accounts())
    Database(path, create=True).close()
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002"))
    with pytest.raises(StorageError, match="was made by an older quota-guard"):
        write_outside(path, lambda unit: unit.accounts())
