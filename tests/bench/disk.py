"""How many bytes of disk a snapshot takes."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from guard.clock import Clock
from guard.store import Poll, Store, Unit
from tests.bench.figure import Figure, Yardstick
from tests.bench.setting import answer, database

_POLLS: Final = 1_000


def measure() -> Iterator[Figure]:
    """The figures of an account whose numbers change with each poll, and of one where each tenth brings news."""
    answer_bytes = len(answer(0).text)
    for polls_a_change, words in ((10, "every tenth"), (1, "each")):
        size = asyncio.run(_bytes(polls_a_change))
        yield Figure(f"disk a snapshot, {words} new", size, "bytes", Yardstick("the answer as JSON", answer_bytes))


async def _bytes(polls_a_change: int) -> float:
    with TemporaryDirectory() as name:
        path = database(Path(name))
        await _record(path, 0, polls_a_change=polls_a_change)
        empty = path.stat().st_size
        await _record(path, _POLLS, polls_a_change=polls_a_change)
        return (path.stat().st_size - empty) / _POLLS


async def _record(path: Path, polls: int, *, polls_a_change: int) -> None:
    """Writes so many polls, a minute apart, and closes the database, so that its log is in it."""
    now = Clock().now()

    def work(unit: Unit) -> None:
        for number in range(polls):
            unit.record_poll(Poll("main", now + timedelta(minutes=number), answer(number // polls_a_change)))

    store = await Store.open(path, create=True)
    try:
        await store.run(work)
    finally:
        await store.close()
