"""Whether what stands between a function's parentheses is what it takes."""

from datetime import timedelta
from typing import Final

from guard.fields import FIELDS, field_named
from guard.fields import Kind as FieldKind
from guard.rules.complaint import Complaint
from guard.rules.functions import DAY_S, FUNCTIONS, LONGEST_WINDOW
from guard.rules.kinds import Kind, Parameter, described
from guard.rules.tree import Binary, Call, Name, Number, Text, Tree, names, printed

_COUNTERS: Final = [field.name for field in FIELDS.values() if field.kind is FieldKind.LIFETIME]
_NO_COUNTERS: Final = {
    FieldKind.GAUGE: "what there is now",
    FieldKind.ROLLING: "a rolling window, which falls by itself",
    FieldKind.PERIOD: "a share of the period",
    FieldKind.DAY: "of the current day, and begins anew with the next",
    FieldKind.MONTH: "of the current month, and begins anew with the next",
    FieldKind.LIMIT: "a limit",
    FieldKind.TEXT: "a text",
}
_NO_NUMBERS: Final = {FieldKind.LIMIT: "a limit, which has no history", FieldKind.TEXT: "a text"}
_ADDING: Final = frozenset({"increase", "delta", "ago", "avg"})
"""Functions that give of a sum what they give of its parts together."""

_UNITS: Final = {"": "a number without a unit; write s, m, h or d behind it", "%": "a share"}


def count_complaint(call: Call) -> Complaint | None:
    """What is wrong with the number of a known function's arguments."""
    function, given = FUNCTIONS[call.function], len(call.arguments)
    if given == len(function.takes):
        return None
    text = f"{call.function}() takes {len(function.takes)} arguments, as in {function.example}, and here "
    return Complaint(call.span, text + (f"are {given}" if given != 1 else "is 1"))


def order_complaint(call: Call) -> Complaint | None:
    """What is wrong with a known function's arguments where the window stands first."""
    first, last = call.arguments[0], call.arguments[-1]
    if not isinstance(first, Number) or first.unit in _UNITS or not isinstance(last, Name):
        return None
    instead = Call(call.function, (last, *call.arguments[1:-1], first))
    return Complaint(call.span, f"the window of {call.function}() stands last; write {printed(instead)}")


def argument_complaint(call: Call, parameter: Parameter, argument: Tree, kind: Kind) -> Complaint | None:
    """What is wrong with one argument that gives `kind`, in itself without mistakes."""
    match parameter:
        case Parameter.COUNTER:
            return _slip(call, parameter, argument) or _counter(call, argument, kind)
        case Parameter.FIELD:
            return _slip(call, parameter, argument) or _field(call, argument, kind)
        case Parameter.TARGET:
            if kind in (Kind.NUMBER, Kind.OPEN):
                return None
            return Complaint(argument.span, f"the target of {call.function}() is a number, and this is {kind.value}")
        case Parameter.WINDOW | Parameter.DAYS:
            return _window(call, parameter, argument, kind)


def _slip(call: Call, parameter: Parameter, argument: Tree) -> Complaint | None:
    """What to say of a sum of fields, or of a field in quotes, where a field is taken by its name."""
    if isinstance(argument, Text) and argument.text in FIELDS:
        instead = Call(call.function, (Name(argument.text), *call.arguments[1:]))
        return Complaint(argument.span, f"a field stands without quotes; write {printed(instead)}")
    spread = _spread(call, argument) if isinstance(argument, Binary) else None
    if spread is None:
        return None
    sides = (argument_complaint(call, parameter, name, Kind.OPEN) for name in names(argument))
    whole = f"{call.function} needs one field by its name; write {printed(spread)}"
    return next(filter(None, sides), Complaint(argument.span, whole))


def _counter(call: Call, argument: Tree, kind: Kind) -> Complaint | None:
    field = field_named(argument.name) if isinstance(argument, Name) else None
    if field.kind is FieldKind.LIFETIME if field else kind is Kind.OPEN:
        return None
    what = f"this is {kind.value}"
    if isinstance(argument, Name):
        what = f"{argument.name} is {_NO_COUNTERS[field.kind] if field else 'a budget'}"
    text = f"{call.function} needs a lifetime counter, and {what}; write one of {', '.join(_COUNTERS[:3])}, …"
    return Complaint(argument.span, text)


def _field(call: Call, argument: Tree, kind: Kind) -> Complaint | None:
    field = field_named(argument.name) if isinstance(argument, Name) else None
    if field.kind not in _NO_NUMBERS if field else kind is Kind.OPEN:
        return None
    what = f"this is {kind.value}"
    if isinstance(argument, Name):
        what = f"{argument.name} is {_NO_NUMBERS[field.kind] if field else 'a budget, which has no history'}"
    example = FUNCTIONS[call.function].example
    return Complaint(argument.span, f"{call.function} needs a field by its name, and {what}; write it as in {example}")


def _spread(call: Call, argument: Tree) -> Tree | None:
    """The same made of a call for each field of a sum; None where that would be something else."""
    match argument:
        case Name() if call.function in _ADDING and field_named(argument.name):
            return Call(call.function, (argument, *call.arguments[1:]))
        case Binary("+" | "-"):
            left, right = _spread(call, argument.left), _spread(call, argument.right)
            return Binary(argument.operator, left, right) if left and right else None
        case _:
            return None


def _window(call: Call, parameter: Parameter, argument: Tree, kind: Kind) -> Complaint | None:
    window = f"the window of {call.function}() is"
    if not isinstance(argument, Number) or argument.unit in _UNITS:
        return Complaint(argument.span, f"{window} {parameter.value}, and this is {_no_duration(argument, kind)}")
    if argument.value <= 0:
        return Complaint(argument.span, f"{window} longer than 0")
    if argument.value > LONGEST_WINDOW.total_seconds():
        longest = f"at most {LONGEST_WINDOW // timedelta(days=1)}d"
        return Complaint(argument.span, f"{window} {longest}: answers are kept whole for 14 days")
    if parameter is Parameter.DAYS and argument.value % DAY_S:
        return Complaint(argument.span, f"{window} {parameter.value}: it compares the same time of each day")
    return None


def _no_duration(argument: Tree, kind: Kind) -> str:
    if isinstance(argument, Number):
        return _UNITS[argument.unit]
    return described(argument, kind) + ("; write it without quotes" if isinstance(argument, Text) else "")
