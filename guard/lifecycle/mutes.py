"""Mutes: what people asked to hear less of, and which of it holds back an alert now; pure.

A silence or a quiet window holds back firings and reminders, never the end of what was told. An ack holds back
reminders alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from guard.model import Ack, Alert, AlertKey, Event, EventKind, Incident, Level, Silence
from guard.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Mutes:
    """The silences that are stored, and the acks by incident; both may also be over, or not begun."""

    silences: Sequence[Silence] = ()
    acks: Mapping[str, Sequence[Ack]] = field(default_factory=dict)

    @classmethod
    def of(cls, silences: Sequence[Silence], acks: Iterable[Ack]) -> "Mutes":
        """Takes acks in any order of incidents, each incident's oldest first."""
        by_incident: dict[str, list[Ack]] = {}
        for ack in acks:
            by_incident.setdefault(ack.incident_id, []).append(ack)
        return cls(silences, by_incident)

    def silence(self, key: AlertKey, labels: Mapping[str, str], level: Level, *, now: datetime) -> Silence | None:
        """The silence that holds this level of an alert back; of several the one that ends last."""
        holding = [each for each in self.silences if is_in_force(each, now=now) and matches(each, key, labels)]
        holding = [each for each in holding if each.below is None or level < each.below]
        return max(holding, key=lambda each: each.ends_at, default=None)

    def silence_on(self, alert: Alert, *, now: datetime) -> Silence | None:
        """The silence that holds an alert back as it stands, by the labels that it was last read with."""
        labels = alert.reading.labels if alert.reading is not None else {}
        return None if alert.level is None else self.silence(alert.key, labels, alert.level, now=now)

    def ack(self, alert: Alert, *, now: datetime) -> Ack | None:
        """The ack that keeps reminders of an alert back; the latest of them."""
        incident = alert.incident
        acks = self.acks.get(incident.id, ()) if incident else ()
        holding = [each for each in acks if incident and each.level >= incident.peak and is_ack_in_force(each, now=now)]
        return holding[-1] if holding else None

    def hold(self, key: AlertKey, policy: Policy, level: Level, *, now: datetime) -> str:
        """Why this level of an alert is not to be told now, for people; empty where it is."""
        silence = self.silence(key, policy.labels, level, now=now)
        if silence is not None:
            return f"silence {silence.id}" + (f" ({silence.reason})" if silence.reason else "")
        window = next((each for each in policy.quiet if level < Level.CRITICAL and each.covers(now)), None)
        return f"quiet window {window.name}" if window else ""


def matches(silence: Silence, key: AlertKey, labels: Mapping[str, str]) -> bool:
    """Whether a silence is about an alert, whatever the time."""
    names = {str(key), f"{key.account}/{key.rule}"}
    if not any(fnmatchcase(name, silence.pattern) for name in names):
        return False
    return all(labels.get(name) == text for name, text in silence.labels.items())


def is_in_force(silence: Silence, *, now: datetime) -> bool:
    """Whether its time is now, and nobody ended it."""
    return silence.ended_at is None and silence.starts_at <= now < silence.ends_at


def is_ack_in_force(ack: Ack, *, now: datetime) -> bool:
    """Whether its time is not over, and nobody took it back."""
    return ack.ended_at is None and (ack.until_at is None or now < ack.until_at)


def acked(incident: Incident, ack: Ack) -> Event:
    """What records that an incident was acknowledged."""
    return _by_people(incident, EventKind.ACKED, ack.by, ack.reason, at=ack.at)


def unacked(incident: Incident, *, by: str, at: datetime) -> Event:
    """What records that its acks were taken back."""
    return _by_people(incident, EventKind.UNACKED, by, at=at)


def _by_people(incident: Incident, kind: EventKind, by: str, reason: str = "", *, at: datetime) -> Event:
    text = ": ".join(filter(None, (f"by {by}" if by else "", reason)))
    return Event(at, incident.key, kind, incident.id, incident.peak, text=text)
