"""The table of what a rule can read."""

import pytest

from guard.fields import FIELDS, OPEN_ROOTS, Kind, field_named
from guard.model import Each, Endpoint
from guard.rules.expression import read_expression
from guard.rules.values import Unknown

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
    of_usage = {name for name, field in FIELDS.items() if field.endpoint is Endpoint.USAGE}
    assert of_usage == dotted(USAGE) | {"period.elapsed"}


def test_every_limit_behind_a_field_is_a_listed_limit_and_its_own() -> None:
    for field in FIELDS.values():
        if field.limit:
            assert FIELDS[field.limit].kind is Kind.LIMIT
            assert FIELDS[field.limit].limit == field.limit


def test_what_is_left_and_what_is_used_stand_before_the_same_limit() -> None:
    assert FIELDS["numbers.remaining"].limit == FIELDS["numbers.used"].limit == "numbers.limit"


def test_kinds_follow_the_names() -> None:
    for name, field in FIELDS.items():
        root, _, last = name.rpartition(".")
        if "Last" in last:
            assert field.kind is Kind.ROLLING
        if root == "stats" and last.startswith(("total", "successful", "failed")):
            assert field.kind is Kind.LIFETIME
        if root in {"today", "month", "agents"}:
            assert field.kind is (Kind.DAY if root == "today" else Kind.MONTH)


def test_what_comes_from_one_endpoint_has_a_root_of_its_own() -> None:
    roots = {(name.partition(".")[0], field.endpoint) for name, field in FIELDS.items()}
    assert len(roots) == len(dict(roots))
    assert {endpoint for _, endpoint in roots} == set(Endpoint)


def test_the_fields_of_a_subject_begin_with_what_it_is() -> None:
    endpoints = {
        each: {field.endpoint for name, field in FIELDS.items() if name.startswith(f"{each}.")} for each in Each
    }
    assert endpoints == {Each.NUMBER: {Endpoint.BY_NUMBER}, Each.AGENT: {Endpoint.BY_AGENT}}


def test_an_unlisted_name_below_the_plans_limits_is_a_limit() -> None:
    field = field_named("plan.limits.faxesPerMonth")
    assert field is not None
    assert (field.kind, field.limit) == (Kind.LIMIT, "plan.limits.faxesPerMonth")


def test_an_unlisted_name_elsewhere_is_no_field() -> None:
    assert field_named("stats.faxesLast24h") is None


def test_the_api_may_add_fields_where_there_are_some() -> None:
    assert set(OPEN_ROOTS) <= {name.partition(".")[0] for name in FIELDS}


def test_what_is_made_of_a_fields_past_comes_with_that_field() -> None:
    made = {name: field for name, field in FIELDS.items() if field.made_of in FIELDS}
    assert set(made) == {name for name in FIELDS if name.startswith("month.projected")}
    for field in made.values():
        assert FIELDS[field.made_of].endpoint is field.endpoint
        assert FIELDS[field.made_of].limit == field.limit


@pytest.mark.parametrize(("values", "is_young"), [({"month.calls": 3}, True), ({}, False)])
def test_a_projection_that_lacks_three_full_days_is_young_and_not_missing(
    values: dict[str, float], is_young: bool
) -> None:
    expression = read_expression("month.projectedCalls", budgets=(), complain=print)
    assert expression is not None
    unknown = expression.number(values)
    assert isinstance(unknown, Unknown)
    assert unknown.is_young is is_young
