"""An expression read, checked and compiled; and a level's condition, which is an operator and an expression."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from guard.model import Each
from guard.rules.checks import complaints
from guard.rules.compiler import compiled
from guard.rules.complaint import Complaint, Severity, Span
from guard.rules.dimensions import misfit, unit
from guard.rules.functions import looks_back
from guard.rules.grammar import parse, parse_condition
from guard.rules.kinds import Kind
from guard.rules.tree import COMPARISONS, Binary, Number, Text, Tree, names, printed
from guard.rules.values import NO_WINDOWS, Run, Unknown, Value, Values, Windows, compare

Complain = Callable[[Complaint], None]
"""Takes every complaint about a text, errors and warnings, from left to right."""

_NUMBER: Final = (Kind.NUMBER,)


@dataclass(frozen=True, slots=True)
class Expression:
    """A tree without mistakes, and the function it was compiled to. As a string it is its canonical text."""

    tree: Tree
    run: Run = field(compare=False, repr=False)
    reads: frozenset[str]  # the names in it, budgets with their prefix
    looks_back: tuple[tuple[str, timedelta], ...]  # the fields whose past it reads, and how far back

    @classmethod
    def of(cls, tree: Tree) -> "Expression":
        """Compiles a tree about which there was no complaint of severity error."""
        return cls(tree, compiled(tree), frozenset(name.name for name in names(tree)), tuple(looks_back(tree)))

    def __str__(self) -> str:
        """The canonical text."""
        return printed(self.tree)

    @property
    def unit(self) -> str:
        """The unit in which its value is best written: the field's own, else what is sure; empty for a plain number."""
        return unit(self.tree)

    def number(self, values: Values, windows: Windows = NO_WINDOWS) -> float | Unknown:
        """The value as a number; unknown also where an unlisted field turns out to be a text."""
        value = self.run(values, windows)
        return Unknown(f"{self} is no number") if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison without its left side: `< 80% * budgets.messages_per_day`."""

    operator: str
    bound: Expression

    def __str__(self) -> str:
        """The canonical text."""
        return f"{self.operator} {self.bound}"

    def holds(self, value: Value, bound: Value) -> bool | Unknown:
        """Whether a value stands on this side of a bound."""
        return compare(self.operator, value, bound)


def read_expression(
    text: str,
    *,
    budgets: Collection[str],
    complain: Complain,
    want: Collection[Kind] = _NUMBER,
    each: Each | None = None,
    offset: int = 0,
) -> Expression | None:
    """Reads an expression that gives one of the kinds in `want`; None when there was an error.

    `budgets` are the names under [budgets], `each` is the rule's, whose fields may be read then. `offset` is where
    `text` begins in the text that complaints are about.
    """
    tree = parse(text)
    if isinstance(tree, Complaint):
        complain(tree.shifted(offset))
        return None
    found = complaints(tree, budgets=budgets, want=want, each=each)
    return _checked(tree, [complaint.shifted(offset) for complaint in found], complain)


def read_condition(
    text: str,
    *,
    budgets: Collection[str],
    complain: Complain,
    each: Each | None = None,
    of: Expression | None = None,
) -> Condition | None:
    """Reads a level's operator and the arithmetic behind it; None when there was an error.

    `each` is as above; `of` is the value that is compared, where it could be read: what measures something else than
    that is an error too.
    """
    read = parse_condition(text)
    if isinstance(read, Complaint):
        complain(_two_sided(text, of) or read)
        return None
    operator, tree = read
    found = list(complaints(tree, budgets=budgets, want=_NUMBER, each=each))
    odd = misfit(operator, of.tree, tree) if of else None
    if odd is not None:
        found.append(Complaint(tree.span, odd))
    bound = _checked(tree, found, complain)
    return Condition(operator, bound) if bound else None


_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""How a comparison looks from its other side, where that is not the same."""


def _two_sided(text: str, of: Expression | None) -> Complaint | None:
    """What to say of a level that is a whole comparison, with the value of the rule on one side."""
    tree = parse(text)
    if not isinstance(tree, Binary) or tree.operator not in COMPARISONS:
        return None
    span, is_what = Span(0, len(text)), "a level is an operator and what the value is compared with"
    if Text in (type(tree.left), type(tree.right)):
        return Complaint(span, f'{is_what}, a number; write when = "{printed(tree)}"')
    value, operator, bound = tree.left, tree.operator, tree.right
    if isinstance(value, Number) or (of is not None and bound == of.tree):
        value, operator, bound = bound, _TURNED.get(operator, operator), value
    write = f"write {operator} {printed(bound)}"
    is_other = of is not None and value != of.tree and any("." in name.name for name in names(value))
    if of is not None and is_other:
        write += f', and value = "{printed(value)}", which is {of} here'
    return Complaint(span, f"{is_what}; {write}")


def _checked(tree: Tree, found: Sequence[Complaint], complain: Complain) -> Expression | None:
    for complaint in found:
        complain(complaint)
    return None if any(each.severity is Severity.ERROR for each in found) else Expression.of(tree)
