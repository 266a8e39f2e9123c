"""A TOML string literal: what it says, and where in it each character of that stands."""

import re
from typing import Final

_ESCAPES: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_PIECE: Final = re.compile(
    r"""
    \\u(?P<short>[0-9A-Fa-f]{4}) | \\U(?P<long>[0-9A-Fa-f]{8}) | \\(?P<gap>[ \t]*\n[ \t\n]*) | \\(?P<escape>.) | .
    """,
    re.VERBOSE | re.DOTALL,
)


def plain(literal: str) -> str:
    """What a key or a string literal says; a bare key says itself."""
    if literal[:1] not in ("'", '"'):
        return literal
    return "".join(char for char, _ in _characters(literal))


def offsets(literal: str, *, expected: str) -> list[int] | None:
    """Where each character of `expected` begins within the literal, and at last where the content ends.

    None when the literal does not say that.
    """
    characters = _characters(literal)
    if "".join(char for char, _ in characters) != expected:
        return None
    return [*(offset for _, offset in characters), len(literal) - _quote(literal)]


def _quote(literal: str) -> int:
    is_long = len(literal) >= 6 and literal[:3] in ('"""', "'''")  # noqa: PLR2004 -- two times three quotes
    return 3 if is_long else 1


def _characters(literal: str) -> list[tuple[str, int]]:
    """The characters that a literal in quotes says, each with its offset."""
    quote = _quote(literal)
    start, end = quote, len(literal) - quote
    if quote > 1 and literal[start : start + 1] == "\n":
        start += 1  # a line break right behind the opening quotes does not count
    if literal[:1] == "'":
        return [(literal[offset], offset) for offset in range(start, end)]
    matches = _PIECE.finditer(literal, start, end)
    return [(_said(match), match.start()) for match in matches if match["gap"] is None]


def _said(piece: re.Match[str]) -> str:
    code = piece["short"] or piece["long"]
    if code:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"  # noqa: PLR2004 -- the last code point of Unicode
    escape = piece["escape"]
    return piece[0] if escape is None else _ESCAPES.get(escape, escape)
