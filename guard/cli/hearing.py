"""Why people hear less of an alert than they else would: acks, silences, quiet windows, flapping."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

from guard.model import Ack, Alert, AlertKey, Silence
from guard.units import instant_text, iso

if TYPE_CHECKING:
    from guard.store import View


@dataclass(frozen=True, slots=True)
class Hearing:
    """What of that is in force for one alert; the default is nothing."""

    ack: Ack | None = None
    silence: Silence | None = None
    held: tuple[str, ...] = ()  # channels that are yet to be told, and are not for now; in alphabetical order


NOTHING: Final = Hearing()


def read_hearings(view: "View", alerts: Iterable[Alert], *, now: datetime) -> Mapping[AlertKey, Hearing]:
    """What is in force for those of the alerts that fire; the others are absent."""
    firing = {alert.key: alert for alert in alerts if alert.incident is not None}
    if not firing:
        return {}
    mutes = view.mutes((each.incident.id for each in firing.values() if each.incident), now=now)
    held: dict[AlertKey, set[str]] = {}
    accounts = {key.account for key in firing}
    for each in view.notifications(accounts.pop() if len(accounts) == 1 else None):
        if each.desired is not None and each.desired.held and not each.desired.ended:
            held.setdefault(each.key, set()).add(each.channel)
    return {
        key: Hearing(mutes.ack(alert, now=now), mutes.silence_on(alert, now=now), tuple(sorted(held.get(key, ()))))
        for key, alert in firing.items()
    }


# --- for people -----------------------------------------------------------------------------------------------------


def hearing_text(hearing: Hearing, alert: Alert, *, zone: tzinfo) -> str:
    """All of it in one line; empty where there is nothing."""
    parts = [
        ack_text(hearing.ack, zone=zone) if hearing.ack else "",
        silence_text(hearing.silence, zone=zone) if hearing.silence else "",
        "flapping" if alert.flapping else "",
        f"held back from {', '.join(hearing.held)}" if hearing.held else "",
    ]
    return "; ".join(filter(None, parts))


def ack_text(ack: Ack, *, zone: tzinfo) -> str:
    """Gives `acknowledged by ann until 2026-11-23 18:05 UTC: more are ordered`."""
    until = f"until {instant_text(ack.until_at, zone)}" if ack.until_at else ""
    return _said("acknowledged", ack.by, until, ack.reason)


def silence_text(silence: Silence, *, zone: tzinfo) -> str:
    """Gives `silence 3 by ann until 2026-11-23 18:05 UTC: an upgrade`."""
    until = f"until {instant_text(silence.ends_at, zone)}"
    return _said(f"silence {silence.id}", silence.by, until, silence.reason)


def _said(what: str, by: str, until: str, reason: str) -> str:
    said = " ".join(filter(None, (what, f"by {by}" if by else "", until)))
    return f"{said}: {reason}" if reason else said


# --- for machines ---------------------------------------------------------------------------------------------------


def hearing_document(hearing: Hearing, alert: Alert) -> dict[str, Any]:
    """The same as JSON has it."""
    ack, silence = hearing.ack, hearing.silence
    return {
        "acked": _document(ack.by, ack.reason, ack.until_at) if ack else None,
        "silenced": {"number": silence.id, **_document(silence.by, silence.reason, silence.ends_at)}
        if silence
        else None,
        "flapping": alert.flapping is not None,
        "held": list(hearing.held),
    }


def _document(by: str, reason: str, until: datetime | None) -> dict[str, Any]:
    return {"by": by or None, "reason": reason or None, "until": iso(until)}
