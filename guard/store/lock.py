"""The lock that keeps a second instance away from the same database."""

import fcntl
import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from guard.errors import AlreadyRunningError
from guard.units import instant_text


class Lock:
    """Holds `<database>.lock` through flock(2), which the kernel lets go of by itself when the process dies.

    The file holds the holder's process id, and its time of change is when that one started. It stays behind when the
    lock is released: if it were removed, a third process could lock a new file while a second one holds the old.
    """

    def __init__(self, database: Path) -> None:
        """Takes the lock, or raises AlreadyRunningError; OSError if its file cannot be written."""
        path = database.with_name(database.name + ".lock")
        with ExitStack() as undo:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            undo.callback(os.close, self._file)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunningError(self._taken(database)) from error
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
            undo.pop_all()

    def _taken(self, database: Path) -> str:
        process = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
        started_at = datetime.fromtimestamp(os.fstat(self._file).st_mtime, UTC)
        who = f"process {process}, started {instant_text(started_at)}" if process else "another process"
        return (
            f"{database} is already used by {who}; stop it first, or give this one another database with GUARD_DATABASE"
        )

    def release(self) -> None:
        """Lets the next one in."""
        os.close(self._file)
