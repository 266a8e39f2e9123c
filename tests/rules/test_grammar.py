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
    ("1)", ")", "unexpected ')': an operator is expected here"),
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
    ("plan.name == 'a", "'", "unexpected a quote: the text has no closing quote"),
    ("1h30m", "1h30m", "'1h30m' is not a duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d"),
    ("1.5h", "1.5h", "'1.5h' is not a duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d"),
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
        ("3", "3", "a level begins with one of < <= > >= == !=, not with '3'"),
        ("<", "", "the expression ends where a value is expected"),
        ("< 3 and 4", "and", "behind a level's operator stands arithmetic only, without 'and'"),
        ("< 3 < 4", "<", "behind a level's operator stands arithmetic only, without '<'"),
        ("< not 3", "not", "put parentheses around not and what belongs to it"),
        ("= 3", "=", "unexpected '=': write == to compare"),
        ("=< 3", "=<", "unexpected '=<': write <="),
        ("=> 3", "=>", "unexpected '=>': write >="),
        ("< 3)", ")", "unexpected ')': an operator is expected here"),
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
