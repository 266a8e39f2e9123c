"""An AgentPhone of our own, as its reference describes /v1/usage."""

from typing import Any, Final

from tests.acceptance.exchange import Answer, document
from tests.acceptance.server import Server

LIMIT: Final = 12


def usage(remaining: float = 5, *, limit: int = LIMIT, **stats: float) -> dict[str, Any]:
    """A whole and good answer; `stats` replaces figures."""
    return {
        "plan": {
            "name": "growth",
            "limits": {
                "numbers": limit,
                "messagesPerMonth": 20_000,
                "voiceMinutesPerMonth": 900,
                "maxCallDurationMinutes": 45,
                "concurrentCalls": 6,
            },
        },
        "numbers": {"used": limit - remaining, "limit": limit, "remaining": remaining},
        "stats": {
            "totalMessages": 81_240,
            "messagesLast24h": 100,
            "messagesLast7d": 5480,
            "messagesLast30d": 1_000,
            "totalCalls": 4120,
            "callsLast24h": 61,
            "callsLast7d": 377,
            "callsLast30d": 1466,
            "totalWebhookDeliveries": 85_102,
            "successfulWebhookDeliveries": 84_490,
            "failedWebhookDeliveries": 612,
            **stats,
        },
        "periodStart": "2026-11-01T00:00:00Z",
        "periodEnd": "2026-12-01T00:00:00Z",
    }


class AgentPhone(Server):
    """The API; it answers a good usage until told otherwise."""

    def __init__(self) -> None:
        super().__init__(document(usage()))

    def say(self, remaining: float = 5, *, limit: int = LIMIT, **stats: float) -> Answer:
        """Answers with these figures from now on."""
        self.answer = document(usage(remaining, limit=limit, **stats))
        return self.answer

    def first_shown_s(self, answer: Answer) -> float:
        """When this answer was first given, on the monotonic clock."""
        return next(each.answered_at_s for each in self.requests if each.answer is answer)
