"""One table of what a rule can read: name, unit, kind, and the limit that stands behind it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How a field moves in time."""

    GAUGE = "gauge"  # what there is now
    ROLLING = "rolling"  # a sum over the last hours or days, which falls by itself
    LIFETIME = "lifetime"  # a counter over the account's whole life
    PERIOD = "period"  # depends on the reporting period, so it jumps when the next one begins
    LIMIT = "limit"  # a ceiling of the plan; 0 and less mean that no limit is known
    TEXT = "text"  # no number


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a rule can read; `name` is the API's own dotted name where the API has one."""

    name: str
    kind: Kind
    unit: str = "count"  # a unit of guard.units.value_text
    limit: str = ""  # the field that is the limit behind this one; a limit is its own


def _stats(names: str, kind: Kind) -> tuple[Field, ...]:
    return tuple(Field(f"stats.{name}", kind) for name in names.split())


def _plan_limit(name: str, unit: str = "count") -> Field:
    return Field(f"plan.limits.{name}", Kind.LIMIT, unit, f"plan.limits.{name}")


_TABLE: Final = (
    Field("numbers.used", Kind.GAUGE, limit="numbers.limit"),
    Field("numbers.limit", Kind.LIMIT, limit="numbers.limit"),
    Field("numbers.remaining", Kind.GAUGE, limit="numbers.limit"),
    *_stats("messagesLast24h messagesLast7d messagesLast30d smsSegmentsLast30d", Kind.ROLLING),
    *_stats("callsLast24h callsLast7d callsLast30d", Kind.ROLLING),
    *_stats("totalMessages totalCalls totalWebhookDeliveries", Kind.LIFETIME),
    *_stats("successfulWebhookDeliveries failedWebhookDeliveries", Kind.LIFETIME),
    Field("plan.name", Kind.TEXT),
    _plan_limit("numbers"),
    _plan_limit("messagesPerMonth"),
    _plan_limit("voiceMinutesPerMonth", "minutes"),
    _plan_limit("maxCallDurationMinutes", "minutes"),
    _plan_limit("concurrentCalls"),
    Field("period.elapsed", Kind.PERIOD, "share"),
)

FIELDS: Final = {field.name: field for field in _TABLE}
"""All listed fields by name, from /v1/usage; `period.elapsed` is made of its periodStart and periodEnd."""

OPEN_ROOTS: Final = ("numbers", "stats", "plan")
"""First parts of names under which the API may add fields that are not listed yet."""

LATER_ROOTS: Final = ("today", "month", "agents", "webhooks", "number", "agent")
"""First parts of names whose endpoints are not asked yet."""

DATES: Final = ("periodStart", "periodEnd", "reportGeneratedAt")
"""What the API gives as an instant, which is no number."""


def field_named(name: str) -> Field | None:
    """The field of that name; a limit for an unlisted name under `plan.limits`; None for any other unlisted name."""
    listed = FIELDS.get(name)
    if listed is None and name.startswith("plan.limits."):
        return Field(name, Kind.LIMIT, limit=name)
    return listed
