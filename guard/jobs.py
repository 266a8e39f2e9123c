"""Jobs: the work of the service, by name; none runs twice at a time, and none hangs unseen."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from guard.logs import log

Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Jobs:
    """The jobs of one service, each a task of its own; a defect in one is logged, and ends no other."""

    is_draining: bool = False  # from then on nothing is started
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _again: dict[str, Work] = field(default_factory=dict)  # wanted while it ran, so it runs once more
    _watches: Counter[str] = field(default_factory=Counter)  # since each was started, or seen

    def is_running(self, name: str) -> bool:
        """Whether a job runs."""
        return name in self._running

    def start(self, name: str, work: Work) -> bool:
        """Starts a job, unless it runs already; whether it did."""
        if name in self._running or self.is_draining:
            return False
        task = asyncio.ensure_future(work())
        self._running[name] = task
        task.add_done_callback(partial(self._done, name))
        return True

    def again(self, name: str, work: Work) -> None:
        """Starts a job, or has it run once more when it ends: it may just have overlooked what it is wanted for."""
        if not self.start(name, work):
            self._again[name] = work

    async def ended(self, name: str) -> None:
        """Waits for the end of a job that runs."""
        await asyncio.wait({self._running[name]})

    def seen(self, name: str) -> None:
        """Notes that a job goes on, however long it takes."""
        self._watches[name] = 0

    def watch(self, *, but: str) -> None:
        """Counts one more watch of each job that runs, but for one."""
        self._watches.update(name for name in self._running if name != but)

    def hung(self, *, after: int) -> list[str]:
        """Names of the jobs that were watched so often and not seen."""
        return [name for name, watches in self._watches.items() if watches >= after]

    async def drain(self, *, finish: str, beside: Iterable[asyncio.Task[None]], within_s: float) -> None:
        """Starts no more, lets the jobs finish whose names begin so, and cancels the others and whatever is late.

        The tasks `beside` are waited for as jobs are.
        """
        self.is_draining = True
        for name, task in self._running.items():
            if not name.startswith(finish):
                task.cancel()
        tasks = {*self._running.values(), *beside}
        if self._running:
            log.info("service.draining", "finishing what is in flight", jobs=",".join(self._running))
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        del self._running[name]
        del self._watches[name]
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("service.unplanned", "a job failed; it will run again", exc=fault, job=name)
        if (work := self._again.pop(name, None)) is not None:
            self.start(name, work)
