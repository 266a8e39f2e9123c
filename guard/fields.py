"""One table of what a rule can read: name, unit, kind, endpoint, and the limit that stands behind it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from guard.model import Each, Endpoint


class Kind(StrEnum):
    """How a field moves in time."""

    GAUGE = "gauge"  # what there is now
    ROLLING = "rolling"  # a sum over the last hours or days, which falls by itself
    LIFETIME = "lifetime"  # a counter over the whole life of an account or a number
    PERIOD = "period"  # depends on the reporting period, so it jumps when the next one begins
    DAY = "day"  # depends on the calendar day (UTC), so it begins anew at midnight
    MONTH = "month"  # depends on the calendar month (UTC), so it begins anew with the next one
    LIMIT = "limit"  # a ceiling of the plan; 0 and less mean that no limit is known
    TEXT = "text"  # no number


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a rule can read; `name` is the API's own dotted name where the API has one."""

    name: str
    kind: Kind
    unit: str = "count"  # a unit of guard.units.value_text
    limit: str = ""  # the field that is the limit behind this one; a limit is its own
    endpoint: Endpoint = Endpoint.USAGE  # whose answer says it
    made_of: str = ""  # the field whose past makes this one: where that is there and this is not, the past is too short


def _stats(names: str, kind: Kind) -> tuple[Field, ...]:
    return tuple(Field(f"stats.{name}", kind) for name in names.split())


def _plan_limit(name: str, unit: str = "count") -> Field:
    return Field(f"plan.limits.{name}", Kind.LIMIT, unit, f"plan.limits.{name}")


def _of(
    endpoint: Endpoint,
    root: str,
    names: str,
    kind: Kind,
    *,
    unit: str = "count",
    limit: str = "",
    made_of: str = "",
) -> list[Field]:
    return [Field(f"{root}.{name}", kind, unit, limit, endpoint, made_of) for name in names.split()]


def _projected(of: str, *, limit: str = "") -> list[Field]:
    names = (f"month.projected{of}{end}" for end in ("", "Low", "High"))
    return [Field(name, Kind.MONTH, "count", limit, Endpoint.DAILY, made_of=f"month.{of.lower()}") for name in names]


NO_AGENTS: Final = "agents.listed"
"""Among the values while no agent is listed yet in a month, which time mends; no field, so no rule reads it."""

_MONTHLY: Final = "plan.limits.messagesPerMonth"

_USAGE: Final = (
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

_SIBLINGS: Final = (
    *_of(Endpoint.DAILY, "today", "messages calls webhooks", Kind.DAY),
    *_of(Endpoint.DAILY, "month", "messages", Kind.MONTH, limit=_MONTHLY),
    *_of(Endpoint.DAILY, "month", "calls webhooks", Kind.MONTH),
    *_of(Endpoint.DAILY, "month", "elapsed", Kind.MONTH, unit="share"),
    *_projected("Messages", limit=_MONTHLY),
    *_projected("Calls"),
    *_of(Endpoint.BY_AGENT, "agents", "messages calls", Kind.MONTH, made_of=NO_AGENTS),
    *_of(Endpoint.BY_AGENT, "agents", "totalSeconds", Kind.MONTH, unit="seconds", made_of=NO_AGENTS),
    *_of(Endpoint.WEBHOOKS, "webhooks", "failed total", Kind.ROLLING),
    *_of(Endpoint.BY_NUMBER, "number", "messages calls", Kind.LIFETIME),
    *_of(Endpoint.BY_NUMBER, "number", "phoneNumber country status agentId agentName", Kind.TEXT),
    *_of(Endpoint.BY_AGENT, "agent", "messages calls", Kind.MONTH),
    *_of(Endpoint.BY_AGENT, "agent", "totalSeconds", Kind.MONTH, unit="seconds"),
    *_of(Endpoint.BY_AGENT, "agent", "agentName", Kind.TEXT),
)

FIELDS: Final = {field.name: field for field in (*_USAGE, *_SIBLINGS)}
"""All listed fields by name.

`period.elapsed` is made of the periodStart and periodEnd of /v1/usage; `today.*` and `month.*` of the rows of
/v1/usage/daily, `agents.*` are sums over those of /v1/usage/by-agent; `number.*` and `agent.*` are one subject's, so
they stand in `Snapshot.subjects` and not among its values.
"""

LISTINGS: Final = {Each.NUMBER: Endpoint.BY_NUMBER, Each.AGENT: Endpoint.BY_AGENT}
"""The endpoints whose answers list the subjects that there are."""

OPEN_ROOTS: Final = ("numbers", "stats", "plan")
"""First parts of names under which the API may add fields that are not listed yet."""

DATES: Final = ("periodStart", "periodEnd", "reportGeneratedAt")
"""What the API gives as an instant, which is no number."""


def field_named(name: str) -> Field | None:
    """The field of that name; a limit for an unlisted name under `plan.limits`; None for any other unlisted name."""
    listed = FIELDS.get(name)
    if listed is None and name.startswith("plan.limits."):
        return Field(name, Kind.LIMIT, limit=name)
    return listed
