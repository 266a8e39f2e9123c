"""Every built-in scenario, played from its start past its end over HTTP."""

from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from guard.sandbox.scenario_file import load_scenario, read_scenario, scenario_names
from tests.sandbox.caller import Start
from tests.sandbox.test_usage import assert_it_adds_up, flat

MINUTE = timedelta(minutes=1)


async def played(start: Start, name: str) -> list[tuple[int, dict[str, int]]]:
    """Status and fields, minute by minute; no fields where the answer is not good."""
    caller = await start(name)
    polls = []
    for _ in range(caller.sandbox.scenario.length // MINUTE + 3):
        answer = await caller.ask()
        polls.append((answer.status_code, flat(answer.json()) if answer.status_code == 200 else {}))
        caller.clock.move(minutes=1)
    return polls


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
async def test_every_answer_of_a_story_adds_up_and_no_life_counter_falls(start: Start, name: str) -> None:
    good = [fields for status, fields in await played(start, name) if status == 200]
    for fields in good:
        assert_it_adds_up(fields)
    for counter in ("stats.totalMessages", "stats.totalCalls", "stats.totalWebhookDeliveries"):
        values = [fields[counter] for fields in good]
        assert values == sorted(values)


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


def test_the_examples_of_the_manual_are_scenarios() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    examples = [block.partition("```")[0] for block in manual.split("```toml\n")[1:]]
    assert examples
    for example in examples:
        assert read_scenario(example, name="example", place="docs/sandbox.md").length
