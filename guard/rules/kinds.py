"""What an expression gives, and what a function takes."""

from enum import Enum

from guard.rules.tree import Name, Text, Tree, printed


class Kind(Enum):
    """What an expression gives; the value is how people are told."""

    NUMBER = "a number"
    TEXT = "a text"
    CONDITION = "a condition"
    OPEN = "a number or a text"  # a field that is not listed
    BROKEN = "nothing"  # already complained about, so it fits everywhere


class Parameter(Enum):
    """What stands at one place among a function's arguments; the value is how people are told."""

    COUNTER = "a lifetime counter"  # a field by its name
    WINDOW = "a duration such as 1h"  # written out, so that it is known how much history to keep


def described(tree: Tree, kind: Kind) -> str:
    """What an expression of that kind is, for the end of a sentence: `a text: plan.name`."""
    return f"{kind.value}: {printed(tree)}" if isinstance(tree, Name | Text) else kind.value
