"""The schema's version: whose file this is, whether it is ours to open, and its way to the newest version."""

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from guard import __version__
from guard.errors import StorageError
from guard.store.faults import RESTORE
from guard.store.tables import Row

REVISIONS: Final = ("0001",)
"""The migrations in their order, here so that Alembic need not be imported to see that nothing is to be done."""

SCRIPTS: Final = Path(__file__).with_name("migrations")

APPLICATION_ID: Final = int.from_bytes(b"qgrd")  # https://sqlite.org/pragma.html#pragma_application_id

_ALEMBIC_VERSION: Final = """
CREATE TABLE alembic_version (
\tversion_num VARCHAR(32) NOT NULL,
\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""

_QUICK: Final = 256 * 2**20  # bytes that are checked in well under a second


def check_owner(path: Path, file: sqlite3.Connection) -> None:
    """Raises StorageError unless the file is a database of this program; an empty one is nobody's."""
    if path.stat().st_size == 0:  # seen before SQLite does, which would remove the log beside it
        raise StorageError(f"{path} is there but empty; {RESTORE}")
    (application_id,) = file.execute("PRAGMA application_id").fetchone()
    if application_id == APPLICATION_ID:
        return
    (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    found = "is the database of another program" if tables or application_id else "is there but empty"
    raise StorageError(f"{path} {found}; {RESTORE}")


def check_sound(path: Path, file: sqlite3.Connection) -> None:
    """Raises StorageError for a file that is damaged or cut short; a very large one is taken at its word."""
    if path.stat().st_size > _QUICK:
        return
    (verdict,) = file.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StorageError(f"{path} is damaged; {RESTORE} ({verdict})")


def revision(path: Path, connection: Connection) -> str:
    """The schema's revision; raises StorageError if it is newer than this program, with the version that wrote it."""
    found = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
    if found not in REVISIONS:
        writer = connection.exec_driver_sql("SELECT value FROM meta WHERE name = 'written_by'").scalar()
        raise StorageError(
            f"{path} was written by quota-guard {writer} (schema {found}), newer than this {__version__}; "
            "install that version again, or restore the backup made before it ran"
        )
    return found


def check_newest(path: Path, connection: Connection) -> None:
    """Raises StorageError unless the schema is of this version, for those who may not bring it up to date."""
    if revision(path, connection) != REVISIONS[-1]:
        raise StorageError(f"{path} was made by an older quota-guard; `guard run` or `guard once` brings it up to date")


def create(connection: Connection) -> None:
    """Makes the newest schema where there is none, within the transaction that `connection` is in.

    It is the very one that the migrations lead to, made without Alembic, which takes 0.1 s to import.
    """
    Row.metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(_ALEMBIC_VERSION)
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (REVISIONS[-1],))
    _sign(connection)


def upgrade(connection: Connection) -> None:
    """Brings an older schema to the newest revision, within the transaction that `connection` is in.

    SQLite's DDL is transactional, so a crash in here leaves the old schema, never half of the new one.
    """
    from alembic import command  # noqa: PLC0415 - needed only when the schema is behind
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _sign(connection)


def _sign(connection: Connection) -> None:
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql("REPLACE INTO meta (name, value) VALUES ('written_by', ?)", (__version__,))
