"""Numbers over time as one line of blocks; pure."""

from collections.abc import Sequence
from typing import Final

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_GAP: Final = "·"

LETTERS: Final = frozenset(_BLOCKS + _GAP)
"""All that a line is made of."""


def line_of(values: Sequence[float | None], *, low: float, high: float) -> str:
    """One block for each value from `low` to `high`, which are finite; `·` where there is none.

    >>> line_of((0, None, 5, 10), low=0, high=10)
    '▁·▅█'
    """
    return "".join(_GAP if each is None else _block(each, low, high) for each in values)


def _block(value: float, low: float, high: float) -> str:
    # Halved, since the span of two finite numbers may be too large for one.
    span = high / 2 - low / 2
    return _BLOCKS[round((value / 2 - low / 2) / span * (len(_BLOCKS) - 1))] if span else _BLOCKS[0]
