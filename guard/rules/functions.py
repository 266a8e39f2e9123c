"""The functions of the language, in one table: what each takes and gives, what it means, and how it is compiled."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Final

from guard.rules.kinds import Kind, Parameter
from guard.rules.tree import Call, Name, Number, Tree, parts, printed
from guard.rules.trend import is_there, runs_out, seconds_until
from guard.rules.values import Run, Unknown, Value, Values, Windows

LONGEST_WINDOW: Final = timedelta(days=13)
"""How far back a function may look: answers are kept whole for 14 days, and the last of those may be incomplete."""

DAY_S: Final = 86_400

_SUMMER_TIME: Final = timedelta(hours=1)  # by which days on the wall may be longer than days of 24 hours

Look = Callable[[Windows, str, float, float], float | None]
"""Looks back on a field by name over seconds, given what it is now; None where the history is too short."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function. The first thing that it takes is a field by its name, the last one a window."""

    name: str
    takes: tuple[Parameter, ...]
    gives: Kind
    means: str  # one line for people
    example: str
    compiled: Callable[[Call, Sequence[Run]], Run]  # of a call without mistakes, and its arguments compiled
    is_seconds: bool = False  # else it gives what the field gives

    @property
    def form(self) -> str:
        """How it is written, with names for what it takes: `increase(m, w)`."""
        return f"{self.name}({', '.join(parameter.letter for parameter in self.takes)})"


def _looking_back(look: Look) -> Callable[[Call, Sequence[Run]], Run]:
    """Compiles the calls of a function that takes a field and a window."""

    def compiled(call: Call, arguments: Sequence[Run]) -> Run:
        name, window_s = _field_and_window(call)
        present, too_short = arguments[0], _too_short(call)

        def run(values: Values, windows: Windows) -> Value:
            value = _numeric(name, present(values, windows))
            return value if isinstance(value, Unknown) else _found(look(windows, name, window_s, value), too_short)

        return run

    return compiled


def _eta(call: Call, arguments: Sequence[Run]) -> Run:
    name, window_s = _field_and_window(call)
    present, aim, _ = arguments
    from_above, too_short = runs_out(name), _too_short(call)

    def run(values: Values, windows: Windows) -> Value:
        value, target = _numeric(name, present(values, windows)), _numeric("the target", aim(values, windows))
        if isinstance(value, Unknown):
            return value
        if isinstance(target, Unknown):
            return target
        if is_there(target, value=value, from_above=from_above):
            return 0.0  # what it needs no past for
        slope = windows.slope(name, window_s)
        return too_short if slope is None else seconds_until(target, value=value, slope=slope, from_above=from_above)

    return run


def _too_short(call: Call) -> Unknown:
    return Unknown(f"too short a history for {printed(call)}", is_young=True)


def _numeric(name: str, value: Value) -> float | Unknown:
    return Unknown(f"{name} is no number") if isinstance(value, str) else value


def _found(number: float | None, too_short: Unknown) -> Value:
    if number is None:
        return too_short
    return number if isfinite(number) else Unknown("the result is too large")


def _delta(windows: Windows, name: str, window_s: float, value: float) -> float | None:
    before = windows.ago(name, window_s)
    return None if before is None else value - before


_FIELD_AND_WINDOW: Final = (Parameter.FIELD, Parameter.WINDOW)

_TABLE: Final = (
    Function(
        "increase",
        takes=(Parameter.COUNTER, Parameter.WINDOW),
        gives=Kind.NUMBER,
        means="growth of a lifetime counter over the window",
        example="increase(stats.totalMessages, 1h)",
        compiled=_looking_back(lambda windows, name, window_s, _: windows.increase(name, window_s)),
    ),
    Function(
        "delta",
        takes=_FIELD_AND_WINDOW,
        gives=Kind.NUMBER,
        means="change over the window: the value now less the value when the window began",
        example="delta(numbers.used, 1d)",
        compiled=_looking_back(_delta),
    ),
    Function(
        "ago",
        takes=_FIELD_AND_WINDOW,
        gives=Kind.NUMBER,
        means="the value that long ago",
        example="ago(stats.messagesLast24h, 7d)",
        compiled=_looking_back(lambda windows, name, window_s, _: windows.ago(name, window_s)),
    ),
    Function(
        "avg",
        takes=_FIELD_AND_WINDOW,
        gives=Kind.NUMBER,
        means="the mean of all answers within the window",
        example="avg(stats.callsLast24h, 6h)",
        compiled=_looking_back(lambda windows, name, window_s, _: windows.mean(name, window_s)),
    ),
    Function(
        "min",
        takes=_FIELD_AND_WINDOW,
        gives=Kind.NUMBER,
        means="the lowest answer within the window",
        example="min(numbers.remaining, 1d)",
        compiled=_looking_back(lambda windows, name, window_s, _: windows.lowest(name, window_s)),
    ),
    Function(
        "max",
        takes=_FIELD_AND_WINDOW,
        gives=Kind.NUMBER,
        means="the highest answer within the window",
        example="max(stats.callsLast24h, 1d)",
        compiled=_looking_back(lambda windows, name, window_s, _: windows.highest(name, window_s)),
    ),
    Function(
        "usual",
        takes=(Parameter.FIELD, Parameter.DAYS),
        gives=Kind.NUMBER,
        means="the median of the values at this time of day on each of the last days",
        example="usual(stats.messagesLast24h, 7d)",
        compiled=_looking_back(lambda windows, name, window_s, _: windows.usual(name, round(window_s) // DAY_S)),
    ),
    Function(
        "eta",
        takes=(Parameter.FIELD, Parameter.TARGET, Parameter.WINDOW),
        gives=Kind.NUMBER,
        means="time until the field reaches the target at the trend of the window; 0 when it is there, or *never*",
        example="eta(stats.messagesLast24h, budgets.messages_per_day, 6h)",
        compiled=_eta,
        is_seconds=True,
    ),
)

FUNCTIONS: Final = {function.name: function for function in _TABLE}
"""All functions by name."""


def looks_back(tree: Tree) -> Iterator[tuple[str, timedelta]]:
    """Each field that a function in a tree without mistakes looks back on, and how far; from left to right."""
    for call in parts(tree):
        if isinstance(call, Call):
            name, window_s = _field_and_window(call)
            in_days = Parameter.DAYS is FUNCTIONS[call.function].takes[-1]
            yield name, timedelta(seconds=window_s) + (_SUMMER_TIME if in_days else timedelta())


def _field_and_window(call: Call) -> tuple[str, float]:
    """What a call without mistakes looks back on, and over how many seconds."""
    field, window = call.arguments[0], call.arguments[-1]
    assert isinstance(field, Name)  # noqa: S101 -- for the type checker: arguments were checked
    assert isinstance(window, Number)  # noqa: S101 -- as above
    return field.name, window.value
