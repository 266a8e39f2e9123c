"""Functions: what they take, what is said of wrong use, and what makes them unknown."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.rules.complaint import Complaint, Severity
from guard.rules.expression import Expression, read_expression
from guard.rules.functions import FUNCTIONS
from guard.rules.history import History
from guard.rules.rule import fingerprint
from guard.rules.template import read_template
from guard.rules.values import NO_WINDOWS, Unknown, Value, Values
from guard.units import NEVER_S
from tests.builders import MINUTE, NOW, at, snapshot
from tests.rules.test_evaluate import rule
from tests.rules.trees import complaints, expression, refuse, tree

HOUR = timedelta(hours=1)
COUNTERS = "write one of stats.totalMessages, stats.totalCalls, stats.totalWebhookDeliveries, …"
TOTAL, FAILED = "stats.totalWebhookDeliveries", "stats.failedWebhookDeliveries"
YOUNG = Unknown(f"too short a history for increase({TOTAL}, 1h)", is_young=True)


class Grown:
    """A history in which everything that is asked is made of the window's seconds."""

    def increase(self, name: str, window_s: float) -> float:
        return 2 * window_s

    def ago(self, name: str, window_s: float) -> float:
        return 3 * window_s

    def mean(self, name: str, window_s: float) -> float:
        return 2 * window_s

    def lowest(self, name: str, window_s: float) -> float:
        return window_s

    def highest(self, name: str, window_s: float) -> float:
        return 4 * window_s

    def usual(self, name: str, days: int) -> float:
        return days

    def slope(self, name: str, window_s: float) -> float:
        return window_s


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
        ("2 * stats.totalCalls", "this is a number"),
        ("stats.totalCalls + 1", "this is a number"),
        ("stats.totalCalls + budgets.dollars", "this is a number"),
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


def test_arguments_the_wrong_way_round_are_one_mistake() -> None:
    said = f"the window of increase() stands last; write increase({TOTAL}, 1h)"
    assert complaints(f"increase(1h, {TOTAL})") == [("increase", said)]
    said = "the window of eta() stands last; write eta(numbers.used, 100, 6h)"
    assert complaints("eta(6h, 100, numbers.used)") == [("eta", said)]
    assert [part for part, _ in complaints(f"increase(3, {TOTAL})")] == ["3", TOTAL]


@pytest.mark.parametrize("function", ["increase", "delta", "ago", "avg"])
def test_a_function_of_a_sum_is_the_sum_of_functions(function: str) -> None:
    fields = f"{TOTAL} - ({FAILED} + stats.totalCalls)"
    spread = f"{function}({TOTAL}, 1h) - ({function}({FAILED}, 1h) + {function}(stats.totalCalls, 1h))"
    said = f"{function} needs one field by its name; write {spread}"
    assert complaints(f"{function}({fields}, 1h)") == [(fields[: fields.index(")")], said)]
    assert complaints(spread) == []


def test_the_sum_of_what_no_function_takes_is_called_by_that() -> None:
    assert [part for part, _ in complaints(f"increase({TOTAL} + stats.callsLast24h, 1h)")] == ["stats.callsLast24h"]


def test_a_field_in_quotes_is_told_to_lose_them() -> None:
    assert complaints(f"increase('{TOTAL}', 1h)") == [
        (f"'{TOTAL}'", f"a field stands without quotes; write increase({TOTAL}, 1h)")
    ]


@pytest.mark.parametrize("function", ["min", "max"])
def test_the_lowest_of_a_sum_is_something_else(function: str) -> None:
    said = complaints(f"{function}({TOTAL} + {FAILED}, 1h)")[0][1]
    assert said.startswith(f"{function} needs a field by its name, and this is a number; ")


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


@pytest.mark.parametrize("function", ["delta", "ago", "avg", "min", "max", "usual"])
@pytest.mark.parametrize(
    "field",
    ["numbers.remaining", "stats.messagesLast7d", "period.elapsed", "stats.totalCalls", "today.calls", "month.calls"],
)
def test_every_numeric_field_can_be_looked_back_on(function: str, field: str) -> None:
    assert complaints(f"{function}({field}, 1d)") == []
    assert complaints(f"eta({field}, 50%, 1d)")[1:] == []


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("numbers.limit", "numbers.limit is a limit, which has no history"),
        ("plan.limits.faxes", "plan.limits.faxes is a limit, which has no history"),
        ("plan.name", "plan.name is a text"),
        ("budgets.dollars", "budgets.dollars is a budget, which has no history"),
        ("3", "this is a number"),
        ("numbers.used / numbers.limit", "this is a number"),
    ],
)
def test_what_is_no_field_has_no_past(field: str, what: str) -> None:
    said = f"avg needs a field by its name, and {what}; write it as in avg(stats.callsLast24h, 6h)"
    assert complaints(f"avg({field}, 1h)")[-1] == (field, said)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("36h", "a whole number of days such as 7d: it compares the same time of each day"),
        ("1h", "a whole number of days such as 7d: it compares the same time of each day"),
        (
            "7",
            "a whole number of days such as 7d, and this is a number without a unit; write s, m, h or d behind it",
        ),
        ("14d", "at most 13d: answers are kept whole for 14 days"),
        ("0d", "longer than 0"),
    ],
)
def test_the_usual_is_of_whole_days(window: str, said: str) -> None:
    assert complaints(f"usual(numbers.used, {window})") == [(window, f"the window of usual() is {said}")]
    assert complaints("usual(numbers.used, 48h) + usual(numbers.used, 13d)") == []


@pytest.mark.parametrize(
    ("target", "said"),
    [("'a'", "a text"), ("plan.name", "a text"), ("1 < 2", "a condition")],
)
def test_a_target_is_a_number(target: str, said: str) -> None:
    text = f"eta(numbers.used, {target}, 1h)"
    assert complaints(text) == [(target, f"the target of eta() is a number, and this is {said}")]


def test_a_target_may_be_any_expression_that_gives_a_number() -> None:
    some = expression("eta(numbers.used, 80% * numbers.limit - ago(numbers.used, 2d), 1h)")
    assert some.looks_back == (("numbers.used", HOUR), ("numbers.used", 48 * HOUR))
    assert some.reads == {"numbers.used", "numbers.limit"}


def test_the_usual_wants_an_hour_more_than_its_days_for_summer_time() -> None:
    assert expression("usual(numbers.used, 7d)").looks_back == (("numbers.used", timedelta(days=7, hours=1)),)


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


# --- each function ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("delta(numbers.used, 10s)", 70),
        ("ago(numbers.used, 10s)", 30),
        ("avg(numbers.used, 10s)", 20),
        ("min(numbers.used, 10s)", 10),
        ("max(numbers.used, 10s)", 40),
        ("usual(numbers.used, 3d)", 3),
        ("usual(numbers.used, 72h)", 3),
        ("eta(numbers.used, 400, 10s)", 30),
        ("eta(numbers.used, 100, 10s)", 0),
        ("eta(numbers.used, 50, 10s)", 0),
        ("eta(numbers.remaining, 4, 10s)", NEVER_S),
        ("eta(numbers.remaining, 5, 10s)", 0),
        ("eta(numbers.remaining, 3 * numbers.remaining, 10s)", 0),
    ],
)
def test_each_function_comes_to_what_it_says(text: str, result: float) -> None:
    assert expression(text).run({"numbers.used": 100, "numbers.remaining": 5}, Grown()) == result


@pytest.mark.parametrize(("name", "text"), [(name, function.example) for name, function in FUNCTIONS.items()])
def test_every_function_is_young_without_history_and_missing_without_its_field(name: str, text: str) -> None:
    some = expression(text)
    values = {field: 9.0 if field.startswith("budgets.") else 5.0 for field in some.reads}
    assert some.run(values, NO_WINDOWS) == Unknown(f"too short a history for {text}", is_young=True)
    field = text.removeprefix(f"{name}(").partition(",")[0]
    assert some.run({**values, field: "x"}, NO_WINDOWS) == Unknown(f"{field} is no number")
    del values[field]
    assert some.run(values, NO_WINDOWS) == Unknown(f"{field} is missing")


def test_a_target_that_is_unknown_or_no_number_makes_it_so() -> None:
    some = Expression.of(tree("eta(numbers.used, stats.new, 1h)"))
    assert some.run({"numbers.used": 1}, Grown()) == Unknown("stats.new is missing")
    assert some.run({"numbers.used": 1, "stats.new": "x"}, Grown()) == Unknown("the target is no number")


def test_numbers_beyond_all_bounds_are_unknown_and_not_infinite() -> None:
    class Huge(Grown):
        def ago(self, name: str, window_s: float) -> float:
            return -1.7e308

    some = expression("delta(numbers.used, 1h)")
    assert some.run({"numbers.used": 1.7e308}, Huge()) == Unknown("the result is too large")


def test_never_is_later_than_any_duration_and_can_be_reckoned_with() -> None:
    never = "eta(numbers.remaining, 4, 1h)"
    values: Values = {"numbers.remaining": 5}
    assert expression(f"{never} > 999999999d").run(values, Grown()) is True
    assert expression(f"{never} < 3h").run(values, Grown()) is False
    assert expression(f"{never} - 3h > 999999999d").run(values, Grown()) is True
    shown = read_template(f"{{{never}}} {{{never}:date}}", budgets=(), complain=refuse)
    assert shown.render(values, Grown(), at=NOW) == "never never"


# --- functions on a history ------------------------------------------------------------------------------------------


def results(text: str, values: Iterable[float], *, of: str = "numbers.used") -> list[Value]:
    """What an expression comes to at each of some answers that are a minute apart."""
    some, found = expression(text), list[Value]()
    history = History(dict(some.looks_back))
    for minute, value in enumerate(values):
        seen = snapshot({of: value}, at=at(minute))
        history.add(seen)
        found.append(some.run(seen.values, history.windows(every=MINUTE)))
    return found


def test_the_time_that_is_left_shrinks_as_the_target_comes_near() -> None:
    found = results("eta(numbers.used, 100, 5m)", range(80, 103, 2))
    young = Unknown("too short a history for eta(numbers.used, 100, 5m)", is_young=True)
    assert found == [*[young] * 5, 300, 240, 180, 120, 60, 0, 0]


@pytest.mark.parametrize(
    ("field", "values", "last"),
    [
        ("numbers.used", [5] * 7, NEVER_S),
        ("numbers.used", [50, 49, 48, 47, 46, 45, 44], NEVER_S),
        ("numbers.used", [100] * 7, 0),
        ("numbers.used", [130, 125, 120, 120, 115, 110, 105], 0),
        ("numbers.remaining", [112, 110, 108, 106, 104, 102, 101], 60 / 2),
        ("numbers.remaining", [101, 102, 103, 104, 105, 106, 107], NEVER_S),
        ("numbers.remaining", [100] * 7, 0),
        ("numbers.remaining", [90, 91, 92, 93, 94, 95, 96], 0),
    ],
)
def test_what_is_used_reaches_its_target_from_below_and_what_remains_from_above(
    field: str, values: list[float], last: float
) -> None:
    assert results(f"eta({field}, 100, 5m)", values, of=field)[-1] == pytest.approx(last)


@given(st.lists(st.integers(0, 50) | st.floats(0, 1e308), min_size=7, max_size=7), st.integers(0, 60))
def test_the_time_until_a_target_is_never_negative_nor_later_than_never(values: list[float], target: int) -> None:
    last = results(f"eta(numbers.used, {target}, 5m)", values)[-1]
    assert isinstance(last, float)
    assert (last == 0) == (values[-1] >= target) or last > 0
    assert 0 <= last <= NEVER_S
