"""A rule followed part by part, as people read it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.model import Level
from guard.rules.evaluate import Facts, evaluate
from guard.rules.expression import Expression
from guard.rules.trace import Part, Trace, trace, traced
from guard.rules.tree import Name
from guard.rules.values import NO_WINDOWS, Unknown
from tests.builders import snapshot
from tests.rules.test_evaluate import rule
from tests.rules.trees import expression

VALUES: dict[str, float | str] = {
    "numbers.used": 7.0,
    "numbers.limit": 12.0,
    "plan.name": "growth",
    "budgets.dollars": 400.0,
}


def lines(text: str, *, unit: str = "") -> list[str]:
    return [
        "  " * each.depth + f"{each.text} = {each.shown}"
        for each in traced(expression(text), VALUES, NO_WINDOWS, unit=unit)
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("numbers.used", ["numbers.used = 7"]),
        ("5 * 60", ["5 * 60 = 300"]),
        (
            "numbers.used / numbers.limit",
            ["numbers.used / numbers.limit = 0.583", "  numbers.used = 7", "  numbers.limit = 12"],
        ),
        (
            "(numbers.used + 1) / 80%",
            ["(numbers.used + 1) / 80% = 10", "  numbers.used + 1 = 8", "    numbers.used = 7"],
        ),
        ("-numbers.used", ["-numbers.used = -7", "  numbers.used = 7"]),
        (
            "plan.name == 'growth' and numbers.used > 3 and not numbers.limit < 2",
            [
                "plan.name == 'growth' and numbers.used > 3 and not numbers.limit < 2 = true",
                "  plan.name == 'growth' = true",
                "    plan.name = 'growth'",
                "  numbers.used > 3 = true",
                "    numbers.used = 7",
                "  not numbers.limit < 2 = true",
                "    numbers.limit < 2 = false",
                "      numbers.limit = 12",
            ],
        ),
        (
            "numbers.remaining - numbers.used",
            [
                "numbers.remaining - numbers.used = unknown: numbers.remaining is missing",
                "  numbers.remaining = unknown: numbers.remaining is missing",
                "  numbers.used = 7",
            ],
        ),
        (
            "eta(numbers.used, 9, 6h) < 7d",
            [
                "eta(numbers.used, 9, 6h) < 7d = unknown: too short a history for eta(numbers.used, 9, 6h)",
                "  eta(numbers.used, 9, 6h) = unknown: too short a history for eta(numbers.used, 9, 6h)",
            ],
        ),
    ],
)
def test_an_expression_is_shown_part_by_part_without_its_constants(text: str, shown: list[str]) -> None:
    assert lines(text) == shown


def test_the_unit_is_that_of_the_whole_and_fields_and_functions_have_their_own() -> None:
    whole, field = traced(expression("period.elapsed / 2"), {"period.elapsed": 0.5}, NO_WINDOWS, unit="seconds")
    assert (whole.unit, field.unit, field.shown) == ("seconds", "share", "50 %")
    text = "avg(period.elapsed, 1h) > 5% or eta(numbers.used, 9, 1h) < 1d or budgets.dollars > 1"
    units = {each.text: each.unit for each in traced(expression(text), {}, NO_WINDOWS) if each.depth == 2}
    assert units == {"avg(period.elapsed, 1h)": "share", "eta(numbers.used, 9, 1h)": "duration", "budgets.dollars": ""}


def test_what_stands_twice_is_listed_once() -> None:
    assert lines("numbers.used * numbers.used + numbers.used") == [
        "numbers.used * numbers.used + numbers.used = 56",
        "  numbers.used * numbers.used = 49",
        "    numbers.used = 7",
    ]


def test_levels_have_their_bounds_and_whether_they_hold() -> None:
    found = trace(rule(warning="< 5", critical="< numbers.limit / 6"), {"numbers.remaining": 3, "numbers.limit": 12})
    assert found.value == (Part(0, "numbers.remaining", 3, "count"),)
    warning, critical = found.levels.values()
    assert (warning.word, warning.bound, warning.holds, warning.parts) == ("warning", 5, True, ())
    assert (critical.bound, critical.holds) == (2, False)
    assert [each.text for each in critical.parts] == ["numbers.limit / 6", "numbers.limit"]
    assert (found.level, found.unknown, found.applies, found.clear) == (Level.WARNING, None, True, None)


def test_a_clear_condition_is_judged_like_a_level() -> None:
    found = trace(rule(clear="> 4"), {"numbers.remaining": 4}).clear
    assert found is not None
    assert (found.word, str(found.condition), found.holds) == ("clear", "> 4", False)


def test_where_when_is_false_nothing_is_unknown_and_all_the_rest_is_worked_out() -> None:
    found = trace(rule(when="numbers.used > 3"), {"numbers.used": 2})
    assert (found.applies, found.unknown, found.level) == (False, None, None)
    assert [each.text for each in found.when] == ["numbers.used > 3", "numbers.used"]
    assert trace(rule(when="numbers.used > 3"), {"numbers.used": 2, "numbers.remaining": 1}).level is Level.CRITICAL


@pytest.mark.parametrize(
    ("some", "why"),
    [
        (rule(when="numbers.used > 3"), "numbers.used is missing"),
        (rule(), "numbers.remaining is missing"),
        (replace(rule(), value=Expression.of(Name("plan.colour"))), "plan.colour is no number"),
        (rule("numbers.limit", warning="< budgets.dollars"), "budgets.dollars is missing"),
        (rule("numbers.limit", clear="> numbers.used"), "numbers.used is missing"),
    ],
)
def test_the_first_reason_why_something_is_unknown(some: Any, why: str) -> None:
    assert trace(some, {"plan.colour": "red", "numbers.limit": 12}).unknown == Unknown(why)


usage = st.dictionaries(
    st.sampled_from(["numbers.remaining", "numbers.used", "numbers.limit"]), st.integers(-1, 5).map(float)
)


@given(values=usage)
def test_it_agrees_with_what_is_decided(values: dict[str, float]) -> None:
    some = rule("numbers.remaining / numbers.limit", when="numbers.used > 0", warning="< 3", critical="< numbers.used")
    decided = evaluate(some, Facts.of(snapshot(values or {"x": 1.0}), budgets={}))
    found = trace(some, values)
    assert (found.applies if isinstance(found.applies, bool) else None) == decided.applies
    if decided.applies and not decided.unknown:
        assert {level for level, holds in decided.holds.items() if holds} == {
            level for level in found.levels if found.level is not None and level <= found.level
        }
    assert bool(decided.unknown) <= (found.unknown is not None)


def test_a_trace_is_made_of_values_alone() -> None:
    assert trace(rule(), {"numbers.remaining": 1.0}) == trace(rule(), {"numbers.remaining": 1.0})
    assert isinstance(trace(rule(), {}), Trace)
