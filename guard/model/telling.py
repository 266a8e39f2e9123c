"""What a message says of one alert."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from guard.model.alert import Alert, Incident
from guard.model.mute import Ack, Silence
from guard.model.notification import Knowledge


class Occasion(StrEnum):
    """What a channel is told, or would be: the step from what it knows to what it should know."""

    FIRED = "fired"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    FLAPPING = "flapping"
    STANDING = "standing"  # nothing new: how it stands now, for a message that is edited


@dataclass(frozen=True, slots=True)
class Telling:
    """One alert's part of a message: the incident that it speaks of, and what the channel knew before."""

    occasion: Occasion
    alert: Alert  # as it stands now; its own incident may already be another one
    incident: Incident
    desired: Knowledge
    notified: Knowledge | None = None
    missed: tuple[Incident, ...] = ()  # earlier ones, oldest first, of whose end the channel had not heard yet
    ack: Ack | None = None  # of this incident, in force
    silence: Silence | None = None  # that holds for this alert now; of more the one that ends last
    past: tuple[tuple[datetime, float], ...] = ()  # the value of late, oldest first; may be empty
