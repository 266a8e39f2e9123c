"""What is wrong with a text of the rule language, and which part of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Severity(StrEnum):
    """Whether the text can be used all the same."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of character offsets in one text, from 0, the end not included."""

    start: int
    end: int

    def shifted(self, by: int) -> "Span":
        """The same range in a text that begins `by` characters earlier."""
        return Span(self.start + by, self.end + by)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One mistake, in words for the one who wrote the text."""

    span: Span
    text: str
    severity: Severity = Severity.ERROR

    def shifted(self, by: int) -> "Complaint":
        """The same complaint about a text that begins `by` characters earlier."""
        return Complaint(self.span.shifted(by), self.text, self.severity)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that is most likely meant by `word`, in whatever case; None when none is near."""
    by_lower = {each.lower(): each for each in words}
    close = get_close_matches(word[:100].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def hint(word: str, words: Iterable[str]) -> str:
    """The end of a sentence about an unknown word; empty when nothing is near.

    >>> hint("warnign", ["warning", "critical"])
    ", did you mean 'warning'?"
    """
    near = nearest(word, words)
    return f", did you mean {near!r}?" if near else ""
