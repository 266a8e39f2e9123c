"""Every built-in scenario, played from its start past its end over HTTP.

Coverage is not measured here: it more than doubles the time, and single answers reach the same lines.
"""

from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from guard.sandbox.account import MASTER
from guard.sandbox.fields import WEBHOOKS
from guard.sandbox.history import daily
from guard.sandbox.scenario import Scenario
from guard.sandbox.scenario_file import load_scenario, read_scenario, scenario_names
from tests.sandbox.caller import Start
from tests.sandbox.telling import assert_it_adds_up, told

MINUTE = timedelta(minutes=1)


def flat(body: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


async def played(start: Start, name: str, *, sub: str | None = None) -> list[tuple[int, dict[str, Any]]]:
    """Status and fields, minute by minute; no fields where the answer is not good."""
    caller = await start(name)
    headers = {} if sub is None else {"X-Sub-Account-Id": sub}
    polls = []
    for _ in range(length(caller.sandbox.scenario, sub=sub) // MINUTE + 3):
        answer = await caller.ask(**headers)
        polls.append((answer.status_code, flat(answer.json()) if answer.status_code == 200 else {}))
        caller.clock.move(minutes=1)
    return polls


def length(scenario: Scenario, *, sub: str | None) -> timedelta:
    return scenario.length if sub is None else scenario.subs[sub].story.length


def numbers_level(fields: dict[str, int]) -> str:
    left = fields["numbers.remaining"]
    return "critical" if left < 2 else "warning" if left < 3 else "ok"


def messages_level(fields: dict[str, int]) -> str:
    """With a budget of 1,000 a day: warning above 80 %, critical above, over below 70 %, and nothing in between."""
    sent = fields["stats.messagesLast24h"]
    return "critical" if sent > 1_000 else "warning" if sent > 800 else "ok" if sent < 700 else "between"


def risen(levels: list[str]) -> list[tuple[int, str]]:
    """When each level was first reached, and when it was over: what a person is told, and at which minute."""
    order = ("ok", "warning", "critical")
    told, worst = [], 0
    for minute, level in enumerate(levels):
        rank = order.index(level) if level in order else worst
        if rank > worst or (level == "ok" and worst):
            told.append((minute, level))
            worst = rank
    return told


@pytest.mark.parametrize("name", scenario_names())
def test_every_moment_of_a_story_adds_up_and_no_life_counter_falls(name: str) -> None:
    story = load_scenario(name)
    for account in (MASTER, *story.subs):
        shown = [
            told(story, minutes * MINUTE, account=account) for minutes in (*range(0, 150, 7), *range(150, 6_000, 197))
        ]
        for each in shown:
            assert_it_adds_up(each)
        for counter in ("stats.totalMessages", "stats.totalCalls", *WEBHOOKS):
            values = [each.stats[counter] for each in shown]
            assert values == sorted(values)


@pytest.mark.parametrize("name", scenario_names())
def test_no_story_of_ours_rewrites_its_past(name: str) -> None:
    story = load_scenario(name)
    for account in (MASTER, *story.subs):
        shown = (told(story, minutes * MINUTE, account=account) for minutes in range(0, 4_000, 127))
        rows: list[Any] = [daily(each, days=200)["data"] for each in shown]
        for before, after in pairwise(rows):
            dated = {row["date"]: row for row in after}
            closed = [row for row in before[:-1] if row["date"] in dated]
            assert closed == [dated[row["date"]] for row in closed]


@pytest.mark.parametrize("name", scenario_names())
def test_every_story_says_what_it_is_about(name: str) -> None:
    assert load_scenario(name).about


async def test_in_steady_nothing_happens(start: Start) -> None:
    polls = await played(start, "steady")
    assert {(status, numbers_level(fields), messages_level(fields)) for status, fields in polls} == {(200, "ok", "ok")}


async def test_in_numbers_they_run_out_and_come_back(start: Start) -> None:
    levels = [numbers_level(fields) for _, fields in await played(start, "numbers")]
    assert risen(levels) == [(5, "warning"), (15, "critical"), (25, "ok")]


async def test_in_messages_they_go_over_the_budget_and_come_back(start: Start) -> None:
    levels = [messages_level(fields) for _, fields in await played(start, "messages")]
    assert risen(levels) == [(10, "warning"), (15, "critical"), (34, "ok")]


async def test_in_outage_the_api_fails_asks_for_quiet_and_comes_back(start: Start) -> None:
    statuses = [status for status, _ in await played(start, "outage")]
    runs = [(status, len(list(run))) for status, run in groupby(statuses)]
    assert runs == [(200, 5), (503, 7), (502, 3), (429, 5), (200, 8)]


async def test_in_unauthorized_the_key_is_refused_for_good(start: Start) -> None:
    statuses = [status for status, _ in await played(start, "unauthorized")]
    assert statuses == [200] * 5 + [401] * (len(statuses) - 5)


async def test_the_demo_tells_six_things_with_room_between_them_and_ends_in_peace(start: Start) -> None:
    polls = await played(start, "demo")
    assert {status for status, _ in polls} == {200}
    numbers = risen([numbers_level(fields) for _, fields in polls])
    messages = risen([messages_level(fields) for _, fields in polls])
    assert numbers == [(4, "warning"), (23, "critical"), (44, "ok")]
    assert messages == [(13, "warning"), (33, "critical"), (56, "ok")]
    told = sorted(minute for minute, _ in numbers + messages)
    assert min(later - earlier for earlier, later in pairwise(told)) >= 7
    assert timedelta(minutes=told[-1] + 3) <= load_scenario("demo").length <= timedelta(minutes=70)


async def test_in_webhooks_half_an_hour_of_failures_is_seen_in_the_growth_of_an_hour(start: Start) -> None:
    polls = [fields for _, fields in await played(start, "webhooks")]
    shares = []
    for before, after in zip(polls, polls[60:], strict=False):
        total = after[WEBHOOKS[2]] - before[WEBHOOKS[2]]
        shares.append((after[WEBHOOKS[1]] - before[WEBHOOKS[1]]) / total)
        assert total >= 20 or len(shares) > 200
    over = {limit: [minute for minute, share in enumerate(shares, start=60) if share > limit] for limit in (0.05, 0.2)}
    assert [(minutes[0], minutes[-1]) for minutes in over.values()] == snapshot([(73, 154), (90, 139)])
    assert over[0.2] == list(range(over[0.2][0], over[0.2][-1] + 1))


async def test_in_month_end_the_month_fills_and_begins_anew_while_the_whole_life_goes_on(start: Start) -> None:
    polls = [fields for _, fields in await played(start, "month-end")]
    assert {fields["periodStart"] for fields in polls[:125]} == {"2026-11-01T00:00:00Z"}
    assert {fields["periodStart"] for fields in polls[125:]} == {"2026-12-01T00:00:00Z"}
    assert "warning" not in {messages_level(fields) for fields in polls}
    used = [fields["stats.messagesLast30d"] / fields["plan.limits.messagesPerMonth"] for fields in polls]
    assert next(minute for minute, share in enumerate(used) if share > 0.95) == 60
    assert used[125] < 0.94


async def test_in_agency_each_client_has_its_own_story(start: Start) -> None:
    acme, birch, cedar, dune, elm = [
        await played(start, "agency", sub=sub) for sub in ("acme", "birch", "cedar", "dune", "elm")
    ]
    assert risen([numbers_level(fields) for _, fields in acme]) == [(5, "warning"), (15, "critical"), (25, "ok")]
    assert risen([messages_level(fields) for _, fields in birch]) == snapshot(
        [(17, "warning"), (23, "critical"), (46, "ok")]
    )
    assert {(status, numbers_level(fields), messages_level(fields)) for status, fields in cedar} == {(200, "ok", "ok")}
    assert risen([numbers_level(fields) for _, fields in dune]) == [(12, "critical")]
    assert [minute for minute, (status, _) in enumerate(elm) if status != 200] == list(range(10, 20))


async def test_the_master_of_the_agency_is_well(start: Start) -> None:
    polls = await played(start, "agency")
    assert {(status, numbers_level(fields), messages_level(fields)) for status, fields in polls} == {(200, "ok", "ok")}


def test_the_examples_of_the_manual_are_scenarios() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    examples = [block.partition("```")[0] for block in manual.split("```toml\n")[1:]]
    assert examples
    for example in examples:
        assert read_scenario(example, name="example", place="docs/sandbox.md").length
