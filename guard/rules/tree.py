"""An expression as a tree, and the tree as text again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from guard.rules.complaint import Span
from guard.units import parse_duration

_NOWHERE: Final = Span(0, 0)

OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, ATOM = range(1, 9)
"""How tightly the parts of an expression bind."""

BINDING: Final = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARISON),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/"), PRODUCT),
}
"""Every operator with two sides."""

COMPARISONS: Final = frozenset(operator for operator, binding in BINDING.items() if binding == COMPARISON)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, without underscores: `80` and `%`, `36` and `h`, `1.5` and nothing."""

    digits: str
    unit: str = ""
    span: Span = field(default=_NOWHERE, compare=False)

    @property
    def value(self) -> float:
        """A share for percent, seconds for a duration; infinite for digits beyond what a float can hold."""
        match self.unit:
            case "":
                return float(self.digits)
            case "%":
                return float(self.digits) / 100
            case unit:
                return parse_duration(self.digits + unit).total_seconds()


@dataclass(frozen=True, slots=True)
class Text:
    """A text in single quotes, which it cannot hold itself."""

    text: str
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A field or a budget by its dotted name."""

    name: str
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments; the span is the function name's."""

    function: str
    arguments: "tuple[Tree, ...]"
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-` before a number, or `not` before a condition."""

    operator: str
    operand: "Tree"
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two sides."""

    operator: str
    left: "Tree"
    right: "Tree"
    span: Span = field(default=_NOWHERE, compare=False)


Tree = Number | Text | Name | Call | Unary | Binary


def printed(tree: Tree, least: int = OR) -> str:
    """Writes a tree in its canonical form, which parses to an equal tree.

    What binds less tightly than `least` is put in parentheses.
    """
    match tree:
        case Number():
            return tree.digits + tree.unit
        case Text():
            return f"'{tree.text}'"
        case Name():
            return tree.name
        case Call():
            return f"{tree.function}({', '.join(map(printed, tree.arguments))})"
        case Unary():
            binding, text = _unary(tree)
        case Binary():
            binding, text = _binary(tree)
    return text if binding >= least else f"({text})"


def _unary(tree: Unary) -> tuple[int, str]:
    if tree.operator == "not":
        return NOT, f"not {printed(tree.operand, NOT)}"
    return SIGN, f"-{printed(tree.operand, SIGN)}"


def _binary(tree: Binary) -> tuple[int, str]:
    binding = BINDING[tree.operator]
    # Comparisons do not chain, so not even their left side may be one.
    left = printed(tree.left, binding + (binding == COMPARISON))
    return binding, f"{left} {tree.operator} {printed(tree.right, binding + 1)}"


def parts(tree: Tree) -> Iterator[Tree]:
    """A tree and all trees in it, from left to right, each before what it is made of."""
    yield tree
    match tree:
        case Unary():
            yield from parts(tree.operand)
        case Binary():
            yield from parts(tree.left)
            yield from parts(tree.right)
        case Call():
            for argument in tree.arguments:
                yield from parts(argument)
        case _:
            pass


def names(tree: Tree) -> Iterator[Name]:
    """All names that a tree reads, from left to right, as often as they stand there."""
    return (part for part in parts(tree) if isinstance(part, Name))
