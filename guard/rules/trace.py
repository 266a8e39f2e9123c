"""What a rule makes of an account, part by part, for people who ask why; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from guard.fields import field_named
from guard.model import Level
from guard.rules.compiler import compiled
from guard.rules.expression import Condition, Expression
from guard.rules.functions import FUNCTIONS
from guard.rules.rule import Rule
from guard.rules.tree import Binary, Call, Name, Number, Text, Tree, Unary, parts, printed
from guard.rules.values import NO_WINDOWS, Unknown, Value, Values, Windows
from guard.units import value_text

Truth = bool | Unknown

_JOINING: Final = frozenset({"and", "or", "+", "*"})  # a chain of one of these is shown as one whole of many parts


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression, and what it came to. The whole has depth 0, what that is made of depth 1, and so on."""

    depth: int
    text: str  # canonical
    value: Value
    unit: str = ""  # of the value, for people

    @property
    def shown(self) -> str:
        """The value for people: `7.5 %`, `true`, or why it is unknown."""
        return shown(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Judged:
    """One condition of a rule, by the word that it has in the rule file: `critical`, `clear`."""

    word: str
    condition: Condition
    bound: float | Unknown
    holds: Truth
    parts: tuple[Part, ...]  # of the bound; empty where that is a constant


@dataclass(frozen=True, slots=True)
class Trace:
    """A rule on one account at one moment. What `when` leaves out of account is worked out all the same."""

    when: tuple[Part, ...]  # empty where the rule has none
    applies: Truth
    value: tuple[Part, ...]  # never empty
    levels: Mapping[Level, Judged]  # ascending
    clear: Judged | None  # None: it is over when no level holds

    @property
    def number(self) -> float | Unknown:
        """What the value came to."""
        value = self.value[0].value
        return Unknown(f"{self.value[0].text} is no number") if isinstance(value, str) else value

    @property
    def unknown(self) -> Unknown | None:
        """The first reason why something that decides is unknown; None where all is known, or the rule not applies."""
        if self.applies is False:
            return None
        judged = (*self.levels.values(), *([self.clear] if self.clear else []))
        found = (self.applies, self.number, *(each.holds for each in judged))
        return next((each for each in found if isinstance(each, Unknown)), None)

    @property
    def level(self) -> Level | None:
        """The highest level that holds, whether or not the rule applies."""
        return max((level for level, each in self.levels.items() if each.holds is True), default=None)


def trace(rule: Rule, values: Values, windows: Windows = NO_WINDOWS) -> Trace:
    """Follows a rule through what its names stand for. Never raises for a rule that was read."""
    when = traced(rule.when, values, windows) if rule.when else ()
    value = traced(rule.value, values, windows, unit=rule.value_unit)
    number = rule.value.number(values, windows)

    def judged(word: str, condition: Condition) -> Judged:
        bound = condition.bound.number(values, windows)
        made_of = traced(condition.bound, values, windows, unit=rule.value_unit) if condition.bound.reads else ()
        return Judged(word, condition, bound, condition.holds(number, bound), made_of)

    return Trace(
        when=when,
        applies=_truth(when[0].value) if when else True,
        value=value,
        levels={level: judged(level.word, condition) for level, condition in sorted(rule.conditions.items())},
        clear=judged("clear", rule.clear) if rule.clear else None,
    )


def traced(expression: Expression, values: Values, windows: Windows, *, unit: str = "") -> tuple[Part, ...]:
    """An expression and each part of it that is no constant, from left to right, each before what it is made of.

    What stands there twice is listed once, and the arguments of a function are not. `unit` is that of the whole.
    """
    found: dict[str, Part] = {}
    for depth, tree in _walked(expression.tree):
        text = printed(tree)
        if text not in found:
            found[text] = Part(depth, text, compiled(tree)(values, windows), unit if depth == 0 else _unit(tree))
    return tuple(found.values())


def shown(value: Value, unit: str = "") -> str:
    """A value for people.

    >>> shown(0.075, "share"), shown(True), shown("growth"), shown(Unknown("division by zero"))
    ('7.5 %', 'true', "'growth'", 'unknown: division by zero')
    """
    match value:
        case Unknown():
            return f"unknown: {value.why}"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}'"
        case _:
            return value_text(value, unit)


def _walked(tree: Tree, depth: int = 0) -> Iterator[tuple[int, Tree]]:
    if depth and not _varies(tree):
        return
    yield depth, tree
    for part in _made_of(tree):
        yield from _walked(part, depth + 1)


def _made_of(tree: Tree) -> Iterator[Tree]:
    match tree:
        case Unary():
            yield tree.operand
        case Binary(operator, left, right):
            joins = operator in _JOINING and isinstance(left, Binary) and left.operator == operator
            yield from _made_of(left) if joins else (left,)
            yield right
        case Call() | Name() | Number() | Text():
            pass


def _varies(tree: Tree) -> bool:
    return any(isinstance(part, Name | Call) for part in parts(tree))


def _unit(tree: Tree) -> str:
    """The unit of a field, or of what a function gives; none of what is calculated."""
    match tree:
        case Call(function, arguments) if not FUNCTIONS[function].is_seconds:
            return _unit(arguments[0])
        case Call():
            return "duration"
        case Name(name) if field := field_named(name):
            return field.unit
        case _:
            return ""


def _truth(value: Value) -> Truth:
    return value if isinstance(value, bool | Unknown) else Unknown("it is no condition")
