"""The functions of the language, in one table: what each takes and gives, what it means, and how it is compiled."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from guard.rules.kinds import Kind, Parameter
from guard.rules.tree import Call, Name, Number, Tree, parts, printed
from guard.rules.values import Run, Unknown, Value, Values, Windows

LONGEST_WINDOW: Final = timedelta(days=13)
"""How far back a function may look: answers are kept whole for 14 days, and the last of those may be incomplete."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function. Every one that looks back has one counter and one window among its parameters."""

    name: str
    takes: tuple[Parameter, ...]
    gives: Kind
    means: str  # one line for people
    example: str
    compiled: Callable[[Call, Sequence[Run]], Run]  # of a call without mistakes, and its arguments compiled


def _increase(call: Call, arguments: Sequence[Run]) -> Run:
    ((name, window),) = looks_back(call)
    window_s = window.total_seconds()
    present = arguments[0]
    too_short = Unknown(f"too short a history for {printed(call)}", is_young=True)

    def run(values: Values, windows: Windows) -> Value:
        value = present(values, windows)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, str):
            return Unknown(f"{name} is no number")
        grown = windows.increase(name, window_s)
        return too_short if grown is None else grown

    return run


_TABLE: Final = (
    Function(
        "increase",
        takes=(Parameter.COUNTER, Parameter.WINDOW),
        gives=Kind.NUMBER,
        means="growth of a lifetime counter over the window",
        example="increase(stats.totalMessages, 1h)",
        compiled=_increase,
    ),
)

FUNCTIONS: Final = {function.name: function for function in _TABLE}
"""All functions by name."""

LATER_FUNCTIONS: Final = ("delta", "ago", "avg", "min", "max", "usual", "eta")
"""Functions that are known by name and not built yet."""


def looks_back(tree: Tree) -> Iterator[tuple[str, timedelta]]:
    """Each field that a function in a tree without mistakes looks back on, and how far; from left to right."""
    for call in parts(tree):
        if isinstance(call, Call):
            by_parameter = dict(zip(FUNCTIONS[call.function].takes, call.arguments, strict=True))
            counter, window = by_parameter[Parameter.COUNTER], by_parameter[Parameter.WINDOW]
            if isinstance(counter, Name) and isinstance(window, Number):
                yield counter.name, timedelta(seconds=window.value)
