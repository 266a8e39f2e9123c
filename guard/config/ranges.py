"""In which range a value can lie at all, as far as anyone can tell before it is seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from guard.fields import FIELDS, Kind
from guard.rules.expression import Condition
from guard.rules.names import BUDGETS
from guard.rules.rule import Rule
from guard.rules.tree import Binary, Call, Name, Number, Tree, Unary

_WHOLE: Final = 1.0
_FROM_ZERO: Final = ("increase", "eta")
_LIKE_THEIR_FIELD: Final = ("ago", "avg", "min", "max", "usual")
# What is counted in the second too, so that a quotient of the two is never above 1.
_PARTS: Final = frozenset(
    {
        ("stats.failedWebhookDeliveries", "stats.totalWebhookDeliveries"),
        ("stats.successfulWebhookDeliveries", "stats.totalWebhookDeliveries"),
        ("webhooks.failed", "webhooks.total"),
        ("numbers.remaining", "numbers.limit"),
    }
)


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included; infinite where there is no end."""

    low: float
    high: float


_ANY: Final = Range(-inf, inf)
_COUNT: Final = Range(0.0, inf)
_SHARE: Final = Range(0.0, _WHOLE)


def range_of(tree: Tree, budgets: Mapping[str, float]) -> Range:
    """The range of an expression that gives a number; without any end where nothing is known.

    >>> from guard.rules.grammar import parse
    >>> range_of(parse("100 - numbers.remaining"), {})
    Range(low=-inf, high=100.0)
    """
    match tree:
        case Number():
            return Range(tree.value, tree.value)
        case Name():
            return _of_name(tree.name, budgets)
        case Call():
            return _of_call(tree, budgets)
        case Unary(operator="-"):
            below = range_of(tree.operand, budgets)
            return Range(-below.high, -below.low)
        case Binary():
            return _of_two(tree, budgets)
        case _:  # a text, or a condition
            return _ANY


def _of_call(tree: Call, budgets: Mapping[str, float]) -> Range:
    if tree.function in _FROM_ZERO:
        return _COUNT
    return range_of(tree.arguments[0], budgets) if tree.function in _LIKE_THEIR_FIELD else _ANY


def _of_name(name: str, budgets: Mapping[str, float]) -> Range:
    if name.startswith(BUDGETS):
        budget = budgets.get(name.removeprefix(BUDGETS))
        return _COUNT if budget is None else Range(budget, budget)
    field = FIELDS.get(name)
    if field is None or field.kind is Kind.TEXT:
        return _ANY
    return _SHARE if field.unit == "share" else _COUNT


def _of_two(tree: Binary, budgets: Mapping[str, float]) -> Range:
    left, right = range_of(tree.left, budgets), range_of(tree.right, budgets)
    match tree.operator:
        case "+":
            return Range(left.low + right.low, left.high + right.high)
        case "-":
            return Range(left.low - right.high, left.high - right.low)
        case "/" if _is_part(tree.left, tree.right):
            return _SHARE
        case "*" if left.low >= 0 and right.low >= 0:
            return Range(left.low * right.low, _product(left.high, right.high))
        case "/" if left.low >= 0 and right.low >= 0 and right.high:
            return Range(_quotient(left.low, right.high), _quotient(left.high, right.low))
    return _ANY


def _product(left: float, right: float) -> float:
    return left * right if left and right else 0.0  # and not inf * 0, which is no number


def _quotient(left: float, right: float) -> float:
    return left / right if right else inf


def _is_part(left: Tree, right: Tree) -> bool:
    """Whether the left side counts some of what the right side counts, over the same window."""
    match left, right:
        case Name(), Name():
            return (left.name, right.name) in _PARTS
        case Call(function="increase"), Call(function="increase"):
            is_same_window = left.arguments[1:] == right.arguments[1:]
            return is_same_window and _is_part(left.arguments[0], right.arguments[0])
        case _:
            return False


def foregone(rule: Rule, condition: Condition, budgets: Mapping[str, float]) -> tuple[bool, str] | None:
    """Whether a condition holds always (True) or never (False), why, and what to write; None where it can be both.

    The text is the end of a sentence.
    """
    value, bound = range_of(rule.value.tree, budgets), range_of(condition.bound.tree, budgets)
    what = rule.value.tree.name if isinstance(rule.value.tree, Name) else "the value"
    if _is_beside(bound.high - value.low, touching=condition.operator in ("<", ">=")):
        holds = condition.operator in (">", ">=", "!=")
        end, instead = _written(rule, value.low), ">" if holds else "<="
        return holds, f"{what} is never below {end}; write {instead} {end}"
    if _is_beside(value.high - bound.low, touching=condition.operator in (">", "<=")):
        holds = condition.operator in ("<", "<=", "!=")
        end, instead = _written(rule, value.high), "<" if holds else ">="
        return holds, f"{what} is never above {end}; write {instead} {end}"
    return None


def _is_beside(gap: float, *, touching: bool) -> bool:
    """Whether a bound lies outside of the value's range, or `touching` its end, where that decides too."""
    return gap < 0 or (touching and gap == 0)


def _written(rule: Rule, number: float) -> str:
    return f"{number * 100:g}%" if rule.value_unit == "share" else f"{number + 0.0:g}"  # and not -0
