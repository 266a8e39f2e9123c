"""Expressions for the tests: read by hand, and drawn by Hypothesis."""

from hypothesis import strategies as st

from guard.fields import FIELDS
from guard.rules.complaint import Complaint
from guard.rules.expression import Condition, Expression, read_condition, read_expression
from guard.rules.functions import FUNCTIONS
from guard.rules.grammar import parse
from guard.rules.kinds import Kind
from guard.rules.tree import BINDING, Binary, Call, Name, Number, Text, Tree, Unary

BUDGETS = ("messages_per_day", "dollars")
ANY_KIND = (Kind.NUMBER, Kind.TEXT, Kind.CONDITION)


def tree(text: str) -> Tree:
    """The tree of a text that is an expression."""
    read = parse(text)
    assert not isinstance(read, Complaint), read
    return read


def refuse(complaint: Complaint) -> None:
    raise AssertionError(complaint)


def expression(text: str) -> Expression:
    """An expression of any kind about which there is nothing to complain."""
    read = read_expression(text, budgets=BUDGETS, complain=refuse, want=ANY_KIND)
    assert read is not None
    return read


def condition(text: str) -> Condition:
    """A level's operator and bound about which there is nothing to complain."""
    read = read_condition(text, budgets=BUDGETS, complain=refuse)
    assert read is not None
    return read


def complaints(text: str, *, want: tuple[Kind, ...] = ANY_KIND) -> list[tuple[str, str]]:
    """What is complained about, each with the part of the text that is meant."""
    found: list[Complaint] = []
    read_expression(text, budgets=BUDGETS, complain=found.append, want=want)
    return [(text[each.span.start : each.span.end], each.text) for each in found]


FUNCTIONS_AND_A_STRANGER = (*FUNCTIONS, "f")
OPERATORS = sorted(BINDING)

numbers = st.builds(
    Number,
    st.integers(0, 10**9).map(str) | st.floats(0, 1e12, allow_nan=False).map(repr),
    st.sampled_from(["", "%"]),
) | st.builds(Number, st.integers(0, 9999).map(str), st.sampled_from("smhd"))
texts = st.builds(Text, st.text(st.characters(codec="utf-8", exclude_characters="'"), max_size=8))
fields = st.builds(Name, st.sampled_from([*FIELDS, "budgets.dollars", "x", "_a.B_1"]))

trees: st.SearchStrategy[Tree] = st.recursive(
    numbers | texts | fields,
    lambda inner: (
        st.builds(Binary, st.sampled_from(OPERATORS), inner, inner)
        | st.builds(Unary, st.sampled_from(["-", "not"]), inner)
        | st.builds(Call, st.sampled_from(FUNCTIONS_AND_A_STRANGER), st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=12,
)
