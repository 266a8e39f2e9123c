"""What each recipient may have been told, and has to be: noted after each cycle from the alerts alone.

It is the plain account that the machine holds the outbox against, and knows neither of desired nor of notified.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from guard.model import Alert, AlertKey, Level
from guard.rules.policy import Policy

Place = tuple[str, str]  # a channel and a recipient


@dataclass
class Asked:
    """A silence that somebody asked for; `over` once they ended it."""

    id: int
    pattern: str  # one alert, or * for all
    begins_at: datetime
    ends_at: datetime
    below: Level | None
    over: bool = False

    def holds(self, key: AlertKey, level: Level, *, now: datetime) -> bool:
        """Whether this level of an alert is not to be told because of it."""
        is_meant = self.pattern in {"*", str(key)} and (self.below is None or level < self.below)
        return is_meant and not self.over and self.begins_at <= now < self.ends_at


@dataclass
class Promises:
    """The sum of all cycles so far. A level is the one that leads to a place, at or below that of the alert."""

    silences: list[Asked] = field(default_factory=list)
    acks: dict[str, Level] = field(default_factory=dict)  # by incident: the peak that somebody has seen
    may: defaultdict[Place, set[tuple[str, Level]]] = field(default_factory=lambda: defaultdict(set))
    owed: defaultdict[Place, dict[str, Level]] = field(default_factory=lambda: defaultdict(dict))
    held: dict[tuple[Place, str], AlertKey] = field(
        default_factory=dict
    )  # what fires and is muted, since the last cycle
    muted: set[tuple[AlertKey, Level]] = field(default_factory=set)  # since the last cycle
    seen: set[str] = field(default_factory=set)  # incidents that somebody has seen, since the last cycle
    flaps: dict[AlertKey, set[str]] = field(default_factory=dict)  # of what flaps: the incidents since it does
    _families: dict[str, set[str]] = field(default_factory=dict)

    def note(self, alerts: Mapping[AlertKey, Alert], policies: Mapping[str, Policy], *, now: datetime) -> None:
        """Notes how things stand after a cycle."""
        self.muted = {
            (key, level)
            for key in alerts
            for level in Level
            if key.rule in policies and self._is_muted(key, policies[key.rule], level, now=now)
        }
        self.held, self.seen = {}, set()
        for key in [key for key in self.flaps if key not in alerts or alerts[key].flapping is None]:
            family, after = self.flaps.pop(key), alerts.get(key)
            if after is not None and after.incident is not None:  # which is told in place of all others
                self._join(after.incident.id, family)
        for alert in alerts.values():
            if alert.incident is not None and alert.level is not None and alert.key.rule in policies:
                self._note(alert, policies[alert.key.rule])

    def _is_muted(self, key: AlertKey, policy: Policy, level: Level, *, now: datetime) -> bool:
        is_quiet = bool(policy.quiet) and level < Level.CRITICAL and 6 <= now.hour < 18
        return is_quiet or any(each.holds(key, level, now=now) for each in self.silences)

    def _note(self, alert: Alert, policy: Policy) -> None:
        assert alert.incident is not None
        key, incident = alert.key, alert.incident.id
        if alert.flapping is not None:
            self._join(incident, self.flaps.setdefault(key, set()))
        if self.acks.get(incident, Level.INFO) >= alert.incident.peak:
            self.seen.add(incident)
        for owed in self.owed.values():
            if incident in owed and (key, owed[incident]) in self.muted:
                del owed[incident]  # whoever has heard of it will hear of its end all the same
        for place, level in _led(alert, policy):
            if (key, level) in self.muted:
                self.held[place, incident] = key
            else:
                self.may[place].add((incident, level))
                self.owed[place][incident] = max(level, self.owed[place].get(incident, level))

    def _join(self, incident: str, family: set[str]) -> None:
        family.add(incident)
        self._families[incident] = family

    def family(self, incident: str) -> set[str]:
        """The incident, with all others since its alert flaps: these are told as one."""
        return self._families.get(incident, {incident})

    def may_know(self, place: Place, incident: str) -> bool:
        """Whether something of it could be told there."""
        return any(known in self.family(incident) for known, _ in self.may[place])

    def forget(self, place: Place) -> None:
        """Whoever is told again some day begins anew."""
        self.may.pop(place, None)
        self.owed.pop(place, None)


def _led(alert: Alert, policy: Policy) -> Iterator[tuple[Place, Level]]:
    """Each place to which some level of an alert leads, with the highest one."""
    levels: dict[Place, Level] = {}
    for level, channels in sorted(policy.routes.items()):
        for channel in channels if alert.level is not None and level <= alert.level else ():
            levels |= dict.fromkeys(((channel, who) for who in policy.recipients.get(channel, ("",))), level)
    yield from levels.items()
