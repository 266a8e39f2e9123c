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

    COUNTER = "a lifetime counter"  # by its name
    FIELD = "a field that is a number"  # by its name
    TARGET = "a number"  # any expression that gives one
    WINDOW = "a duration such as 1h"  # written out, so that it is known how much history to keep
    DAYS = "a whole number of days such as 7d"  # written out too

    @property
    def letter(self) -> str:
        """How the reference calls it in a function's form."""
        match self:
            case Parameter.COUNTER | Parameter.FIELD:
                return "m"
            case Parameter.TARGET:
                return "target"
            case Parameter.WINDOW | Parameter.DAYS:
                return "w"


def described(tree: Tree, kind: Kind) -> str:
    """What an expression of that kind is, for the end of a sentence: `a text: plan.name`."""
    return f"{kind.value}: {printed(tree)}" if isinstance(tree, Name | Text) else kind.value
