"""A place where somebody installed the guard: a directory with a rule file, an environment, and processes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from tests.acceptance.server import LONG_S

GUARD: Final = (sys.executable, "-m", "guard")
KEY: Final = "canary-api-key-0123456789"


class Lines:
    """What a process writes on one stream, line by line, as it comes."""

    def __init__(self, stream: IO[str]) -> None:
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._pump, args=(stream,), daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        with self._changed:
            return "".join(self._lines)

    def until(self, wanted: str, within_s: float = LONG_S) -> str:
        """Waits for a line that holds `wanted`, and gives it."""
        with self._changed:
            self._changed.wait_for(lambda: wanted in "".join(self._lines), within_s)
            found = [line for line in self._lines if wanted in line]
        assert found, f"{wanted!r} was not written:\n{self.text}"
        return found[0]

    def end(self) -> str:
        """All of it, once the process is over."""
        self._thread.join(LONG_S)
        return self.text

    def _pump(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()


@dataclass
class Running:
    """A process that goes on; both of its streams are read."""

    process: subprocess.Popen[str]
    out: Lines
    log: Lines

    def end(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = LONG_S) -> int:
        """Sends a signal and gives the exit code; fails if the process does not end in time."""
        self.process.send_signal(number)
        return self.wait(within_s)

    def wait(self, within_s: float = LONG_S) -> int:
        """The exit code, once the process ended by itself."""
        code = self.process.wait(within_s)
        self.log.end()
        self.out.end()
        return code


@dataclass
class Home:
    """Where one guard lives."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> Path:
        return self.path / "rules.toml"

    @property
    def database(self) -> Path:
        return self.path / "state" / "guard.db"

    def write(self, rules: str) -> None:
        self.rules.write_text(rules, encoding="utf-8")

    @contextmanager
    def run(self, *argv: str, **environ: str) -> Iterator[Running]:
        """Starts the service, or other words; kills what is left of it."""
        process = subprocess.Popen(
            [*GUARD, *(argv or ("run",))],
            cwd=self.path,
            env=self.variables(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        running = Running(process, Lines(process.stdout), Lines(process.stderr))
        try:
            yield running
        finally:
            if process.poll() is None:
                process.kill()
                running.wait()

    def call(self, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [*GUARD, *argv],
            cwd=self.path,
            env=self.variables(**environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def read(self, *argv: str) -> dict[str, Any]:
        """The JSON document that a command prints."""
        done = self.call(*argv, "--format", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def variables(self, **more: str) -> dict[str, str]:
        """The environment of its processes."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("GUARD_", "AGENTPHONE_"))}
        quiet = {"GUARD_LISTEN": "off", "HOME": str(self.path)}  # homes beside each other have but one port 8080
        return own | quiet | {"GUARD_DATABASE": str(self.database)} | self.environ | more
