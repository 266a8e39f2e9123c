"""One short write beside the running service, for commands; only the service keeps the database in order."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from guard.store import schema
from guard.store.connection import BUSY_TIMEOUT_MS, Settings, apply, core_connection, open_file
from guard.store.database import check_exists
from guard.store.faults import file_faults, storage_faults
from guard.store.location import database_path
from guard.store.unit import Unit

T = TypeVar("T")

# Two connections that checkpoint at once can corrupt the database in SQLite before 3.51.3: the service alone does it.
_OUTSIDER: Final[Settings] = {
    "busy_timeout": BUSY_TIMEOUT_MS,
    "foreign_keys": 1,
    "synchronous": 2,
    "wal_autocheckpoint": 0,
}


def write_outside(location: Path | str, work: Callable[[Unit], T]) -> T:
    """Does the work in one transaction on an existing database, whether or not a service runs on it.

    Waits up to 5 s for the service's own transactions. Raises StorageError if there is no database, if it is not of
    this version's schema, or if it could not be written; then nothing was changed. What the work raises comes through.
    """
    path = database_path(location)
    with file_faults(path), storage_faults(path):
        check_exists(path)
        with closing(open_file(path, mode="rw")) as file:
            schema.check_owner(path, file)
            apply(_OUTSIDER, file)
            with core_connection(file, begin="BEGIN IMMEDIATE") as connection, connection.begin():
                schema.check_newest(path, connection)
                return work(Unit(connection))
