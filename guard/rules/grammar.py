"""From the text of an expression to its tree: a Pratt parser, bounded in length and depth."""

from typing import Final

from guard.rules.complaint import Complaint, Span
from guard.rules.slips import beginning, unexpected
from guard.rules.tokens import Sort, Token, Unreadable, tokens
from guard.rules.tree import BINDING, COMPARISON, COMPARISONS, NOT, OR, SIGN, SUM, Binary, Call, Name, Tree, Unary

MOST_CHARACTERS: Final = 500
MOST_LEVELS: Final = 40

_OTHER: Final = {"and": "; the other half belongs into when", "or": "; the other half takes another rule"}
"""Where the second condition of a level goes."""


def parse(text: str) -> Tree | Complaint:
    """Reads an expression; never raises for any text."""
    try:
        parser = _Parser(text)
        tree = parser.expression(OR)
        parser.end()
    except Unreadable as error:
        return error.complaint
    return tree


def parse_condition(text: str) -> tuple[str, Tree] | Complaint:
    """Reads a comparison without its left side, such as `< 80% * budgets.x`: the operator, and arithmetic behind it."""
    try:
        parser = _Parser(text)
        operator = parser.operator()
        tree = parser.expression(SUM)
        parser.end(behind_operator=True)
    except Unreadable as error:
        return error.complaint
    return operator, tree


class _Parser:
    """A cursor over the tokens of one text. All its methods raise Unreadable at the first mistake."""

    def __init__(self, text: str) -> None:
        if len(text) > MOST_CHARACTERS:
            raise Unreadable(
                Span(MOST_CHARACTERS, len(text)),
                f"an expression has at most {MOST_CHARACTERS} characters, and this one {len(text):,}",
            )
        self._text = text
        self._tokens = list(tokens(text))
        self._at = 0
        self._level = 0
        if self._token.sort is Sort.END:
            raise Unreadable(Span(0, len(text)), "the expression is empty")

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._token
        self._at += 1
        return token

    def operator(self) -> str:
        """Takes the comparison operator that a level begins with."""
        token = self._next()
        if token.text not in COMPARISONS:
            complaint = beginning(self._text, token)
            raise Unreadable(complaint.span, complaint.text)
        return token.text

    def expression(self, least: int) -> Tree:
        """Takes as much as binds at least as tightly as `least`."""
        left = self._operand(least)
        compared = False
        while self._token.sort is Sort.SIGN and (binding := BINDING.get(self._token.text, 0)) >= least:
            sign = self._next()
            if binding == COMPARISON and compared:
                raise Unreadable(sign.span, "comparisons do not chain: join two of them with and")
            compared = binding == COMPARISON
            right = self.expression(binding + 1)
            left = Binary(sign.text, left, right, Span(left.span.start, right.span.end))
        return left

    def end(self, *, behind_operator: bool = False) -> None:
        """Makes sure that nothing is left."""
        token = self._token
        if token.sort is Sort.END:
            return
        if behind_operator and token.text in BINDING:
            only = (
                f"behind a level's operator stands arithmetic only, without {token.text!r}{_OTHER.get(token.text, '')}"
            )
            raise Unreadable(token.span, only)
        raise Unreadable(token.span, self._unexpected())

    def _operand(self, least: int) -> Tree:
        token = self._next()
        if token.text == "(":
            return self._in_parentheses(token)
        if token.text in ("-", "not"):
            return self._prefixed(token, least)
        if isinstance(token.leaf, Name) and self._token.text == "(":
            return self._call(token)
        if token.leaf is None:
            raise Unreadable(token.span, _no_operand(token, self._tokens[0]))
        return token.leaf

    def _in_parentheses(self, opening: Token) -> Tree:
        self._descend(opening)
        tree = self.expression(OR)
        self._close(opening)
        self._level -= 1
        return tree

    def _prefixed(self, sign: Token, least: int) -> Tree:
        binding = NOT if sign.text == "not" else SIGN
        if binding < least:
            raise Unreadable(sign.span, "put parentheses around not and what belongs to it")
        self._descend(sign)
        operand = self.expression(binding)
        self._level -= 1
        return Unary(sign.text, operand, Span(sign.span.start, operand.span.end))

    def _call(self, function: Token) -> Tree:
        opening = self._next()
        self._descend(opening)
        arguments = []
        if self._token.text != ")":
            arguments.append(self.expression(OR))
            while self._token.text == ",":
                self._next()
                arguments.append(self.expression(OR))
        self._close(opening)
        self._level -= 1
        return Call(function.text, tuple(arguments), function.span)

    def _descend(self, token: Token) -> None:
        self._level += 1
        if self._level > MOST_LEVELS:
            raise Unreadable(token.span, f"an expression has at most {MOST_LEVELS} levels")

    def _close(self, opening: Token) -> None:
        token = self._token
        if token.sort is Sort.END:
            raise Unreadable(opening.span, "the parenthesis is not closed")
        if token.text != ")":
            raise Unreadable(token.span, self._unexpected())
        self._next()

    def _unexpected(self) -> str:
        return unexpected(self._text, self._tokens, self._at)


def _no_operand(token: Token, first: Token) -> str:
    if token.sort is Sort.END:
        return "the expression ends where a value is expected"
    if token is first and token.text in COMPARISONS:
        return f"write what is compared in front of {token.text!r} too, as in numbers.used {token.text} 3"
    return f"a value is expected here, not {token.text!r}"
