"""Text from outside, made fit to be kept and shown."""

import re
from typing import Final

_LONGEST: Final = 200

# Escape sequences of terminals (ECMA-48): CSI, then OSC up to its terminator, then the two-letter ones. Each repeated
# class excludes what may follow it, so that no text makes the search slow.
_ANSI: Final = re.compile("(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?")
# What shows nothing and changes what is shown: control characters other than white space, soft hyphen, marks,
# embeddings, overrides and isolates of the bidirectional algorithm, invisible operators, the byte-order mark, lone
# surrogates, tags. The joiners U+200C and U+200D stay: Persian and emoji need them.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: str, *, at_most: int = _LONGEST) -> str:
    r"""One line of text from outside, fit to be kept and shown; cut with an ellipsis beyond `at_most` characters.

    Escape sequences, control characters, bidirectional controls and lone surrogates are gone; every run of white
    space, line breaks included, is one space. Markup is left alone: each channel escapes what it must.

    >>> clean("Support\n\x1b[31mTeam\u202e")
    'Support Team'
    """
    if len(text) <= at_most and _is_plain(text):
        return text
    line = " ".join(_UNSEEN.sub("", _ANSI.sub("", text)).split())
    return line if len(line) <= at_most else line[: at_most - 1] + "…"


def _is_plain(text: str) -> bool:
    """Whether there is surely nothing to clean, as in nearly every text; a shortcut around the slow way to the same."""
    return text.isascii() and text.isprintable() and "  " not in text and text == text.strip()
