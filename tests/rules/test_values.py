"""Three-valued evaluation, and arithmetic against Python's own."""

import math
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guard.rules.compiler import compiled
from guard.rules.grammar import MOST_CHARACTERS
from guard.rules.tree import COMPARISONS, Binary, Name, Number, Text, Tree, Unary, printed
from guard.rules.values import NO_WINDOWS, Unknown, Value
from tests.rules.trees import expression, tree

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

NAMES = [Name("numbers.used"), Name("budgets.dollars")]
written = st.floats(0, 1e6, allow_subnormal=False) | st.integers(0, 9).map(float)
sums: st.SearchStrategy[Tree] = st.recursive(
    written.map(lambda number: Number(repr(number))) | st.sampled_from(NAMES),
    lambda inner: st.builds(Binary, st.sampled_from("+-*/"), inner, inner) | st.builds(Unary, st.just("-"), inner),
    max_leaves=8,
)
comparisons: st.SearchStrategy[Tree] = st.builds(Binary, st.sampled_from(sorted(COMPARISONS)), sums, sums) | st.builds(
    Binary,
    st.sampled_from(["==", "!="]),
    st.just(Name("plan.name")),
    st.sampled_from([Text("growth"), Text("")]),
)
conditions: st.SearchStrategy[Tree] = st.recursive(
    comparisons,
    lambda inner: (
        st.builds(Binary, st.sampled_from(["and", "or"]), inner, inner) | st.builds(Unary, st.just("not"), inner)
    ),
    max_leaves=8,
)


def here_and_in_python(some: Tree, used: float, dollars: float) -> tuple[Value, object]:
    """What a text comes to, read here and read by Python, which gives None where it divides by zero."""
    text = printed(some)
    assume(len(text) <= MOST_CHARACTERS)
    values: dict[str, float | str] = {"numbers.used": used, "budgets.dollars": dollars, "plan.name": "growth"}
    roots = {
        "numbers": SimpleNamespace(used=used),
        "budgets": SimpleNamespace(dollars=dollars),
        "plan": SimpleNamespace(name="growth"),
    }
    here = compiled(tree(text))(values, NO_WINDOWS)
    assume(here != Unknown("the result is too large"))
    try:
        return here, eval(text, {"__builtins__": {}}, roots)  # noqa: S307 -- a text that was made above
    except ZeroDivisionError:
        return here, None


@given(sums, written, written)
def test_arithmetic_comes_to_what_python_makes_of_the_same_text(some: Tree, used: float, dollars: float) -> None:
    here, python = here_and_in_python(some, used, dollars)
    assert here == (Unknown("division by zero") if python is None else python)


@given(conditions, written, written)
def test_a_condition_comes_to_what_python_makes_of_the_same_text(some: Tree, used: float, dollars: float) -> None:
    here, python = here_and_in_python(some, used, dollars)
    if python is None:  # Python gives up; here the other side may still decide
        assert isinstance(here, bool | Unknown)
    else:
        assert here is python


@given(sums, st.floats(0, 1e300), st.floats(0, 1e300))
def test_whatever_the_numbers_a_result_is_finite_or_unknown(some: Tree, used: float, dollars: float) -> None:
    result = compiled(some)({"numbers.used": used, "budgets.dollars": dollars}, NO_WINDOWS)
    assert isinstance(result, Unknown) or math.isfinite(float(result))
