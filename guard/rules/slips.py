"""What people write where the language has something else, and what to write instead."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from guard.fields import FIELDS
from guard.rules.complaint import Complaint, Span
from guard.rules.durations import meant
from guard.rules.functions import FUNCTIONS
from guard.rules.tokens import LARGE, PERCENT, WORDS, Token, large
from guard.rules.tree import BINDING, Name, Number

_OPERATORS: Final = "a level begins with one of < <= > >= == !="

_IN_WORDS: Final = {
    **dict.fromkeys(("more than", "greater than", "higher than", "over", "above", "exceeds", "gt"), ">"),
    **dict.fromkeys(("less than", "fewer than", "lower than", "under", "below", "lt"), "<"),
    **dict.fromkeys(("at least", "ge", "gte"), ">="),
    **dict.fromkeys(("at most", "up to", "le", "lte"), "<="),
    **dict.fromkeys(("equal to", "equals", "is", "eq"), "=="),
}
_LEVEL: Final = re.compile(
    rf"\s*(?P<words>(?:[\w.]+\s+)??(?:is\s+)?(?P<sign>{'|'.join(map(re.escape, _IN_WORDS))}))\s+(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NONE: Final = ("off", "none", "never", "no")

_SIGNS: Final = {
    **dict.fromkeys(("of", "times", "x"), "*"),
    "plus": "+",
    "minus": "-",
    **dict.fromkeys(("is", "equals"), "=="),
    **dict.fromkeys(("below", "under"), "<"),
    **dict.fromkeys(("above", "over"), ">"),
}
_GROUP: Final = re.compile(r"[0-9]{3}")  # of digits, behind a thousand


def beginning(text: str, first: Token) -> Complaint:
    """What to say of a level that does not begin with an operator, but with the token `first`."""
    match = _LEVEL.fullmatch(text)
    if match:
        sign, span = _IN_WORDS[match["sign"].lower()], Span(*match.span("words"))
        return Complaint(span, f"{_OPERATORS}, not with {match['words']!r}; write {sign} {match['rest']}".rstrip())
    whole, instead = text.strip(), ""
    if whole.lower() in _NONE:
        instead = "; leave the key out for no such level"
    elif isinstance(first.leaf, Number) and (whole == first.text or "*" in whole):
        instead = f"; write < {whole} or > {whole}"
    return Complaint(first.span, f"{_OPERATORS}, not with {first.text!r}{instead}")


def unexpected(text: str, tokens: Sequence[Token], at: int) -> str:
    """What to say of the token that stands behind a whole operand, where an operator is expected.

    `tokens` are all of the text, so at least one stands before it, and one of sort END behind.
    """
    before, token = tokens[at - 1], tokens[at]
    if token.text == ",":
        return _comma(before, tokens[at + 1])
    if token.text == ")":
        return "unexpected ')': no parenthesis is open here"
    if token.text.lower() in WORDS and token.text not in WORDS:
        return f"unexpected {token.text!r}: and, or, not are written small"
    found = next(_instead(text, tokens, at), "an operator is expected here")
    return f"unexpected {token.text!r}: {found}"


def _comma(before: Token, behind: Token) -> str:
    if isinstance(before.leaf, Number) and isinstance(behind.leaf, Number):
        return "unexpected ',': write 1_000 for a thousand, and a point for decimals"
    return "unexpected ',': a comma stands only between what a function takes"


def _instead(text: str, tokens: Sequence[Token], at: int) -> Iterator[str]:
    """What was perhaps meant, the likeliest first."""
    before, token, behind = tokens[at - 1], tokens[at], tokens[at + 1] if at + 1 < len(tokens) else tokens[at]
    sign = _SIGNS.get(token.text.lower())
    if sign and behind.text and behind.text not in BINDING:
        yield f"write {before.text} {sign} {behind.text}"
    if isinstance(before.leaf, Number) and token.leaf is not None:
        yield from _behind_a_number(text, tokens, at, before.leaf)
    if before.text in FUNCTIONS and token.leaf is not None:
        yield f"what a function takes stands in parentheses, as in {FUNCTIONS[before.text].example}"
    if f"{before.text}.{token.text}" in FIELDS:
        yield f"did you mean '{before.text}.{token.text}'?"


def _behind_a_number(text: str, tokens: Sequence[Token], at: int, number: Number) -> Iterator[str]:
    run = list(takewhile(lambda token: token.leaf is not None, tokens[at:]))
    span = Span(tokens[at - 1].span.start, run[-1].span.end)
    if duration := meant(text[span.start : span.end]):
        yield f"write {duration}"
    groups = [token.text for token in takewhile(lambda token: _GROUP.fullmatch(token.text), run)]
    if not number.unit and groups:
        yield f"write {'_'.join([tokens[at - 1].text, *groups])}"
    word = run[0].text.lower()
    if not number.unit and word in PERCENT:
        of = [token.text for token in run[1:3]]
        yield f"write {number.digits}%" + (f" * {of[1]}" if of[:1] == ["of"] and of[1:] else "")
    if not number.unit and word in LARGE:
        yield f"write {large(number.digits, word)}"
    if isinstance(run[0].leaf, Name) and "." in run[0].text:
        yield f"write {tokens[at - 1].text} * {run[0].text}"
    words = list(takewhile(lambda token: isinstance(token.leaf, Name), run))
    if words:
        behind = tokens[at + len(words)]
        rest = text[words[-1].span.end :].rstrip() if behind.leaf is None else ""
        yield f"no word stands behind a number; write {text[: run[0].span.start].strip()}{rest}"
