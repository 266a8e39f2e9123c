"""Which names an expression may use, and what was probably meant by one that does not exist."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from guard.fields import DATES, FIELDS, OPEN_ROOTS
from guard.model import Each
from guard.rules.complaint import Complaint, Severity, hint, nearest
from guard.rules.functions import FUNCTIONS
from guard.rules.tree import Call, Name

BUDGETS: Final = "budgets."
"""What the names under [budgets] begin with in an expression."""

_NEAR: Final = 0.85
_NO_FIELDS: Final = {
    **dict.fromkeys(DATES, "is a date, not a number; period.elapsed is the share of the period that has passed"),
    **dict.fromkeys(("true", "false", "always"), "is no condition; compare something, or leave the key out"),
}
_MEANT: Final = {
    **dict.fromkeys(("mean", "average"), "avg"),
    **dict.fromkeys(("rate", "growth"), "increase"),
    **dict.fromkeys(("change", "diff"), "delta"),
    **dict.fromkeys(("offset", "before"), "ago"),
    **dict.fromkeys(("median", "normal"), "usual"),
    **dict.fromkeys(("forecast", "predict_linear"), "eta"),
}
_DIGITS: Final = re.compile(r"[0-9]+")


def name_complaint(name: Name, budgets: Collection[str], each: Each | None) -> Complaint | None:
    """What is wrong with a name, None for a listed field or a budget; a warning for a field the API may yet bring.

    `budgets` are the names under [budgets], without their prefix; `each` is the rule's, whose fields are good then.
    """
    text = name.name
    if text in FIELDS and not _is_of_others(text, each):
        return None
    if text.startswith(BUDGETS) and text.removeprefix(BUDGETS) in budgets:
        return None
    root = text.partition(".")[0]
    if root in OPEN_ROOTS and "." in text:
        return _unlisted(name, root)
    return Complaint(name.span, _unknown(text, root, budgets, each))


def _is_of_others(text: str, each: Each | None) -> bool:
    """Whether a field is one of a subject's that the rule is not evaluated for."""
    root = text.partition(".")[0]
    return root in set(Each) and root != each


def call_complaint(call: Call) -> Complaint | None:
    """What is wrong with a function's name, None for one that there is."""
    if call.function in FUNCTIONS:
        return None
    written = call.function.removesuffix("_over_time")
    near = hint(_MEANT.get(written, written), FUNCTIONS) or f"; there are {', '.join(FUNCTIONS)}"
    return Complaint(call.span, f"unknown function {call.function!r}{near}")


def _unlisted(name: Name, root: str) -> Complaint:
    """A field that the API may have added since the table was written, unless it looks like a slip of the pen."""
    text = name.name
    siblings = [listed for listed in FIELDS if listed.startswith(f"{root}.")]
    if any(listed.startswith(f"{text}.") for listed in siblings):
        return Complaint(name.span, _group(text, siblings))
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


def _unknown(text: str, root: str, budgets: Collection[str], each: Each | None) -> str:
    if root == "budgets" and text != root:
        near = nearest(text.removeprefix(BUDGETS), budgets)
        return f"unknown budget {text!r}" + (f", did you mean {BUDGETS + near!r}?" if near else "")
    if text in _NO_FIELDS or text in FIELDS:
        return f"{text} {_NO_FIELDS[text]}" if text in _NO_FIELDS else _of_others(text, root)
    listed = [*(name for name in FIELDS if not _is_of_others(name, each)), *(BUDGETS + name for name in budgets)]
    if any(name.startswith(f"{text}.") for name in listed):
        return _group(text, listed)
    if slips := get_close_matches(text, listed, n=1, cutoff=_NEAR):
        return f"unknown field {text!r}, did you mean {slips[0]!r}?"
    if _is_of_others(text, each):
        return _of_others(f"{root}.*", root)
    return f"unknown field {text!r}{_far_hint(text, listed)}"


def _of_others(text: str, root: str) -> str:
    total = text.replace(root, f"{root}s", 1)
    instead = f"; {total} is the sum of all" if total in FIELDS else ""
    return f'{text} is read only in a rule with each = "{root}"{instead}'


def _group(text: str, listed: Collection[str]) -> str:
    members = [name for name in listed if name.startswith(f"{text}.")]
    shown = ", ".join(members[:3]) + (", …" if len(members) > 3 else "")  # noqa: PLR2004 -- three show what is meant
    return f"{text!r} is a group of fields; write one of {shown}"


def _far_hint(text: str, listed: Collection[str]) -> str:
    """A suggestion for a name whose first part is wrong or was left out."""
    tails = {name.rpartition(".")[2]: name for name in reversed(tuple(listed))}
    tail = get_close_matches(text.rpartition(".")[2], tails, n=1, cutoff=_NEAR)
    return f", did you mean {tails[tail[0]]!r}?" if tail else hint(text, listed)
