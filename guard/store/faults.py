"""What goes wrong in a database, in words that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from guard.errors import StorageError

RESTORE: Final = (
    "restore it from a backup, or move it away to start anew; a -wal or -shm file beside it goes away with it"
)
"""The way back. SQLite would play the log of the old database into the new one, and so destroy it."""

_PRIMARY: Final = (
    0xFF  # the byte of an extended result code that holds its primary one, https://sqlite.org/rescode.html
)
_MEANING: Final = {
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full; nothing was changed; make room",
    sqlite3.SQLITE_READONLY: "is read-only; nothing was changed; let this user write the file and its directory",
    sqlite3.SQLITE_BUSY: "is locked by another process, perhaps a backup; nothing was changed; it is tried again",
    sqlite3.SQLITE_LOCKED: "is locked within this process; nothing was changed; it is tried again",
    sqlite3.SQLITE_CORRUPT: f"is damaged; {RESTORE}",
    sqlite3.SQLITE_NOTADB: f"is not an SQLite database, or it is damaged; {RESTORE}",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; let this user read and write the file and its directory",
    sqlite3.SQLITE_IOERR: "cannot be read or written; nothing was changed; see whether its disk is full or broken",
}


@contextmanager
def storage_faults(path: Path) -> Iterator[None]:
    """Turns what SQLite raises within into a StorageError about the database at `path`, with its cause chained.

    Its text never holds a statement's values.
    """
    try:
        yield
    except DBAPIError as error:
        raise _storage_error(path, error.orig) from error
    except sqlite3.Error as error:
        raise _storage_error(path, error) from error


@contextmanager
def file_faults(path: Path) -> Iterator[None]:
    """Turns what the file system refuses within into a StorageError about the file at `path`."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{error.filename or path} cannot be used: {error.strerror}") from error


def _storage_error(path: Path, error: BaseException | None) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0)
    meaning = _MEANING.get(code & _PRIMARY, "cannot be used")
    return StorageError(f"{path} {meaning} ({error})")
