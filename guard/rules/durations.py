"""Durations as people write them, and how the language writes the same."""

import re
from datetime import timedelta
from typing import Final

_LETTERS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))
_SECONDS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 604_800),
}
_EXACT_S: Final = 1e-6  # by which sums of floats may miss a whole second
_MOST_S: Final = 1_000_000_000  # beyond all that may be written in seconds
_PART: Final = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(?P<word>[a-z]+)\.?(?:\s+and\b)?\s*")


def written(duration: timedelta) -> str:
    """A duration of whole seconds as rule files have it, in the largest unit that leaves no rest.

    >>> written(timedelta(minutes=90)), written(timedelta(hours=1))
    ('90m', '1h')
    """
    seconds = int(duration.total_seconds())
    return next((f"{seconds // size}{letter}" for size, letter in _LETTERS if seconds % size == 0), f"{seconds}s")


def meant(text: str) -> str | None:
    """What to write for a duration in other words; None where it is none for sure, or not of whole seconds.

    >>> meant("1 hour"), meant("1h30m"), meant("1.5 h"), meant("PT15M"), meant("soon")
    ('1h', '90m', '90m', '15m', None)
    """
    rest, total_s = text.strip().lower().removeprefix("pt"), 0.0
    while rest:
        part = _PART.match(rest)
        if part is None or part["word"] not in _SECONDS:
            return None
        total_s += float(part["number"]) * _SECONDS[part["word"]]
        rest = rest[part.end() :]
    seconds = round(total_s)
    is_whole = 0 < seconds < _MOST_S and abs(total_s - seconds) < _EXACT_S
    return written(timedelta(seconds=seconds)) if is_whole else None
