"""What is wrong with a line that is no TOML, in words that say what to write instead."""

import re
from dataclasses import dataclass
from typing import Final

OPEN_LIST: Final = "this stands in the list above, which is not closed with ] before it"
"""Said where something else begins within a list: the mistake is not on this line."""

_WORDING: Final = {
    "Invalid value": "this is no TOML value; texts stand in quotes",
    "Invalid statement": "this is neither key = value nor a [table]",
    "Expected '=' after a key in a key/value pair": "a key is followed by = and a value",
    "Expected newline or end of document after a statement": "the line should end here; texts stand in quotes",
    "Invalid initial character for a key part": "a key is expected here",
    "Expected ']' at the end of a table declaration": "the table's header is not closed with ]",
    "Expected ']]' at the end of an array declaration": "the header is not closed with ]]",
    "Unclosed array": "the list is not closed with ]",
    "Unclosed inline table": "the table is not closed with }",
    "Unterminated string": "the text is not closed with a quote",
    "Expected \"'''\"": "the text is not closed with '''",
    "Illegal character '\\n'": "the text is not closed with a quote on its line",
    "Unescaped '\\' in a string": "a backslash in double quotes begins an escape; write two, or use single quotes",
    "Cannot overwrite a value": "this is set twice",
    'Expected "\'"': "the text is not closed with a single quote on its line",
    "Invalid date or datetime": "this is no date",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """A message of tomllib that means something more special between what stands before and behind it on its line."""

    message: str
    before: str
    behind: str
    text: str


_ENDS: Final = "Expected newline or end of document after a statement"
_NAME: Final = "a name is letters, digits, - and _"
_HEADER: Final = r"(?:accounts|channels|rules)\.[\w-]+"
_BRACKETS: Final = "a table's header stands in square brackets, as in [rules.numbers-remaining]"
_NO_SPACE: Final = "this is no plain space, though it looks like one; type it anew"
_ANY: Final = ("Invalid value", "Invalid statement", "Expected '=' after a key in a key/value pair", _ENDS)
_CASES: Final = (
    _Case("Invalid value", r".*", r"[ \t]*(?:#.*)?", "the value is missing"),
    _Case("Invalid value", r".*", r"[$€£].*", "write a plain number, without a currency sign"),
    _Case("Invalid value", r".*", r"[“”„«»‘’`].*", 'texts stand in straight quotes, as in "< 3"'),
    _Case("Invalid value", r".*", r"(?i:true|false)[ \t]*(?:#.*)?", "true and false are written small"),
    _Case("Invalid value", r".*", r"(?i:yes|no|on|off)[ \t]*(?:#.*)?", "write true or false"),
    _Case("Unclosed array", r".*\"[ \t]*", r"\".*", "a comma is missing between two texts"),
    _Case("Invalid value", r".*=[ \t]*", r"=.*", "one equals sign is enough here"),
    _Case("Invalid value", r".*", r"[<>=!].*", 'texts stand in quotes, as in "< 3"'),
    _Case("Invalid value", r"[ \t]*\[", r"[\w.\"'-]+\].*", OPEN_LIST),
    _Case("Invalid value", r"[ \t]*", r"[\w.\"'-]+[ \t]*=.*", OPEN_LIST),
    _Case("Unclosed array", r"[ \t]*", r"\[?[\w.\"'-]+(?:\]|[ \t]*=).*", OPEN_LIST),
    _Case("Invalid initial character for a key part", r"[ \t]*\[.*", r".*\].*", _NAME),
    _Case(
        "Invalid initial character for a key part",
        r".*=[ \t]*\{.*",
        r".*",
        "a table in braces stands on one line, without a comma at its end",
    ),
    _Case("Expected ']' at the end of a table declaration", r".*", r"[^#]*\].*", _NAME),
    *(_Case(message, r".*", r"[\u00a0\u2007\u202f\u3000].*", _NO_SPACE) for message in _ANY),
    _Case("Invalid statement", r"[ \t]*", r"(?://|/\*|;|--|').*", "a comment begins with #"),
    _Case("Invalid statement", r"[ \t]*", rf"[({{]{_HEADER}[)}}]?[ \t]*(?:#.*)?", _BRACKETS),
    _Case("Expected '=' after a key in a key/value pair", rf"[ \t]*{_HEADER}", r":?[ \t]*(?:#.*)?", _BRACKETS),
    _Case("Expected '=' after a key in a key/value pair", r".*[\w\"'-][ \t]*", r":.*", "write = in place of the colon"),
    _Case(_ENDS, r".*[^,;]", r"[ \t]*[,;][ \t]*(?:#.*)?", "the line ends without a comma or semicolon"),
    _Case(_ENDS, r".*=[ \t]*\d+", r"[smhd][a-z]*\b.*", 'a duration stands in quotes, as in "10m"'),
    _Case(_ENDS, r".*\d", r",\d.*", "write 1_000 for a thousand, and a point for decimals"),
    _Case(_ENDS, r".*\d", r"[ \t]*%.*", "write a plain number, such as 0.05 for 5 %"),
    _Case(_ENDS, r'.*"', r'[^"#]+".*', "the line should end here; a text inside an expression takes single quotes"),
)


def wording(message: str, *, before: str = "", behind: str = "") -> str:
    """What tomllib's message means, between what stands before and behind its place on the line."""
    for case in _CASES:
        if case.message == message and re.fullmatch(case.before, before) and re.fullmatch(case.behind, behind):
            return case.text
    return _WORDING.get(message, message[:1].lower() + message[1:])
