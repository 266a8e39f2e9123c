"""Backoff: how long to wait before another try; exponential with jitter, half of it fixed and half random; pure.

See "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(seconds=1)
"""The wait after the first failure, in full."""


def backoff(failures: int, *, longest: timedelta, jitter: float, first: timedelta = FIRST) -> timedelta:
    """How long to wait after so many failures in a row; `jitter` is a random share, 0 to 1.

    >>> [str(backoff(failures, longest=timedelta(seconds=5), jitter=1)) for failures in (1, 2, 3, 4)]
    ['0:00:01', '0:00:02', '0:00:04', '0:00:05']
    """
    doubled = first * (1 << min(max(failures - 1, 0), 16))
    return min(longest, doubled) * (0.5 + jitter / 2)
