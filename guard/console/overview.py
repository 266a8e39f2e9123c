"""The overview: what the console's first page says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from guard.console.health import ChannelCondition, Condition
from guard.console.standing import notes, since_at, state_text
from guard.lifecycle.mutes import Mutes
from guard.message.link import alert_url
from guard.message.telling import alert_name
from guard.model import Alert, State
from guard.store import Unit
from guard.units import counted, duration_text, instant_text

MOST: Final = 200  # alerts


@dataclass(frozen=True, slots=True)
class Row:
    """One alert that is not at rest."""

    level: str  # a word; of what has no level its state
    name: str
    path: str  # of its page
    summary: str
    since: str
    notes: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """The alerts that are not at rest, the worst first, and how many more there are."""

    rows: tuple[Row, ...]
    more: int


def read_alerts(unit: Unit, *, now: datetime, zone_of: Callable[[str], tzinfo]) -> Alerts:
    """Reads them, in one short read."""
    found, count = unit.busy_alerts(limit=MOST)
    mutes = unit.mutes((each.incident.id for each in found if each.incident), now=now)
    rows = tuple(_row(each, mutes, now=now, zone=zone_of(each.key.account)) for each in found)
    return Alerts(rows, count - len(rows))


def _row(alert: Alert, mutes: Mutes, *, now: datetime, zone: tzinfo) -> Row:
    since = since_at(alert)
    called = alert.reading.subject if alert.reading else ""
    recovering = (State.RECOVERING.value,) if alert.state is State.RECOVERING else ()
    return Row(
        level=alert.level.word if alert.level else state_text(alert),
        name=alert_name(replace(alert.key, subject=called or alert.key.subject)),
        path=alert_url("", alert.key),
        summary=alert.reading.summary if alert.reading else "",
        since=instant_text(since, zone) if since else "",
        notes="; ".join((*recovering, *notes(alert, mutes, now=now, zone=zone))),
    )


def service_lines(condition: Condition) -> list[str]:
    """How the service does, in one line; then why it fails, and what else to see to."""
    age_s = condition.last_cycle_age_s
    last = "" if age_s is None else f", the last {duration_text(timedelta(seconds=age_s))} ago"
    does = "The service does its work" if condition.is_ok else "The service fails"
    return [f"{does}: {counted(condition.cycles, 'cycle')}{last}.", *condition.reasons, *condition.notes]


def channel_rows(channels: Iterable[ChannelCondition], *, now: datetime) -> list[tuple[str, str, str]]:
    """Each channel, whether it fails, and what waits for it."""
    return [(each.channel, "failing" if each.failing else "works", _waits(each, now=now)) for each in channels]


def _waits(channel: ChannelCondition, *, now: datetime) -> str:
    at = channel.oldest_pending_at
    parts = (
        f"a message waits for {duration_text(now - at)}" if at else "",
        f"{counted(channel.dead, 'message')} refused for good" if channel.dead else "",
        "its buttons are not heard" if channel.buttons is False else "",
    )
    return "; ".join(filter(None, parts))
