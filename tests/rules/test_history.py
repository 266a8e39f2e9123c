"""Windows in memory, held against tables, against what must never and must always be, and against a slow reference."""

import tracemalloc
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.rules.history import History, needs
from tests.builders import MINUTE, NOW, at, snapshot
from tests.rules.test_evaluate import rule

M = "stats.totalMessages"
HOUR = 60 * MINUTE
SECOND = timedelta(seconds=1)
Answers = Sequence[tuple[datetime, float | None]]
"""When, and what the counter was; None where the answer says nothing of it."""


def history(window: timedelta = HOUR) -> History:
    return History({M: window})


def fill(some: History, answers: Iterable[tuple[datetime, float | str | None]]) -> History:
    for when, value in answers:
        some.add(snapshot({"numbers.used": 1} if value is None else {M: value}, at=when))
    return some


def increase(answers: Answers, window: timedelta, *, every: timedelta = MINUTE) -> float | None:
    return fill(history(window), answers).windows(every=every).increase(M, window.total_seconds())


def each_minute(*values: float | None) -> list[tuple[datetime, float | None]]:
    return [(at(minute), value) for minute, value in enumerate(values)]


# --- growth, case by case --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "grown"),
    [
        ([5, 6, 7, 8, 9, 10], 5),
        ([5, 5, 5, 5, 5, 5], 0),
        ([0, 0, 0, 0, 0, 7], 7),
        ([0.5, 1, 1, 1, 1, 1.75], 1.25),
        ([1, 5, 6, 7, 8, 9, 10], 5),
        ([5, None, 6, None, 8, 10], 5),
        ([5, 6, 7, 8, 9], None),
        ([None, 6, 7, 8, 9, 10], None),
        ([7], None),
    ],
)
def test_growth_counts_from_the_last_answer_at_or_before_the_windows_beginning(
    values: list[float | None], grown: float | None
) -> None:
    assert increase(each_minute(*values), 5 * MINUTE) == grown


@pytest.mark.parametrize(
    ("values", "grown"),
    [
        # a dip comes back: only what goes beyond where it was
        ([100, 100, 3, 100, 100], 0),
        ([100, 100, 3, 4, 100], 0),
        ([100, 100, 3, 102, 103], 3),
        ([100, 3, 101, 4, 103], 3),
        ([100, 101, 0, 99, 104], 4),
        # a dip that is still there adds nothing
        ([100, 101, 102, 3], 2),
        ([100, 101, 102, 3, 4], 2),
        # three answers below: the lowest is the base
        ([100, 3, 4, 5], 2),
        ([100, 102, 3, 4, 9], 8),
        ([100, 5, 3, 4], 1),
        ([100, 4, 5, 3], 0),
        ([100, 0, 0, 0, 6], 6),
        ([100, 99, 98, 97, 98], 1),
        # only a run of three counts, and one missing field does not end it
        ([100, 3, 4, 100, 3, 4, 101], 1),
        ([100, 3, None, 4, None, 5], 2),
        # once the base is low, the old height is growth
        ([100, 3, 3, 3, 100], 97),
        # from one reset into the next
        ([100, 50, 50, 50, 2, 2, 2, 7], 5),
    ],
)
def test_a_fall_adds_nothing_and_no_dip_makes_a_spike(values: list[float | None], grown: float) -> None:
    window = (len(values) - 1) * MINUTE
    assert increase(each_minute(*values), window) == grown


@pytest.mark.parametrize(
    ("every", "window", "older", "is_known"),
    [
        (MINUTE, 5 * MINUTE, 3 * MINUTE, True),
        (MINUTE, 5 * MINUTE, 3 * MINUTE + SECOND, False),
        (MINUTE, HOUR, 6 * MINUTE, True),
        (MINUTE, HOUR, 6 * MINUTE + SECOND, False),
        (HOUR, 5 * MINUTE, 3 * HOUR, True),
        (SECOND, 10 * SECOND, 3 * SECOND, True),
        (SECOND, 10 * SECOND, 4 * SECOND, False),
        (MINUTE, 13 * 24 * HOUR, 31 * HOUR, True),
    ],
)
def test_an_answer_that_is_too_old_begins_no_window(
    every: timedelta, window: timedelta, older: timedelta, is_known: bool
) -> None:
    answers = [(NOW - window - older, 5.0), (NOW, 8.0)]
    assert increase(answers, window, every=every) == (3 if is_known else None)


def test_the_pace_may_be_another_at_each_evaluation() -> None:
    some = fill(history(), [(at(-90), 5.0), (at(0), 8.0)])
    found = [some.windows(every=every).increase(M, HOUR.total_seconds()) for every in (MINUTE, 10 * MINUTE, MINUTE)]
    assert found == [None, 3, None]


def test_a_five_minute_window_asked_each_minute_with_jitter_is_known_at_every_answer() -> None:
    jitter = [0, 7, -5, 11, -8, 3, 12, -12, 9, -2, 4, 1, -9, 10, 6]
    answers = [(at(minute) + late * SECOND, float(minute)) for minute, late in enumerate(jitter)]
    some, found = history(5 * MINUTE), []
    for answer in answers:
        fill(some, [answer])
        found.append(some.windows(every=MINUTE).increase(M, 300))
    assert found[:5] == [None] * 5
    assert None not in found[6:]


