"""What can be read and cannot be meant: levels out of order, bounds that are never reached or never known."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from guard.config.percent import percent_slips
from guard.config.ranges import Range, foregone, range_of
from guard.config.rules import Draft
from guard.rules.complaint import Severity
from guard.rules.expression import Condition
from guard.rules.names import BUDGETS
from guard.rules.tree import Binary, Tree, names, parts
from guard.rules.values import Unknown

_UPWARD: Final = frozenset({">", ">="})
_DOWNWARD: Final = frozenset({"<", "<="})


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
    for key, template in (("summary", draft.rule.summary), ("description", draft.rule.description)):
        for read in sorted(template.reads):
            if read.startswith(BUDGETS) and read.removeprefix(BUDGETS) not in budgets:
                text = f"account {account!r} has no {read}, so this says unknown there"
                draft.table.wrong(key, text, severity=Severity.WARNING)


def check_sense(draft: Draft, *, budgets: Mapping[str, float]) -> None:
    """Notes what makes no sense in a rule with an account's budgets."""
    slips = (*_levels(draft, budgets), *percent_slips(draft.rule), *_clear(draft, budgets))
    said = {key for key, _ in slips}
    for key, text in (*slips, *(each for each in _foregone(draft, budgets) if each[0] not in said)):
        draft.table.wrong(key, text, severity=Severity.WARNING)
    if not draft.rule.value.reads:
        draft.table.wrong("value", "this reads no field, so it never changes", severity=Severity.WARNING)
    if draft.rule.when is not None and not draft.rule.when.reads:
        draft.table.wrong("when", "this reads no field, so it is always the same", severity=Severity.WARNING)
    if any(_divides_by_zero(each) for each in parts(draft.rule.value.tree)):
        draft.table.wrong("value", "this is never known: division by zero")
    for level, condition in draft.rule.conditions.items():
        bound = _constant(condition, budgets)
        if isinstance(bound, Unknown):
            draft.table.wrong(level.word, f"this is never known: {bound.why}")


def _divides_by_zero(tree: Tree) -> bool:
    """Whether it divides by a constant that is 0. A budget may be, where `when` leaves that account alone."""
    return isinstance(tree, Binary) and tree.operator == "/" and range_of(tree.right, {}) == Range(0.0, 0.0)


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


def _foregone(draft: Draft, budgets: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Levels that never hold, or always; and a clear that never does."""
    if not draft.rule.value.reads:
        return
    for level, condition in draft.rule.conditions.items():
        if found := foregone(draft.rule, condition, budgets):
            holds, why = found
            yield level.word, f"{level.word} {'always holds' if holds else 'can never hold'}: {why}"
    clear = draft.rule.clear
    if clear and (found := foregone(draft.rule, clear, budgets)) and not found[0]:
        yield "clear", f"clear can never hold, so what fires is never over: {found[1]}"


def _constant(condition: Condition, budgets: Mapping[str, float]) -> float | Unknown | None:
    """The bound, where it depends on nothing but budgets."""
    values = {BUDGETS + name: value for name, value in budgets.items()}
    if not condition.bound.reads <= values.keys():
        return None
    number = condition.bound.number(values)
    return number if isinstance(number, Unknown) else float(number)


def _clear(draft: Draft, budgets: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """A clear that looks the way of the levels, and so waits for what fires; or one that is true before it is over."""
    clear, conditions = draft.rule.clear, draft.rule.conditions
    if clear is None:
        return
    first = min(conditions)
    operators = {condition.operator for condition in conditions.values()}
    for way, other in ((_UPWARD, _DOWNWARD), (_DOWNWARD, _UPWARD)):
        if operators <= way and clear.operator in way:
            yield "clear", f"clear looks the same way as {first.word}; it says when it is over"
        if operators <= way and clear.operator in other and _is_early(clear, conditions[first], budgets):
            yield "clear", f"clear {clear} changes nothing: it is not over before {first.word} no longer holds"


def _is_early(clear: Condition, lowest: Condition, budgets: Mapping[str, float]) -> bool:
    """Whether a clear is true already while the lowest level still holds."""
    over, bound = _constant(clear, budgets), _constant(lowest, budgets)
    if not isinstance(over, float) or not isinstance(bound, float):
        return False
    return over > bound if lowest.operator in _UPWARD else over < bound
