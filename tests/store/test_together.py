"""Works that wait share a transaction: what each of them sees, what one undoes, and what undoes all."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from guard.errors import StorageError
from guard.store import Store, Unit
from guard.store.database import Database, Done
from guard.store.store import TOGETHER
from tests.builders import account, incident, knowledge, notification
from tests.waiting import until


class Gate:
    """A work that stays in its transaction until it is opened, so that whatever is asked for meanwhile waits."""

    def __init__(self) -> None:
        self.begun, self._open = threading.Event(), threading.Event()

    def __call__(self, unit: Unit) -> None:
        self.begun.set()
        assert self._open.wait(20)

    def open(self) -> None:
        self._open.set()


@asynccontextmanager
async def gated(store: Store) -> AsyncIterator[Gate]:
    """While it lasts, the store is busy; at its end the gate opens, and what has waited shares transactions."""
    gate = Gate()
    busy = asyncio.ensure_future(store.run(gate))
    await until(gate.begun.is_set)
    try:
        yield gate
    finally:
        gate.open()
        await busy


def saves(name: str) -> Callable[[Unit], str]:
    def work(unit: Unit) -> str:
        unit.save_account(account(name=name))
        return name

    return work


def raises(fault: BaseException, *, after: str = "") -> Callable[[Unit], None]:
    def work(unit: Unit) -> None:
        if after:
            unit.save_account(account(name=after))
        raise fault

    return work


def executes(sql: str) -> Callable[[Unit], Any]:
    return lambda unit: unit._connection.exec_driver_sql(sql)


async def asked_together(store: Store, *works: Callable[[Unit], Any]) -> list[Any]:
    """What became of works that share one transaction: results, and what was raised."""
    async with gated(store):
        waiting = [asyncio.ensure_future(store.run(work)) for work in works]
        await asyncio.wait({asyncio.ensure_future(_soon())})
    return await asyncio.gather(*waiting, return_exceptions=True)


async def _soon() -> None:
    return


async def saved(store: Store) -> list[str]:
    names: list[str] = await store.run(lambda unit: list(unit.accounts()))
    return names


def counted_commits(database: Database) -> list[int]:
    """How many works each transaction held from now on."""
    counts: list[int] = []
    run, together = database.run, database.run_together

    def run_one(work: Callable[[Unit], Any]) -> Any:
        counts.append(1)
        return run(work)

    def run_together(works: Any) -> Any:
        outcomes = together(works)
        counts[-1] = len(works)
        return outcomes

    database.run, database.run_together = run_one, run_together  # type: ignore[method-assign] # they are counted
    return counts


async def test_what_waits_shares_a_transaction_in_its_order_and_sees_what_came_before(store: Store) -> None:
    counts, order = counted_commits(store._database), list[list[str]]()

    def work(unit: Unit, *, name: str) -> str:
        unit.save_account(account(name=name))
        order.append(list(unit.accounts()))
        return name

    assert await asked_together(store, *(partial(work, name=name) for name in "abc")) == ["a", "b", "c"]
    assert order == [["a"], ["a", "b"], ["a", "b", "c"]]
    assert counts == [1, 3]


async def test_what_is_asked_for_while_nothing_runs_does_not_wait_for_company(store: Store) -> None:
    counts = counted_commits(store._database)
    await store.run(saves("a"))
    await store.run(saves("b"))
    assert counts == [1, 1]


@pytest.mark.parametrize(
    "fault", [ValueError("a bug"), StopIteration(), asyncio.CancelledError()], ids=lambda each: type(each).__name__
)
async def test_a_work_that_raises_undoes_itself_alone_and_its_caller_alone_hears_of_it(
    store: Store, fault: BaseException
) -> None:
    one, raised, other = await asked_together(store, saves("a"), raises(fault, after="b"), saves("c"))
    assert (one, other) == ("a", "c")
    assert isinstance(raised, RuntimeError if isinstance(fault, StopIteration) else type(fault))
    assert await saved(store) == ["a", "c"]


async def test_a_work_by_itself_may_raise_anything_too(store: Store) -> None:
    with pytest.raises(RuntimeError):
        await store.run(raises(StopIteration(), after="a"))
    assert await saved(store) == []


async def test_an_error_of_sqlites_undoes_all_and_is_told_to_all(store: Store) -> None:
    broken = executes("INSERT INTO account (name) VALUES ('b')")
    outcomes = await asked_together(store, saves("a"), broken, saves("c"))
    assert [type(each) for each in outcomes] == [StorageError] * 3
    assert await saved(store) == []
    assert await asked_together(store, saves("a"), saves("c")) == ["a", "c"]


async def test_a_commit_that_fails_undoes_all_and_is_told_to_all(store: Store) -> None:
    def speaks_of_nothing(unit: Unit) -> None:
        unit.save_desired([notification(desired=knowledge())])

    outcomes = await asked_together(store, saves("a"), speaks_of_nothing, saves("c"))
    assert [type(each) for each in outcomes] == [StorageError] * 3
    assert await saved(store) == []
    assert await asked_together(store, lambda unit: unit.save_incidents([incident()]), speaks_of_nothing) == [None] * 2


async def test_a_disk_that_fills_up_in_the_middle_leaves_nothing_half_done(store: Store) -> None:
    def fills(unit: Unit) -> None:
        unit._connection.execute(text("CREATE TABLE ballast AS SELECT zeroblob(1000000)"))

    (pages,) = await store.run(lambda unit: executes("PRAGMA page_count")(unit).fetchone())
    await store.run(executes(f"PRAGMA max_page_count = {pages + 4}"))
    outcomes = await asked_together(store, saves("a"), fills, saves("c"))
    assert [type(each) for each in outcomes] == [StorageError] * 3
    assert "the disk is full" in str(outcomes[0])
    assert await saved(store) == []
    await store.run(executes(f"PRAGMA max_page_count = {pages + 1000}"))
    assert await asked_together(store, saves("a"), fills, saves("c")) == ["a", None, "c"]


async def test_a_work_that_sqlite_threw_out_of_its_transaction_writes_nothing_on_its_own(store: Store) -> None:
    def goes_on(unit: Unit) -> None:
        unit._connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself, for some errors
        raise ValueError("it did not notice")

    outcomes = await asked_together(store, saves("a"), goes_on, saves("c"))
    assert [type(each) for each in outcomes] == [StorageError] * 3
    assert await saved(store) == []


async def test_who_gave_up_while_waiting_is_left_out_and_nobody_else_notices(store: Store) -> None:
    async with gated(store):
        waiting = [asyncio.ensure_future(store.run(saves(name))) for name in "abc"]
        await asyncio.wait({asyncio.ensure_future(_soon())})
        waiting[1].cancel()
        await asyncio.wait({waiting[1]})
    assert [await waiting[0], await waiting[2]] == ["a", "c"]
    assert await saved(store) == ["a", "c"]


async def test_who_gave_up_during_the_transaction_is_committed_and_nobody_else_notices(store: Store) -> None:
    gate = Gate()
    async with gated(store):
        waiting = [asyncio.ensure_future(store.run(work)) for work in (saves("a"), gate, saves("c"))]
        await asyncio.wait({asyncio.ensure_future(_soon())})
    await until(gate.begun.is_set)
    waiting[0].cancel()
    gate.open()
    gave_up, *others = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(gave_up, asyncio.CancelledError)
    assert others == [None, "c"]
    assert await saved(store) == ["a", "c"]


async def test_a_store_is_closed_after_all_that_waits(path: Path) -> None:
    store = await Store.open(path, create=True)
    async with gated(store):
        waiting = [asyncio.ensure_future(store.run(saves(f"{number:03}"))) for number in range(3 * TOGETHER)]
        await asyncio.wait({asyncio.ensure_future(_soon())})
        closing = asyncio.ensure_future(store.close())
    assert len(await asyncio.gather(*waiting)) == 3 * TOGETHER
    await closing
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, it must not hang
        await store.run(saves("late"))
    again = await Store.open(path, create=False)
    assert len(await saved(again)) == 3 * TOGETHER
    await again.close()


async def test_no_transaction_holds_more_than_it_may_and_who_comes_later_waits_for_no_more_than_came_before(
    store: Store,
) -> None:
    counts, done = counted_commits(store._database), list[str]()

    def work(unit: Unit, *, name: str) -> None:
        done.append(name)

    async def comes_again() -> None:
        for number in range(3):
            await store.run(partial(work, name=f"again-{number}"))

    async with gated(store):
        crowd = [asyncio.ensure_future(store.run(partial(work, name=f"{number}"))) for number in range(2 * TOGETHER)]
        crowd.append(asyncio.ensure_future(comes_again()))
        await asyncio.wait({asyncio.ensure_future(_soon())})
    await asyncio.gather(*crowd)
    assert max(counts) == TOGETHER
    assert done[: 2 * TOGETHER] == [str(number) for number in range(2 * TOGETHER)]
    assert done[2 * TOGETHER :] == ["again-0", "again-1", "again-2"]


WORKS = st.lists(st.sampled_from(["save", "bug", "save and bug", "cancelled"]), min_size=1, max_size=8)


@settings(max_examples=30)
@given(works=WORKS)
def test_whatever_shares_a_transaction_comes_out_as_if_each_had_its_own(
    tmp_path_factory: Any, works: list[str]
) -> None:
    def work(kind: str, name: str) -> Callable[[Unit], Any]:
        return {"bug": raises(ValueError(name)), "save and bug": raises(ValueError(name), after=name)}.get(
            kind, saves(name)
        )

    named = [(kind, f"{number}-{kind}") for number, kind in enumerate(works)]
    database = Database(tmp_path_factory.mktemp("together") / "guard.db", create=True)
    try:
        outcomes = database.run_together([work(kind, name) for kind, name in named if kind != "cancelled"])
        seen = [each.result if isinstance(each, Done) else str(each) for each in outcomes]
        assert seen == [name for kind, name in named if kind != "cancelled"]
        assert sorted(database.run(lambda unit: list(unit.accounts()))) == sorted(
            name for kind, name in named if kind == "save"
        )
    finally:
        database.close()
