"""A tree as a function of what its names stand for: compiled once, run often."""

import operator
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

from guard.fields import FIELDS, Kind, field_named
from guard.rules.functions import FUNCTIONS
from guard.rules.tree import COMPARISONS, Binary, Call, Name, Number, Text, Tree, Unary
from guard.rules.values import Run, Unknown, Value, Values, Windows, both, compare, either, negated, reason

_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
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
            return FUNCTIONS[tree.function].compiled(tree, tuple(map(compiled, tree.arguments)))


def _constant(value: float | str) -> Run:
    return lambda _values, _windows: value


def _name(name: str) -> Run:
    missing = Unknown(f"{name} is missing")
    field = field_named(name)
    if field is None:
        return lambda values, _: values.get(name, missing)
    is_text, is_limit, made_of = field.kind is Kind.TEXT, field.kind is Kind.LIMIT, field.made_of
    too_young = Unknown(f"{name} has too little to go by yet", is_young=True)

    def run(values: Values, _: Windows) -> Value:
        value = values.get(name, missing)
        if isinstance(value, Unknown):
            return too_young if made_of in values else value
        if isinstance(value, str):
            return value if is_text or name not in FIELDS else Unknown(f"{name} is no number")
        if is_text:
            return Unknown(f"{name} is no text")
        return Unknown(f"{name} says that no limit is known") if is_limit and value <= 0 else value

    return run


def _minus(operand: Run) -> Run:
    def run(values: Values, windows: Windows) -> Value:
        value = operand(values, windows)
        if isinstance(value, str):
            return Unknown("a text is no number")
        return value if isinstance(value, Unknown) else -value

    return run


def _negation(operand: Run) -> Run:
    return lambda values, windows: negated(operand(values, windows))


def _binary(sign: str, left: Run, right: Run) -> Run:
    if sign in COMPARISONS:
        return lambda values, windows: compare(sign, left(values, windows), right(values, windows))
    if sign in _ARITHMETIC:
        calculate = _ARITHMETIC[sign]
        return lambda values, windows: _calculated(calculate, left(values, windows), right(values, windows))
    join = both if sign == "and" else either
    return lambda values, windows: join(left(values, windows), right(values, windows))


def _calculated(calculate: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return reason(left, right)
    if isinstance(left, str) or isinstance(right, str):
        return Unknown("a text is no number")
    try:
        result = calculate(left, right)
    except ZeroDivisionError:
        return Unknown("division by zero")
    return result if isfinite(result) else Unknown("the result is too large")
