"""What the API of the benchmarks answers: an account's usage, a little more with each poll; and its sub-accounts."""

import json
from typing import Any, Final

REMAINING: Final = 5
_LIMIT: Final = 12


def usage(polls: int, *, remaining: int = REMAINING) -> dict[str, Any]:
    """A whole answer of a busy account, as its API reference describes it: about 600 bytes, nothing of it alarming."""
    return {
        "plan": {
            "name": "growth",
            "limits": {
                "numbers": _LIMIT,
                "messagesPerMonth": 20_000,
                "voiceMinutesPerMonth": 900,
                "maxCallDurationMinutes": 45,
                "concurrentCalls": 6,
            },
        },
        "numbers": {"used": _LIMIT - remaining, "limit": _LIMIT, "remaining": remaining},
        "stats": {
            "totalMessages": 81_240 + 2 * polls,
            "messagesLast24h": 200 + polls % 50,
            "messagesLast7d": 1_480 + polls % 70,
            "messagesLast30d": 5_100 + polls % 90,
            "totalCalls": 4_120 + polls,
            "callsLast24h": 61,
            "callsLast7d": 377,
            "callsLast30d": 1_466,
            "totalWebhookDeliveries": 85_102 + 3 * polls,
            "successfulWebhookDeliveries": 84_490 + 3 * polls,
            "failedWebhookDeliveries": 612,
        },
        "periodStart": "2026-11-01T00:00:00Z",
        "periodEnd": "2026-12-01T00:00:00Z",
    }


def encoded(document: object) -> bytes:
    """A document as it goes over the wire."""
    return json.dumps(document, separators=(",", ":")).encode()


def listing(count: int, *, offset: int, limit: int) -> dict[str, Any]:
    """One page of the sub-accounts."""
    ids = sub_ids(count)
    return {"data": [{"id": each} for each in ids[offset : offset + limit]], "total": len(ids)}


def sub_ids(count: int) -> list[str]:
    """The ids of so many sub-accounts.

    >>> sub_ids(2)
    ['s0000', 's0001']
    """
    return [f"s{number:04}" for number in range(count)]
