"""The life of an alert: its state, its timers, and the incidents that it has one after another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from guard.model.alert_key import AlertKey
from guard.model.evaluation import Reading
from guard.model.level import Level


class State(StrEnum):
    """Where an alert stands."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"


class Reason(StrEnum):
    """Why an incident ended, as people read it."""

    RECOVERED = "recovered"
    NEW_PERIOD = "new period"
    LIMIT_CHANGED = "limit changed"
    NO_LONGER_APPLIES = "no longer applies"
    RULE_CHANGED = "rule changed"
    RULE_DISABLED = "rule disabled"
    RULE_REMOVED = "rule removed"
    ACCOUNT_REMOVED = "account removed"
    SUBJECT_GONE = "subject gone"


@dataclass(frozen=True, slots=True)
class Timer:
    """How long a condition has held, over known evaluations only; it exists while the last known one was true."""

    total: timedelta
    at: datetime  # the last known evaluation

    def known(self, now: datetime, *, every: timedelta) -> "Timer":
        """The timer after one more true evaluation: the gap counts in full up to 3 × every, else not at all."""
        gap = now - self.at
        counted = gap if timedelta() <= gap <= 3 * every else timedelta()
        return Timer(self.total + counted, now)


@dataclass(frozen=True, slots=True)
class Incident:
    """One firing, from fired to resolved."""

    id: str
    key: AlertKey
    started_at: datetime
    peak: Level
    peak_value: float | None = None  # the value furthest towards the bad side, as far as known
    ended_at: datetime | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Flapping:
    """An alert that fires and ends time and again."""

    level: Level  # that it had when it was found to; a higher one breaks it
    stable: Timer  # since when nothing changed
    incident_id: str  # the last one that began


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule's present state on one account (and subject). The default is one that was never evaluated."""

    key: AlertKey
    state: State = State.OK
    level: Level | None = None  # the present level; set in firing and recovering only
    timers: Mapping[Level, Timer] = field(default_factory=dict)
    clear: Timer | None = None
    unknown: Timer | None = None  # since when it cannot be evaluated although answers are good
    unknown_why: str = ""
    incident: Incident | None = None  # the open one; set in firing and recovering only
    reading: Reading | None = None  # of the last known evaluation
    limits: Mapping[str, float] = field(default_factory=dict)
    period_start_at: datetime | None = None
    fingerprint: str = ""  # of the rule that was last evaluated: tells a changed rule from a changed value
    absent: int = 0  # good listings in a row that did not show its subject
    fired: tuple[datetime, ...] = ()  # when its last incidents began, oldest first; as many as tell of flapping
    flapping: Flapping | None = None
