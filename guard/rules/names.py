"""Which names an expression may use, and what was probably meant by one that does not exist."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from guard.fields import DATES, FIELDS, LATER_ROOTS, OPEN_ROOTS
from guard.rules.complaint import Complaint, Severity, hint, nearest
from guard.rules.functions import FUNCTIONS, LATER_FUNCTIONS
from guard.rules.tree import Call, Name

BUDGETS: Final = "budgets."
"""What the names under [budgets] begin with in an expression."""

_NEAR: Final = 0.85
_NO_FIELDS: Final = {
    **dict.fromkeys(DATES, "is a date, not a number; period.elapsed is the share of the period that has passed"),
    **dict.fromkeys(("true", "false"), "is no condition; compare something, or leave the key out"),
}
_DIGITS: Final = re.compile(r"[0-9]+")


def name_complaint(name: Name, budgets: Collection[str]) -> Complaint | None:
    """What is wrong with a name, None for a listed field or a budget; a warning for a field the API may yet bring.

    `budgets` are the names under [budgets], without their prefix.
    """
    text = name.name
    if text in FIELDS or (text.startswith(BUDGETS) and text.removeprefix(BUDGETS) in budgets):
        return None
    root = text.partition(".")[0]
    if root in OPEN_ROOTS and "." in text:
        return _unlisted(name, root)
    return Complaint(name.span, _unknown(text, root, budgets))


def call_complaint(call: Call) -> Complaint | None:
    """What is wrong with a function's name, None for one that there is."""
    if call.function in FUNCTIONS:
        return None
    if call.function in LATER_FUNCTIONS:
        return Complaint(call.span, f"{call.function}() is not built yet")
    near = hint(call.function, (*FUNCTIONS, *LATER_FUNCTIONS))
    return Complaint(call.span, f"unknown function {call.function!r}{near}")


def _unlisted(name: Name, root: str) -> Complaint:
    """A field that the API may have added since the table was written, unless it looks like a slip of the pen."""
    text = name.name
    siblings = [listed for listed in FIELDS if listed.startswith(f"{root}.")]
    if any(listed.startswith(f"{text}.") for listed in siblings):
        return Complaint(name.span, _group(text))
    written = text.partition(".")[2]
    for near in get_close_matches(written, [listed.partition(".")[2] for listed in siblings]):
        if _is_slip(written, near):
            return Complaint(name.span, f"unknown field {text!r}, did you mean {f'{root}.{near}'!r}?")
    return Complaint(name.span, f"the API's reference does not list {text!r}", Severity.WARNING)


def _is_slip(written: str, listed: str) -> bool:
    """Whether one is a misspelling of the other; a different number (60d for 30d) makes it another field."""
    if _DIGITS.findall(written) != _DIGITS.findall(listed):
        return False
    return listed.startswith(written) or bool(get_close_matches(written.lower(), [listed.lower()], cutoff=_NEAR))


def _unknown(text: str, root: str, budgets: Collection[str]) -> str:
    if root == "budgets" and text != root:
        near = nearest(text.removeprefix(BUDGETS), budgets)
        return f"unknown budget {text!r}" + (f", did you mean {BUDGETS + near!r}?" if near else "")
    if text in _NO_FIELDS:
        return f"{text} {_NO_FIELDS[text]}"
    listed = [*FIELDS, *(BUDGETS + name for name in budgets)]
    if any(name.startswith(f"{text}.") for name in listed):
        return _group(text, listed)
    if slips := get_close_matches(text, listed, n=1, cutoff=_NEAR):
        return f"unknown field {text!r}, did you mean {slips[0]!r}?"
    if root in LATER_ROOTS:
        return f"{root}.* is not built yet"
    return f"unknown field {text!r}{_far_hint(text, listed)}"


def _group(text: str, listed: Collection[str] = tuple(FIELDS)) -> str:
    members = [name for name in listed if name.startswith(f"{text}.")]
    shown = ", ".join(members[:3]) + (", …" if len(members) > 3 else "")  # noqa: PLR2004 -- three show what is meant
    return f"{text!r} is a group of fields; write one of {shown}"


def _far_hint(text: str, listed: Collection[str]) -> str:
    """A suggestion for a name whose first part is wrong or was left out."""
    tails = {name.rpartition(".")[2]: name for name in reversed(tuple(listed))}
    tail = get_close_matches(text.rpartition(".")[2], tails, n=1, cutoff=_NEAR)
    return f", did you mean {tails[tail[0]]!r}?" if tail else hint(text, listed)
