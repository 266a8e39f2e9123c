"""Every mistake of an expression that shows before it is evaluated, and what it gives if it has none."""

from collections.abc import Collection, Iterator
from typing import Final

from guard.fields import FIELDS
from guard.fields import Kind as FieldKind
from guard.model import Each
from guard.rules.arguments import argument_complaint, count_complaint, order_complaint
from guard.rules.complaint import Complaint, Severity, Span
from guard.rules.dimensions import misfit, target_misfit
from guard.rules.functions import FUNCTIONS
from guard.rules.kinds import Kind, described
from guard.rules.names import BUDGETS, call_complaint, name_complaint
from guard.rules.tree import COMPARISONS, Binary, Call, Name, Number, Text, Tree, Unary, printed


def kind_of(tree: Tree) -> Kind:
    """What an expression without mistakes gives."""
    match tree:
        case Number():
            return Kind.NUMBER
        case Text():
            return Kind.TEXT
        case Name():
            return _kind_of_name(tree)
        case Call():
            return FUNCTIONS[tree.function].gives
        case Unary():
            return Kind.CONDITION if tree.operator == "not" else Kind.NUMBER
        case Binary():
            is_arithmetic = tree.operator in _ARITHMETIC
            return Kind.NUMBER if is_arithmetic else Kind.CONDITION


_ARITHMETIC: Final = frozenset("+-*/")


def _kind_of_name(name: Name) -> Kind:
    field = FIELDS.get(name.name)
    if field is not None:
        return Kind.TEXT if field.kind is FieldKind.TEXT else Kind.NUMBER
    return Kind.NUMBER if name.name.startswith("budgets.") else Kind.OPEN


def complaints(
    tree: Tree, *, budgets: Collection[str], want: Collection[Kind], each: Each | None = None
) -> Iterator[Complaint]:
    """Every mistake of a tree from left to right: unknown names, sides that do not fit, a result nobody wants there.

    `budgets` are the names under [budgets], `each` is what the rule has one alert for each of.
    """
    checker = _Checker(budgets, each)
    kind = checker.kind(tree)
    yield from checker.found
    if kind not in {*want, Kind.BROKEN} and (kind is not Kind.OPEN or Kind.CONDITION in want):
        wanted = " or ".join(wish.value for wish in want)
        instead = _instead(tree) if want == (Kind.NUMBER,) else ""
        yield Complaint(tree.span, f"{wanted} is needed here, and this is {described(tree, kind)}{instead}")


def _instead(tree: Tree) -> str:
    """The end of the sentence about what is no number, where it is clear what was meant."""
    match tree:
        case Binary(operator, left, right) if operator in COMPARISONS and not isinstance(left, Text):
            return f"; write {printed(left)} alone, and {operator} {printed(right)} as a level"
        case Text(text) if text.replace("_", "").isdecimal() or text in FIELDS or text.startswith(BUDGETS):
            return "; write it without quotes"
        case _:
            return ""


class _Checker:
    """Collects complaints on the way through one tree."""

    def __init__(self, budgets: Collection[str], each: Each | None) -> None:
        self._budgets, self._each = budgets, each
        self.found: list[Complaint] = []

    def kind(self, tree: Tree) -> Kind:
        match tree:
            case Number() | Text():
                return kind_of(tree)
            case Name():
                return self._name(tree)
            case Call():
                return self._call(tree)
            case Unary():
                self._expect(tree.operand, Kind.CONDITION if tree.operator == "not" else Kind.NUMBER, tree.operator)
            case Binary() if tree.operator in COMPARISONS:
                self._comparison(tree)
            case Binary("-", Name(left, start), Name(right, end)) if f"{left}.{right}" in FIELDS:
                text = f"a name has a point between two words; write {left}.{right}"
                self.found.append(Complaint(Span(start.start, end.end), text))
                return Kind.BROKEN
            case Binary():
                want = Kind.NUMBER if tree.operator in _ARITHMETIC else Kind.CONDITION
                self._expect(tree.left, want, tree.operator)
                self._expect(tree.right, want, tree.operator)
                if tree.operator in "+-":
                    self._misfit(tree.span, misfit(tree.operator, tree.left, tree.right))
        return kind_of(tree)

    def _name(self, name: Name) -> Kind:
        complaint = name_complaint(name, self._budgets, self._each)
        if complaint is not None:
            self.found.append(complaint)
            if complaint.severity is Severity.ERROR:
                return Kind.BROKEN
        return kind_of(name)

    def _call(self, call: Call) -> Kind:
        complaint = call_complaint(call) or count_complaint(call) or order_complaint(call)
        if complaint is not None:
            self.found.append(complaint)
            return Kind.BROKEN
        function = FUNCTIONS[call.function]
        for parameter, argument in zip(function.takes, call.arguments, strict=True):
            kind = self.kind(argument)
            complaint = None if kind is Kind.BROKEN else argument_complaint(call, parameter, argument, kind)
            if complaint is not None:
                self.found.append(complaint)
        self._misfit(call.span, target_misfit(call))
        return function.gives

    def _misfit(self, span: Span, text: str | None) -> None:
        if text is not None:
            self.found.append(Complaint(span, text))

    def _expect(self, tree: Tree, want: Kind, operator: str) -> None:
        kind = self.kind(tree)
        fits = {want, Kind.BROKEN} | ({Kind.OPEN} if want is Kind.NUMBER else set())
        if kind not in fits:
            needed = f"{operator} needs {want.value}"
            self.found.append(Complaint(tree.span, f"{needed}, and this is {described(tree, kind)}{_advice(want)}"))

    def _comparison(self, tree: Binary) -> None:
        left, right = self.kind(tree.left), self.kind(tree.right)
        if Kind.BROKEN in (left, right):
            self._unquoted(tree.left if left is Kind.BROKEN else tree.right, beside=(left, right))
            return
        for side, kind in ((tree.left, left), (tree.right, right)):
            if kind is Kind.CONDITION:
                self.found.append(Complaint(side.span, f"{tree.operator} compares numbers or texts, not conditions"))
                return
        if Kind.TEXT not in (left, right):
            self._misfit(tree.span, misfit(tree.operator, tree.left, tree.right))
        elif Kind.NUMBER in (left, right):
            self.found.append(Complaint(tree.span, "a number and a text cannot be compared"))
        elif tree.operator not in ("==", "!="):
            self.found.append(Complaint(tree.span, "texts are compared with == and != only"))

    def _unquoted(self, broken: Tree, *, beside: Collection[Kind]) -> None:
        """Says of an unknown word beside a text that it may be a text itself."""
        if isinstance(broken, Name) and "." not in broken.name and Kind.TEXT in beside:
            text = f"unknown field {broken.name!r}; texts stand in single quotes: '{broken.name}'"
            kept = [each for each in self.found if each.span != broken.span]
            self.found = [*kept, Complaint(broken.span, text)]


def _advice(want: Kind) -> str:
    return "; compare it with something" if want is Kind.CONDITION else ""
