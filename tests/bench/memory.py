"""How much memory `guard run` holds: with one account, and with a thousand and an hour of their history."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.bench.api import Api
from tests.bench.figure import Figure, Yardstick
from tests.bench.process import python, resident_mib, running
from tests.bench.setting import TEN_RULES, environ, fill, rule_file
from tests.bench.start import FOUR_LIBRARIES

_MANY: Final = 1_000
_CYCLES: Final = 10
_AIM_MIB: Final = 100.0


def measure() -> Iterator[Figure]:
    """The figures of both."""
    yardstick = Yardstick("the four libraries", _bare_mib())
    yield Figure("memory, one account", _resident_mib(sub_accounts=0), "MiB", yardstick, at_most=_AIM_MIB)
    yield Figure(f"memory, {_MANY:,} accounts", _resident_mib(sub_accounts=_MANY), "MiB", yardstick)


def _resident_mib(*, sub_accounts: int) -> float:
    with TemporaryDirectory() as name, Api(sub_accounts) as api:
        path = Path(name)
        asyncio.run(fill(path, sub_accounts=sub_accounts))
        # A pass over many takes most of the interval.
        every, account = ("10s", 'sub_accounts = "all"') if sub_accounts else ("1s", "")
        rules = rule_file(api=api.url, every=every, account=account, rules=TEN_RULES)
        api.will_be_asked(2 * sub_accounts + _CYCLES)
        with running(environ(path, rules)) as process:
            api.reported_s()
            return resident_mib(process.pid)


def _bare_mib() -> float:
    """What the four libraries take by themselves, in an interpreter that waits to be told to end."""
    code = f"{FOUR_LIBRARIES}; print(flush=True); input()"
    with subprocess.Popen([*python(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = resident_mib(process.pid)
        process.communicate(b"\n")
    return found
