"""What can be read and cannot be meant: levels out of order, bounds that are never reached or never known."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from guard.config.rules import Draft
from guard.fields import FIELDS
from guard.model import Level
from guard.rules.complaint import Severity
from guard.rules.expression import Condition
from guard.rules.names import BUDGETS
from guard.rules.tree import Name, Number, names
from guard.rules.values import Unknown

_UPWARD: Final = frozenset({">", ">="})
_DOWNWARD: Final = frozenset({"<", "<="})
_WHOLE: Final = 1.0


def check_budgets(draft: Draft, *, budgets: Mapping[str, float], account: str) -> None:
    """Notes every budget that a rule reads and an account has not, while another one has it."""
    if draft.table.document.lost:  # perhaps it stands on a line that cannot be read
        return
    trees = {"value": draft.rule.value, "when": draft.rule.when, "clear": draft.rule.clear and draft.rule.clear.bound}
    levels = {level.word: condition.bound for level, condition in draft.rule.conditions.items()}
    for key, expression in (trees | levels).items():
        for name in names(expression.tree) if expression else ():
            if name.name.startswith(BUDGETS) and name.name.removeprefix(BUDGETS) not in budgets:
                path = (*draft.table.path, key)
                draft.table.document.complain(path, f"account {account!r} has no {name.name}", part=name.span)


def check_sense(draft: Draft, *, budgets: Mapping[str, float]) -> None:
    """Notes what makes no sense in a rule with an account's budgets."""
    for key, text in (*_levels(draft, budgets), *_shares(draft), *_clear(draft)):
        draft.table.wrong(key, text, severity=Severity.WARNING)
    if not draft.rule.value.reads:
        draft.table.wrong("value", "this reads no field, so it never changes", severity=Severity.WARNING)
    for level, condition in draft.rule.conditions.items():
        bound = _constant(condition, budgets)
        if isinstance(bound, Unknown):
            draft.table.wrong(level.word, f"this is never known: {bound.why}")


def _levels(draft: Draft, budgets: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    for (lower, low), (higher, high) in pairwise(sorted(draft.rule.conditions.items())):
        if _is_beyond(low, high, budgets):
            yield lower.word, f"{lower.word} lies beyond {higher.word}, so it never comes first"


def _is_beyond(low: Condition, high: Condition, budgets: Mapping[str, float]) -> bool:
    """Whether the lower level holds only where the higher one does."""
    first, second = _constant(low, budgets), _constant(high, budgets)
    if not isinstance(first, float) or not isinstance(second, float):
        return False
    if {low.operator, high.operator} <= _UPWARD:
        return first > second
    return {low.operator, high.operator} <= _DOWNWARD and first < second


def _constant(condition: Condition, budgets: Mapping[str, float]) -> float | Unknown | None:
    """The bound, where it depends on nothing but budgets."""
    values = {BUDGETS + name: value for name, value in budgets.items()}
    if not condition.bound.reads <= values.keys():
        return None
    number = condition.bound.number(values)
    return number if isinstance(number, Unknown) else float(number)


def _shares(draft: Draft) -> Iterator[tuple[str, str]]:
    """A percentage on its own against what is no share, which compares with a number below one."""
    field = FIELDS.get(draft.rule.value.tree.name) if isinstance(draft.rule.value.tree, Name) else None
    for level, condition in draft.rule.conditions.items():
        bound = condition.bound.tree
        if not isinstance(bound, Number) or field is None:
            continue
        if bound.unit == "%" and field.unit != "share":
            of = field.limit or "budgets.…"
            yield level.word, f"{condition.bound} alone is {bound.value:g}; write {condition.bound} * {of}"
        if field.unit == "share" and bound.value > _WHOLE:
            yield level.word, f"{field.name} is never above 100%"


def _clear(draft: Draft) -> Iterator[tuple[str, str]]:
    """A clear that looks the way of the levels, and so waits for what fires."""
    operators = {condition.operator for condition in draft.rule.conditions.values()}
    for way in (_UPWARD, _DOWNWARD):
        if draft.rule.clear is not None and operators <= way and draft.rule.clear.operator in way:
            yield "clear", f"clear looks the same way as {_first(draft).word}; it says when it is over"


def _first(draft: Draft) -> Level:
    return min(draft.rule.conditions)
