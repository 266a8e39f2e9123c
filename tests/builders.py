"""Builders: valid by default, changed by keyword."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from guard.model import (
    Account,
    Alert,
    AlertKey,
    Bound,
    Delivery,
    DeliveryState,
    Evaluation,
    Incident,
    Knowledge,
    Level,
    Notification,
    Reading,
    Snapshot,
)
from guard.rules.policy import Policy, Remind

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = AlertKey("main", "numbers-remaining")


def at(minutes: float) -> datetime:
    """`minutes` after NOW."""
    return NOW + minutes * MINUTE


def reading(value: float | None = 1, *, summary: str = "1 of 12 phone numbers left", **changes: object) -> Reading:
    bounds = {Level.WARNING: Bound("<", 3), Level.CRITICAL: Bound("<", 2)}
    return Reading(**{"at": NOW, "summary": summary, "value": value, "bounds": bounds} | changes)  # type: ignore[arg-type] # a builder's keywords are checked by what it builds


def evaluation(
    level: Level | None = None, *, clear: bool | None = None, key: AlertKey = KEY, **changes: object
) -> Evaluation:
    """A known evaluation of a rule with the levels warning and critical, at `level`."""
    holds = {each: level is not None and each <= level for each in (Level.WARNING, Level.CRITICAL)}
    over = level is None if clear is None else clear
    fields = {"key": key, "holds": holds, "clear": over, "reading": reading()}
    return Evaluation(**fields | changes)  # type: ignore[arg-type] # as above


def unknown(why: str = "numbers.remaining is missing") -> Evaluation:
    return Evaluation(KEY, {Level.WARNING: None, Level.CRITICAL: None}, None, None, unknown=why)


def policy(**changes: object) -> Policy:
    fields: dict[str, object] = {
        "rule": KEY.rule,
        "levels": (Level.WARNING, Level.CRITICAL),
        "routes": {Level.WARNING: ("ops",), Level.CRITICAL: ("ops",)},
        "remind": Remind({Level.CRITICAL: timedelta(hours=4), Level.WARNING: timedelta(hours=24)}),
        "fingerprint": "v1",
    }
    return Policy(**fields | changes)  # type: ignore[arg-type] # as above


def incident(**changes: object) -> Incident:
    fields: dict[str, object] = {"id": "inc1", "key": KEY, "started_at": NOW, "peak": Level.WARNING}
    return Incident(**fields | changes)  # type: ignore[arg-type] # as above


def knowledge(level: Level = Level.WARNING, **changes: object) -> Knowledge:
    return Knowledge(**{"incident_id": "inc1", "level": level} | changes)  # type: ignore[arg-type] # as above


def notification(key: AlertKey = KEY, channel: str = "ops", **changes: object) -> Notification:
    return Notification(key, channel, **changes)  # type: ignore[arg-type] # as above


def delivery(**changes: object) -> Delivery:
    fields: dict[str, object] = {
        "key": "k1",
        "channel": "ops",
        "recipient": "",
        "covers": (),
        "created_at": NOW,
        "due_at": NOW,
        "state": DeliveryState.PENDING,
    }
    return Delivery(**fields | changes)  # type: ignore[arg-type] # as above


def snapshot(values: Mapping[str, float | str] | None = None, **changes: object) -> Snapshot:
    usage = {"numbers.remaining": 5, "numbers.limit": 12, "numbers.used": 7}
    return Snapshot(**{"account": "main", "at": NOW, "values": values or usage} | changes)  # type: ignore[arg-type] # as above


def account(**changes: object) -> Account:
    return Account(**{"name": "main"} | changes)  # type: ignore[arg-type] # as above


def alert(**changes: object) -> Alert:
    return Alert(**{"key": KEY} | changes)  # type: ignore[arg-type] # as above