def test_one_history_serves_shorter_windows_too() -> None:
    some = fill(history(), each_minute(*range(90))).windows(every=MINUTE)
    assert [some.increase(M, seconds) for seconds in (60, 90, 300, 3600)] == [1, 2, 5, 60]


def test_what_no_rule_looks_back_on_has_no_history() -> None:
    some = fill(history(), each_minute(1, 2)).windows(every=MINUTE)
    assert some.increase("stats.totalCalls", 60) is None
    assert fill(History({}), each_minute(1, 2)).windows(every=MINUTE).increase(M, 60) is None
    assert history().windows(every=MINUTE).increase(M, 60) is None


def test_a_text_in_place_of_a_count_is_no_point() -> None:
    some = fill(history(), [(at(0), 5.0), (at(1), "many"), (at(2), 8.0)])
    assert some.windows(every=MINUTE).increase(M, 60) == 3


# --- clocks and nonsense ---------------------------------------------------------------------------------------------


def test_where_the_clock_went_back_the_windows_begin_anew() -> None:
    some = fill(history(), each_minute(*range(0, 700, 10)))
    fill(some, [(at(30), 1000)])
    assert some.windows(every=MINUTE).increase(M, 300) is None
    fill(some, [(at(30 + minute), 1000 + minute) for minute in range(1, 6)])
    assert some.windows(every=MINUTE).increase(M, 300) == 5


def test_a_dip_across_a_jump_of_the_clock_is_still_a_dip() -> None:
    some = fill(history(), [*each_minute(100, 100, 3), (at(-30), 4), (at(-29), 101), (at(-28), 102)])
    assert some.windows(every=MINUTE).increase(M, 120) == 2


def test_two_answers_of_the_same_instant_are_two_answers() -> None:
    assert increase([(at(0), 5.0), (at(1), 7.0), (at(1), 8.0)], MINUTE) == 3


def test_a_nonsense_value_costs_a_window_and_not_the_counting_by_ones() -> None:
    some = fill(history(), each_minute(100, 101, 9e18, 102, 103, 104))
    assert some.windows(every=MINUTE).increase(M, 300) is None
    fill(some, [(at(minute), 100 + minute - 1) for minute in range(6, 70)])
    assert some.windows(every=MINUTE).increase(M, 3600) == 60


@pytest.mark.parametrize("odd", [1.7e308, -1.7e308, 5e-324])
def test_no_number_makes_it_raise_or_give_what_is_no_number(odd: float) -> None:
    for values in ([odd, -odd, odd, 1, 2, 3, 4], [1, odd, 1, -odd, 2, odd], [-odd, odd, -odd, -odd, -odd, odd, odd]):
        some = history(2 * MINUTE)
        for answer in each_minute(*values):
            fill(some, [answer])
            grown = some.windows(every=MINUTE).increase(M, 120)
            assert grown is None or 0 <= grown <= 1e15


# --- what it keeps ---------------------------------------------------------------------------------------------------


def test_a_history_is_made_for_what_rules_look_back_on() -> None:
    rules = [
        rule(f"increase({M}, 1h)", when=f"increase({M}, 2h) > 3"),
        rule("numbers.used", summary=f"{{increase({M}, 5m)}} {{increase(stats.totalCalls, 1d)}}"),
        rule(),
    ]
    assert needs(rules) == {M: 2 * HOUR, "stats.totalCalls": 24 * HOUR}
    assert needs([rule()]) == {}


@pytest.mark.parametrize(
    ("window", "every", "span"),
    [
        (HOUR, MINUTE, HOUR + 6 * MINUTE + 3 * MINUTE),
        (5 * MINUTE, MINUTE, 5 * MINUTE + 3 * MINUTE + 3 * MINUTE),
        (5 * MINUTE, HOUR, 5 * MINUTE + 3 * HOUR + 3 * HOUR),
    ],
)
def test_it_wants_to_be_filled_as_far_back_as_it_looks(window: timedelta, every: timedelta, span: timedelta) -> None:
    assert History({M: window, "stats.totalCalls": window / 2}).span(every=every) == span
    assert History({}).span(every=every) == timedelta()


def test_it_is_as_large_as_its_window_however_long_it_lives() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = []
        fields = [M, "stats.totalCalls", "stats.totalWebhookDeliveries"]
        for _ in range(50):
            some = History(dict.fromkeys(fields, HOUR))
            for minute in range(200):
                some.add(snapshot(dict.fromkeys(fields, minute), at=at(minute)))
            kept.append(some)
        size = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert size / len(kept) < 8_000  # so a thousand accounts take less than 8 MB


