"""What people ask to hear less of: silences and acks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from guard.model.level import Level


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which alerts are not told; what was told already is told as ended all the same."""

    pattern: str  # over `account/rule/subject`, with * and ?; one that names a rule goes for all its subjects
    starts_at: datetime
    ends_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)  # the rule has to have all of them
    below: Level | None = None  # only levels below it are held back; None: all
    reason: str = ""  # for people
    by: str = ""  # who asked for it, for people
    id: int = 0  # 0 until it is stored
    ended_at: datetime | None = None  # when somebody ended it before its time


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody has seen an incident: nobody is reminded of it until it gets worse, ends, or the time is over."""

    incident_id: str
    level: Level  # the incident's peak at that time; a higher one breaks the ack
    at: datetime
    by: str = ""  # who, for people
    reason: str = ""  # for people
    until_at: datetime | None = None
    id: int = 0  # 0 until it is stored
    ended_at: datetime | None = None  # when somebody took it back
