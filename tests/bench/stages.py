"""Where the time of a cycle goes, stage by stage, by wrapping what runs them: production code holds no timers."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter, thread_time
from typing import Any, Final
from unittest.mock import patch

_WRAPPED: Final = {
    "guard.cycle.cycles.snapshot": "payload",
    "guard.store.store._done": "commit",
    "guard.cycle.cycles.decide": "step",
    "guard.lifecycle.decide.evaluate": "evaluate",
}
"""The functions, named where they are called from, and their stages; `evaluate` is within `step`, that in `commit`."""

STAGES: Final = ("payload", "evaluate", "step", "commit")


@dataclass(slots=True)
class Spent:
    """Seconds of the CPU and of the wall clock."""

    cpu_s: float = 0.0
    wall_s: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu_s + other.cpu_s, self.wall_s + other.wall_s)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.cpu_s - other.cpu_s, self.wall_s - other.wall_s)

    def __truediv__(self, count: float) -> "Spent":
        return Spent(self.cpu_s / count, self.wall_s / count)


@contextmanager
def measured_stages() -> Iterator[Mapping[str, Spent]]:
    """Within, the stages are measured; what each has taken without those within it stands in the mapping, and grows."""
    spent = {stage: Spent() for stage in STAGES}
    within = _Within()
    with ExitStack() as undo:
        for place, stage in _WRAPPED.items():
            module, _, name = place.rpartition(".")
            original = getattr(import_module(module), name)
            undo.enter_context(patch(place, _measured(original, spent[stage], within)))
        yield spent


class _Within(threading.local):
    """What stages have taken within the one that a thread is in."""

    cpu_s = 0.0
    wall_s = 0.0


def _measured(call: Callable[..., Any], spent: Spent, within: _Within) -> Callable[..., Any]:
    """The same function, whose time is counted: with bare numbers, for it runs ten times a cycle."""

    def run(*args: Any, **named: Any) -> Any:
        outer_cpu_s, outer_wall_s = within.cpu_s, within.wall_s
        within.cpu_s = within.wall_s = 0.0
        wall_s, cpu_s = perf_counter(), thread_time()
        try:
            return call(*args, **named)
        finally:
            cpu_s, wall_s = thread_time() - cpu_s, perf_counter() - wall_s
            spent.cpu_s += cpu_s - within.cpu_s
            spent.wall_s += wall_s - within.wall_s
            within.cpu_s, within.wall_s = outer_cpu_s + cpu_s, outer_wall_s + wall_s

    return run
