from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.sandbox.fields import FIELDS, MESSAGES, NUMBERS, WEBHOOKS
from guard.sandbox.scenario import Scenario
from guard.sandbox.statement import Statement
from tests.sandbox.telling import AT, MINUTE, assert_it_adds_up, days, told

COUNTERS = ("stats.totalMessages", "stats.totalCalls", *WEBHOOKS)

elapsed_times = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=900))
series = st.lists(st.integers(0, 3_000) | st.none(), min_size=1, max_size=30).map(tuple)


def fields(of: Statement) -> dict[str, int]:
    limits = {f"plan.limits.{name}": value for name, value in of.limits.items()}
    return {**of.numbers, **of.stats, **limits}


def test_every_field_is_there() -> None:
    assert set(fields(told())) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [0, 1, 11, 5_000, 10**9])
def test_a_scripted_number_is_shown_as_it_is_and_the_rest_adds_up(name: str, value: int) -> None:
    for shown in (
        told(Scenario("scripted", series={name: (value,)}), timedelta(days=3)),
        told(None, timedelta(days=3), hand={name: value}),
    ):
        assert fields(shown)[name] == value
        assert_it_adds_up(shown)


@given(
    hand=st.dictionaries(st.sampled_from(FIELDS), st.integers(min_value=0, max_value=10**12)),
    scripted=st.dictionaries(st.sampled_from(FIELDS), series, max_size=3),
    repeat=st.booleans(),
    elapsed=elapsed_times,
)
def test_whatever_is_scripted_and_set_adds_up(
    hand: dict[str, int], scripted: dict[str, tuple[int | None, ...]], repeat: bool, elapsed: timedelta
) -> None:
    scenario = Scenario("any", series=scripted, repeat=repeat)
    assert_it_adds_up(told(scenario, elapsed))
    assert_it_adds_up(told(scenario, elapsed, hand=hand))


@given(
    hand=st.fixed_dictionaries({}, optional={name: st.integers(0, 20) for name in NUMBERS}).filter(
        lambda hand: len(hand) < len(NUMBERS)
    ),
)
def test_numbers_that_do_not_contradict_each_other_are_shown_as_they_are(hand: dict[str, int]) -> None:
    limit = hand.get("numbers.limit")
    if limit is not None and limit < max(hand.values()):
        hand.pop("numbers.limit")
    shown = told(hand=hand).numbers
    assert {name: shown[name] for name in hand} == hand


@pytest.mark.parametrize(
    ("hand", "expected"),
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
def test_numbers_fill_the_limit(hand: dict[str, int], expected: tuple[int, int, int]) -> None:
    shown = told(hand=hand)
    assert tuple(shown.numbers[name] for name in NUMBERS) == expected
    assert shown.limits["numbers"] == expected[2]


def test_wider_windows_move_with_one_that_is_set() -> None:
    calm, busy = (told(hand={"stats.messagesLast24h": sent}) for sent in (100, 1_600))
    for name in MESSAGES[1:3]:
        assert busy.stats[name] - calm.stats[name] == 1_500
    assert days(busy, 1)[0] > 1_000  # they have only just come


@given(
    scripted=st.dictionaries(st.sampled_from(MESSAGES[:3]), series, max_size=1), one=elapsed_times, two=elapsed_times
)
def test_counters_of_the_whole_life_never_fall_unless_a_script_makes_them(
    scripted: dict[str, tuple[int | None, ...]], one: timedelta, two: timedelta
) -> None:
    story = Scenario("any", series=scripted)
    before, after = (told(story, elapsed) for elapsed in sorted((one, two)))
    assert all(before.stats[name] <= after.stats[name] for name in COUNTERS)


def test_the_past_stays_as_it_was_while_a_scripted_day_rises_and_falls() -> None:
    story = Scenario("wave", series={"stats.messagesLast24h": (620, 900, 1_100, 700, 620)})
    shown = [told(story, minutes * MINUTE) for minutes in range(8)]
    assert len({tuple(days(each, 90)[:-1]) for each in shown}) == 1
    totals = [each.stats["stats.totalMessages"] for each in shown]
    assert totals[2] - totals[0] == 480
    assert totals == sorted(totals)


def test_a_counter_that_is_scripted_grows_every_sum_with_it() -> None:
    story = Scenario("busy", series={"stats.totalMessages": (81_240, 81_340, 81_500)})
    before, after = told(story), told(story, 2 * MINUTE)
    assert days(after, 1)[0] - days(before, 1)[0] == 260
    assert after.stats["stats.messagesLast30d"] - before.stats["stats.messagesLast30d"] == 260


@pytest.mark.parametrize(
    ("scripted", "expected"),
    [
        ({"total": (1_000, 1_010), "failed": (100, 104)}, (6, 4)),
        ({"total": (1_000, 1_010), "successful": (900, 907)}, (7, 3)),
        ({"total": (1_000, 1_010)}, (10, 0)),
        ({"failed": (100, 104), "successful": (900, 907)}, (7, 4)),
    ],
)
def test_two_of_the_three_delivery_counters_make_the_third(
    scripted: dict[str, tuple[int, ...]], expected: tuple[int, int]
) -> None:
    story = Scenario("hooks", series={f"stats.{name}WebhookDeliveries": items for name, items in scripted.items()})
    before, after = told(story), told(story, MINUTE)
    for shown, grown in zip((after.successful, after.failed), expected, strict=True):
        assert shown.total - shown.count(before.at_s) == grown
    grown = after.stats[WEBHOOKS[2]] - before.stats[WEBHOOKS[2]]
    assert grown == sum(expected)


def test_the_story_and_the_time_decide_alone() -> None:
    assert fields(told(None, timedelta(days=40))) == fields(told(None, timedelta(days=40)))


def test_before_its_start_a_story_shows_its_past() -> None:
    assert_it_adds_up(told(None, timedelta(days=-3)))


def test_at_midnight_the_last_day_is_yesterday() -> None:
    shown = told(at=datetime(2026, 11, 24, tzinfo=UTC))
    assert days(shown, 2) == [shown.stats["stats.messagesLast24h"], 0]


def test_half_a_second_changes_nothing() -> None:
    assert told(at=AT + timedelta(seconds=0.5)).stats == told().stats
