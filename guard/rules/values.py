"""What an expression comes to: a number, a text, true or false, or unknown; a tree compiled once, run often."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

from guard.fields import FIELDS, Kind, field_named
from guard.rules.tree import COMPARISONS, Binary, Call, Name, Number, Text, Tree, Unary


@dataclass(frozen=True, slots=True)
class Unknown:
    """No value, and why; as in SQL it makes what it touches unknown, save where the other side decides alone."""

    why: str


Value = float | str | bool | Unknown
Values = Mapping[str, float | str]
"""What names stand for: a snapshot's fields, and budgets under `budgets.`; a field without a value is absent."""

Run = Callable[[Values], Value]
"""A compiled expression; never raises for finite numbers."""

_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_COMPARE: Final[Mapping[str, Callable[[float | str, float | str], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def compiled(tree: Tree) -> Run:
    """Makes a tree that nobody complained about into a function of what its names stand for."""
    match tree:
        case Number():
            return _constant(tree.value)
        case Text():
            return _constant(tree.text)
        case Name():
            return _name(tree.name)
        case Unary():
            return _negation(compiled(tree.operand)) if tree.operator == "not" else _minus(compiled(tree.operand))
        case Binary():
            return _binary(tree.operator, compiled(tree.left), compiled(tree.right))
        case Call():
            raise AssertionError(f"{tree.function}() was complained about")


def compare(sign: str, left: Value, right: Value) -> bool | Unknown:
    """One comparison; unknown where a side is unknown, or where a number meets a text."""
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        return right
    if isinstance(left, str) != isinstance(right, str):
        return Unknown("a number and a text cannot be compared")
    if isinstance(left, str) and sign not in ("==", "!="):
        return Unknown("texts are compared with == and != only")
    return _COMPARE[sign](left, right)


def both(left: Value, right: Value) -> bool | Unknown:
    """Kleene's and: false where one side is false, else unknown where one is unknown."""
    if left is False or right is False:
        return False
    return _unknown_or(left, right, known=True)


def either(left: Value, right: Value) -> bool | Unknown:
    """Kleene's or: true where one side is true, else unknown where one is unknown."""
    if left is True or right is True:
        return True
    return _unknown_or(left, right, known=False)


def negated(value: Value) -> bool | Unknown:
    """Kleene's not."""
    return value if isinstance(value, Unknown) else not value


def _unknown_or(left: Value, right: Value, *, known: bool) -> bool | Unknown:
    if isinstance(left, Unknown):
        return left
    return right if isinstance(right, Unknown) else known


def _constant(value: float | str) -> Run:
    return lambda _: value


def _name(name: str) -> Run:
    missing = Unknown(f"{name} is missing")
    field = field_named(name)
    if field is None:
        return lambda values: values.get(name, missing)
    is_text, is_limit = field.kind is Kind.TEXT, field.kind is Kind.LIMIT

    def run(values: Values) -> Value:
        value = values.get(name, missing)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, str):
            return value if is_text or name not in FIELDS else Unknown(f"{name} is no number")
        if is_text:
            return Unknown(f"{name} is no text")
        return Unknown(f"{name} says that no limit is known") if is_limit and value <= 0 else value

    return run


def _minus(operand: Run) -> Run:
    def run(values: Values) -> Value:
        value = operand(values)
        if isinstance(value, str):
            return Unknown("a text is no number")
        return value if isinstance(value, Unknown) else -value

    return run


def _negation(operand: Run) -> Run:
    return lambda values: negated(operand(values))


def _binary(sign: str, left: Run, right: Run) -> Run:
    if sign in COMPARISONS:
        return lambda values: compare(sign, left(values), right(values))
    if sign in _ARITHMETIC:
        calculate = _ARITHMETIC[sign]
        return lambda values: _calculated(calculate, left(values), right(values))
    join = both if sign == "and" else either
    return lambda values: join(left(values), right(values))


def _calculated(calculate: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        return right
    if isinstance(left, str) or isinstance(right, str):
        return Unknown("a text is no number")
    try:
        result = calculate(left, right)
    except ZeroDivisionError:
        return Unknown("division by zero")
    return result if isfinite(result) else Unknown("the result is too large")
