"""What cycles are held against: the least that the same work can be done with."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from guard.family import AT_ONCE
from tests.bench.answers import encoded, usage
from tests.bench.stages import Spent

_TIMES: Final = 200
_ROUNDS: Final = 7
_BODY: Final = encoded(usage(0))


async def exchange(port: int) -> Spent:
    """A bare exchange of HTTP/1.1 on asyncio, several at once, on connections that are kept."""
    request = f"GET /v1/usage HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer key\r\n\r\n".encode()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(_TIMES):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b":")[2]))
        writer.close()
        await writer.wait_closed()

    before, rounds = so_far(), []
    for _ in range(_ROUNDS):
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        now = so_far()
        rounds.append((now - before) / (_TIMES * AT_ONCE))
        before = now
    return middle(rounds)


def read_json() -> Spent:
    """json.loads of an answer."""
    return _each(lambda: json.loads(_BODY))


def insert(path: Path) -> Spent:
    """An insert of an answer's bytes by the bare driver, committed to the disk as durably as the guard does."""
    database = sqlite3.connect(path / "yardstick.db", isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("PRAGMA synchronous = full")
        database.execute("CREATE TABLE answer (id INTEGER PRIMARY KEY, payload BLOB)")
        return _each(lambda: database.execute("INSERT INTO answer (payload) VALUES (?)", (_BODY,)))
    finally:
        database.close()


def _each(work: Callable[[], object]) -> Spent:
    rounds = []
    for _ in range(_ROUNDS):
        before = so_far()
        for _ in range(_TIMES):
            work()
        rounds.append((so_far() - before) / _TIMES)
    return middle(rounds)


def so_far() -> Spent:
    """What this process has taken until now, all its threads together."""
    return Spent(time.process_time(), time.perf_counter())


def middle(every: list[Spent]) -> Spent:
    """The medians."""
    return Spent(median(each.cpu_s for each in every), median(each.wall_s for each in every))
