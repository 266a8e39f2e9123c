"""Other processes, for what only they can show: being killed, and being the other one."""

import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

_PRELUDE = """
import os, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import Engine, event
from guard.model import Account, Answer
from guard.store import Poll, schema
from guard.store.database import Database
path = Path(sys.argv[1])
def die(): os.kill(os.getpid(), 9)
"""


def start(script: str, path: Path) -> "subprocess.Popen[str]":
    """Starts `script` with a database's path as `path`, and the store's names at hand."""
    return subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(script: str, path: Path) -> str:
    """What `script` prints when it ends well."""
    with start(script, path) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def dies(script: str, path: Path) -> None:
    """Runs `script` until it kills itself."""
    with start(script, path) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == -SIGKILL, err
