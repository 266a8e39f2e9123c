"""The store as the service sees it: async outside, one blocking transaction at a time inside."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from guard.store.database import Database, Done
from guard.store.location import database_path
from guard.store.unit import Unit

T = TypeVar("T")

TOGETHER: Final = 64  # works in one transaction at the most, so that none waits long for others

_Order = tuple[Callable[[Unit], Any], asyncio.Future[Any]]


class Store:
    """One open database and the one thread that works on it; works are done in the order they are asked for.

    What is asked for while a transaction is under way shares the next one: a disk is waited for once for all of them.
    """

    def __init__(self, database: Database, executor: Executor) -> None:
        """Takes over a database that was opened in the executor's one thread; `open` is the way to get here."""
        self._database = database
        self._executor = executor
        self._waiting: deque[_Order] = deque()
        self._under_way: asyncio.Future[list[Done | BaseException]] | None = None

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
        """Does the work in a transaction, in the store's thread, and gives what it returns.

        It is committed, perhaps together with other works, when this returns, and changes nothing when it raises.
        StorageError says that the database did not take it. A caller that is cancelled does not stop a transaction that
        has begun: it ends whole.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        self._begin()
        return await future

    def _begin(self) -> None:
        """Begins a transaction for what waits, unless one is under way, at whose end this is called again."""
        if self._under_way is not None:
            return
        orders: list[_Order] = []
        while self._waiting and len(orders) < TOGETHER:
            order = self._waiting.popleft()
            if not order[1].done():  # its caller was cancelled
                orders.append(order)
        if orders:
            call = partial(_done, self._database, [work for work, _ in orders])
            self._under_way = asyncio.get_running_loop().run_in_executor(self._executor, call)
            self._under_way.add_done_callback(partial(self._end, [future for _, future in orders]))

    def _end(self, futures: Sequence[asyncio.Future[Any]], done: "asyncio.Future[list[Done | BaseException]]") -> None:
        self._under_way = None
        for future, outcome in zip(futures, done.result(), strict=True):
            if future.done():
                continue
            if isinstance(outcome, Done):
                future.set_result(outcome.result)
            else:
                future.set_exception(_carried(outcome))
        self._begin()

    async def close(self) -> None:
        """Ends after the transactions that were asked for; afterwards another process may open the database."""
        while self._under_way is not None:
            await asyncio.wait({self._under_way})
        try:
            await _in(self._executor, self._database.close)
        finally:
            self._executor.shutdown(wait=False)


def _done(database: Database, works: Sequence[Callable[[Unit], Any]]) -> list[Done | BaseException]:
    """The outcome of each work; of all the same, where the transaction failed as a whole."""
    try:
        return [Done(database.run(works[0]))] if len(works) == 1 else database.run_together(works)
    except BaseException as fault:  # noqa: BLE001 - it is the callers', whom it reaches
        return [fault] * len(works)


def _carried(fault: BaseException) -> BaseException:
    """A fault as a future can carry it: none takes a StopIteration, and whoever shares the transaction would hang."""
    if not isinstance(fault, StopIteration):
        return fault
    carried = RuntimeError("a work raised StopIteration")
    carried.__cause__ = fault
    return carried


async def _in(executor: Executor, call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, call)
