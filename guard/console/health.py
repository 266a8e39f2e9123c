"""Whether the service does its work: the service notes it here, and /healthz tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from guard.lifecycle.strait import Strait
from guard.units import duration_text

LEAST_PATIENCE_S: Final = 60.0  # as long as the service's own watchdog waits; a poll may take a third of it
MISSED: Final = 3  # intervals


@dataclass(frozen=True, slots=True)
class ChannelCondition:
    """How one channel does."""

    channel: str
    failing: bool
    oldest_pending_at: datetime | None  # since when the oldest message waits that is not refused
    dead: int  # messages that were refused for good
    buttons: bool | None = None  # whether presses of its buttons are heard; None where it has none


@dataclass(frozen=True, slots=True)
class Condition:
    """How the service does at one moment."""

    cycles: int
    last_cycle_age_s: float | None  # None before the first
    reasons: tuple[str, ...]  # why it fails, for people; empty: it does not
    notes: tuple[str, ...] = ()  # what else a person should see to
    channels: tuple[ChannelCondition, ...] = ()  # in the order of the rule file; empty before the first look

    @property
    def is_ok(self) -> bool:
        """Whether it does its work."""
        return not self.reasons


@dataclass(slots=True)
class Health:
    """What the service knows of itself. Moments are the monotonic clock's, so that no jump of the time is a failure.

    A cycle is completed when it was committed, whatever the API said: an API that is down is an alert and no failure
    of the service. So only a service that hangs fails, or one that cannot write, or that can tell nobody.
    """

    every_s: float  # the shortest interval of all accounts
    began_s: float
    store_failing: bool = False
    rule_faults: tuple[str, ...] = ()  # of the rule file as it stands, while that is not the one in force
    straits: tuple[Strait, ...] = ()  # of all channels, when they were last looked at
    failing: Mapping[str, str] = field(default_factory=dict)  # channels that fail, each with how; for people
    unheard: Mapping[str, str] = field(default_factory=dict)  # by channel with buttons, why presses are not; or empty
    cycles: int = 0
    _cycled_s: float | None = None

    @property
    def is_failing(self) -> bool:
        """Whether it cannot do its work, although it runs: nothing can be written down, or nobody can be told."""
        return self.store_failing or self._is_mute

    @property
    def _is_mute(self) -> bool:
        return bool(self.straits) and all(each.channel in self.failing for each in self.straits)

    def cycled(self, now_s: float) -> None:
        """Notes a completed cycle of any account."""
        self.cycles += 1
        self._cycled_s = now_s

    def condition(self, now_s: float) -> Condition:
        """How it does now; it fails after three intervals without a completed cycle, but not within a minute."""
        age_s = None if self._cycled_s is None else now_s - self._cycled_s
        reasons = [] if self._is_patient(now_s) else [_silent_for(age_s, now_s - self.began_s)]
        if self.store_failing:
            reasons.append("the database takes no writes")
        notes = [f"the rule file cannot be used: {self.rule_faults[0]}"] if self.rule_faults else []
        if self._is_mute:
            reasons.append("every channel fails, so nobody can be told")
        notes += self.failing.values()
        notes += (f"buttons in {name} do nothing: {why}" for name, why in self.unheard.items() if why)
        channels = tuple(
            ChannelCondition(
                each.channel, each.channel in self.failing, each.oldest_at, each.dead, self._is_heard(each.channel)
            )
            for each in self.straits
        )
        return Condition(self.cycles, age_s, tuple(reasons), tuple(notes), channels)

    def line(self, now_s: float) -> str:
        """How it does now in one line, for people who look at the process."""
        now = self.condition(now_s)
        age_s = now.last_cycle_age_s
        last = "" if age_s is None else f", the last {duration_text(timedelta(seconds=age_s))} ago"
        return "; ".join((f"{now.cycles:,} cycles{last}", *now.reasons, *now.notes))

    def _is_heard(self, channel: str) -> bool | None:
        return None if channel not in self.unheard else not self.unheard[channel]

    def _is_patient(self, now_s: float) -> bool:
        since_s = self.began_s if self._cycled_s is None else self._cycled_s
        return now_s - since_s <= max(MISSED * self.every_s, LEAST_PATIENCE_S)


def _silent_for(age_s: float | None, since_start_s: float) -> str:
    if age_s is None:
        return f"no cycle was completed since the start {duration_text(timedelta(seconds=since_start_s))} ago"
    return f"no cycle was completed for {duration_text(timedelta(seconds=age_s))}"
