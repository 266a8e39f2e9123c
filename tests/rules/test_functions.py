"""Functions: what they take, what is said of wrong use, and what makes them unknown."""

from datetime import timedelta
from pathlib import Path

import pytest

from guard.rules.complaint import Complaint, Severity
from guard.rules.expression import Expression, read_expression
from guard.rules.functions import FUNCTIONS, LATER_FUNCTIONS
from guard.rules.rule import fingerprint
from guard.rules.values import NO_WINDOWS, Unknown, Value, Values
from tests.rules.test_evaluate import rule
from tests.rules.trees import complaints, expression, tree

HOUR = timedelta(hours=1)
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"
COUNTERS = "write one of stats.totalMessages, stats.totalCalls, stats.totalWebhookDeliveries, …"
TOTAL, FAILED = "stats.totalWebhookDeliveries", "stats.failedWebhookDeliveries"
YOUNG = Unknown(f"too short a history for increase({TOTAL}, 1h)", is_young=True)


class Grown:
    """A history in which every counter grew by the window's seconds, doubled."""

    def increase(self, name: str, window_s: float) -> float:
        return 2 * window_s


# --- wrong use -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_function_is_no_mistake(name: str) -> None:
    assert FUNCTIONS[name].example.startswith(f"{name}(")
    assert complaints(FUNCTIONS[name].example) == []


@pytest.mark.parametrize("window", ["1s", "59m", "1h", "13d", "312h"])
def test_a_window_is_longer_than_nothing_and_at_most_13_days(window: str) -> None:
    assert complaints(f"increase(stats.failedWebhookDeliveries, {window})") == []


@pytest.mark.parametrize(
    ("counter", "what"),
    [
        ("stats.messagesLast24h", "stats.messagesLast24h is a rolling window, which falls by itself"),
        ("numbers.remaining", "numbers.remaining is what there is now"),
        ("numbers.limit", "numbers.limit is a limit"),
        ("period.elapsed", "period.elapsed is a share of the period"),
        ("plan.name", "plan.name is a text"),
        ("budgets.dollars", "budgets.dollars is a budget"),
        ("3", "this is a number"),
        ("'x'", "this is a text"),
        ("stats.totalCalls + stats.totalMessages", "this is a number"),
        ("1 < 2", "this is a condition"),
    ],
)
def test_only_a_lifetime_counter_can_increase(counter: str, what: str) -> None:
    text = f"increase({counter}, 1h)"
    assert complaints(text) == [(counter, f"increase needs a lifetime counter, and {what}; {COUNTERS}")]


def test_a_function_of_a_function_is_no_counter() -> None:
    said = f"increase needs a lifetime counter, and this is a number; {COUNTERS}"
    assert complaints("1 + increase(increase(stats.totalCalls, 1h), 2h)") == [("increase", said)]


def test_an_unlisted_limit_is_no_counter() -> None:
    said = complaints("increase(plan.limits.faxes, 1h)")
    assert said[-1][1].startswith("increase needs a lifetime counter, and plan.limits.faxes is a limit;")


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("3600", "a duration such as 1h, and this is a number without a unit; write s, m, h or d behind it"),
        ("5%", "a duration such as 1h, and this is a share"),
        ("'1h'", "a duration such as 1h, and this is a text: '1h'; write it without quotes"),
        ("budgets.dollars", "a duration such as 1h, and this is a number: budgets.dollars"),
        ("1h + 1h", "a duration such as 1h, and this is a number"),
        ("-1h", "a duration such as 1h, and this is a number"),
        ("1h > 1h", "a duration such as 1h, and this is a condition"),
        ("0m", "longer than 0"),
        ("14d", "at most 13d: answers are kept whole for 14 days"),
        ("1123201s", "at most 13d: answers are kept whole for 14 days"),
    ],
)
def test_a_window_is_a_duration_that_is_written_out(window: str, said: str) -> None:
    text = f"increase(stats.totalCalls, {window})"
    assert complaints(text) == [(window, f"the window of increase() is {said}")]


@pytest.mark.parametrize(("arguments", "count"), [("", "are 0"), (TOTAL, "is 1"), (f"{TOTAL}, 1h, 2h", "are 3")])
def test_a_wrong_number_of_arguments_is_shown_how_it_should_be(arguments: str, count: str) -> None:
    said = f"increase() takes 2 arguments, as in increase(stats.totalMessages, 1h), and here {count}"
    assert complaints(f"1 + increase({arguments})") == [("increase", said)]


def test_a_mistake_within_an_argument_is_told_and_nothing_else_of_that_argument() -> None:
    assert complaints("increase(stats.totalCals, 1h)") == [
        ("stats.totalCals", "unknown field 'stats.totalCals', did you mean 'stats.totalCalls'?")
    ]
    assert [part for part, _ in complaints("increase(delta(1), budgets.nope) + 'a'")] == [
        "delta",
        "budgets.nope",
        "'a'",
    ]


