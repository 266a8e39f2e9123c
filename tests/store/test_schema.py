"""The migrations, and what a crash in one of them leaves."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from guard import __version__
from guard.errors import StorageError
from guard.store import schema
from guard.store.connection import core_connection, open_file
from guard.store.database import Database
from guard.store.tables import Row
from tests.builders import account
from tests.store import child

NEXT_STEP = '''
"""A step that this project has not made yet."""
import os
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("account", sa.Column("added", sa.String(), server_default="yes"))
    op.execute("UPDATE account SET failures = failures + 1")
    if os.environ.get("DIE"):
        os.kill(os.getpid(), 9)
'''
WITH_NEXT_STEP = "schema.SCRIPTS, schema.REVISIONS = path.parent / 'migrations', ('0001', '0002')\n"


def shape(path: Path) -> dict[str, object]:
    """Every table's columns, keys and indexes as SQLite sees them."""
    file = sqlite3.connect(path)
    try:
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: _table_shape(file, name) for name in names}
    finally:
        file.close()


def _table_shape(file: sqlite3.Connection, name: str) -> object:
    indexes = file.execute('SELECT name, "unique", origin FROM pragma_index_list(?)', (name,)).fetchall()
    return (
        file.execute("SELECT * FROM pragma_table_xinfo(?)", (name,)).fetchall(),
        sorted(file.execute("SELECT * FROM pragma_foreign_key_list(?)", (name,)).fetchall()),
        sorted(
            (*index, *file.execute("SELECT name FROM pragma_index_info(?)", index[:1]).fetchall()) for index in indexes
        ),
    )


def version(path: Path) -> tuple[str, str]:
    """The schema's revision, and the version that wrote it."""
    file = sqlite3.connect(path)
    (revision,) = file.execute("SELECT version_num FROM alembic_version").fetchone()
    (writer,) = file.execute("SELECT value FROM meta WHERE name = 'written_by'").fetchone()
    file.close()
    return revision, writer


@pytest.fixture
def closed(path: Path) -> Path:
    """A closed database with one account, and beside it migrations that lead further than ours."""
    database = Database(path, create=True)
    database.run(lambda unit: unit.save_account(account()))
    database.close()
    shutil.copytree(schema.SCRIPTS, path.parent / "migrations")
    (path.parent / "migrations" / "versions" / "0002_next.py").write_text(NEXT_STEP)
    return path


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A database that the migrations made out of nothing."""
    path = tmp_path / "migrated.db"
    path.touch()
    with core_connection(open_file(path, mode="rw"), begin="BEGIN IMMEDIATE") as connection, connection.begin():
        schema.upgrade(connection)
    return path


def test_the_migrations_lead_to_the_very_schema_of_a_new_database(closed: Path, migrated: Path) -> None:
    assert shape(closed) == shape(migrated)
    assert version(closed) == version(migrated)


def test_alembic_finds_no_difference_between_migrations_and_models(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Row.metadata) == []
    engine.dispose()


def test_the_list_of_revisions_is_the_list_of_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.SCRIPTS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == schema.REVISIONS


def test_a_new_database_remembers_who_made_it(closed: Path) -> None:
    assert version(closed) == ("0001", __version__)
    (application_id,) = sqlite3.connect(closed).execute("PRAGMA application_id").fetchone()
    assert application_id.to_bytes(4) == b"qgrd"


def test_an_older_schema_is_brought_up_to_date(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "SCRIPTS", closed.parent / "migrations")
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002"))
    monkeypatch.setattr(schema, "__version__", "0.2.0")
    database = Database(closed, create=False)
    assert database.run(lambda unit: unit.account("main")) == account(failures=1)
    database.close()
    assert version(closed) == ("0002", "0.2.0")


def test_a_newer_schema_is_refused_with_the_version_that_wrote_it(closed: Path) -> None:
    file = sqlite3.connect(closed, isolation_level=None)
    file.execute("UPDATE alembic_version SET version_num = '0002'")
    file.execute("UPDATE meta SET value = '0.2.0' WHERE name = 'written_by'")
    file.close()
    message = f"guard.db was written by quota-guard 0.2.0 .schema 0002., newer than this {__version__}; install that"
    with pytest.raises(StorageError, match=message):
        Database(closed, create=True)


def test_a_crash_in_a_migration_leaves_the_old_schema_and_the_next_start_goes_on(closed: Path) -> None:
    before = shape(closed)
    child.dies(WITH_NEXT_STEP + "os.environ['DIE'] = '1'\nDatabase(path, create=False)", closed)
    assert (shape(closed), version(closed)) == (before, ("0001", __version__))
    printed = child.output(
        WITH_NEXT_STEP + "print(Database(path, create=False).run(lambda unit: unit.account('main').failures))", closed
    )
    assert (printed, version(closed)) == ("1", ("0002", __version__))


@pytest.mark.parametrize("moment", ["CREATE TABLE alert ", "REPLACE INTO meta"])
def test_a_crash_while_creating_leaves_no_database_and_the_next_start_makes_it(path: Path, moment: str) -> None:
    child.dies(
        f"""
@event.listens_for(Engine, "before_cursor_execute")
def watch(connection, cursor, statement, *rest):
    if {moment!r} in statement:
        die()
Database(path, create=True)
""",
        path,
    )
    assert not path.exists()
    assert path.with_name("guard.db.new").exists()
    database = Database(path, create=True)
    assert database.created
    assert database.run(lambda unit: unit.accounts()) == {}
    database.close()
    assert sorted(each.name for each in path.parent.iterdir()) == ["guard.db", "guard.db.lock"]


@pytest.mark.parametrize("name", ["guard.db", "new.db"])
def test_alembic_is_imported_only_when_the_schema_is_behind(closed: Path, name: str) -> None:
    script = "Database(path, create=True).close()\nprint('alembic' in sys.modules)"
    assert child.output(script, closed.with_name(name)) == "False"
