"""The store as the service sees it: async outside, one blocking transaction at a time inside."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from guard.store.database import Database
from guard.store.location import database_path
from guard.store.unit import Unit

T = TypeVar("T")


class Store:
    """One open database and the one thread that works on it; transactions run in the order they are asked for."""

    def __init__(self, database: Database, executor: Executor) -> None:
        """Takes over a database that was opened in the executor's one thread; `open` is the way to get here."""
        self._database = database
        self._executor = executor

    @classmethod
    async def open(cls, location: Path | str, *, create: bool) -> Self:
        """Opens the database at a path or `sqlite:///` URL and brings its schema to the newest version.

        With `create` a missing one is made, readable by this user alone. Raises StorageError and AlreadyRunningError
        as Database does.
        """
        path = database_path(location)
        executor = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            database = await _in(executor, partial(Database, path, create=create))
        except BaseException:
            executor.shutdown(wait=False)
            raise
        return cls(database, executor)

    @property
    def created(self) -> bool:
        """Whether the database is new, which whoever made it should say."""
        return self._database.created

    async def run(self, work: Callable[[Unit], T]) -> T:
        """Does the work in one transaction, in the store's thread, and gives what it returns.

        It is committed when the work returns, and changes nothing when it raises. StorageError says that the database
        did not take it. A caller that is cancelled does not stop a transaction that has begun: it ends whole.
        """
        return await _in(self._executor, partial(self._database.run, work))

    async def close(self) -> None:
        """Ends after the transactions that were asked for; afterwards another process may open the database."""
        try:
            await _in(self._executor, self._database.close)
        finally:
            self._executor.shutdown(wait=False)


async def _in(executor: Executor, call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, call)
