"""A disk that loses at a power cut all that was never synced.

What SQLite syncs is copied, file by file, to a platter beside the database; a cut puts the platter in place of the
files. So nothing survives that the kernel alone had. SQLite's own table of file operations is where its syncs are seen.
"""

import ctypes
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from guard.store import Store, Unit
from guard.store.connection import WRITER

_LIBRARY: Final = "libsqlite3.so.0"
_OPEN_AT: Final = 40  # of the function xOpen in https://sqlite.org/c3ref/vfs.html, where a pointer has 8 bytes
_SYNC_AT: Final = 40  # of xSync in https://sqlite.org/c3ref/io_methods.html
_METHODS_BYTES: Final = 152  # of the third version of those
_OPEN: Final = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
)
_SYNC: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_ROWS: Final = "SELECT (SELECT coalesce(max(id), 0) FROM poll) + (SELECT coalesce(max(id), 0) FROM event)"


def can_be_cut() -> bool:
    """Whether Python uses the system's SQLite, which alone can be watched so."""
    maps = Path("/proc/self/maps")
    return maps.exists() and _LIBRARY.partition(".")[0] in maps.read_text(encoding="utf-8")


def watch(database: Path) -> None:
    """Copies what this process has SQLite sync from now on, and counts the rows whose commit was acknowledged."""
    platter = _Platter(_platter(database))
    for file in _files(database):
        platter.keep(file)  # what was there before has long been synced
    _see_syncs(platter)
    run_in_store = Store.run

    async def counting_run(self: Store, work: Callable[[Unit], Any]) -> Any:
        rows = 0

        def counting_work(unit: Unit) -> Any:
            nonlocal rows
            result = work(unit)
            rows = unit._connection.exec_driver_sql(_ROWS).scalar_one()
            return result

        result = await run_in_store(self, counting_work)
        _acknowledged(database).write_text(str(rows))
        return result

    Store.run = counting_run  # type: ignore[method-assign] # the wrap


def sync_as_normal() -> None:
    """The control: SQLite's other setting for WAL, which syncs at checkpoints alone."""
    WRITER["synchronous"] = 1  # type: ignore[index] # the one careless setting


def cut(database: Path) -> int:
    """Cuts the power of a process that is gone; gives how many rows were acknowledged and are lost."""
    for file in _files(database):
        kept = _platter(database) / str(file.stat().st_ino)
        file.write_bytes(kept.read_bytes() if kept.exists() else b"")
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    for kept in _platter(database).iterdir():
        kept.unlink()
    wanted = int(_acknowledged(database).read_text() or 0) if _acknowledged(database).exists() else 0
    if not database.exists():
        return wanted
    with closing(sqlite3.connect(database)) as connection:
        (found,) = connection.execute(_ROWS).fetchone() if wanted else (0,)
    return max(0, wanted - int(found))


def _platter(database: Path) -> Path:
    path = database.with_name("platter")
    path.mkdir(exist_ok=True)
    return path


def _acknowledged(database: Path) -> Path:
    return database.with_name("acknowledged")


def _files(database: Path) -> Iterator[Path]:
    return (each for each in (database, database.with_name(f"{database.name}-wal")) if each.exists())


class _Platter:
    """The files as they were last synced, by inode: a file is synced before it gets its name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[int, int] = {}  # never closed: closing would drop the locks that SQLite holds on the file

    def keep(self, file: Path) -> None:
        inode = file.stat().st_ino
        if inode not in self._open:
            self._open[inode] = os.open(file, os.O_RDONLY)
        data = os.pread(self._open[inode], os.fstat(self._open[inode]).st_size, 0)
        half = self._path / "half"
        half.write_bytes(data)
        half.rename(self._path / str(inode))


_KEPT: Final[list[object]] = []  # what SQLite calls must not be collected


def _see_syncs(platter: _Platter) -> None:
    """Puts functions of ours in the place of SQLite's xOpen, and of xSync for each file that is opened."""
    library = ctypes.CDLL(_LIBRARY)
    library.sqlite3_vfs_find.restype = ctypes.c_void_p
    place = ctypes.c_void_p.from_address(library.sqlite3_vfs_find(None) + _OPEN_AT)
    open_file, names = _OPEN(place.value or 0), dict[int, Path]()

    def see_open(vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        code: int = open_file(vfs, name, file, flags, out)
        if not code and name:
            names[file] = Path(os.fsdecode(ctypes.string_at(name)))
            _replace(sync, file)
        return code

    def see_sync(file: int, _flags: int) -> int:
        platter.keep(names[file])  # which is all: this disk has no other platter
        return 0

    sync = _SYNC(see_sync)
    callback = _OPEN(see_open)
    _KEPT.extend((callback, sync))
    place.value = ctypes.cast(callback, ctypes.c_void_p).value


def _replace(sync: object, file: int) -> None:
    """Gives an open file a copy of its functions in which this one syncs."""
    methods = ctypes.c_void_p.from_address(file)
    copy = ctypes.create_string_buffer(ctypes.string_at(methods.value or 0, _METHODS_BYTES), _METHODS_BYTES)
    ctypes.c_void_p.from_address(ctypes.addressof(copy) + _SYNC_AT).value = ctypes.cast(sync, ctypes.c_void_p).value  # type: ignore[arg-type] # a function of ctypes
    _KEPT.append(copy)
    methods.value = ctypes.addressof(copy)