def test_a_restart_in_the_middle_of_a_dip_makes_no_spike() -> None:
    answers = each_minute(*([1000.0] * 30), 3.0, *([1000.0] * 80))
    for now in range(70, 110):
        since = at(now) - history().span(every=MINUTE)
        filled = [answer for answer in answers[: now + 1] if answer[0] >= since]
        assert increase(filled, HOUR) == 0


# --- whatever comes --------------------------------------------------------------------------------------------------

GAPS = st.lists(st.integers(1, 200), min_size=2, max_size=60)
GROWTH = st.integers(0, 50)
DIPS = st.booleans()


def when(gaps: Sequence[int]) -> list[datetime]:
    """Instants that are so many seconds apart."""
    found = [NOW]
    for gap in gaps:
        found.append(found[-1] + gap * SECOND)
    return found


@given(gaps=GAPS, data=st.data(), window_s=st.integers(1, 900), every_s=st.integers(1, 120))
def test_growth_without_falls_is_exact_and_known_whenever_there_is_an_answer_to_begin_with(
    gaps: list[int], data: st.DataObject, window_s: int, every_s: int
) -> None:
    times = when(gaps)
    values = [0.0]
    for grown in data.draw(st.lists(GROWTH, min_size=len(gaps), max_size=len(gaps))):
        values.append(values[-1] + grown)
    answers = list(zip(times, values, strict=True))
    found = increase(answers, window_s * SECOND, every=every_s * SECOND)
    begins_at = times[-1] - window_s * SECOND
    before = [(time, value) for time, value in answers if time <= begins_at]
    tolerance = max(3 * every_s * SECOND, window_s * SECOND / 10)
    if before and begins_at - before[-1][0] <= tolerance:
        assert found == values[-1] - before[-1][1]
    else:
        assert found is None


@given(data=st.data(), count=st.integers(8, 60), window=st.integers(2, 7))
def test_with_dips_of_one_or_two_answers_it_is_never_too_much_and_always_in_time(
    data: st.DataObject, count: int, window: int
) -> None:
    """The highest value so far is what a counter that lags now and then has surely reached."""
    truth, low, seen = 1000.0, 0, list[float]()
    for _ in range(count):
        truth += data.draw(GROWTH)
        low = low + 1 if low < 2 and seen and data.draw(DIPS) else 0
        seen.append(data.draw(st.floats(0, max(seen), exclude_max=True)) if low else truth)
    some, highest = history(window * MINUTE), 0.0
    reached: list[float] = []
    for minute, value in enumerate(seen):
        highest = max(highest, value)
        reached.append(highest)
        fill(some, [(at(minute), value)])
        found = some.windows(every=MINUTE).increase(M, window * 60)
        assert found == (None if minute < window else highest - reached[minute - window])


@given(
    before=st.lists(st.integers(1000, 2000), min_size=1, max_size=9).map(sorted),
    after=st.lists(st.integers(0, 900), min_size=3, max_size=20).map(sorted),
)
def test_after_a_reset_growth_counts_from_the_third_answer_on(before: list[int], after: list[int]) -> None:
    some = fill(history(), each_minute(*before))
    for number, value in enumerate(after):
        fill(some, [(at(len(before) + number), value)])
        total = some.windows(every=HOUR).increase(M, (len(before) + number) * 60)
        new = value - after[0] if number >= 2 else 0
        assert total == before[-1] - before[0] + new


def in_full(answers: Answers, window: timedelta, every: timedelta) -> float | None:
    """The same told slowly: every total is counted anew from the first answer, and every answer is looked at."""
    known = [(time, value) for time, value in answers if value is not None]
    begins_at = known[-1][0] - window
    before = [index for index, (time, _) in enumerate(known) if time <= begins_at]
    if not before or begins_at - known[before[-1]][0] > max(3 * every, window / 10):
        return None
    values = [value for _, value in known]
    return total(values) - total(values[: before[-1] + 1])


def total(values: Sequence[float]) -> float:
    grown, base, below = 0.0, values[0], list[float]()
    for value in values:
        below = [*below, value] if value < base else []
        if len(below) == 3:
            grown, base, below = grown + value - min(below), value, []
        elif not below:
            grown, base = grown + value - base, value
    return grown


@given(
    gaps=GAPS,
    data=st.data(),
    window_s=st.integers(1, 900),
    longer_s=st.integers(0, 2000),
    every_s=st.integers(1, 120),
)
def test_it_comes_to_the_same_as_the_slow_reference_at_every_answer(
    gaps: list[int], data: st.DataObject, window_s: int, longer_s: int, every_s: int
) -> None:
    values = st.integers(0, 9).map(float) | st.none() | st.integers(100, 110).map(float)
    drawn = data.draw(st.lists(values, min_size=len(gaps) + 1, max_size=len(gaps) + 1))
    some, seen = history((window_s + longer_s) * SECOND), list[tuple[datetime, float | None]]()
    for answer in zip(when(gaps), drawn, strict=True):
        seen.append(answer)
        fill(some, [answer])
        if answer[1] is not None:
            found = some.windows(every=every_s * SECOND).increase(M, window_s)
            assert found == in_full(seen, window_s * SECOND, every_s * SECOND)
