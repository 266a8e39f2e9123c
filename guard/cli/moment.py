"""Times and durations as people type them, and how a time is shown that belongs to no account."""

from datetime import UTC, datetime, timedelta
from typing import Final

from guard.errors import UsageError
from guard.units import duration_text, instant_text, parse_duration

LONGEST: Final = timedelta(days=90)
"""For which anything may be silenced; what is to be silent for longer is better said in the rule file."""

ZONE_HELP: Final = 'as "2026-11-24 06:00" in this machine\'s time zone, or with a zone: 2026-11-24T06:00Z'


def local_text(at: datetime) -> str:
    """An instant in this machine's time zone, to the minute."""
    return instant_text(at, None)


def read_instant(text: str, option: str) -> datetime:
    """The instant that is typed, in UTC; without a zone it is this machine's. Raises UsageError."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f'{option} {text!r} is no time; write "2026-11-24 06:00", or 2026-11-24T06:00Z') from None


def read_end(for_: str | None, until: str | None, *, starts_at: datetime, now: datetime) -> datetime:
    """When something ends: after `--for`, or at `--until`. Raises UsageError for both, neither and what cannot be."""
    if (for_ is None) == (until is None):
        raise UsageError("say either --for, such as --for 2h, or --until, such as --until '2026-11-24 06:00'")
    ends_at = starts_at + read_duration(for_) if for_ is not None else read_instant(until or "", "--until")
    if ends_at <= max(starts_at, now):
        raise UsageError(f"it would be over before it begins: it ends {local_text(ends_at)}")
    if ends_at - starts_at > LONGEST:
        lasts = duration_text(ends_at - starts_at)
        raise UsageError(f"it lasts {LONGEST.days} days at most, and not {lasts}; a rule that nobody wants is disabled")
    return ends_at


def read_duration(text: str) -> timedelta:
    """What `--for` says, of at most LONGEST and more than nothing. Raises UsageError."""
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    if not timedelta() < duration <= LONGEST:
        raise UsageError(f"--for is more than 0s, and {LONGEST.days}d at most, not {text}")
    return duration
