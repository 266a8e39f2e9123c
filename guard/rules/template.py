"""A summary or description: text with `{expression}` and `{expression:format}` holes, and doubled braces."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Final, Protocol

from guard.model import Each
from guard.rules.checks import kind_of
from guard.rules.complaint import Complaint, Span
from guard.rules.expression import Complain, Expression, read_expression
from guard.rules.kinds import Kind
from guard.rules.values import Unknown, Values, Windows
from guard.units import NEVER_S, instant_text, value_text

FORMATS: Final = ("count", "share", "dollars", "duration", "date")
MOST_CHARACTERS: Final = 2_000
UNKNOWN: Final = "unknown"

_WORDS: Final = frozenset({"share", "dollars", "seconds"})  # units that change how a number is written
_ANYWAY: Final = frozenset({"account", "rule", "level", "severity", "subject", "threshold", "labels", "runbook"})
# A brace within quotes belongs to the text there, and a quote that is not closed ends nowhere.
_PART: Final = re.compile(r"(?P<double>\{\{|\}\})|\{(?P<hole>(?:'[^']*'|[^'{}])*)\}|(?P<odd>[{}])|(?P<text>[^{}]+)")
_FORMAT: Final = re.compile(r"(?P<expression>(?:'[^']*'|[^':])*)(?::(?P<format>.*))?", re.DOTALL)


class _Read(Protocol):
    """Reads the expression of a hole that begins at `offset`; None where it has mistakes."""

    def __call__(self, text: str, *, offset: int) -> Expression | None: ...


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression to be shown, and one of FORMATS or a unit that says how."""

    expression: Expression
    format: str

    def __str__(self) -> str:
        """The hole as a template writes it, its format always said."""
        return f"{{{self.expression}:{self.format}}}"

    def render(self, values: Values, windows: Windows, *, at: datetime, tz: tzinfo) -> str:
        """What the hole shows for a snapshot taken at `at`; `unknown` where there is no value."""
        value = self.expression.run(values, windows)
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(value, str):
            return value
        if self.format != "date":
            return value_text(value, self.format)
        if value >= NEVER_S:
            return value_text(value, "duration")
        try:
            return instant_text(at + timedelta(seconds=value), tz)
        except (OverflowError, ValueError):
            return UNKNOWN


@dataclass(frozen=True, slots=True)
class Template:
    """Texts and holes in their order; the empty template renders an empty text."""

    parts: tuple[str | Hole, ...] = ()

    def __str__(self) -> str:
        """The text that it was read from, with its expressions in canonical form and each hole's format."""
        return "".join(
            part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else str(part) for part in self.parts
        )

    @property
    def reads(self) -> frozenset[str]:
        """The names in its holes, budgets with their prefix."""
        return frozenset().union(*(expression.reads for expression in self.expressions))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """What its holes show, in their order."""
        return tuple(part.expression for part in self.parts if isinstance(part, Hole))

    def render(self, values: Values, windows: Windows, *, at: datetime, tz: tzinfo = UTC) -> str:
        """The text for what names stand for; `at` is when that was so, to which the format `date` adds seconds."""
        shown = (part if isinstance(part, str) else part.render(values, windows, at=at, tz=tz) for part in self.parts)
        return "".join(shown)


def read_template(
    text: str, *, budgets: Collection[str], complain: Complain, each: Each | None = None, value: str = ""
) -> Template:
    """Reads a template; parts with mistakes are complained about and left out.

    `each` is the rule's, and so is `value`, its expression as text, for those who ask for it as `{value}`.
    """
    if len(text) > MOST_CHARACTERS:
        span = Span(MOST_CHARACTERS, len(text))
        complain(Complaint(span, f"a text has at most {MOST_CHARACTERS:,} characters, and this one {len(text):,}"))
        return Template()
    read = partial(read_expression, budgets=budgets, complain=complain, each=each, want=(Kind.NUMBER, Kind.TEXT))

    def read_or_explain(text: str, *, offset: int) -> Expression | None:
        fault = _foreign(text.strip(), value)
        if fault is None:
            return read(text, offset=offset)
        complain(Complaint(Span(offset, offset + len(text)), fault))
        return None

    return Template(tuple(_parts(text, read_or_explain, complain)))


def _foreign(word: str, value: str) -> str | None:
    """What is wrong with a hole that other tools fill, and this one shows anyway or by another name."""
    word = word.lower()
    if word == "value":
        return "value is no field; write the expression itself" + (f": {{{value}}}" if value else "")
    if word in _ANYWAY:
        return f"{word} is no field, and stands in every message anyway; leave the hole out"
    return None


def _parts(text: str, read: _Read, complain: Complain) -> Iterator[str | Hole]:
    for match in _PART.finditer(text):
        if match["double"]:
            yield match["double"][0]
        elif match["text"]:
            yield match["text"]
        elif match["odd"]:
            complain(Complaint(Span(*match.span()), _odd(match["odd"])))
        elif hole := _hole(match["hole"], match.start("hole"), read, complain):
            yield hole


def _odd(brace: str) -> str:
    what = "the hole is not closed" if brace == "{" else "this brace closes nothing"
    return f"{what}; write {brace * 2} for the brace itself"


def _hole(text: str, offset: int, read: _Read, complain: Complain) -> Hole | None:
    match = _FORMAT.fullmatch(text)
    source, style = (match["expression"], match["format"]) if match else (text, None)
    if not source.strip():
        complain(Complaint(Span(offset - 1, offset + len(text) + 1), "the hole is empty; it shows an expression"))
        return None
    expression = read(source, offset=offset)
    if style is not None:
        span = Span(offset + len(source) + 1, offset + len(text))
        complaint = _format_complaint(style.strip(), span, expression)
        if complaint:
            complain(complaint)
            return None
    return Hole(expression, style.strip() if style else _default_format(expression)) if expression else None


def _format_complaint(style: str, span: Span, expression: Expression | None) -> Complaint | None:
    if style not in FORMATS:
        return Complaint(span, f"unknown format {style!r}; formats are {', '.join(FORMATS)}")
    if expression and kind_of(expression.tree) is Kind.TEXT:
        return Complaint(span, f"{expression} is a text, which has no format")
    return None


def _default_format(expression: Expression) -> str:
    """The unit of the value where that changes how the number is written, else plain."""
    return expression.unit if expression.unit in _WORDS else "count"
