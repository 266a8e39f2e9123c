"""What is told, as the outbox would tell it; valid by default, changed by keyword."""

from datetime import UTC, timedelta
from typing import Any

from guard.message import Message, compose
from guard.model import AlertKey, Incident, Level, Occasion, Reason, State, Telling
from tests.builders import KEY, NOW, alert, incident, knowledge, reading

SPEND = AlertKey("main", "spend")
SINCE = NOW - timedelta(minutes=5)


def telling(
    occasion: Occasion = Occasion.FIRED, key: AlertKey = KEY, *, missed: tuple[Incident, ...] = (), **changes: Any
) -> Telling:
    """An alert at critical, whose incident is named after its rule; other keywords are those of its reading."""
    ended = occasion is Occasion.RESOLVED
    over = {"ended_at": NOW, "reason": Reason.RECOVERED} if ended else {}
    found = incident(id=f"inc-{key.rule}", key=key, started_at=SINCE, peak=Level.CRITICAL, **over)
    state = {} if ended else {"state": State.FIRING, "level": Level.CRITICAL, "incident": found}
    untold = tuple(each.id for each in missed)
    desired = knowledge(Level.CRITICAL, incident_id=found.id, ended=ended, missed=untold)
    return Telling(occasion, alert(key=key, reading=reading(**changes), **state), found, desired, missed=missed)


def ended(name: str) -> Incident:
    """An earlier incident of the same alert."""
    return incident(id=name, started_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1))


def told(*tellings: Telling, console_url: str = "") -> Message:
    return compose(tellings or (telling(),), now=NOW, zone_of=lambda _: UTC, console_url=console_url)
