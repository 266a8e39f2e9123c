import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from guard.sandbox.usage import FIELDS, NUMBERS, WEBHOOKS, usage

AT = datetime(2026, 11, 23, 14, 5, 30, 999_999, tzinfo=UTC)


def flat(body: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def shown(scripted: dict[str, int], *, elapsed: timedelta = timedelta(), at: datetime = AT) -> dict[str, Any]:
    return flat(usage(scripted, at=at, elapsed=elapsed))


def assert_it_adds_up(fields: dict[str, Any]) -> None:
    for one, two, whole in (NUMBERS, WEBHOOKS):
        assert fields[one] + fields[two] == fields[whole]
    for noun, total in (("messages", "totalMessages"), ("calls", "totalCalls")):
        names = [f"stats.{noun}Last24h", f"stats.{noun}Last7d", f"stats.{noun}Last30d", f"stats.{total}"]
        windows = [fields[name] for name in names]
        assert windows == sorted(windows)
    assert all(fields[name] >= 0 for name in FIELDS)


def test_the_answer_has_every_field_of_the_api() -> None:
    assert json.dumps(usage({}, at=AT, elapsed=timedelta()), indent=1) == snapshot("""\
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
  "messagesLast24h": 620,
  "messagesLast7d": 4340,
  "messagesLast30d": 17140,
  "totalMessages": 81240,
  "smsSegmentsLast30d": 20568,
  "callsLast24h": 61,
  "callsLast7d": 377,
  "callsLast30d": 1466,
  "totalCalls": 4120,
  "successfulWebhookDeliveries": 84490,
  "failedWebhookDeliveries": 612,
  "totalWebhookDeliveries": 85102
 },
 "periodStart": "2026-11-01T00:00:00Z",
 "periodEnd": "2026-12-01T00:00:00Z",
 "reportGeneratedAt": "2026-11-23T14:05:30Z"
}\
""")


def test_every_number_of_the_answer_can_be_scripted() -> None:
    numbers = {name for name, value in shown({}).items() if isinstance(value, int)}
    assert numbers == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [0, 1, 11, 5_000, 10**9])
def test_a_scripted_number_is_shown_as_it_is_and_the_rest_adds_up(name: str, value: int) -> None:
    fields = shown({name: value}, elapsed=timedelta(days=3))
    assert fields[name] == value
    assert_it_adds_up(fields)


@given(
    scripted=st.dictionaries(st.sampled_from(FIELDS), st.integers(min_value=0, max_value=10**12)),
    elapsed=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=4000)),
)
def test_whatever_is_scripted_adds_up(scripted: dict[str, int], elapsed: timedelta) -> None:
    assert_it_adds_up(shown(scripted, elapsed=elapsed))


@given(
    scripted=st.fixed_dictionaries({}, optional={name: st.integers(0, 20) for name in NUMBERS}).filter(
        lambda scripted: len(scripted) < len(NUMBERS)
    ),
)
def test_numbers_that_do_not_contradict_each_other_are_shown_as_they_are(scripted: dict[str, int]) -> None:
    limit = scripted.get("numbers.limit")
    if limit is not None and limit < max(scripted.values()):
        scripted.pop("numbers.limit")
    fields = shown(dict(scripted))
    assert {name: fields[name] for name in scripted} == scripted


@pytest.mark.parametrize(
    ("scripted", "expected"),
    [
        ({"numbers.remaining": 1}, (11, 1, 12)),
        ({"numbers.used": 10}, (10, 2, 12)),
        ({"numbers.limit": 20}, (15, 5, 20)),
        ({"numbers.limit": 3}, (0, 3, 3)),
        ({"numbers.remaining": 1, "numbers.limit": 10}, (9, 1, 10)),
        ({"numbers.used": 1, "numbers.limit": 10}, (1, 9, 10)),
        ({"numbers.used": 4, "numbers.remaining": 4}, (4, 4, 8)),
        ({"numbers.remaining": 20}, (0, 20, 20)),
        ({"numbers.remaining": 20, "numbers.limit": 10}, (0, 20, 20)),
    ],
)
def test_numbers_fill_the_limit(scripted: dict[str, int], expected: tuple[int, int, int]) -> None:
    fields = shown(scripted)
    assert tuple(fields[name] for name in NUMBERS) == expected
    assert fields["plan.limits.numbers"] == expected[2]


def test_wider_windows_move_with_a_scripted_narrow_one() -> None:
    calm, busy = shown({"stats.messagesLast24h": 100}), shown({"stats.messagesLast24h": 1_600})
    assert busy["stats.messagesLast7d"] - calm["stats.messagesLast7d"] == 1_500
    assert busy["stats.messagesLast30d"] - calm["stats.messagesLast30d"] == 1_500


@given(
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=900)),
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=900)),
)
def test_counters_of_the_whole_life_never_fall(one: timedelta, other: timedelta) -> None:
    before, after = (shown({}, elapsed=elapsed) for elapsed in sorted((one, other)))
    for name in (*WEBHOOKS, "stats.totalMessages", "stats.totalCalls"):
        assert before[name] <= after[name]


@pytest.mark.parametrize(
    ("at", "period"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")),
        (datetime(2028, 2, 29, tzinfo=UTC), ("2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z")),
    ],
)
def test_the_period_is_the_calendar_month(at: datetime, period: tuple[str, str]) -> None:
    fields = shown({}, at=at)
    assert (fields["periodStart"], fields["periodEnd"]) == period
