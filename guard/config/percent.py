"""Percent that was not meant as it is read: `80%` is 0.8, also where the value goes up to 100 or to 1,000."""

from collections.abc import Iterator
from typing import Final

from guard.fields import FIELDS, Kind, field_named
from guard.rules.dimensions import is_scaled
from guard.rules.expression import Condition
from guard.rules.names import BUDGETS
from guard.rules.rule import Rule
from guard.rules.tree import Binary, Name, Number, Tree, parts, printed

_WHOLE: Final = 1.0
_LIKE_PERCENT: Final = (50.0, 150.0)  # of a budget; few mean fifty times as much


def percent_slips(rule: Rule) -> Iterator[tuple[str, str]]:
    """Each key of a rule with a percentage, or a bound, that cannot be meant; and what to write instead."""
    conditions = {level.word: condition for level, condition in rule.conditions.items()}
    if rule.clear is not None:
        conditions["clear"] = rule.clear
    for key, condition in conditions.items():
        slip = _bound_slip(rule, condition) or _sum_slip(condition.bound.tree)
        if slip:
            yield key, slip
    slip = _sum_slip(rule.value.tree)
    if slip:
        yield "value", slip


def _bound_slip(rule: Rule, condition: Condition) -> str | None:
    """What is wrong with a bound that is a number alone."""
    bound, value = condition.bound.tree, rule.value.tree
    if not isinstance(bound, Number):
        return None
    if bound.unit == "%":
        return None if rule.value_unit == "share" and not is_scaled(value) else _lone_percent(value, bound)
    if bound.value > _WHOLE and not bound.unit and _is_share(rule):
        return f"the value is a share, from 0 to 1, and never near {printed(bound)}; write {printed(bound)}%"
    whole = _whole(rule.value.tree)
    if whole and not bound.unit and _LIKE_PERCENT[0] <= bound.value <= _LIKE_PERCENT[1]:
        return f"this is {printed(bound)} times {whole}; write {printed(bound)}%"
    return None


def _lone_percent(value: Tree, bound: Number) -> str | None:
    """Percent of nothing: the value is no quotient, or one times 100."""
    shown = f"{printed(bound)} alone is {bound.value:g}"
    if is_scaled(value):
        return f"{shown}, and the value is times 100; write {bound.digits}"
    if any(isinstance(tree, Binary) and tree.operator == "/" for tree in parts(value)):
        return None
    field = FIELDS.get(value.name) if isinstance(value, Name) else None
    of = field.limit if field and field.limit else "budgets.…"
    return f"{shown}; write {printed(bound)} * {of}"


def _is_share(rule: Rule) -> bool:
    """Whether the value is said to be a share, or is a field by its own limit."""
    tree = rule.value.tree
    if isinstance(tree, Binary) and tree.operator == "/" and isinstance(tree.left, Name):
        field = FIELDS.get(tree.left.name)
        return rule.unit == "share" or tree.right == Name(field.limit if field else "")
    return rule.value_unit == "share"


def _whole(value: Tree) -> str:
    """The budget or limit that the value is divided by; empty where it is not."""
    if isinstance(value, Binary) and value.operator == "/" and isinstance(value.right, Name) and not is_scaled(value):
        name, field = value.right.name, field_named(value.right.name)
        return name if name.startswith(BUDGETS) or (field and field.kind is Kind.LIMIT) else ""
    return ""


def _sum_slip(tree: Tree) -> str | None:
    """Percent added to or taken from a field or a budget, as a pocket calculator understands it."""
    for each in parts(tree):
        if isinstance(each, Binary) and each.operator in ("+", "-") and isinstance(each.left, Name):
            percent = each.right
            if isinstance(percent, Number) and percent.unit == "%" and _is_plain(each.left):
                shown, whole = printed(percent), printed(each.left)
                return f"{shown} alone is {percent.value:g}; write {whole} {each.operator} {shown} * {whole}"
    return None


def _is_plain(name: Name) -> bool:
    field = FIELDS.get(name.name)
    return field is None or field.unit != "share"
