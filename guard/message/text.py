"""Text that came from elsewhere, made fit for people: clean, on one line, and not absurdly long."""

from collections.abc import Mapping, Sequence
from typing import Final

_BIDI: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_CONTROL: Final = (*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)  # but not the line feed
_SURROGATES: Final = range(0xD800, 0xE000)
_CLEANED: Final[Mapping[int, str | None]] = {
    **dict.fromkeys(_CONTROL, " "),
    **dict.fromkeys(map(ord, _BIDI)),
    **dict.fromkeys(_SURROGATES, "\ufffd"),
}


def one_line(text: str) -> str:
    r"""The text without line breaks, control characters, lone surrogates and what turns the direction of writing.

    >>> one_line("two\nlines \x1b[31mred")
    'two lines [31mred'
    """
    return " ".join(clean(text).split())


def shortened(text: str, *, at_most: int) -> str:
    """The text, cut to so many characters, the last of them an ellipsis.

    >>> shortened("numbers-remaining", at_most=8)
    'numbers…'
    """
    return text if len(text) <= at_most else text[: at_most - 1] + "…"


def listed(names: Sequence[str], *, at_most: int) -> str:
    """The first so many names, with how many more there are.

    >>> listed(["main", "spare", "third"], at_most=2)
    'main, spare and 1 more'
    """
    more = f" and {len(names) - at_most:,} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more


def clean(text: str) -> str:
    """The text without control characters but for the line feed, and the rest as `one_line` has it."""
    return text.translate(_CLEANED)
