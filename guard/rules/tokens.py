"""The words of an expression: numbers, texts, names and signs, each with its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from guard.rules.complaint import Complaint, Span
from guard.rules.tree import Name, Number, Text
from guard.units import parse_duration

WORDS: Final = frozenset({"and", "or", "not"})

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
    | (?P<digits>[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?) (?P<unit>%|[A-Za-z_][A-Za-z0-9_]*)?
    | '(?P<text>[^']*)'
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<pair>\*\*|&&|\|\||<>|=<|=>)
    | (?P<sign><=|>=|==|!=|[-+*/<>(),])
    | (?P<odd>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_ODD: Final = {
    "=": "write == to compare",
    "&&": "write and",
    "||": "write or",
    "!": "write not",
    "<>": "write !=",
    "=<": "write <=",
    "=>": "write >=",
    ".": "a number has digits on both sides of its point, as in 0.5, and a name has one point between two words",
    "≥": "write >=",
    "≤": "write <=",
    "≠": "write !=",
    "×": "write *",
    "÷": "write /",
    "−": "write a plain minus sign",
    "^": "there is no power",
    "**": "there is no power",
    "$": "write dollars as a plain number; variables stand only under accounts and channels",
    "%": "a percent sign stands right behind its number, as in 80%, and there is no modulo",
    "'": "the text has no closing quote",
    '"': "texts stand in single quotes",
    "’": "write a straight quote",
    "{": "there are no braces here; they belong to summary and description",
    "[": "there are no lists",
}


class Sort(Enum):
    """What a token is to the grammar."""

    OPERAND = auto()
    SIGN = auto()  # operators, parentheses, commas, and the words and, or, not
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression; an operand brings its leaf of the tree along."""

    sort: Sort
    text: str
    span: Span
    leaf: Number | Text | Name | None = None


class Unreadable(Exception):  # noqa: N818 -- it never leaves guard.rules.grammar
    """The text is no expression; carries the complaint that says why and where."""

    def __init__(self, span: Span, text: str) -> None:
        """Takes the range of the text that is wrong, and what is wrong with it."""
        super().__init__(text)
        self.complaint = Complaint(span, text)


def tokens(text: str) -> Iterator[Token]:
    """The words of a text in order, and at last one of sort END. Raises Unreadable where no word can be read."""
    for match in _TOKEN.finditer(text):
        span = Span(*match.span())
        if match["digits"]:
            yield Token(Sort.OPERAND, match[0], span, _number(match["digits"], match["unit"] or "", span))
        elif match["text"] is not None:
            yield Token(Sort.OPERAND, match[0], span, Text(match["text"], span))
        elif match["sign"] or match[0] in WORDS:
            yield Token(Sort.SIGN, match[0], span)
        elif match["name"]:
            yield Token(Sort.OPERAND, match[0], span, Name(match[0], span))
        elif match["pair"] or match["odd"]:
            raise Unreadable(span, _odd_text(match[0]))
    yield Token(Sort.END, "", Span(len(text), len(text)))


def _odd_text(sign: str) -> str:
    shown = repr(sign) if sign != "'" else "a quote"
    return f"unexpected {shown}" + (f": {_ODD[sign]}" if sign in _ODD else "")


def _number(digits: str, unit: str, span: Span) -> Number:
    number = Number(digits.replace("_", ""), unit, span)
    if unit not in ("", "%"):
        try:
            parse_duration(number.digits + unit)
        except ValueError as error:
            raise Unreadable(span, str(error)) from None
    if number.value == float("inf"):
        raise Unreadable(span, "the number is too large")
    return number