def test_arguments_the_wrong_way_round_are_both_told_of() -> None:
    assert [part for part, _ in complaints(f"increase(1h, {TOTAL})")] == ["1h", TOTAL]


def test_a_counter_the_api_may_yet_bring_is_allowed_with_a_warning() -> None:
    found: list[Complaint] = []
    assert read_expression("increase(stats.totalFaxes, 1h)", budgets=(), complain=found.append)
    assert [(each.severity, each.text) for each in found] == [
        (Severity.WARNING, "the API's reference does not list 'stats.totalFaxes'")
    ]


def test_what_a_function_gives_is_a_number_wherever_it_stands() -> None:
    assert complaints("increase(stats.totalCalls, 1h) and 1 < 2") == [
        ("increase", "and needs a condition, and this is a number; compare it with something")
    ]
    assert complaints("increase(stats.totalCalls, 1h) == 'a'")[0][1] == "a number and a text cannot be compared"


# --- what it comes to ------------------------------------------------------------------------------------------------


def test_a_function_looks_back_over_its_window() -> None:
    some = expression(f"increase({TOTAL}, 1h) / increase({FAILED}, 90s)")
    assert some.run({TOTAL: 5, FAILED: 5}, Grown()) == 40


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        (f"increase({TOTAL}, 1h)", {TOTAL: 5}, YOUNG),
        (f"increase({TOTAL}, 1h)", {}, Unknown(f"{TOTAL} is missing")),
        (f"increase({TOTAL}, 1h)", {TOTAL: "x"}, Unknown(f"{TOTAL} is no number")),
        ("increase(stats.totalFaxes, 1h)", {"stats.totalFaxes": "x"}, Unknown("stats.totalFaxes is no number")),
        (f"-increase({TOTAL}, 1h) + 1", {TOTAL: 5}, YOUNG),
        (f"increase({TOTAL}, 1h) / 0", {TOTAL: 5}, YOUNG),
        (f"increase({TOTAL}, 1h) > 3 and 1 > 2", {TOTAL: 5}, False),
        (f"increase({TOTAL}, 1h) > 3 or 1 < 2", {TOTAL: 5}, True),
        (f"not increase({TOTAL}, 1h) > 3", {TOTAL: 5}, YOUNG),
    ],
)
def test_without_enough_history_it_is_unknown_and_young(text: str, values: Values, result: Value) -> None:
    some = Expression.of(tree(text))  # an unlisted name too
    assert some.run(values, NO_WINDOWS) == result


@pytest.mark.parametrize("sign", ["+", "/", "<", "=="])
def test_a_reason_that_time_does_not_mend_goes_before_lack_of_history(sign: str) -> None:
    missing = Unknown("numbers.used is missing")
    for text in (f"increase({TOTAL}, 1h) {sign} numbers.used", f"numbers.used {sign} increase({TOTAL}, 1h)"):
        assert expression(text).run({TOTAL: 5}, NO_WINDOWS) == missing


@pytest.mark.parametrize("word", ["and", "or"])
def test_the_same_goes_for_conditions(word: str) -> None:
    young, missing = f"increase({TOTAL}, 1h) > 3", "numbers.used > 3"
    for text in (f"{young} {word} {missing}", f"{missing} {word} {young}"):
        assert expression(text).run({TOTAL: 5}, NO_WINDOWS) == Unknown("numbers.used is missing")
    both_young = expression(f"{young} {word} increase({FAILED}, 1h) > 3")
    assert both_young.run({TOTAL: 5, FAILED: 5}, NO_WINDOWS) == YOUNG


# --- rules with functions --------------------------------------------------------------------------------------------


def test_a_rule_reads_the_counters_of_its_functions_and_says_how_far_back() -> None:
    some = rule(
        f"increase({FAILED}, 1h) / increase({TOTAL}, 1h)",
        when=f"increase({TOTAL}, 5m) >= 20",
        summary=f"{{increase({TOTAL}, 1d)}} and {{numbers.used}}",
        description="{increase(stats.totalCalls, 2h)}",
    )
    assert some.reads == {FAILED, TOTAL}
    assert some.looks_back == {FAILED: HOUR, TOTAL: 24 * HOUR, "stats.totalCalls": 2 * HOUR}
    assert not some.reads_period
    assert rule().looks_back == {}


def test_another_window_decides_otherwise_and_other_blanks_do_not() -> None:
    marks = [fingerprint(rule(f"increase({TOTAL},{window})"), budgets={}) for window in ("1h", "   1h ", "2h")]
    assert marks[0] == marks[1] != marks[2]


def test_every_function_stands_in_the_reference() -> None:
    page = REFERENCE.read_text(encoding="utf-8")
    for function in FUNCTIONS.values():
        assert f"`{function.name}(m, w)` | {function.means}" in page
    assert not set(FUNCTIONS) & set(LATER_FUNCTIONS)
