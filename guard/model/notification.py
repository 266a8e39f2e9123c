"""Who knows what: what a channel should know of an alert, and what it was last notified of."""

from dataclasses import dataclass
from datetime import datetime

from guard.model.alert_key import AlertKey
from guard.model.level import Level


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a channel knows, or should know, of one alert: never the text, only the state."""

    incident_id: str
    level: Level
    reminders: int = 0
    ended: bool = False
    missed: tuple[str, ...] = ()  # earlier incidents, oldest first, of whose end the channel had not heard yet
    flapping: bool = False  # the incident is one of many, and none of them is told for itself
    held: bool = False  # only desired: not to be told for now, unless as the end of what is known


@dataclass(frozen=True, slots=True)
class Root:
    """The message that an incident stands in, where a channel has threads: later ones reply to it, or edit it."""

    incident_id: str
    receipt: str  # what the receiver calls it; never empty
    level: Level  # what it shows
    ended: bool = False
    wording: str = ""  # of the reading that it was last written from


@dataclass(frozen=True, slots=True)
class Notification:
    """Desired (the cycle writes it) against notified (the outbox does), for one alert, channel and recipient."""

    key: AlertKey
    channel: str
    recipient: str = ""  # empty where the channel has only one
    desired: Knowledge | None = None
    notified: Knowledge | None = None
    notified_at: datetime | None = None  # of the last message that was accepted
    root: Root | None = None  # of the incident that was last told by a message of its own


@dataclass(frozen=True, slots=True)
class Outdated:
    """A notification whose root shows another state than its alert has, or other words than its rule."""

    notification: Notification
    level: Level | None  # of the alert in the root's very incident; None where that is over
    wording: str  # of the alert's reading; empty where the alert is gone


@dataclass(frozen=True, slots=True)
class Cover:
    """One alert's state that a delivery brings a channel to."""

    key: AlertKey
    knowledge: Knowledge
