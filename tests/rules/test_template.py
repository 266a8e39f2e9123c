"""Summaries and descriptions."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.rules.complaint import Complaint
from guard.rules.template import Template, read_template
from guard.rules.values import NO_WINDOWS
from tests.builders import NOW
from tests.rules.trees import BUDGETS, refuse

VALUES: dict[str, float | str] = {
    "numbers.remaining": 1,
    "numbers.limit": 12,
    "stats.messagesLast24h": 1234,
    "period.elapsed": 0.25,
    "plan.name": "growth",
    "budgets.dollars": 400,
    "stats.new": "odd",
}


def complaints(text: str, value: str = "") -> list[Complaint]:
    found: list[Complaint] = []
    read_template(text, budgets=BUDGETS, value=value, complain=found.append)
    return found


def rendered(text: str) -> str:
    return read_template(text, budgets=BUDGETS, complain=refuse).render(VALUES, NO_WINDOWS, at=NOW)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("nothing to fill in", "nothing to fill in"),
        ("{numbers.remaining} of {numbers.limit} phone numbers left", "1 of 12 phone numbers left"),
        ("{stats.messagesLast24h}", "1,234"),
        ("{ numbers.limit - numbers.remaining }", "11"),
        ("{numbers.remaining / numbers.limit:share}", "8.3 %"),
        ("{period.elapsed}", "25 %"),
        ("{period.elapsed:count}", "0.25"),
        ("{budgets.dollars : dollars}", "$400.00"),
        ("{90m:duration}", "1 h 30 min"),
        ("{2 * 90m:duration}", "3 h"),
        ("{90m}", "1 h 30 min"),
        ("{90m:count}", "5,400"),
        ("{80% * period.elapsed}", "20 %"),
        ("{80% * numbers.limit}", "9.60"),
        ("{1d:date}", "2026-11-24 14:05 UTC"),
        ("{1e300:date}", "never"),
        ("{1e14:date}", "unknown"),
        ("{1e300:duration}", "never"),
        ("{-1e11:date}", "unknown"),
        ("{plan.name}", "growth"),
        ("{'a}b: c'}", "a}b: c"),
        ("{numbers.used}", "unknown"),
        ("{1 / 0:share}", "unknown"),
        ("{increase(stats.totalCalls, 1h):count}", "unknown"),
        ("{{{plan.name}}}", "{growth}"),
        ("{{}}", "{}"),
        ("it's {plan.name}'s", "it's growth's"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_holes_show_values(text: str, shown: str) -> None:
    assert rendered(text) == shown


def test_a_date_is_shown_in_the_accounts_zone() -> None:
    template = read_template("{1h:date}", budgets=(), complain=refuse)
    assert template.render({}, NO_WINDOWS, at=NOW, tz=ZoneInfo("America/New_York")) == "2026-11-23 10:05 EST"


@pytest.mark.parametrize(
    ("text", "part", "complaint"),
    [
        ("a } b", "}", "this brace closes nothing; write }} for the brace itself"),
        ("a { b", "{", "the hole is not closed; write {{ for the brace itself"),
        ("a {} b", "{}", "the hole is empty; it shows an expression"),
        ("a { :share} b", "{ :share}", "the hole is empty; it shows an expression"),
        ("a {1 + } b", "", "the expression ends where a value is expected"),
        (
            "a {numbers.remaning} b",
            "numbers.remaning",
            "unknown field 'numbers.remaning', did you mean 'numbers.remaining'?",
        ),
        ("{1:percent}", "percent", "unknown format 'percent'; formats are count, share, dollars, duration, date"),
        ("{1:1000000}", "1000000", "unknown format '1000000'; formats are count, share, dollars, duration, date"),
        ("{1:}", "", "unknown format ''; formats are count, share, dollars, duration, date"),
        ("{plan.name:share}", "share", "plan.name is a text, which has no format"),
        ("{1 < 2}", "1 < 2", "a number or a text is needed here, and this is a condition"),
        ("{'a}", "{", "the hole is not closed; write {{ for the brace itself"),
        ("{'a:b':share:x}", "share:x", "unknown format 'share:x'; formats are count, share, dollars, duration, date"),
        ("x" * 2_001, "x", "a text has at most 2,000 characters, and this one 2,001"),
    ],
)
def test_a_mistake_is_told_with_the_part_that_is_wrong(text: str, part: str, complaint: str) -> None:
    found = complaints(text)
    assert (text[found[0].span.start : found[0].span.end], found[0].text) == (part, complaint)


@pytest.mark.parametrize(
    ("text", "value", "part", "said"),
    [
        ("{value} left", "numbers.used", "value", "value is no field; write the expression itself: {numbers.used}"),
        ("{ Value :share}", "1 + 2", " Value ", "value is no field; write the expression itself: {1 + 2}"),
        ("{value}", "", "value", "value is no field; write the expression itself"),
        ("{level}", "1", "level", "level is no field, and stands in every message anyway; leave the hole out"),
    ],
)
def test_a_hole_of_another_tool_is_told_with_what_to_write(text: str, value: str, part: str, said: str) -> None:
    found = complaints(text, value)
    assert [(text[each.span.start : each.span.end], each.text) for each in found] == [(part, said)]


def test_all_mistakes_of_a_text_are_told() -> None:
    assert [each.span.start for each in complaints("{a} {b} } {c:x}")] == [1, 5, 8, 11, 13]


@given(st.text(alphabet="{}'ab:. \n1", max_size=60))
def test_no_text_makes_a_template_raise(text: str) -> None:
    template = read_template(text, budgets=(), complain=lambda _: None)
    assert isinstance(template.render({}, NO_WINDOWS, at=NOW), str)
    assert all(0 <= each.span.start <= each.span.end <= len(text) for each in complaints(text))


@given(st.text(max_size=80))
def test_any_text_can_be_said_with_doubled_braces(text: str) -> None:
    assert rendered(text.replace("{", "{{").replace("}", "}}")) == text


def test_the_empty_template_renders_an_empty_text() -> None:
    assert Template().render({}, NO_WINDOWS, at=NOW) == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "{numbers.remaining}  of{{{ numbers.limit:count }}}",
            "{numbers.remaining:count}  of{{{numbers.limit:count}}}",
        ),
        ("", ""),
    ],
)
def test_a_template_prints_itself_so_that_it_reads_the_same_again(text: str, written: str) -> None:
    template = read_template(text, budgets=BUDGETS, complain=refuse)
    assert str(template) == written
    assert str(read_template(written, budgets=BUDGETS, complain=refuse)) == written
