"""What an expression comes to: a number, a text, true or false, or unknown; and how unknown spreads."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Unknown:
    """No value, and why; as in SQL it makes what it touches unknown, save where the other side decides alone."""

    why: str
    is_young: bool = False  # only for lack of history, which time mends by itself


Value = float | str | bool | Unknown
Values = Mapping[str, float | str]
"""What names stand for: a snapshot's fields, and budgets under `budgets.`; a field without a value is absent."""


class Windows(Protocol):
    """What functions look back on: the snapshots of one account, or of one subject of it, up to the present one.

    All give None where the history does not reach back so far. Names are those of numeric fields, windows are seconds.
    """

    def increase(self, name: str, window_s: float) -> float | None:
        """By how much a counter grew over the window up to now."""
        ...

    def ago(self, name: str, window_s: float) -> float | None:
        """What a field was when the window began."""
        ...

    def mean(self, name: str, window_s: float) -> float | None:
        """The mean of what a field was at all answers within the window."""
        ...

    def lowest(self, name: str, window_s: float) -> float | None:
        """The lowest of them."""
        ...

    def highest(self, name: str, window_s: float) -> float | None:
        """The highest of them."""
        ...

    def usual(self, name: str, days: int) -> float | None:
        """The median of what a field was at this time of day on each of the last days."""
        ...

    def slope(self, name: str, window_s: float) -> float | None:
        """How fast a field moves over the window, per second."""
        ...


class _NoWindows:
    def increase(self, name: str, window_s: float) -> None:
        """Nothing, whatever is asked for; and so do all others."""

    ago = mean = lowest = highest = usual = slope = increase


NO_WINDOWS: Final[Windows] = _NoWindows()
"""For what calls no function, or where there is no history yet."""

Run = Callable[[Values, Windows], Value]
"""A compiled expression; never raises for finite numbers."""

COMPARE: Final[Mapping[str, Callable[[float | str, float | str], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
"""What each sign means between two numbers."""


def reason(*values: Value) -> Unknown:
    """Why what is made of these is unknown, where one of them is: the first reason, lack of history after all others.

    >>> reason(Unknown("too young", is_young=True), 3, Unknown("missing")).why
    'missing'
    """
    return min((value for value in values if isinstance(value, Unknown)), key=operator.attrgetter("is_young"))


def compare(sign: str, left: Value, right: Value) -> bool | Unknown:
    """One comparison; unknown where a side is unknown, or where a number meets a text."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return reason(left, right)
    if isinstance(left, str) != isinstance(right, str):
        return Unknown("a number and a text cannot be compared")
    if isinstance(left, str) and sign not in ("==", "!="):
        return Unknown("texts are compared with == and != only")
    return COMPARE[sign](left, right)


def both(left: Value, right: Value) -> bool | Unknown:
    """Kleene's and: false where one side is false, else unknown where one is unknown."""
    if left is False or right is False:
        return False
    return reason(left, right) if isinstance(left, Unknown) or isinstance(right, Unknown) else True


def either(left: Value, right: Value) -> bool | Unknown:
    """Kleene's or: true where one side is true, else unknown where one is unknown."""
    if left is True or right is True:
        return True
    return reason(left, right) if isinstance(left, Unknown) or isinstance(right, Unknown) else False


def negated(value: Value) -> bool | Unknown:
    """Kleene's not."""
    return value if isinstance(value, Unknown) else not value
