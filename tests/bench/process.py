"""Processes that are measured: `guard` as a person starts it, and bare interpreters beside it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from tests.bench.api import Api

GUARD: Final = str(Path(sys.executable).with_name("guard"))
"""The command, installed beside the interpreter that runs the benchmarks."""

_MIB: Final = 2**20


@contextmanager
def running(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`guard run` in an environment of its own; killed in the end. What goes wrong meanwhile comes with its log."""
    with TemporaryFile() as log:
        process = subprocess.Popen([GUARD, "run"], env=environ, stdin=subprocess.DEVNULL, stderr=log)
        try:
            yield process
        except Exception as error:
            log.seek(0)
            error.add_note(log.read().decode(errors="replace"))
            raise
        finally:
            process.kill()
            process.wait()


def first_poll_s(environ: Mapping[str, str], api: Api) -> float:
    """How long it takes `guard run` from being started to its first request."""
    api.will_be_asked()
    before_s = time.monotonic()
    with running(environ):
        return api.reported_s() - before_s


def wall_s(*command: str) -> float:
    """How long a command takes from its start to its end."""
    before_s = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - before_s


def python(code: str) -> Sequence[str]:
    """The command that runs some code in a fresh interpreter."""
    return (sys.executable, "-c", code)


def resident_mib(process_id: int) -> float:
    """How much memory a process holds now."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB
