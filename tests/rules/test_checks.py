"""Names that do not exist, and parts that do not fit together."""

import pytest

from guard.model import Each
from guard.rules.complaint import Complaint, Severity, Span
from guard.rules.expression import read_condition, read_expression
from guard.rules.kinds import Kind
from guard.rules.template import read_template
from tests.rules.trees import BUDGETS, complaints, expression, refuse

LIMITS = ("plan.limits.numbers", "plan.limits.messagesPerMonth", "plan.limits.voiceMinutesPerMonth")
NAMES = [
    ("numbers.remaning", "unknown field 'numbers.remaning', did you mean 'numbers.remaining'?"),
    ("numbers.remain", "unknown field 'numbers.remain', did you mean 'numbers.remaining'?"),
    ("numbers.Remaining", "unknown field 'numbers.Remaining', did you mean 'numbers.remaining'?"),
    ("stats.messageslast24h", "unknown field 'stats.messageslast24h', did you mean 'stats.messagesLast24h'?"),
    ("stat.messagesLast24h", "unknown field 'stat.messagesLast24h', did you mean 'stats.messagesLast24h'?"),
    ("number.remaining", "unknown field 'number.remaining', did you mean 'numbers.remaining'?"),
    ("remaining", "unknown field 'remaining', did you mean 'numbers.remaining'?"),
    ("usage.numbers.remaining", "unknown field 'usage.numbers.remaining', did you mean 'numbers.remaining'?"),
    ("qqq.zzz", "unknown field 'qqq.zzz'"),
    ("nan", "unknown field 'nan'"),
    ("period.elapse", "unknown field 'period.elapse', did you mean 'period.elapsed'?"),
    ("period.left", "unknown field 'period.left', did you mean 'period.elapsed'?"),
    ("numbers", "'numbers' is a group of fields; write one of numbers.used, numbers.limit, numbers.remaining"),
    (
        "plan.limits",
        f"'plan.limits' is a group of fields; write one of {', '.join(LIMITS)}, …",
    ),
    ("budgets", "'budgets' is a group of fields; write one of budgets.messages_per_day, budgets.dollars"),
    ("budgets.message_per_day", "unknown budget 'budgets.message_per_day', did you mean 'budgets.messages_per_day'?"),
    ("budgets.zzz", "unknown budget 'budgets.zzz'"),
    ("today.mesages", "unknown field 'today.mesages', did you mean 'today.messages'?"),
    ("today", "'today' is a group of fields; write one of today.messages, today.calls, today.webhooks"),
    ("number.messages", 'number.messages is read only in a rule with each = "number"'),
    ("agent.calls", 'agent.calls is read only in a rule with each = "agent"; agents.calls is the sum of all'),
    ("agent", 'agent.* is read only in a rule with each = "agent"'),
    ("number.zzz", 'number.* is read only in a rule with each = "number"'),
    ("periodEnd", "periodEnd is a date, not a number; period.elapsed is the share of the period that has passed"),
]


@pytest.mark.parametrize(("name", "complaint"), NAMES)
def test_a_name_that_does_not_exist_is_an_error(name: str, complaint: str) -> None:
    assert complaints(f"1 + {name}")[0] == (name, complaint)


@pytest.mark.parametrize(
    "name",
    ["stats.faxesLast24h", "stats.messagesLast60d", "stats.messagesLast1h", "plan.limits.faxes", "numbers.ported"],
)
def test_a_field_the_api_may_yet_bring_is_allowed_with_a_warning(name: str) -> None:
    found: list[Complaint] = []
    assert read_expression(name, budgets=(), complain=found.append)
    assert [(each.severity, each.text) for each in found] == [
        (Severity.WARNING, f"the API's reference does not list {name!r}")
    ]


def test_an_unknown_function_is_an_error_with_a_suggestion() -> None:
    assert complaints("increse(numbers.used, 1h)") == [
        ("increse", "unknown function 'increse', did you mean 'increase'?")
    ]
    assert complaints("sqrt(2)") == [
        ("sqrt", "unknown function 'sqrt'; there are increase, delta, ago, avg, min, max, usual, eta")
    ]
    assert complaints("median(numbers.used, 7d)") == [("median", "unknown function 'median', did you mean 'usual'?")]
    assert complaints("max_over_time(numbers.used, 7d)") == [
        ("max_over_time", "unknown function 'max_over_time', did you mean 'max'?")
    ]


@pytest.mark.parametrize(("each", "name"), [(Each.NUMBER, "number.messages"), (Each.AGENT, "agent.totalSeconds")])
def test_a_rule_with_one_alert_for_each_reads_the_fields_of_it(each: Each, name: str) -> None:
    assert read_expression(f"delta({name}, 1h) + {name}", budgets=(), complain=refuse, each=each)
    assert read_condition(f"> 2 * {name}", budgets=(), complain=refuse, each=each)
    assert read_template(f"{{{name}}}", budgets=(), complain=refuse, each=each).reads == {name}


def test_the_fields_of_another_are_none_of_its_own() -> None:
    found = list[Complaint]()
    for text in ("agent.calls", "number.mesages", "number"):
        read_expression(text, budgets=(), complain=found.append, each=Each.NUMBER)
    assert [each.text for each in found] == [
        'agent.calls is read only in a rule with each = "agent"; agents.calls is the sum of all',
        "unknown field 'number.mesages', did you mean 'number.messages'?",
        "'number' is a group of fields; write one of number.messages, number.calls, number.phoneNumber, …",
    ]


def test_a_level_that_cannot_be_read_is_no_condition() -> None:
    found = list[Complaint]()
    assert read_condition("3", budgets=(), complain=found.append) is None
    assert len(found) == 1


