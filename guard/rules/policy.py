"""What the lifecycle needs to know of a rule: its levels, timers, routes and reminders; never its expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo

from guard.model import Level


@dataclass(frozen=True, slots=True)
class Remind:
    """How often a channel is told again of what still fires; a level that is absent is not reminded of."""

    every: Mapping[Level, timedelta] = field(default_factory=dict)
    at_most: int = 6  # a channel and incident


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """A time of the week in which a rule tells of critical alone; by the wall clock of a zone, whatever its offset."""

    name: str
    days: frozenset[int]  # on which it begins; Monday is 0
    start: time  # inclusive
    end: time  # exclusive; where it is not after `start`, on the day after
    tz: tzinfo

    def covers(self, at: datetime) -> bool:
        """Whether an aware instant lies in it."""
        local = at.astimezone(self.tz)
        clock, today = local.time(), local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        began_today = today in self.days and self.start <= clock
        return began_today or ((today - 1) % 7 in self.days and clock < self.end)


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule on one account, with the account's and the file's defaults already applied."""

    rule: str
    levels: tuple[Level, ...]  # ascending, at least one
    routes: Mapping[Level, tuple[str, ...]]  # channel names by level; an absent level notifies nobody
    recipients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by channel; absent where it has only one
    hold: timedelta = timedelta()  # the rule's `for`
    keep_firing_for: timedelta = timedelta()
    remind: Remind = field(default_factory=Remind)
    fingerprint: str = ""  # of all that says what holds; times, texts, routes and reminders are not in it
    labels: Mapping[str, str] = field(default_factory=dict)  # for people, and to silence by
    quiet: tuple[QuietWindow, ...] = ()
