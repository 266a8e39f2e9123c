import json
from datetime import UTC, datetime

import pytest
from inline_snapshot import snapshot

from guard.sandbox.usage import usage
from tests.sandbox.telling import told


def test_the_answer_has_every_field_of_the_api() -> None:
    assert json.dumps(usage(told()), indent=1) == snapshot("""\
{
 "plan": {
  "name": "growth",
  "limits": {
   "numbers": 12,
   "messagesPerMonth": 25000,
   "voiceMinutesPerMonth": 900,
   "maxCallDurationMinutes": 45,
   "concurrentCalls": 6
  }
 },
 "numbers": {
  "used": 7,
  "remaining": 5,
  "limit": 12
 },
 "stats": {
  "messagesLast24h": 579,
  "messagesLast7d": 4058,
  "messagesLast30d": 18194,
  "totalMessages": 81240,
  "smsSegmentsLast30d": 21832,
  "callsLast24h": 57,
  "callsLast7d": 399,
  "callsLast30d": 1790,
  "totalCalls": 4120,
  "successfulWebhookDeliveries": 84490,
  "failedWebhookDeliveries": 612,
  "totalWebhookDeliveries": 85102
 },
 "periodStart": "2026-11-01T00:00:00Z",
 "periodEnd": "2026-12-01T00:00:00Z",
 "reportGeneratedAt": "2026-11-23T14:05:00Z"
}\
""")


@pytest.mark.parametrize(
    ("at", "period"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")),
        (datetime(2028, 2, 29, tzinfo=UTC), ("2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z")),
    ],
)
def test_the_period_is_the_calendar_month(at: datetime, period: tuple[str, str]) -> None:
    body = usage(told(at=at))
    assert (body["periodStart"], body["periodEnd"]) == period
