"""The API of the benchmarks as their own process holds it: started, given orders, and ended."""

import select
import subprocess
import sys
from typing import Final, Self

PATIENCE_S: Final = 60.0
"""For what is bound to come, on however busy a machine."""


class Api:
    """An API with so many sub-accounts, in a process of its own, so that its work counts for nobody else's."""

    def __init__(self, sub_accounts: int = 0) -> None:
        self._command = [sys.executable, "-m", "tests.bench.server", str(sub_accounts)]
        self.port = 0  # once it is entered

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.port = int(self._line())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def url(self) -> str:
        """What comes before `/v1/usage`."""
        return f"http://127.0.0.1:{self.port}"

    def will_be_asked(self, times: int = 1) -> None:
        """Has `reported_s` give the instant of the so manieth request for usage from now on."""
        self._order(f"asked {times}")

    def shows(self, remaining: int, *, sub_id: str = "") -> None:
        """Answers so many numbers left from now on; `reported_s` gives the instant of the first such answer."""
        self._order(f"shown {remaining} {sub_id}")

    def reported_s(self) -> float:
        """Waits for what was ordered, and gives its instant on the monotonic clock."""
        return float(self._line())

    def _order(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n".encode())

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        if not ready:
            raise TimeoutError("the guard did not ask the API in time")
        return self._process.stdout.readline()