MISFITS = [
    ("1 + 'a'", "'a'", "+ needs a number, and this is a text: 'a'"),
    ("plan.name * 2", "plan.name", "* needs a number, and this is a text: plan.name"),
    ("-plan.name", "plan.name", "- needs a number, and this is a text: plan.name"),
    ("1 + (2 < 3)", "2 < 3", "+ needs a number, and this is a condition"),
    ("1 and 2 < 3", "1", "and needs a condition, and this is a number; compare it with something"),
    (
        "2 < 3 or numbers.used",
        "numbers.used",
        "or needs a condition, and this is a number: numbers.used; compare it with something",
    ),
    ("not 1", "1", "not needs a condition, and this is a number; compare it with something"),
    (
        "not stats.new",
        "stats.new",
        "not needs a condition, and this is a number or a text: stats.new; compare it with something",
    ),
    ("plan.name == 3", "plan.name == 3", "a number and a text cannot be compared"),
    ("numbers.used == 'a'", "numbers.used == 'a'", "a number and a text cannot be compared"),
    ("plan.name < 'a'", "plan.name < 'a'", "texts are compared with == and != only"),
    ("(1 < 2) == (2 < 3)", "1 < 2", "== compares numbers or texts, not conditions"),
]


@pytest.mark.parametrize(("text", "part", "complaint"), MISFITS)
def test_parts_that_do_not_fit_are_an_error(text: str, part: str, complaint: str) -> None:
    assert complaints(text)[-1] == (part, complaint)


@pytest.mark.parametrize(
    ("text", "want", "complaint"),
    [
        ("not 1 < 2", Kind.NUMBER, "a number is needed here, and this is a condition"),
        (
            "numbers.used > 3",
            Kind.NUMBER,
            "a number is needed here, and this is a condition; write numbers.used alone, and > 3 as a level",
        ),
        ("'1_200'", Kind.NUMBER, "a number is needed here, and this is a text: '1_200'; write it without quotes"),
        (
            "'numbers.used'",
            Kind.NUMBER,
            "a number is needed here, and this is a text: 'numbers.used'; write it without quotes",
        ),
        ("'growth' == plan.name", Kind.NUMBER, "a number is needed here, and this is a condition"),
        ("plan.name", Kind.NUMBER, "a number is needed here, and this is a text: plan.name"),
        ("numbers.used", Kind.CONDITION, "a condition is needed here, and this is a number: numbers.used"),
        ("budgets.dollars", Kind.CONDITION, "a condition is needed here, and this is a number: budgets.dollars"),
    ],
)
def test_a_result_that_nobody_wants_there_is_an_error(text: str, want: Kind, complaint: str) -> None:
    assert complaints(text, want=(want,)) == [(text, complaint)]


@pytest.mark.parametrize("text", ["numbers-remaining", "numbers - remaining"])
def test_a_hyphen_in_place_of_a_point_is_one_mistake(text: str) -> None:
    assert complaints(f"2 * ({text})", want=(Kind.NUMBER,)) == [
        (text, "a name has a point between two words; write numbers.remaining")
    ]


def read_level(text: str, value: str | None) -> list[str]:
    """What is said of a level of a rule with that value, of which nothing is known for None."""
    found = list[Complaint]()
    read_condition(text, budgets=BUDGETS, complain=found.append, of=expression(value) if value else None)
    assert all(each.span == Span(0, len(text)) for each in found)
    return [each.text for each in found]


IS_WHAT = "a level is an operator and what the value is compared with"


@pytest.mark.parametrize(
    ("text", "value", "instead"),
    [
        ("numbers.used > 3", "numbers.used", "; write > 3"),
        ("numbers.used > 3", None, "; write > 3"),
        ("value > 3", "numbers.used", "; write > 3"),
        ("if > 3", "numbers.used", "; write > 3"),
        ("3 >= numbers.used", "numbers.used", "; write <= 3"),
        ("numbers.limit == numbers.used", "numbers.used", "; write == numbers.limit"),
        (
            "numbers.used + 1 > 3",
            "numbers.used",
            '; write > 3, and value = "numbers.used + 1", which is numbers.used here',
        ),
        ("plan.name == 'growth'", "numbers.used", ", a number; write when = \"plan.name == 'growth'\""),
    ],
)
def test_a_level_with_its_value_is_told_what_to_leave_out(text: str, value: str | None, instead: str) -> None:
    assert read_level(text, value) == [IS_WHAT + instead]


def test_an_unlisted_field_is_no_condition() -> None:
    assert complaints("stats.new", want=(Kind.CONDITION,))[-1] == (
        "stats.new",
        "a condition is needed here, and this is a number or a text: stats.new",
    )


def test_one_mistake_is_told_once_and_not_again_by_what_stands_around_it() -> None:
    assert [text for _, text in complaints("not (nonsense + 1 == 'a')", want=(Kind.NUMBER,))] == [
        "unknown field 'nonsense'",
        "a number and a text cannot be compared",
        "a number is needed here, and this is a condition",
    ]
    assert len(complaints("nonsense == 'a'")) == 1


def test_all_mistakes_of_an_expression_are_told() -> None:
    assert [part for part, _ in complaints("numbers.usd + avg(1) + budgets.nope + 'a'")] == [
        "numbers.usd",
        "avg",
        "budgets.nope",
        "'a'",
    ]


def test_a_budget_that_exists_is_no_mistake() -> None:
    assert complaints(f"numbers.used > 80% * budgets.{BUDGETS[0]}") == []
