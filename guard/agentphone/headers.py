"""Header fields that hold a time: Date and Retry-After."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

SHORTEST_WAIT: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(hours=1)
USUAL_WAIT: Final = timedelta(seconds=60)

_SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]+)?([eE][0-9]+)?")
_LONGEST_DATE: Final = 64


@lru_cache(maxsize=8)  # many answers a second bear the same one
def http_date(text: str) -> datetime | None:
    """An HTTP date (RFC 9110, section 5.6.7) as aware UTC; None for anything else."""
    try:
        read = parsedate_to_datetime(text[:_LONGEST_DATE])
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(text: str, *, now: datetime) -> timedelta:
    """How long a Retry-After (RFC 9110, section 10.2.3) asks to wait: seconds, or a date as seen from `now`.

    Always between a second and an hour. What is empty, nonsense or in the past gives 60 seconds.

    >>> retry_after("1e9", now=datetime(2026, 11, 23, tzinfo=UTC))
    datetime.timedelta(seconds=3600)
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        wait = timedelta(seconds=min(float(text), LONGEST_WAIT.total_seconds()))
    else:
        until = http_date(text)
        wait = USUAL_WAIT if until is None or until < now else until - now
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)
