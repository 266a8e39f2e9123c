"""The words of an expression: numbers, texts, names and signs, each with its place."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from guard.rules.complaint import Complaint, Span
from guard.rules.durations import meant
from guard.rules.tree import Name, Number, Text
from guard.units import parse_duration

WORDS: Final = frozenset({"and", "or", "not"})

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
    | (?P<apart>[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}|(?:’[0-9]{3})+))
    | (?P<digits>[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?) (?P<unit>%|[A-Za-z_][A-Za-z0-9_]*)?
    | '(?P<text>[^']*)'
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<pair>\*\*|&&|\|\||<>|<<|>>|=<|=>|[<>=!][ ]=|&[lg]t;)
    | (?P<sign><=|>=|==|!=|[-+*/<>(),])
    | (?P<odd>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_ODD: Final = {
    "=": "write == to compare",
    "&&": "write and",
    "||": "write or",
    "&": "write and",
    "|": "write or",
    "!": "write not, or != for is not",
    "<>": "write !=",
    "<<": "write < alone",
    ">>": "write > alone",
    "=<": "write <=",
    "=>": "write >=",
    "< =": "write <=, without the space",
    "> =": "write >=, without the space",
    "= =": "write ==, without the space",
    "! =": "write !=, without the space",
    "&lt;": "write <",
    "&gt;": "write >",
    ".": "a number has digits on both sides of its point, as in 0.5, and a name has one point between two words",
    **dict.fromkeys("≥≧⩾", "write >="),
    **dict.fromkeys("≤≦⩽", "write <="),
    "≠": "write !=",
    "×": "write *",
    "÷": "write /",
    **dict.fromkeys("−–—‐‑", "write a plain minus sign, -"),
    "^": "there is no power",
    "**": "there is no power",
    "$": "write dollars as a plain number, and names as they are; variables stand only under accounts and channels",
    **dict.fromkeys("€£¥", "write a plain number, without a currency sign"),
    "%": "a percent sign stands right behind its number, as in 80%, and there is no modulo",
    "'": "the text has no closing quote",
    '"': "texts stand in single quotes",
    **dict.fromkeys("‘’“”„«»", "leave it out; only texts stand in quotes, and in straight single ones"),
    "{": "there are no braces here; they belong to summary and description",
    "[": "there are no lists, and a window stands in the parentheses: increase(stats.totalMessages, 1h)",
    ":": "names are joined with a point, as in numbers.used",
    ";": "an expression is one value, and nothing ends it",
    "#": "a comment stands behind the closing quote of the text",
}

PERCENT: Final = ("percent", "pct")
"""Words for the percent sign."""

LARGE: Final = {
    **dict.fromkeys(("k", "thousand"), 1_000),
    **dict.fromkeys(("mio", "mln", "million", "millions"), 1_000_000),
}
"""Words for large numbers, as they stand behind a smaller one."""


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
        elif match["apart"]:
            raise Unreadable(span, f"only _ sets thousands apart; write {re.sub('[.’]', '_', match[0])}")
        elif match["pair"] or match["odd"]:
            raise Unreadable(span, _odd_text(match[0]))
    yield Token(Sort.END, "", Span(len(text), len(text)))


def large(digits: str, word: str) -> str:
    """A number with a word of LARGE behind it, as it is written.

    >>> large("1.5", "k")
    '1_500'
    """
    return f"{float(digits) * LARGE[word]:_.10g}"


def _odd_text(sign: str) -> str:
    if sign == "'":
        return _ODD[sign]
    if sign in _ODD:
        return f"unexpected {sign!r}: {_ODD[sign]}"
    plain = unicodedata.normalize("NFKC", sign)
    if plain == " " or unicodedata.category(sign).startswith("Z"):
        return "this is no plain space, though it looks like one; type it anew"
    if unicodedata.category(sign) in ("Cf", "Cc"):
        return "a character that cannot be seen stands here; delete it, and its neighbours, and type those anew"
    return f"unexpected {sign!r}" + (f": write {plain}" if plain != sign and plain.isascii() else "")


def _number(digits: str, unit: str, span: Span) -> Number:
    number = Number(digits.replace("_", ""), unit, span)
    if unit not in ("", "%"):
        try:
            parse_duration(number.digits + unit)
        except ValueError:
            raise Unreadable(span, _no_unit(digits, unit)) from None
    if number.value == float("inf"):
        raise Unreadable(span, "the number is too large")
    return number


def _no_unit(digits: str, unit: str) -> str:
    """What is wrong with letters behind a number that make it no duration."""
    written, number = digits + unit, digits.replace("_", "")
    if unit == "M":
        return f"{written!r} may be millions or minutes; write {large(number, 'million')}, or {digits}m"
    if unit.lower() in PERCENT:
        return f"{written!r} is no number; write {digits}%"
    if unit.lower() in LARGE:
        return f"{written!r} is no number; write {large(number, unit.lower())}"
    if duration := meant(written):
        return f"{written!r} is not written like a duration; write {duration}"
    return f"{written!r} is neither a number nor a duration; write {digits}, or a duration such as 90s, 15m, 36h, 7d"
