"""From text to trees and back."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guard.rules.complaint import Complaint
from guard.rules.grammar import MOST_CHARACTERS, MOST_LEVELS, parse, parse_condition
from guard.rules.tree import Tree, names, printed
from tests.rules.trees import expression, tree, trees

WORDS = ["(", ")", "-", "not", "and", "or", "<", "==", "1", "5%", "2h", "'a'", "x", "avg(", ",", "+", "*"]


@given(trees)
def test_a_printed_tree_parses_to_the_same_tree(some: Tree) -> None:
    text = printed(some)
    assume(len(text) <= MOST_CHARACTERS)
    assert parse(text) == some


@given(st.text(max_size=600))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    for read in (parse(text), parse_condition(text)):
        if isinstance(read, Complaint):
            assert 0 <= read.span.start <= read.span.end <= len(text)


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
def test_no_heap_of_words_makes_the_parser_raise(text: str) -> None:
    read = parse(text)
    if not isinstance(read, Complaint):
        assert parse(printed(read)) == read


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1+2*3", "1 + 2 * 3"),
        ("(1+2)*3", "(1 + 2) * 3"),
        ("1-(2-3)", "1 - (2 - 3)"),
        ("(1-2)-3", "1 - 2 - 3"),
        ("8/(4/2)", "8 / (4 / 2)"),
        ("-(1+2)*3", "-(1 + 2) * 3"),
        ("--1", "--1"),
        ("1_200", "1200"),
        ("80%*budgets.a", "80% * budgets.a"),
        ("not (1<2)", "not 1 < 2"),
        ("(not 1)<2", "(not 1) < 2"),
        ("1<2 and 2<3 or 3<4", "1 < 2 and 2 < 3 or 3 < 4"),
        ("1<2 and (2<3 or 3<4)", "1 < 2 and (2 < 3 or 3 < 4)"),
        ("(1<2)==(2<3)", "(1 < 2) == (2 < 3)"),
        ("avg( x ,1h)", "avg(x, 1h)"),
        ("f()", "f()"),
        ("plan.name\n== 'a b'", "plan.name == 'a b'"),
    ],
)
def test_the_canonical_form_has_no_needless_parentheses(text: str, canonical: str) -> None:
    assert printed(tree(text)) == canonical


def test_the_names_of_a_tree_are_found_from_left_to_right() -> None:
    some = tree("a + -b * f(c, 'd', 1) < e and not a")
    assert [name.name for name in names(some)] == ["a", "b", "c", "e", "a"]


def test_a_condition_is_an_operator_and_arithmetic() -> None:
    assert parse_condition(" <= 80% * budgets.x") == ("<=", tree("80% * budgets.x"))


MISTAKES = [
    ("", "", "the expression is empty"),
    ("  ", "  ", "the expression is empty"),
    ("1 +", "", "the expression ends where a value is expected"),
    ("1 + * 2", "*", "a value is expected here, not '*'"),
    ("(1 + 2", "(", "the parenthesis is not closed"),
    ("(1 2)", "2", "unexpected '2': an operator is expected here"),
    ("1)", ")", "unexpected ')': no parenthesis is open here"),
    ("avg(1", "(", "the parenthesis is not closed"),
    ("1 < 2 < 3", "<", "comparisons do not chain: join two of them with and"),
    ("1 + not 2", "not", "put parentheses around not and what belongs to it"),
    ("1 not 2", "not", "unexpected 'not': an operator is expected here"),
    ("a.b AND c.d", "AND", "unexpected 'AND': and, or, not are written small"),
    ("1,000", ",", "unexpected ',': write 1_000 for a thousand, and a point for decimals"),
    ("10 % 3", "%", "unexpected '%': a percent sign stands right behind its number, as in 80%, and there is no modulo"),
    ("a.b = 1", "=", "unexpected '=': write == to compare"),
    ("a.b && c.d", "&&", "unexpected '&&': write and"),
    ("2 ** 3", "**", "unexpected '**': there is no power"),
    ("1 plus 2", "plus", "unexpected 'plus': write 1 + 2"),
    ("a.b above 3", "above", "unexpected 'above': write a.b > 3"),
    ("80% of", "of", "unexpected 'of': no word stands behind a number; write 80%"),
    ("a of * 3", "of", "unexpected 'of': an operator is expected here"),
    ("5 percent", "percent", "unexpected 'percent': write 5%"),
    ("5 pct of a.b", "pct", "unexpected 'pct': write 5% * a.b"),
    ("5% percent", "percent", "unexpected 'percent': no word stands behind a number; write 5%"),
    ("2 hours 30 minutes", "hours", "unexpected 'hours': write 150m"),
    ("2 weeks", "weeks", "unexpected 'weeks': write 14d"),
    ("3 million", "million", "unexpected 'million': write 3_000_000"),
    ("1.5k", "1.5k", "'1.5k' is no number; write 1_500"),
    ("1_000K", "1_000K", "'1_000K' is no number; write 1_000_000"),
    ("2.5M", "2.5M", "'2.5M' may be millions or minutes; write 2_500_000, or 2.5m"),
    ("3 phone numbers + 5", "phone", "unexpected 'phone': no word stands behind a number; write 3 + 5"),
    ("3 numbers.used", "numbers.used", "unexpected 'numbers.used': write 3 * numbers.used"),
    ("3 'a'", "'a'", "unexpected \"'a'\": an operator is expected here"),
    ("5% 200", "200", "unexpected '200': an operator is expected here"),
    ("12.345.678", "12.345.678", "only _ sets thousands apart; write 12_345_678"),
    ("1’000", "1’000", "only _ sets thousands apart; write 1_000"),
    ("80percent", "80percent", "'80percent' is no number; write 80%"),
    ("80% budgets.x", "budgets.x", "unexpected 'budgets.x': write 80% * budgets.x"),
    ("100 messages in 1h", "messages", "unexpected 'messages': no word stands behind a number; write 100"),
    ("10 000 messages", "000", "unexpected '000': write 10_000"),
    ("a\u2028", "\u2028", "this is no plain space, though it looks like one; type it anew"),
    ("a ⩾ 3", "⩾", "unexpected '⩾': write >="),
    ("a.b, c.d", ",", "unexpected ',': a comma stands only between what a function takes"),
    ("> 3", ">", "write what is compared in front of '>' too, as in numbers.used > 3"),
    ("1 + > 3", ">", "a value is expected here, not '>'"),
    ("a ! = 3", "! =", "unexpected '! =': write !=, without the space"),
    ("a & b", "&", "unexpected '&': write and"),
    ("a ~ b", "~", "unexpected '~'"),
    ("a é b", "é", "unexpected 'é'"),
    ("５", "５", "unexpected '５': write 5"),
    ("a\u2009< 3", "\u2009", "this is no plain space, though it looks like one; type it anew"),
    (
        "a\ufeff < 3",
        "\ufeff",
        "a character that cannot be seen stands here; delete it, and its neighbours, and type those anew",
    ),
    ("plan.name == 'a", "'", "the text has no closing quote"),
    ("1h30m", "1h30m", "'1h30m' is not written like a duration; write 90m"),
    ("1.5h", "1.5h", "'1.5h' is not written like a duration; write 90m"),
    ("999999999999d", "999999999999d", None),
    ("1e999", "1e999", "the number is too large"),
    ("x" * 501, "x", "an expression has at most 500 characters, and this one 501"),
]


@pytest.mark.parametrize(("text", "part", "complaint"), MISTAKES)
def test_a_mistake_is_told_with_the_part_that_is_wrong(text: str, part: str, complaint: str | None) -> None:
    read = parse(text)
    assert isinstance(read, Complaint)
    assert text[read.span.start : read.span.end] == part
    assert complaint is None or read.text == complaint


@pytest.mark.parametrize(
    ("text", "part", "complaint"),
    [
        ("3", "3", "a level begins with one of < <= > >= == !=, not with '3'; write < 3 or > 3"),
        ("<", "", "the expression ends where a value is expected"),
        (
            "< 3 and 4",
            "and",
            "behind a level's operator stands arithmetic only, without 'and'; the other half belongs into when",
        ),
        (
            "< 3 or > 4",
            "or",
            "behind a level's operator stands arithmetic only, without 'or'; the other half takes another rule",
        ),
        ("Less Than  3", "Less Than", "a level begins with one of < <= > >= == !=, not with 'Less Than'; write < 3"),
        ("is above 3", "is above", "a level begins with one of < <= > >= == !=, not with 'is above'; write > 3"),
        ("a.b under 3", "a.b under", "a level begins with one of < <= > >= == !=, not with 'a.b under'; write < 3"),
        ("3-5", "3", "a level begins with one of < <= > >= == !=, not with '3'"),
        (
            "off",
            "off",
            "a level begins with one of < <= > >= == !=, not with 'off'; leave the key out for no such level",
        ),
        ("overly 3", "overly", "a level begins with one of < <= > >= == !=, not with 'overly'"),
        ("below", "below", "a level begins with one of < <= > >= == !=, not with 'below'"),
        ("< 3 < 4", "<", "behind a level's operator stands arithmetic only, without '<'"),
        ("< not 3", "not", "put parentheses around not and what belongs to it"),
        ("= 3", "=", "unexpected '=': write == to compare"),
        ("=< 3", "=<", "unexpected '=<': write <="),
        ("=> 3", "=>", "unexpected '=>': write >="),
        ("< 3)", ")", "unexpected ')': no parenthesis is open here"),
    ],
)
def test_a_mistake_in_a_level_is_told_with_the_part_that_is_wrong(text: str, part: str, complaint: str) -> None:
    read = parse_condition(text)
    assert isinstance(read, Complaint)
    assert (text[read.span.start : read.span.end], read.text) == (part, complaint)


def nested(levels: int) -> str:
    return "(" * levels + "1" + ")" * levels


def test_forty_levels_are_read() -> None:
    assert tree(nested(MOST_LEVELS)) == tree("1")


@pytest.mark.parametrize("text", [nested(41), "-" * 41 + "1", "not " * 41 + "1", "f(" * 41 + ")" * 41])
def test_forty_one_levels_are_refused(text: str) -> None:
    read = parse(text)
    assert isinstance(read, Complaint)
    assert read.text == "an expression has at most 40 levels"


def test_a_chain_as_long_as_an_expression_may_be_is_no_nesting() -> None:
    assert expression("1+" * 249 + "1").number({}) == 250
