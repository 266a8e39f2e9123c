"""What the answers of the sibling endpoints say, whatever they look like, and how they are joined."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.fields import FIELDS, NO_AGENTS
from guard.model import Answer, Each, Endpoint, Fields, Snapshot
from guard.payload import Part, joined, part, snapshot
from guard.payload.siblings import MOST_SUBJECTS
from tests.builders import MINUTE

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)  # 9.5 days of a month of 30
DAY = timedelta(days=1)
TODAY = date(2026, 11, 10)
ODD: list[object] = [None, True, "7", -1, 1e300, math.nan, math.inf, [], {}]
ROWS = [Endpoint.DAILY, Endpoint.BY_NUMBER, Endpoint.BY_AGENT]


def said(
    endpoint: Endpoint, payload: Mapping[str, object], *, at: datetime = NOW, server_at: datetime | None = None
) -> Part:
    return part(endpoint, Answer(payload, json.dumps(payload), server_at), at=at)


def rows(endpoint: Endpoint, *data: object, at: datetime = NOW) -> Part:
    return said(endpoint, {"data": list(data)}, at=at)


def days(count: int, *, until: date = TODAY, **counts: object) -> list[dict[str, object]]:
    """A row for each of so many days, the last one `until`."""
    return [{"date": (until - number * DAY).isoformat(), **counts} for number in reversed(range(count))]


def daily(*data: object, at: datetime = NOW) -> Fields:
    return rows(Endpoint.DAILY, *data, at=at).values


def number(number_id: object = "num_1", **changes: object) -> dict[str, object]:
    row = {
        "phoneNumber": "+14155550101",
        "country": "US",
        "status": "active",
        "agentId": "agt_1",
        "agentName": "Support",
    }
    return {"numberId": number_id, **row, "messages": 1523, "calls": 347, **changes}


def agent(agent_id: object = "agt_1", **changes: object) -> dict[str, object]:
    row = {"agentId": agent_id, "agentName": "Support", "messages": 152, "calls": 47, "totalSeconds": 7320}
    return {**row, "isOrphan": agent_id is None, **changes}


def subjects(each: Each, *data: object) -> Mapping[str, Fields] | None:
    endpoint = Endpoint.BY_NUMBER if each is Each.NUMBER else Endpoint.BY_AGENT
    return rows(endpoint, *data).subjects.get(each)


# --- by day ----------------------------------------------------------------------------------------------------------


def test_today_and_the_month_are_sums_of_rows() -> None:
    found = daily(*days(60, messages=100, calls=10, webhooks=110))
    assert found == {
        "today.messages": 100,
        "today.calls": 10,
        "today.webhooks": 110,
        "month.messages": 1000,
        "month.calls": 100,
        "month.webhooks": 1100,
        "month.elapsed": pytest.approx(9.5 / 30),
        "month.projectedMessages": 1000 + 20.5 * 100,
        "month.projectedMessagesLow": 1000 + 20.5 * 100,
        "month.projectedMessagesHigh": 1000 + 20.5 * 100,
        "month.projectedCalls": 100 + 20.5 * 10,
        "month.projectedCallsLow": 100 + 20.5 * 10,
        "month.projectedCallsHigh": 100 + 20.5 * 10,
    }


def test_rows_come_in_any_order_and_the_first_of_a_day_stands() -> None:
    data = [*reversed(days(5, messages=1)), {"date": TODAY.isoformat(), "messages": 500}]
    assert daily(*data)["month.messages"] == 5


def test_a_date_may_come_as_an_instant() -> None:
    assert daily({"date": "2026-11-10T00:00:00Z", "messages": 7})["today.messages"] == 7


@pytest.mark.parametrize("beside", [{"voiceMinutes": 3}, {"webhooks": 9, "voiceMinutes": 3}, {"webhooks": 9}, {}])
def test_the_third_column_may_be_another_or_none(beside: dict[str, object]) -> None:
    found = daily(*({**day, **beside} for day in days(5, messages=1)))
    assert found["month.messages"] == 5
    assert found.get("month.webhooks") == (45 if "webhooks" in beside else None)


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_count_costs_its_day_in_its_column(odd: object) -> None:
    first, *others = days(4, messages=10, calls=1)
    found = daily({**first, "messages": odd}, *others)
    assert (found["month.messages"], found["month.calls"]) == (30, 4)


@pytest.mark.parametrize("odd", [None, 3, "yesterday", "2026-13-01", "", "2026-11-11", {}])
def test_a_row_of_no_day_or_one_to_come_is_passed_over(odd: object) -> None:
    assert daily({"date": odd, "messages": 999}, *days(3, messages=10))["month.messages"] == 30


def test_without_todays_row_today_is_unknown_and_the_month_is_what_the_others_say() -> None:
    found = daily(*days(30, until=TODAY - DAY, messages=10))
    assert "today.messages" not in found
    assert found["month.messages"] == 90
    assert found["month.projectedMessages"] == 90 + 21 * 10  # today counts whole


def test_a_month_without_any_row_is_unknown() -> None:
    assert daily(*days(30, until=date(2026, 10, 31), messages=10)) == {"month.elapsed": pytest.approx(9.5 / 30)}


def test_a_new_month_begins_with_nothing_spent_and_is_projected_from_the_last() -> None:
    first = datetime(2026, 12, 1, tzinfo=UTC)
    found = daily(*days(59, until=date(2026, 11, 30), messages=10), {"date": "2026-12-01", "messages": 0}, at=first)
    assert (found["today.messages"], found["month.messages"], found["month.elapsed"]) == (0, 0, 0)
    assert found["month.projectedMessages"] == 310


def test_two_full_days_are_too_few_to_project_from() -> None:
    assert "month.projectedMessages" not in daily(*days(3, messages=10))
    assert "month.projectedMessages" in daily(*days(4, messages=10))


def test_the_servers_clock_says_which_day_it_is() -> None:
    data = {"data": days(2, until=date(2026, 11, 11), messages=10)}
    ahead = said(Endpoint.DAILY, data, server_at=datetime(2026, 11, 11, 0, 5, tzinfo=UTC))
    assert ahead.values["today.messages"] == 10
    assert ahead.until_at == NOW + 23 * 60 * MINUTE + 55 * MINUTE


def test_a_servers_clock_that_is_days_off_is_none() -> None:
    found = said(Endpoint.DAILY, {"data": days(2, messages=10)}, server_at=datetime(9999, 12, 31, tzinfo=UTC))
    assert found.values["today.messages"] == 10


# --- by number and by agent ------------------------------------------------------------------------------------------


def test_each_number_is_a_subject_by_its_id() -> None:
    found = rows(Endpoint.BY_NUMBER, number(), number("num_2", agentId=None, agentName=None, calls=0))
    assert found.values == {}
    assert found.subjects == {
        Each.NUMBER: {
            "num_1": {
                "number.phoneNumber": "+14155550101",
                "number.country": "US",
                "number.status": "active",
                "number.agentId": "agt_1",
                "number.agentName": "Support",
                "number.messages": 1523,
                "number.calls": 347,
            },
            "num_2": {
                "number.phoneNumber": "+14155550101",
                "number.country": "US",
                "number.status": "active",
                "number.messages": 1523,
                "number.calls": 0,
            },
        }
    }


def test_each_agent_is_a_subject_and_the_unassigned_count_in_the_sums() -> None:
    found = rows(Endpoint.BY_AGENT, agent(), agent("agt_2", agentName="Sales"), agent(None, agentName="Unassigned"))
    assert found.values == {"agents.messages": 456, "agents.calls": 141, "agents.totalSeconds": 21960}
    assert list(found.subjects[Each.AGENT]) == ["agt_1", "agt_2"]
    assert found.subjects[Each.AGENT]["agt_2"] == {
        "agent.agentName": "Sales",
        "agent.messages": 152,
        "agent.calls": 47,
        "agent.totalSeconds": 7320,
    }


@pytest.mark.parametrize("each", Each)
@pytest.mark.parametrize("odd", ["", " ", "\u202e", 7, True, [], {}])
def test_a_row_without_an_id_is_no_subject(each: Each, odd: object) -> None:
    row = number if each is Each.NUMBER else agent
    assert list(subjects(each, row(odd), None, 3, [], row("x")) or {}) == ["x"]
    assert subjects(each, row(odd)) is None


def test_the_first_of_two_rows_with_one_id_stands_in_the_sums_too() -> None:
    found = rows(Endpoint.BY_AGENT, agent(messages=1), agent(messages=50), agent(" agt_1\n", messages=70))
    assert found.values["agents.messages"] == 1
    assert found.subjects[Each.AGENT]["agt_1"]["agent.messages"] == 1


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_count_costs_only_its_field(odd: object) -> None:
    found = rows(Endpoint.BY_AGENT, agent(calls=odd), agent("agt_2"))
    assert found.values == {"agents.messages": 304, "agents.calls": 47, "agents.totalSeconds": 14640}
    assert found.subjects[Each.AGENT]["agt_1"].get("agent.calls") in {None, 1e300}


def test_names_and_ids_are_cleaned() -> None:
    found = (
        subjects(Each.NUMBER, number("num\u202e_1\n", agentName="\x1b[31mSup\nport", country="\x00", status=3)) or {}
    )
    assert found["num_1"]["number.agentName"] == "Sup port"
    assert not found["num_1"].keys() & {"number.country", "number.status"}


def test_a_flood_of_subjects_is_cut() -> None:
    found = subjects(Each.NUMBER, *({"numberId": f"num_{count}"} for count in range(MOST_SUBJECTS + 5)))
    assert found is not None
    assert len(found) == MOST_SUBJECTS


@pytest.mark.parametrize("endpoint", ROWS)
@pytest.mark.parametrize("data", [None, {}, "rows", 3, [], [None], [[]], [{}], [{"messages": None}]])
def test_what_is_no_list_of_rows_or_an_empty_one_says_nothing(endpoint: Endpoint, data: object) -> None:
    if endpoint is Endpoint.BY_AGENT and data == []:
        return  # which is another story
    found = said(endpoint, {"data": data})
    assert (found.values, found.subjects) == ({}, {})


def test_a_month_in_which_nobody_did_anything_yet_lists_no_agent() -> None:
    found = rows(Endpoint.BY_AGENT)
    assert (found.values, found.subjects) == ({NO_AGENTS: 0}, {Each.AGENT: {}})


@pytest.mark.parametrize(("hours", "is_known"), [(0, True), (23.99, True), (24, False)])
def test_on_its_first_day_that_is_a_sum_of_0(hours: float, *, is_known: bool) -> None:
    found = rows(Endpoint.BY_AGENT, at=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hours))
    sums = dict.fromkeys(("agents.messages", "agents.calls", "agents.totalSeconds"), 0)
    assert found.values == {NO_AGENTS: 0, **(sums if is_known else {})}


# --- webhooks --------------------------------------------------------------------------------------------------------


def test_the_deliveries_of_the_last_hour() -> None:
    found = said(Endpoint.WEBHOOKS, {"total": 980, "success": 961, "failed": 12, "successRate": 98.06, "byHour": []})
    assert found.values == {"webhooks.total": 980, "webhooks.failed": 12}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_number_of_deliveries_costs_only_itself(odd: object) -> None:
    assert said(Endpoint.WEBHOOKS, {"total": odd, "failed": 12}).values == {"webhooks.failed": 12}


# --- joined ----------------------------------------------------------------------------------------------------------

STALE = 15 * MINUTE
USAGE = Snapshot("main", NOW, {"numbers.remaining": 3})


def test_parts_join_a_snapshot_and_those_of_its_instant_are_fresh() -> None:
    stats = {"total": 9, "failed": 1}
    parts = [
        said(Endpoint.WEBHOOKS, stats, at=NOW - 4 * MINUTE),
        rows(Endpoint.BY_NUMBER, number()),
        rows(Endpoint.BY_AGENT, agent()),
    ]
    found = joined(USAGE, parts, stale_after=STALE)
    assert found.values.items() >= {"numbers.remaining": 3, "webhooks.failed": 1, "agents.calls": 47}.items()
    assert set(found.subjects) == set(Each)
    assert found.fresh == {Endpoint.USAGE, Endpoint.BY_NUMBER, Endpoint.BY_AGENT}
    assert joined(USAGE, [], stale_after=STALE) == USAGE


@pytest.mark.parametrize(("minutes", "holds"), [(15, True), (15.1, False)])
def test_a_part_that_is_older_than_stale_after_is_left_out(minutes: float, holds: bool) -> None:
    old = rows(Endpoint.BY_NUMBER, number(), at=NOW - minutes * MINUTE)
    assert bool(joined(USAGE, [old], stale_after=STALE).subjects) is holds


def test_yesterdays_day_and_last_months_month_are_left_out_at_once() -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    before = midnight - MINUTE
    of_day = rows(Endpoint.DAILY, *days(2, until=date(2026, 11, 30), messages=1), at=before)
    of_month = rows(Endpoint.BY_AGENT, agent(), at=before)
    of_hour = said(Endpoint.WEBHOOKS, {"total": 9}, at=before)
    seen = [
        joined(Snapshot("main", at, {}), [of_day, of_month, of_hour], stale_after=STALE) for at in (before, midnight)
    ]
    assert [{name.partition(".")[0] for name in each.values} for each in seen] == [
        {"today", "month", "agents", "webhooks"},
        {"webhooks"},
    ]
    assert [set(each.subjects) for each in seen] == [{Each.AGENT}, set()]


def test_what_the_usage_answer_says_under_a_siblings_name_is_not_taken_for_it() -> None:
    payload = {"today": {"messages": 3, "other": 1}, "month": {"elapsed": 9}, "number": {"calls": 1}}
    read = snapshot(Answer(payload, ""), account="main", at=NOW)
    assert read.values == {"today.other": 1}


# --- whatever comes --------------------------------------------------------------------------------------------------

NAMES = ["data", "date", "numberId", "agentId", "agentName", "messages", "calls", "totalSeconds", "total", "failed"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(date.isoformat)
ROW = st.dictionaries(st.sampled_from(NAMES), LEAVES | st.sampled_from(["2026-11-09", "2026-11-10", "agt_1"]))
PAYLOADS = st.fixed_dictionaries({"data": st.lists(ROW | LEAVES, max_size=9)}) | ROW


@given(
    endpoint=st.sampled_from([each for each in Endpoint if each is not Endpoint.USAGE]),
    payload=PAYLOADS,
    server_at=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_no_json_breaks_a_part_and_all_that_it_says_is_listed(
    endpoint: Endpoint, payload: dict[str, object], server_at: datetime | None
) -> None:
    found = said(endpoint, payload, server_at=server_at)
    every = [found.values, *(fields for each in found.subjects.values() for fields in each.values())]
    for name, value in (item for fields in every for item in fields.items()):
        assert name == NO_AGENTS or FIELDS[name].endpoint is endpoint
        assert isinstance(value, str) or (math.isfinite(value) and value >= 0)
    assert all(found.subjects.values()) or NO_AGENTS in found.values
