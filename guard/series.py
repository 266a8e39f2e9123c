"""The shorthand of scenarios: `5x10 4 3 _ 2x5` in, one value a poll out; pure."""

import re
from decimal import Decimal
from typing import Final

MAX_VALUES: Final = 1_000_000
"""More than two years of polls a minute; a longer series is a slip of the finger."""

_NUMBER: Final = r"\d{1,15}(?:\.\d{1,9})?"  # below 1e15 a float still tells one whole number from the next
_ITEM: Final = re.compile(
    rf"(?:(?P<gap>_)|(?P<first>-?{_NUMBER})(?P<step>[+-]{_NUMBER})?)(?:x(?P<count>\d+))?", re.ASCII
)
_WORD: Final = re.compile(r"\S+")
_SHOWN: Final = 16  # characters of a word that an error repeats
_HELP: Final = "write 5, 5x10 (ten times), 0+10x60 (a ramp) or _"


class SeriesError(ValueError):
    """A series that cannot be read; `start` and `end` enclose the word at fault, from 0, as a slice does."""

    def __init__(self, why: str, *, start: int, end: int) -> None:
        """Takes a sentence for people, to which the place is added."""
        super().__init__(f"character {start + 1}: {why}")
        self.start = start
        self.end = end


def parse_series(text: str) -> tuple[float | None, ...]:
    """Reads a series: words set apart by spaces, each giving one value or more, one a poll; None is a failed poll.

    | word       | gives                                                                     |
    | ---------- | ------------------------------------------------------------------------- |
    | `5`        | 5, once; a number is decimal, with at most 15 digits before the point     |
    | `5x10`     | 5, ten times: behind a value, `x` counts the values                       |
    | `0+10x60`  | 0, then sixty steps of 10 up to 600, so 61 values: behind a step, `x`     |
    |            | counts the steps, as in Prometheus' rule tests; `5-1x4` goes down to 1    |
    | `_`, `_x3` | one failed poll, or three                                                 |

    Never empty, at most MAX_VALUES long, every number finite. Raises SeriesError for anything else.

    >>> parse_series("5x2 4-1.5x2 _")
    (5.0, 5.0, 4.0, 2.5, 1.0, None)
    """
    values: list[float | None] = []
    for word in _WORD.finditer(text):
        try:
            values += _expanded(word[0], room=MAX_VALUES - len(values))
        except ValueError as error:
            raise SeriesError(str(error), start=word.start(), end=word.end()) from None
    if not values:
        raise SeriesError(f"there is no value; {_HELP}", start=0, end=len(text))
    return tuple(values)


def _expanded(word: str, *, room: int) -> list[float | None]:
    """One word's values; raises ValueError when it is none, or gives more values than there is room for."""
    item = _ITEM.fullmatch(word)
    if item is None:
        raise ValueError(_complaint(word))
    count = _count(item["count"], word=word)
    steps = item["step"] is not None
    if count + steps > room:
        raise ValueError(f"{_shown(word)} makes the series longer than {MAX_VALUES:,} values")
    if item["gap"]:
        return [None] * count
    if not steps:
        return [float(item["first"])] * count
    if item["count"] is None:
        raise ValueError(f"{_shown(word)} does not say how many steps to make; write {word}x10 for ten")
    first, step = Decimal(item["first"]), Decimal(item["step"])  # decimal, so that 0+0.1x3 ends at 0.3
    return [float(first + step * number) for number in range(count + 1)]


def _count(digits: str | None, *, word: str) -> int:
    """What stands behind the `x`, 1 when nothing does; past MAX_VALUES only that it is more."""
    if digits is None:
        return 1
    digits = digits.lstrip("0")
    if not digits:
        raise ValueError(f"{_shown(word)} counts to 0; leave it out, or count to 1 at least")
    return int(digits) if len(digits) <= len(str(MAX_VALUES)) else MAX_VALUES + 1


def _complaint(word: str) -> str:
    if "," in word:
        return f"{_shown(word)} has a comma; values are set apart by spaces, and thousands are not set apart"
    return f"{_shown(word)} is no part of a series; {_HELP}"


def _shown(word: str) -> str:
    return repr(word if len(word) <= _SHOWN else word[:_SHOWN] + "…")
