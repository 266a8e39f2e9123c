"""A database with many polls of one account, a minute apart; by SQL, since the store commits one by one."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

from guard.clock import Clock
from guard.store import Store
from tests.bench.answers import encoded, usage
from tests.bench.setting import database

_MINUTE: Final = timedelta(minutes=1)
_INSTANT: Final = "%Y-%m-%d %H:%M:%S.%f"  # as the store writes it
_ADD_ANSWER: Final = "INSERT INTO answer (id, account, endpoint, digest, payload) VALUES (?, 'main', 'usage', ?, ?)"
_ADD_POLL: Final = "INSERT INTO poll (account, endpoint, at, answer_id, age) VALUES ('main', 'usage', ?, ?, 0)"


def record(path: Path, polls: int) -> None:
    """Makes a database in `path` with so many polls of the account main, each with news, until now."""
    asyncio.run(_create(path))
    begins_at = Clock().now() - polls * _MINUTE
    numbers = range(1, polls + 1)
    with closing(sqlite3.connect(database(path))) as file, file:
        file.executemany(_ADD_ANSWER, ((number, str(number), encoded(usage(number)).decode()) for number in numbers))
        file.executemany(_ADD_POLL, ((f"{begins_at + number * _MINUTE:{_INSTANT}}", number) for number in numbers))


async def _create(path: Path) -> None:
    store = await Store.open(database(path), create=True)
    await store.close()
