"""What the numbers of an expression measure, as far as that is sure, and which of them do not fit together."""

from enum import Enum
from typing import Final

from guard.fields import field_named
from guard.rules.functions import FUNCTIONS
from guard.rules.kinds import Parameter
from guard.rules.tree import Binary, Call, Name, Number, Text, Tree, Unary, names, parts, printed


class Dimension(Enum):
    """What a number measures; the value is how people are told."""

    COUNT = "a count"
    SHARE = "a share"
    DURATION = "a duration"  # in seconds
    MINUTES = "a number of minutes"
    DOLLARS = "an amount of dollars"
    PLAIN = "a plain number"  # of written numbers alone, which take on the dimension of what they meet
    OPEN = "a number"  # nothing is sure: budgets, quotients, unlisted fields


_BY_UNIT: Final = {
    "count": Dimension.COUNT,
    "share": Dimension.SHARE,
    "seconds": Dimension.DURATION,
    "duration": Dimension.DURATION,
    "minutes": Dimension.MINUTES,
    "dollars": Dimension.DOLLARS,
}
_UNITS: Final = {Dimension.SHARE: "share", Dimension.DURATION: "seconds", Dimension.DOLLARS: "dollars"}
_HUNDRED: Final = 100.0
_NO_DURATIONS: Final = (Dimension.COUNT, Dimension.SHARE, Dimension.MINUTES, Dimension.DOLLARS)


def dimension(tree: Tree) -> Dimension:
    """What an expression measures, mistakes or not; OPEN wherever it could be anything."""
    match tree:
        case Number():
            return {"": Dimension.PLAIN, "%": Dimension.SHARE}.get(tree.unit, Dimension.DURATION)
        case Name():
            field = field_named(tree.name)
            return _BY_UNIT.get(field.unit, Dimension.OPEN) if field else Dimension.OPEN
        case Call():
            return _of_call(tree)
        case Unary("-"):
            return dimension(tree.operand)
        case Binary():
            return _of_two(tree.operator, dimension(tree.left), dimension(tree.right))
        case Text() | Unary():
            return Dimension.OPEN


def _of_call(call: Call) -> Dimension:
    function = FUNCTIONS.get(call.function)
    if function is not None and function.is_seconds:
        return Dimension.DURATION
    return dimension(call.arguments[0]) if function is not None and call.arguments else Dimension.OPEN


def unit(tree: Tree) -> str:
    """The unit, of `guard.units.value_text`, that an expression is best written in: its field's own, else what is sure.

    Empty where nothing is sure, or a plain number will do.
    """
    field = field_named(tree.name) if isinstance(tree, Name) else None
    return field.unit if field else _UNITS.get(dimension(tree), "")


def _of_two(sign: str, left: Dimension, right: Dimension) -> Dimension:
    match sign:
        case "+" | "-":
            return _sum(left, right)
        case "*" | "/" if left is right is Dimension.PLAIN:
            return Dimension.PLAIN
        case "*" if Dimension.SHARE in (left, right) and Dimension.PLAIN not in (left, right):
            return right if left is Dimension.SHARE else left
        case _:
            return Dimension.OPEN


def _sum(left: Dimension, right: Dimension) -> Dimension:
    if left is right or right is Dimension.PLAIN:
        return left
    return right if left is Dimension.PLAIN else Dimension.OPEN


def is_quotient(tree: Tree) -> bool:
    """Whether this is a part of a whole that varies, or what is left of it: `a / b`, `1 - a / b`; and not times 100."""
    match tree:
        case Binary("/"):
            return any(names(tree.right)) and not is_scaled(tree)
        case Binary("+" | "-", left, right):
            return any(map(is_quotient, (left, right))) and all(
                is_quotient(each) or _is_plain(each) for each in (left, right)
            )
        case _:
            return False


def _is_plain(tree: Tree) -> bool:
    return isinstance(tree, Number) and not is_scaled(tree)


def is_scaled(tree: Tree) -> bool:
    """Whether something in it is multiplied by 100, as by those who count in percent."""
    return any(isinstance(each, Number) and each.value == _HUNDRED for each in parts(tree))


def is_percent(tree: Tree) -> bool:
    """Whether this is a written percentage, such as `5%` or `-20%`."""
    number = tree.operand if isinstance(tree, Unary) else tree
    return isinstance(number, Number) and number.unit == "%"


def misfit(sign: str, left: Tree, right: Tree) -> str | None:
    """Why the sides of a comparison, a sum or a difference do not fit; None where they do, or where it is not sure."""
    sides = dimension(left), dimension(right)
    if Dimension.DURATION not in sides or sides[0] is sides[1]:
        return None
    other, tree = (sides[1], right) if sides[0] is Dimension.DURATION else (sides[0], left)
    verb = {"+": "added to", "-": "taken from"}.get(sign)
    if other is Dimension.PLAIN and verb is None and not _is_zero(tree):
        return f"a duration compared with a plain number; write a unit behind {printed(tree)}, as in 90s, 15m, 5h, 7d"
    if other not in _NO_DURATIONS:
        return None
    first, second = (sides[1], sides[0]) if sign == "-" else sides
    duration = left if tree is right else right
    return f"{first.value} {verb or 'compared with'} {second.value}; {_advice(other, tree, duration)}"


def _is_zero(tree: Tree) -> bool:
    return isinstance(tree, Number) and tree.value == 0


def _advice(other: Dimension, tree: Tree, duration: Tree) -> str:
    """What to write instead of a duration beside a `tree` that measures something else."""
    if other is Dimension.MINUTES:
        return f"write {printed(tree)} * 60, which is seconds"
    if isinstance(duration, Number):
        return "write a share, such as 5%" if other is Dimension.SHARE else f"write {duration.digits} without its unit"
    return "only a duration, such as 3h, fits a duration"


def target_misfit(call: Call) -> str | None:
    """Why the target of a call without other mistakes does not fit its field; None where it has none, or it does."""
    takes = FUNCTIONS[call.function].takes
    if Parameter.TARGET not in takes:
        return None
    return misfit("==", call.arguments[0], call.arguments[takes.index(Parameter.TARGET)])
