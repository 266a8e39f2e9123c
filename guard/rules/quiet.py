"""Whether a rule at rest stays at rest, without the words and the bookkeeping of an evaluation; pure."""

from collections.abc import Callable
from typing import Final

from guard.rules.expression import Condition
from guard.rules.rule import Rule
from guard.rules.values import COMPARE, Unknown, Values, Windows

_NO_NUMBER: Final = (Unknown, str)  # a tuple: a union would be made anew each time

Quiet = Callable[[Values, Windows], bool]
"""Is given what `Facts` hold."""


def quiet(rule: Rule, *, constants: Values) -> Quiet:
    """Makes the check whether `evaluate` would find all known and no level holding: then an alert at rest stays so.

    `constants` are among the values each time, and never others: the budgets. A rule with `each` is never quiet.
    """
    if rule.each is not None:
        return lambda _values, _windows: False
    levels = [(condition, _fixed(condition, constants)) for condition in rule.conditions.values()]
    fixed = [(COMPARE[condition.operator], bound) for condition, bound in levels if bound is not None]
    moving = [condition for condition, bound in levels if bound is None]
    clear = rule.clear if rule.clear is not None and _fixed(rule.clear, constants) is None else None
    when, run = rule.when, rule.value.run

    def check(values: Values, windows: Windows) -> bool:
        applies = True if when is None else when.run(values, windows)
        if applies is not True:
            return applies is False
        value = run(values, windows)
        if isinstance(value, _NO_NUMBER):
            return False
        for holds, bound in fixed:
            if holds(value, bound):
                return False
        for condition in moving:
            if condition.holds(value, condition.bound.number(values, windows)) is not False:
                return False
        return clear is None or not isinstance(clear.bound.number(values, windows), Unknown)

    return check


def _fixed(condition: Condition, constants: Values) -> float | None:
    """The bound of a condition where it is the same each time; None where it is not, or is not known."""
    bound = condition.bound
    if bound.looks_back or not bound.reads <= constants.keys():
        return None
    number = bound.number(constants)
    return None if isinstance(number, Unknown) else number
