"""Every number of a usage answer by the API's dotted name, and every path: what a scenario can script and break."""

from typing import Final

NUMBERS: Final = ("numbers.used", "numbers.remaining", "numbers.limit")
"""The first two add up to the third, always."""

WEBHOOKS: Final = (
    "stats.successfulWebhookDeliveries",
    "stats.failedWebhookDeliveries",
    "stats.totalWebhookDeliveries",
)
"""The first two add up to the third, always."""

MESSAGES: Final = ("stats.messagesLast24h", "stats.messagesLast7d", "stats.messagesLast30d", "stats.totalMessages")
"""From the narrowest window to the whole life."""

CALLS: Final = ("stats.callsLast24h", "stats.callsLast7d", "stats.callsLast30d", "stats.totalCalls")
"""From the narrowest window to the whole life."""

SEGMENTS: Final = "stats.smsSegmentsLast30d"

PLAN: Final = {
    "messagesPerMonth": 25_000,
    "voiceMinutesPerMonth": 900,
    "maxCallDurationMinutes": 45,
    "concurrentCalls": 6,
}
"""The plan's other ceilings, beside that of phone numbers."""

FIELDS: Final = (
    *NUMBERS,
    *MESSAGES,
    SEGMENTS,
    *CALLS,
    *WEBHOOKS,
    "plan.limits.numbers",
    *(f"plan.limits.{name}" for name in PLAN),
)
"""Every number of the answer of /v1/usage: what a scenario can script."""

USAGE: Final = "/v1/usage"
SUB_ACCOUNTS: Final = "/v1/sub-accounts"
DELIVERIES: Final = "/v1/webhooks/deliveries/stats"

PATHS: Final = (
    USAGE,
    "/v1/usage/daily",
    "/v1/usage/monthly",
    "/v1/usage/by-number",
    "/v1/usage/by-agent",
    DELIVERIES,
    SUB_ACCOUNTS,
)
"""Everything that can be asked."""

LISTS: Final = frozenset(PATHS) - {USAGE, DELIVERIES}
"""The paths whose answer holds a list under `data`."""
