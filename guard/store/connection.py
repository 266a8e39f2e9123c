"""One connection to the database, with the settings that durability stands on, each read back."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine, event

from guard.errors import StorageError

Settings = Mapping[str, str | int]

BUSY_TIMEOUT_MS: Final = 5000

# With WAL and synchronous NORMAL a power cut loses transactions that were already acknowledged; with FULL it does not.
WRITER: Final[Settings] = {"busy_timeout": BUSY_TIMEOUT_MS, "foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}
READER: Final[Settings] = {"busy_timeout": BUSY_TIMEOUT_MS, "query_only": 1}


def open_file(path: Path, *, mode: str) -> sqlite3.Connection:
    """Opens an existing file: `mode` is rw or ro, and neither ever creates it. Transactions are begun by us alone."""
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000
    )


def apply(settings: Settings, connection: sqlite3.Connection) -> None:
    """Makes the settings and reads them back; raises StorageError for one that is not in force.

    SQLite does not complain about a PRAGMA that it does not follow: it goes on with what it had.
    """
    for name, wanted in settings.items():
        connection.execute(f"PRAGMA {name} = {wanted}")
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != wanted:
            raise StorageError(
                f"SQLite keeps {name} at {found} instead of {wanted}; put the database on a local disk (GUARD_DATABASE)"
            )


def core_connection(file: sqlite3.Connection, *, begin: str) -> Connection:
    """SQLAlchemy's view of an open file, closed with it; each transaction begins with the statement `begin`."""
    engine = create_engine("sqlite://", creator=lambda: file, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine.connect()
