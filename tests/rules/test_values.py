"""Three-valued evaluation, and arithmetic against Python's own."""

import math
import operator
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.rules.compiler import compiled
from guard.rules.tree import Binary, Name, Number, Tree, Unary
from guard.rules.values import NO_WINDOWS, Unknown, Value
from tests.rules.trees import expression

TRUE, FALSE, UNKNOWN = "1 < 2", "2 < 1", "numbers.used < 1"
WHY = Unknown("numbers.used is missing")


def value(text: str, values: Mapping[str, float | str] | None = None) -> Value:
    return expression(text).run(values or {}, NO_WINDOWS)


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (TRUE, TRUE, True, True),
        (TRUE, FALSE, False, True),
        (TRUE, UNKNOWN, WHY, True),
        (FALSE, TRUE, False, True),
        (FALSE, FALSE, False, False),
        (FALSE, UNKNOWN, False, WHY),
        (UNKNOWN, TRUE, WHY, True),
        (UNKNOWN, FALSE, False, WHY),
        (UNKNOWN, UNKNOWN, WHY, WHY),
    ],
)
def test_and_and_or_follow_kleene(left: str, right: str, both: Value, either: Value) -> None:
    assert value(f"({left}) and ({right})") == both
    assert value(f"({left}) or ({right})") == either


@pytest.mark.parametrize(("text", "result"), [(TRUE, False), (FALSE, True), (UNKNOWN, WHY)])
def test_not_follows_kleene(text: str, result: Value) -> None:
    assert value(f"not {text}") == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("80%", 0.8),
        ("90s", 90),
        ("15m", 900),
        ("36h", 129_600),
        ("7d", 604_800),
        ("1_200", 1200),
        ("1.5e3", 1500),
        ("-2 * 3", -6),
        ("7 / 2", 3.5),
        ("10 - 2 - 3", 5),
        ("2 + 3 * 4", 14),
        ("80% * 1000", 800),
        ("'a' == 'a'", True),
        ("'a' != 'a'", False),
        ("'a'", "a"),
    ],
)
def test_literals_and_operators_come_to_what_they_say(text: str, result: Value) -> None:
    assert value(text) == result


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ("1 / 0", {}, "division by zero"),
        ("0 / 0", {}, "division by zero"),
        ("numbers.remaining", {}, "numbers.remaining is missing"),
        ("numbers.remaining + stats.callsLast24h", {}, "numbers.remaining is missing"),
        ("1 + stats.callsLast24h", {}, "stats.callsLast24h is missing"),
        ("-stats.callsLast24h", {}, "stats.callsLast24h is missing"),
        ("stats.callsLast24h < 3", {}, "stats.callsLast24h is missing"),
        ("3 < stats.callsLast24h", {}, "stats.callsLast24h is missing"),
        ("1e308 * 10", {}, "the result is too large"),
        ("1 / (1e308 * 10)", {}, "the result is too large"),
        ("1e308 + 1e308", {}, "the result is too large"),
        ("numbers.limit", {"numbers.limit": 0}, "numbers.limit says that no limit is known"),
        ("numbers.limit", {"numbers.limit": -1}, "numbers.limit says that no limit is known"),
        ("numbers.used", {"numbers.used": "many"}, "numbers.used is no number"),
        ("plan.name == 'a'", {"plan.name": 3}, "plan.name is no text"),
    ],
)
def test_what_has_no_value_is_unknown_and_says_why(text: str, values: Mapping[str, float | str], why: str) -> None:
    assert value(text, values) == Unknown(why)


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        (Binary("+", Name("stats.new"), Number("1")), "a text is no number"),
        (Binary("+", Number("1"), Name("stats.new")), "a text is no number"),
        (Unary("-", Name("stats.new")), "a text is no number"),
        (Binary("<", Name("stats.new"), Number("1")), "a number and a text cannot be compared"),
        (Binary("<", Name("stats.new"), Name("stats.new")), "texts are compared with == and != only"),
    ],
)
def test_an_unlisted_field_that_turns_out_to_be_a_text_is_unknown_where_a_number_is_needed(
    tree: Tree, why: str
) -> None:
    assert compiled(tree)({"stats.new": "x"}, NO_WINDOWS) == Unknown(why)


def test_an_unlisted_limit_may_be_a_text_and_a_number_and_zero_means_that_none_is_known() -> None:
    run = compiled(Name("plan.limits.faxes"))
    assert run({"plan.limits.faxes": 5}, NO_WINDOWS) == 5
    assert run({"plan.limits.faxes": "none"}, NO_WINDOWS) == "none"
    assert run({"plan.limits.faxes": 0}, NO_WINDOWS) == Unknown("plan.limits.faxes says that no limit is known")


# --- against Python --------------------------------------------------------------------------------------------------

ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
leaves = st.floats(0, 1e300, allow_nan=False, allow_infinity=False) | st.integers(0, 1000).map(float)
sums: st.SearchStrategy[Tree] = st.recursive(
    leaves.map(lambda number: Number(repr(number))) | st.sampled_from([Name("numbers.used"), Name("budgets.dollars")]),
    lambda inner: st.builds(Binary, st.sampled_from("+-*/"), inner, inner) | st.builds(Unary, st.just("-"), inner),
    max_leaves=20,
)


def in_python(tree: Tree, values: Mapping[str, float]) -> float:
    match tree:
        case Number():
            return float(tree.digits)
        case Name():
            return values[tree.name]
        case Unary():
            return -in_python(tree.operand, values)
        case Binary():
            result = ARITHMETIC[tree.operator](in_python(tree.left, values), in_python(tree.right, values))
            if not math.isfinite(result):
                raise OverflowError
            return float(result)
        case _:
            raise AssertionError(tree)


@given(sums, leaves, leaves)
def test_arithmetic_comes_to_what_python_makes_of_it(tree: Tree, used: float, dollars: float) -> None:
    values = {"numbers.used": used, "budgets.dollars": dollars}
    result = compiled(tree)(values, NO_WINDOWS)
    try:
        expected = in_python(tree, values)
    except (ZeroDivisionError, OverflowError):
        assert isinstance(result, Unknown)
    else:
        assert result == expected


@given(sums, sums, st.sampled_from(sorted(COMPARISONS)), leaves, leaves)
def test_a_comparison_comes_to_what_python_makes_of_it(
    left: Tree, right: Tree, sign: str, used: float, dollars: float
) -> None:
    values = {"numbers.used": used, "budgets.dollars": dollars}
    result = compiled(Binary(sign, left, right))(values, NO_WINDOWS)
    try:
        sides = in_python(left, values), in_python(right, values)
    except (ZeroDivisionError, OverflowError):
        assert isinstance(result, Unknown)
    else:
        assert result is COMPARISONS[sign](*sides)
