"""Whether the service does its work: the service notes it here, and /healthz tells it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from guard.units import duration_text

LEAST_PATIENCE_S: Final = 60.0  # as long as the service's own watchdog waits; a poll may take a third of it
MISSED: Final = 3  # intervals


@dataclass(frozen=True, slots=True)
class Report:
    """How the service does at one moment."""

    cycles: int
    last_cycle_age_s: float | None  # None before the first
    reasons: tuple[str, ...]  # why it fails, for people; empty: it does not
    notes: tuple[str, ...] = ()  # what else a person should see to

    @property
    def is_ok(self) -> bool:
        """Whether it does its work."""
        return not self.reasons


@dataclass(slots=True)
class Health:
    """What the service knows of itself. Moments are the monotonic clock's, so that no jump of the time is a failure.

    A cycle is completed when it was committed, whatever the API said: an API that is down is an alert and no failure
    of the service. So only a service that hangs fails, or one that cannot write.
    """

    every_s: float  # the shortest interval of all accounts
    began_s: float
    store_failing: bool = False
    rule_faults: tuple[str, ...] = ()  # of the rule file as it stands, while that is not the one in force
    cycles: int = 0
    _cycled_s: float | None = None

    def cycled(self, now_s: float) -> None:
        """Notes a completed cycle of any account."""
        self.cycles += 1
        self._cycled_s = now_s

    def report(self, now_s: float) -> Report:
        """How it does now; it fails after three intervals without a completed cycle, but not within a minute."""
        age_s = None if self._cycled_s is None else now_s - self._cycled_s
        reasons = [] if self._is_patient(now_s) else [_silent_for(age_s, now_s - self.began_s)]
        if self.store_failing:
            reasons.append("the database takes no writes")
        notes = [f"the rule file cannot be used: {self.rule_faults[0]}"] if self.rule_faults else []
        return Report(self.cycles, age_s, tuple(reasons), tuple(notes))

    def _is_patient(self, now_s: float) -> bool:
        since_s = self.began_s if self._cycled_s is None else self._cycled_s
        return now_s - since_s <= max(MISSED * self.every_s, LEAST_PATIENCE_S)


def _silent_for(age_s: float | None, since_start_s: float) -> str:
    if age_s is None:
        return f"no cycle was completed since the start {duration_text(timedelta(seconds=since_start_s))} ago"
    return f"no cycle was completed for {duration_text(timedelta(seconds=age_s))}"
