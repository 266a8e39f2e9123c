"""A rate limit: so many requests in any minute, and how long to wait for the next."""

from collections import deque
from datetime import datetime, timedelta
from math import ceil
from typing import Final

_WINDOW: Final = timedelta(minutes=1)


class RateLimit:
    """Lets `a_minute` requests pass in any 60 s, by the instants that it is given; refused ones do not count."""

    def __init__(self, a_minute: int) -> None:
        """Raises ValueError below 1."""
        if a_minute < 1:
            raise ValueError(f"a rate limit lets one request a minute pass at least, not {a_minute}")
        self._passed: deque[datetime] = deque(maxlen=a_minute)

    def admit(self, now: datetime) -> int:
        """Counts a request and gives 0, or refuses it and gives the whole seconds until one will pass (1 to 60)."""
        if len(self._passed) == self._passed.maxlen:
            left = self._passed[0] + _WINDOW - now
            if left > timedelta():
                return min(ceil(left.total_seconds()), 60)
        self._passed.append(now)  # the oldest makes room
        return 0
