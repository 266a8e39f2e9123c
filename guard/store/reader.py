"""The database for commands that only read: also while the service runs, and never with a change."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from guard.store import schema
from guard.store.connection import READER, apply, core_connection, open_file
from guard.store.database import check_exists
from guard.store.faults import file_faults, storage_faults
from guard.store.location import database_path
from guard.store.view import View


class Reader(View):
    """A view of an existing database as it was when it was opened, whatever the service commits meanwhile."""

    @classmethod
    @contextmanager
    def open(cls, location: Path | str) -> Iterator[Self]:
        """Opens the database at a path or `sqlite:///` URL for the length of a `with` block, in this thread.

        Raises StorageError if it is missing, empty, damaged, of another program, or not of this version's schema: it is
        never created, migrated or changed. While it is open the service's log cannot shrink, so keep it short.
        """
        path = database_path(location)
        with file_faults(path), storage_faults(path):
            check_exists(path)
            with closing(open_file(path, mode="ro")) as file:
                apply(READER, file)
                schema.check_owner(path, file)
                with core_connection(file, begin="BEGIN") as connection, connection.begin():
                    schema.check_newest(path, connection)
                    yield cls(connection)
