"""The windows that functions look back on: what a poll costs, what a restart costs, and what they hold."""

import asyncio
import json
import sqlite3
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from guard.clock import Clock
from guard.model import Snapshot
from guard.rules.history import History
from guard.siblings import past
from guard.store import Store
from tests.bench.figure import Figure, Yardstick
from tests.bench.recording import record
from tests.bench.setting import config, database, rule_file

_DAYS: Final = 7
_WEEK: Final = timedelta(days=_DAYS)
_MINUTE: Final = timedelta(minutes=1)
_POLLS: Final = _WEEK // _MINUTE
_MORE: Final = _POLLS // 5  # the first answer may be older than the window
_SCANS: Final = 100
_US: Final = 1e6
_MS: Final = 1e3
_MIB: Final = 2**20
_FIELD: Final = "stats.messagesLast24h"
_BYTES: Final = (16 + 24) * _POLLS  # of a field, and of a lifetime counter
_RULES: Final = """
[rules.busy]
value = "stats.messagesLast24h / avg(stats.messagesLast24h, 7d)"
warning = "> 20"

[rules.many]
value = "increase(stats.totalMessages, 7d)"
warning = "> 1_000_000_000"
"""


def measure(polls: int = _POLLS + _MORE) -> Iterator[Figure]:
    """The figures of windows of seven days at a poll a minute, filled with so many."""
    poll_us, scan_us = _poll_us()
    yield Figure("avg, min, max of 7d, a poll", poll_us, "µs", Yardstick("the same by a scan", scan_us))
    with TemporaryDirectory() as name:
        path = Path(name)
        record(path, polls)
        bare_ms = median(_took_ms(lambda: _read_by_hand(path)) for _ in range(3))
        restart_ms, held_mib = asyncio.run(_restart(path))
    yield Figure("two windows of 7d, at start", restart_ms, "ms", Yardstick("the rows, and their JSON", bare_ms))
    yield Figure("two windows of 7d, memory", held_mib, "MiB", Yardstick("40 bytes a poll", _BYTES / _MIB))


def _poll_us() -> tuple[float, float]:
    """What a poll costs whose rules ask for all three, and what three scans of the window cost."""
    history, values, taken = History({_FIELD: _WEEK}), list[float](), list[float]()
    for minute in range(_POLLS + _MORE):
        at, value = datetime(2026, 11, 1, tzinfo=UTC) + minute * _MINUTE, float(minute * 7 % 1_440)
        values.append(value)
        before_s = time.perf_counter()
        history.add(Snapshot("main", at, {_FIELD: value}))
        windows = history.windows(every=_MINUTE)
        for ask in (windows.mean, windows.lowest, windows.highest):
            ask(_FIELD, _WEEK.total_seconds())
        taken.append((time.perf_counter() - before_s) * _US)
    week = values[-_POLLS:]
    scans = [_took_ms(lambda: (sum(week) / len(week), min(week), max(week))) for _ in range(_SCANS)]
    return sum(taken[_POLLS + 1 :]) / len(taken[_POLLS + 1 :]), median(scans) * _US / _MS


async def _restart(path: Path) -> tuple[float, float]:
    """How long the windows of one account take to be filled, and what they hold then."""
    [account] = config(rule_file(api="http://127.0.0.1:9", rules=_RULES)).accounts
    store = await Store.open(database(path), create=False)
    try:
        now = Clock().now()
        took = [await store.run(lambda unit: _took_ms(lambda: past(unit, account, until=now))) for _ in range(3)]
        tracemalloc.start()
        history = await store.run(lambda unit: past(unit, account, until=now))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del history
    finally:
        await store.close()
    return median(took), held / _MIB


def _read_by_hand(path: Path) -> None:
    with closing(sqlite3.connect(database(path))) as file:
        for _, payload in file.execute("SELECT at, payload FROM poll JOIN answer ON answer.id = answer_id"):
            json.loads(payload)


def _took_ms(work: Callable[[], object]) -> float:
    before_s = time.perf_counter()
    work()
    return (time.perf_counter() - before_s) * _MS
