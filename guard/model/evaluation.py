"""What a rule makes of a snapshot, and what that says to people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guard.model.alert_key import AlertKey
from guard.model.level import Level


@dataclass(frozen=True, slots=True)
class Bound:
    """A level's condition as it stood: `< 2`."""

    operator: str
    number: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a known evaluation says to people; kept with the alert, so a message needs neither rule nor snapshot."""

    at: datetime  # when the snapshot was taken
    summary: str
    value: float | None = None
    unit: str = ""
    bounds: Mapping[Level, Bound] = field(default_factory=dict)
    description: str = ""
    runbook: str = ""
    age: timedelta = timedelta()  # the report's own age at `at`
    subject: str = ""  # what people call the alert's subject; empty where there is none, or no name beside its id
    labels: Mapping[str, str] = field(default_factory=dict)  # the rule's
    wording: str = ""  # a hash of what the rule's texts are made of: tells other words from another value


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One rule against one snapshot, three-valued: None is unknown, which never fires and never resolves.

    `holds` has one entry for each level of the rule and is cumulative: a level holds while it or a higher one holds.
    `clear` is whether it is over. `applies` is the rule's `when`; where it is False the rest was not looked at.
    `unknown` is the first reason why a part is unknown, empty when all is known; `is_young` says that there is no other
    reason than too short a history, which time mends by itself. `limits` are the limits that stand
    behind the fields the rule reads, by field name: they tell a recovery from a limit that was raised.
    """

    key: AlertKey
    holds: Mapping[Level, bool | None]
    clear: bool | None
    reading: Reading | None  # None when the value is unknown or was not looked at
    applies: bool | None = True
    unknown: str = ""
    is_young: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    period_start_at: datetime | None = None  # set only when the rule reads a field of the reporting period
