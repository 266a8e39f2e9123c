"""The store as the service uses it: from a loop, with its work in one thread."""

import asyncio
import threading
from pathlib import Path

import pytest

from guard.errors import AlreadyRunningError, StorageError
from guard.store import Store, Unit
from tests.builders import account


async def test_work_runs_in_one_thread_that_is_not_the_loops(store: Store) -> None:
    threads = {await store.run(lambda _: threading.current_thread().name) for _ in range(3)}
    assert threads == {"store_0"}


async def test_the_works_result_and_its_error_come_through(store: Store) -> None:
    def fails(unit: Unit) -> None:
        unit.save_account(account())
        raise ValueError("a bug")

    assert store.created
    assert await store.run(lambda _: 42) == 42
    with pytest.raises(ValueError, match="a bug"):
        await store.run(fails)
    assert await store.run(lambda unit: unit.accounts()) == {}


async def test_transactions_run_in_the_order_in_which_they_were_asked_for(store: Store) -> None:
    done: list[int] = []
    await asyncio.gather(*(store.run(lambda _, number=number: done.append(number)) for number in range(20)))  # type: ignore[misc] # mypy cannot infer a lambda's defaults
    assert done == list(range(20))


async def test_a_transaction_whose_caller_gave_up_ends_whole(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(unit: Unit) -> None:
        begun.set()
        assert go_on.wait(10)
        unit.save_account(account())

    caller = asyncio.create_task(store.run(work))
    await asyncio.to_thread(begun.wait, 10)
    caller.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await store.run(lambda unit: unit.account("main")) == account()


async def test_a_closed_store_lets_the_next_one_in(path: Path) -> None:
    first = await Store.open(path, create=True)
    with pytest.raises(AlreadyRunningError):
        await Store.open(path, create=True)
    await first.close()
    second = await Store.open(f"sqlite:///{path}", create=False)
    assert not second.created
    await second.close()


async def test_a_store_that_cannot_be_opened_leaves_no_thread_behind(path: Path) -> None:
    with pytest.raises(StorageError):
        await Store.open(path, create=False)
    for thread in threading.enumerate():
        if thread.name.startswith("store"):
            thread.join(10)
            assert not thread.is_alive()
