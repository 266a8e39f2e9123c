"""The table of what a rule can read."""

from guard.fields import FIELDS, LATER_ROOTS, OPEN_ROOTS, Kind, field_named

USAGE = {
    "plan": {
        "name": "growth",
        "limits": {
            "numbers": 12,
            "messagesPerMonth": 20000,
            "voiceMinutesPerMonth": 900,
            "maxCallDurationMinutes": 45,
            "concurrentCalls": 6,
        },
    },
    "numbers": {"used": 9, "limit": 12, "remaining": 3},
    "stats": {
        "totalMessages": 81240,
        "messagesLast24h": 912,
        "messagesLast7d": 5480,
        "messagesLast30d": 17310,
        "totalCalls": 4120,
        "callsLast24h": 61,
        "callsLast7d": 377,
        "callsLast30d": 1466,
        "totalWebhookDeliveries": 85102,
        "successfulWebhookDeliveries": 84490,
        "failedWebhookDeliveries": 612,
        "smsSegmentsLast30d": 20100,
    },
}
"""The answer of /v1/usage as its reference shows it, and the field that only the newest client reads."""


def dotted(part: object, prefix: str = "") -> set[str]:
    if not isinstance(part, dict):
        return {prefix.removesuffix(".")}
    return {name for key, value in part.items() for name in dotted(value, f"{prefix}{key}.")}


def test_the_table_lists_the_answer_of_the_usage_api_and_the_share_of_the_period() -> None:
    assert set(FIELDS) == dotted(USAGE) | {"period.elapsed"}


def test_every_limit_behind_a_field_is_a_listed_limit_and_its_own() -> None:
    for field in FIELDS.values():
        if field.limit:
            assert FIELDS[field.limit].kind is Kind.LIMIT
            assert FIELDS[field.limit].limit == field.limit


def test_what_is_left_and_what_is_used_stand_before_the_same_limit() -> None:
    assert FIELDS["numbers.remaining"].limit == FIELDS["numbers.used"].limit == "numbers.limit"


def test_kinds_follow_the_names() -> None:
    for name, field in FIELDS.items():
        last = name.rpartition(".")[2]
        if "Last" in last:
            assert field.kind is Kind.ROLLING
        if last.startswith(("total", "successful", "failed")):
            assert field.kind is Kind.LIFETIME


def test_an_unlisted_name_below_the_plans_limits_is_a_limit() -> None:
    field = field_named("plan.limits.faxesPerMonth")
    assert field is not None
    assert (field.kind, field.limit) == (Kind.LIMIT, "plan.limits.faxesPerMonth")


def test_an_unlisted_name_elsewhere_is_no_field() -> None:
    assert field_named("stats.faxesLast24h") is None


def test_no_part_of_a_name_is_both_built_and_to_come() -> None:
    assert not {name.partition(".")[0] for name in FIELDS} & set(LATER_ROOTS)
    assert set(OPEN_ROOTS) <= {name.partition(".")[0] for name in FIELDS}
