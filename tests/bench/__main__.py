"""`python -m tests.bench [PART …]`: measures all, or the parts that are named, and prints one table.

It ends with 0 whether or not aims are met: a busy machine misses some. The yardsticks tell how busy it was.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.bench import backtest, cycle, disk, forecast, memory, start, telling, windows
from tests.bench.figure import Figure, table

_PARTS: Final[Mapping[str, Callable[[], Iterator[Figure]]]] = {
    "cycle": cycle.measure,
    "slack": telling.measure,
    "start": start.measure_start,
    "memory": memory.measure,
    "help": start.measure_help,
    "disk": disk.measure,
    "windows": windows.measure,
    "backtest": backtest.measure,
    "forecast": forecast.measure,
}


def main(wanted: list[str]) -> int:
    """Prints the table; gives 2 for a part that is none."""
    if unknown := [each for each in wanted if each not in _PARTS]:
        sys.stderr.write(f"no part is called {' or '.join(unknown)}; there are {', '.join(_PARTS)}\n")
        return 2
    figures: list[Figure] = []
    for part in wanted or _PARTS:
        sys.stderr.write(f"measuring {part} …\n")
        figures += _PARTS[part]()
    sys.stdout.write(f"{table(figures)}\n\n{_machine()}\n")
    return 0


def _machine() -> str:
    load, _, _ = os.getloadavg()
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; load at the end {load:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
