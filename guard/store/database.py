"""The one database of one process: locked, checked, brought to the newest schema, then one transaction at a time."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from guard.errors import StorageError
from guard.store import schema
from guard.store.connection import WRITER, apply, core_connection, open_file
from guard.store.faults import file_faults, storage_faults
from guard.store.lock import Lock
from guard.store.unit import Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """What one of several works returned."""

    result: Any


_BEGIN: Final = "BEGIN IMMEDIATE"  # one that begins by reading may be refused its first write, whatever the timeout

_TRY_TO_WRITE: Final = "DELETE FROM meta WHERE 0"  # BEGIN IMMEDIATE is content with a file that may not be written


class Database:
    """An open database, which only the thread that opened it may use."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Opens the database, or creates it with its directories; `created` says which.

        Raises StorageError, whose text says how to go on, if it is missing and not to be created, empty, damaged, of
        another program or of a newer version; AlreadyRunningError if another process has it.
        """
        self._path = path
        with file_faults(path), storage_faults(path):
            if not create:
                check_exists(path)
            _make_directory(path.parent)
            self._lock = Lock(path)
            try:
                self.created = create and not path.exists()
                if self.created:
                    _create(path)
                self._file, self._connection = _open(path)
                self._identity = _identity(path)
            except BaseException:
                self._lock.release()
                raise

    def run(self, work: Callable[[Unit], T]) -> T:
        """Does the work in one transaction, committed when it returns; when anything is raised, nothing was changed.

        What SQLite raises becomes a StorageError; everything else comes through as it is.
        """
        self._check_identity()
        try:
            with storage_faults(self._path), self._connection.begin():
                result = work(Unit(self._connection))
                # A crash before this commit changes nothing; what is committed has reached the disk.
        finally:
            self._leave_transaction()
        return result

    def run_together(self, works: Sequence[Callable[[Unit], Any]]) -> list[Done | BaseException]:
        """Does several works in one transaction, in their order, and gives for each its result or what it raised.

        What a work raises undoes that work alone; what SQLite raises undoes all, as a StorageError, which is raised.
        """
        return self.run(lambda unit: [self._in_savepoint(work, unit) for work in works])

    def _in_savepoint(self, work: Callable[[Unit], Any], unit: Unit) -> Done | BaseException:
        self._file.execute("SAVEPOINT work")
        try:
            done: Done | BaseException = Done(work(unit))
        except (DBAPIError, sqlite3.Error):
            raise  # whatever it was, SQLite may have left the whole transaction
        except BaseException as fault:  # noqa: BLE001 - it is the caller's, whom it reaches
            self._file.execute("ROLLBACK TO work")
            done = fault
        self._file.execute("RELEASE work")
        return done

    def _leave_transaction(self) -> None:
        # A commit that failed, as for a broken foreign key, leaves SQLite within its transaction.
        if self._file.in_transaction:
            with suppress(sqlite3.Error):
                self._file.rollback()

    def _check_identity(self) -> None:
        # SQLite goes on writing into a file that no longer has a name, and says nothing.
        try:
            with file_faults(self._path):
                identity = _identity(self._path)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise self._lost("vanished") from error
            raise
        if identity != self._identity:
            raise self._lost("was replaced")

    def _lost(self, what: str) -> StorageError:
        return StorageError(
            f"{self._path} {what} while it was in use; nothing was changed; "
            "put the file back, or stop this process and start it again with the database that it shall use"
        )

    def close(self) -> None:
        """Moves what the write-ahead log holds into the database, as far as readers allow, and lets go of the lock."""
        try:
            with suppress(sqlite3.Error):  # what stays in the log is found there by the next one
                self._file.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._connection.close()
        finally:
            self._lock.release()


def check_exists(path: Path) -> None:
    """Raises StorageError if there is no database at all."""
    if not path.exists():
        raise StorageError(
            f"{path} does not exist; `guard run` or `guard once` creates it, and GUARD_DATABASE says where it is"
        )


def _identity(path: Path) -> tuple[int, int]:
    # Never by opening the file: closing it again would drop the locks that SQLite holds on it in this process.
    found = path.stat()
    return found.st_dev, found.st_ino


def _make_directory(path: Path) -> None:
    for directory in reversed([path, *path.parents]):
        if not directory.is_dir():
            directory.mkdir(mode=0o700, exist_ok=True)


def _open(path: Path) -> tuple[sqlite3.Connection, Connection]:
    with ExitStack() as undo:
        file = undo.enter_context(closing(open_file(path, mode="rw")))
        schema.check_owner(path, file)  # before anything is set: WAL is written into the file, which may not be ours
        schema.check_sound(path, file)
        apply(WRITER, file)
        connection = undo.enter_context(core_connection(file, begin=_BEGIN))
        with connection.begin():
            connection.exec_driver_sql(_TRY_TO_WRITE)
            if schema.revision(path, connection) != schema.REVISIONS[-1]:
                schema.upgrade(connection)
                # A crash before this commit leaves the old schema.
        undo.pop_all()
    return file, connection


def _create(path: Path) -> None:
    """Makes a database beside its place and moves it there complete, so that none is ever found half made."""
    log = path.with_name(path.name + "-wal")
    if log.exists():
        raise StorageError(f"{path} does not exist, but its log {log.name} does; restore both, or move the log away")
    fresh = path.with_name(path.name + ".new")
    for left in (fresh, fresh.with_name(fresh.name + "-journal")):  # by a crash; the lock is ours
        left.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL, 0o600))
    with core_connection(open_file(fresh, mode="rw"), begin=_BEGIN) as connection, connection.begin():
        schema.create(connection)
    # A crash here leaves a file that the next start makes again.
    fresh.rename(path)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
