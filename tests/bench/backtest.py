"""`guard backtest` over a year of one account at a poll a minute, with ten rules: its time and memory."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.figure import Figure, Yardstick
from tests.bench.process import GUARD
from tests.bench.recording import record
from tests.bench.setting import TEN_RULES, environ, rule_file

_YEAR: Final = 365 * 24 * 60
_AIM_S: Final = 20
_AIM_MIB: Final = 250
_KIB: Final = 2**10


def measure(polls: int = _YEAR) -> Iterator[Figure]:
    """The figures of so many polls, each with news; and beside them those of one poll, which is the start alone."""
    with TemporaryDirectory() as name, TemporaryDirectory() as other:
        year, empty = Path(name), Path(other)
        for path, count in ((year, polls), (empty, 1)):
            record(path, count)
        (long_s, long_mib), (short_s, short_mib) = (_run(path) for path in (year, empty))
    what = f"backtest of {polls:,} polls"
    yield Figure(what, long_s, "s", Yardstick("one poll", short_s), at_most=_AIM_S)
    yield Figure(f"{what}, memory", long_mib, "MiB", Yardstick("one poll", short_mib), at_most=_AIM_MIB)


def _run(path: Path) -> tuple[float, float]:
    """Seconds from start to end, and the most memory that was held, in MiB."""
    env: Mapping[str, str] = environ(path, rule_file(api="http://127.0.0.1:9", rules=TEN_RULES))
    before_s = time.perf_counter()
    with subprocess.Popen([GUARD, "backtest", "--since", "400d"], env=env, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"guard backtest ended with {process.returncode}")
    return time.perf_counter() - before_s, used.ru_maxrss / _KIB
