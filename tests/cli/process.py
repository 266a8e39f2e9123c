"""A command in a process of its own, whose lines are waited for."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

DEADLINE_S = 30


@dataclass
class Process:
    """A running command; what it prints on stdout and stderr is kept."""

    process: asyncio.subprocess.Process
    printed: list[str] = field(default_factory=list)

    async def until(self, wanted: str) -> str:
        """The next line that holds `wanted`; fails if the process ends before, or takes far too long."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := (await self.process.stdout.readline()).decode():
                self.printed.append(line)
                if wanted in line:
                    return line
        raise AssertionError(f"{wanted!r} was not printed:\n{self.text}")

    async def end(self, number: signal.Signals | None = None) -> int:
        """Sends a signal, if there is one, and gives the exit code once the process is over."""
        assert self.process.stdout is not None
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(DEADLINE_S):
            self.printed.append((await self.process.stdout.read()).decode())
            return await self.process.wait()

    @property
    def text(self) -> str:
        """All that was printed and read so far."""
        return "".join(self.printed)


def command(*argv: str, **environ: str) -> AbstractAsyncContextManager[Process]:
    """Starts `guard` with these words; killed when it is left still running."""
    return _started("-m", "guard", *argv, **environ)


def script(text: str, **environ: str) -> AbstractAsyncContextManager[Process]:
    """Starts a Python that runs this text; killed when it is left still running."""
    return _started("-c", text, **environ)


@asynccontextmanager
async def _started(*argv: str, **environ: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", *argv),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | environ,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        process._transport.close()  # type: ignore[attr-defined] # asyncio leaves the pipe to chance
