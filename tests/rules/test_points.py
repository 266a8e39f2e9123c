"""What functions see of a field's past: single values, whole windows, times of day, subjects and slow endpoints."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.model import Each, Endpoint, Snapshot
from guard.rules.history import History, RecentWindows
from guard.rules.points import SAMPLES, Points
from guard.rules.sliding import Highest, Lowest, Mean
from tests.builders import MINUTE, NOW, at, snapshot

USED, TOTAL = "numbers.used", "stats.totalMessages"
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEW_YORK = ZoneInfo("America/New_York")
Answers = Sequence[tuple[datetime, float]]
VALUES = st.one_of(st.none(), st.integers(-5, 5).map(float), st.floats(-1e308, 1e308))


def windows(
    answers: Answers, *, name: str = USED, window: timedelta = HOUR, every: timedelta = MINUTE
) -> RecentWindows:
    """What is seen after the last of these answers."""
    history = History({name: window})
    for when, value in answers:
        history.add(snapshot({name: value}, at=when))
    return history.windows(every=every)


def each_minute(*values: float) -> Answers:
    return [(at(minute), value) for minute, value in enumerate(values)]


def summed(seen: RecentWindows, window_s: float, *, name: str = USED) -> tuple[float | None, ...]:
    """The lowest, the mean and the highest value of a window."""
    return seen.lowest(name, window_s), seen.mean(name, window_s), seen.highest(name, window_s)


def exact_mean(values: Sequence[float]) -> float:
    """The mean, rounded once."""
    return float(sum(map(Fraction, values)) / len(values))


NOTHING = (None, None, None)


# --- a value of long ago, and all values since -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [USED, TOTAL, "stats.messagesLast24h", "today.messages", "stats.totalFaxes"])
def test_every_numeric_field_has_a_past(name: str) -> None:
    history = History({name: HOUR})
    for minute, value in enumerate([7, 3, 9, 4, 5]):
        history.add(snapshot({name: value}, at=at(minute), fresh=frozenset(Endpoint)))
    seen = history.windows(every=MINUTE)
    assert [seen.ago(name, 60 * minutes) for minutes in range(5)] == [5, 4, 9, 3, 7]
    assert summed(seen, 120, name=name) == (4, 6, 9)


@pytest.mark.parametrize(("older", "is_known"), [(6 * MINUTE, True), (6 * MINUTE + timedelta(seconds=1), False)])
def test_an_answer_that_is_too_old_begins_no_window(older: timedelta, *, is_known: bool) -> None:
    seen = windows([(NOW - HOUR - older, 5), (NOW - MINUTE, 6), (NOW, 8)])
    assert seen.ago(USED, 3600) == (5 if is_known else None)
    assert summed(seen, 3600) == ((6, 7, 8) if is_known else NOTHING)
    assert (seen.slope(USED, 3600) is not None) == is_known


def test_a_history_that_does_not_reach_back_is_none() -> None:
    seen = windows(each_minute(1, 2, 3))
    assert (seen.ago(USED, 180), *summed(seen, 180), seen.slope(USED, 180)) == (None, *NOTHING, None)
    assert windows([]).ago(USED, 60) is None


def test_what_no_rule_looks_back_on_has_no_past() -> None:
    seen = windows(each_minute(1, 2, 3))
    assert [seen.ago(TOTAL, 60), seen.slope(TOTAL, 60), seen.usual(TOTAL, 1)] == [None] * 3
    assert summed(seen, 60, name=TOTAL) == NOTHING


def test_a_gauge_does_not_increase() -> None:
    assert windows(each_minute(1, 2, 3)).increase(USED, 60) is None


def test_a_lifetime_counter_that_was_reset_is_seen_as_it_was() -> None:
    seen = windows(each_minute(100, 101, 3, 4, 5), name=TOTAL)
    assert seen.ago(TOTAL, 180) == 101
    assert summed(seen, 240, name=TOTAL) == (3, 42.6, 101)
    assert seen.increase(TOTAL, 240) == 3


def test_where_the_clock_went_back_all_windows_begin_anew() -> None:
    history = History({USED: HOUR, "number.messages": HOUR})
    for minute in (0, 1, 2, -5):
        subjects = {Each.NUMBER: {"n1": {"number.messages": 5}}}
        history.add(snapshot({USED: 5}, at=at(minute), subjects=subjects, fresh=frozenset(Endpoint)))
    seen = history.windows(every=MINUTE, subject=(Each.NUMBER, "n1"))
    assert seen.ago(USED, 60) is seen.ago("number.messages", 60) is None
    assert seen.ago(USED, 0) == seen.ago("number.messages", 0) == 5


@given(
    gaps=st.lists(st.integers(1, 200), min_size=1, max_size=60),
    data=st.data(),
    window_s=st.integers(1, 900),
    longer_s=st.integers(0, 2000),
)
def test_it_comes_to_the_same_as_a_slow_reference_at_every_answer(
    gaps: list[int], data: st.DataObject, window_s: int, longer_s: int
) -> None:
    values = data.draw(st.lists(st.floats(0, 99), min_size=len(gaps), max_size=len(gaps)))
    history, seen = History({USED: timedelta(seconds=window_s + longer_s)}), list[tuple[datetime, float]]()
    for gap, value in zip(gaps, values, strict=True):
        seen.append(((seen[-1][0] if seen else NOW) + timedelta(seconds=gap), value))
        history.add(snapshot({USED: value}, at=seen[-1][0]))
        begins_at = seen[-1][0] - timedelta(seconds=window_s)
        before = [(when, value) for when, value in seen if when <= begins_at]
        is_known = before and begins_at - before[-1][0] <= max(3 * MINUTE, timedelta(seconds=window_s) / 10)
        found = history.windows(every=MINUTE)
        assert found.ago(USED, window_s) == (before[-1][1] if is_known else None)
        within = [value for when, value in seen if when >= begins_at]
        assert summed(found, window_s) == ((min(within), exact_mean(within), max(within)) if is_known else NOTHING)


@given(
    steps=st.lists(st.tuples(st.integers(0, 90), VALUES, st.booleans()), min_size=1, max_size=80),
    windows_s=st.lists(st.integers(1, 400), min_size=1, max_size=3),
)
def test_what_a_window_sums_up_to_is_what_a_scan_finds_however_seldom_it_is_asked(
    steps: list[tuple[int, float | None, bool]], windows_s: list[int]
) -> None:
    """With missing values, answers of the same instant, and windows that nobody asked for until all in them was new."""
    points, seen, now_s = Points(max(windows_s)), list[tuple[float, float]](), 0.0
    for gap_s, value, is_asked in steps:
        now_s += gap_s
        if value is not None:
            points.add(now_s, value)
            seen.append((now_s, value))
        for window_s in windows_s if is_asked and seen and seen[0][0] <= now_s - max(windows_s) else ():
            within = [each for at_s, each in seen if at_s >= now_s - window_s] or [seen[-1][1]]
            found = [points.over(kind, now_s, window_s, tolerance_s=1e9) for kind in (Lowest, Mean, Highest)]
            assert found == [min(within), exact_mean(within), max(within)]


def test_what_the_windows_sum_up_to_begins_anew_where_the_clock_went_back() -> None:
    history = History({USED: HOUR})
    for minute, value in [(0, 1), (1, 900), (2, 3), (-5, 7), (-4, 9), (-3, 8)]:
        history.add(snapshot({USED: value}, at=at(minute)))
        seen = summed(history.windows(every=MINUTE), 120)
    assert seen == (7, 8, 9)


def test_a_mean_of_what_came_and_went_again_and_again_has_no_error() -> None:
    mean, values = Mean(), [0.1, 1e16, -0.3, 7.7]
    for gone in range(0, 10_000, 4):
        assert mean.over(values, begin=gone, gone=gone) == exact_mean(values)
        assert mean.over(values, begin=gone + 2, gone=gone) == exact_mean(values[2:])


def test_an_answer_of_a_long_window_costs_no_scan() -> None:
    """Each of them is looked at when it comes and when it goes, not 2,000 times."""

    class Counted(list[float]):
        looked_at = 0

        def __getitem__(self, index: int) -> float:  # type: ignore[override]  # no slices
            self.looked_at += 1
            return super().__getitem__(index)

    for kind in (Lowest, Mean, Highest):
        window, values = kind(), Counted()
        for place in range(8_000):
            values.append(abs(place % 3_000 - 1_500))
            window.over(values, begin=max(0, place - 2_000), gone=0)
        assert values.looked_at <= 2 * 8_000


# --- trends ----------------------------------------------------------------------------------------------------------


def test_the_trend_of_a_straight_line_is_its_slope() -> None:
    seen = windows(each_minute(*(5 + 3 * minute for minute in range(200))))
    assert seen.slope(USED, 3600) == pytest.approx(3 / 60)


def test_a_few_odd_answers_do_not_move_the_trend() -> None:
    line = [float(5 + 3 * minute) for minute in range(100)]
    line[60], line[80], line[81] = 9e9, 0, 0
    assert windows(each_minute(*line)).slope(USED, 3600) == pytest.approx(3 / 60)


def test_a_trend_needs_two_answers() -> None:
    assert windows([(NOW - HOUR, 3), (NOW, 5)], every=HOUR).slope(USED, 3600) is None


def test_of_a_long_window_a_bounded_number_of_answers_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    monkeypatch.setattr("guard.rules.trend.slope", lambda times, _: looked_at.append(len(times)))
    windows([(at(minute), 1) for minute in range(3_000)], window=2 * DAY).slope(USED, DAY.total_seconds())
    assert looked_at == [SAMPLES]


def test_a_trend_is_the_same_whenever_it_was_asked_for_before() -> None:
    """As in a replay, or after a restart, where earlier answers were not evaluated."""
    asked, fresh = Points(3600), Points(3600)
    for second in range(0, 9_000, 37):
        value = float(second * second % 1_009)
        asked.add(second, value)
        fresh.add(second, value)
        found = asked.slope(second, 3600, tolerance_s=360)
        if second % 5 == 0:
            new = Points(3600)
            for index, at_s in enumerate(fresh._times):
                new.add(at_s, fresh._values[index])
            assert new.slope(second, 3600, tolerance_s=360) == found


# --- the usual -------------------------------------------------------------------------------------------------------


def usual(answers: Mapping[datetime, float], now: datetime, *, days: int, tz: ZoneInfo | None = None) -> float | None:
    history = History({USED: timedelta(days=days, hours=1)})
    for when, value in {**answers, now: 1e6}.items():
        history.add(snapshot({USED: value}, at=when))
    return history.windows(every=MINUTE, tz=tz or UTC).usual(USED, days)


def test_the_usual_is_the_median_of_the_same_time_of_day() -> None:
    answers = {
        NOW - day * DAY: float(value) for day, value in zip(range(7, 0, -1), [5, 90, 6, 7, 4, 8, 1], strict=True)
    }
    others = {when + 7 * HOUR: 1e9 for when in answers}
    assert usual(dict(sorted({**answers, **others}.items())), NOW, days=7) == 6


@pytest.mark.parametrize(
    ("known", "found"),
    [([1, 2, 3, 4, 5, 6, 7], 40), ([1, 2, 3, 4], 25), ([1, 3, 5], None), ([4, 5, 6, 7], 55), ([], None)],
)
def test_half_of_the_days_have_to_be_known(known: list[int], found: float | None) -> None:
    answers = {NOW - day * DAY: 10.0 * day for day in sorted(known, reverse=True)}
    assert usual(answers, NOW, days=7) == found


@pytest.mark.parametrize(("older", "found"), [(0, 5), (15, 5), (16, None), (-1, None)])
def test_the_last_answer_of_that_time_may_be_a_quarter_of_an_hour_older_and_not_newer(
    older: int, found: float | None
) -> None:
    assert usual({NOW - DAY - older * MINUTE: 5}, NOW, days=1) == found


@pytest.mark.parametrize(("month", "day"), [(11, 2), (11, 4), (3, 9), (3, 11)])  # both sides of a change of the clock
def test_the_time_of_day_is_that_of_the_clock_on_the_wall(month: int, day: int) -> None:
    now = datetime(2026, month, day, 12, tzinfo=NEW_YORK).astimezone(UTC)
    hours = [now - hours * HOUR for hours in range(8 * 24, 0, -1)]
    answers = {when: float(when.astimezone(NEW_YORK).hour) for when in hours}
    assert {usual(answers, now, days=days, tz=NEW_YORK) for days in range(1, 8)} == {12}
    assert len({usual(answers, now, days=days) for days in range(1, 8)}) > 1  # by the clock of UTC it is not


# --- slow endpoints and subjects -------------------------------------------------------------------------------------


def asked(minute: int, value: float, *, is_fresh: bool, subjects: Mapping[str, float] | None = None) -> Snapshot:
    listed = {Each.AGENT: {name: {"agent.calls": calls} for name, calls in (subjects or {}).items()}}
    fresh = frozenset({Endpoint.USAGE, Endpoint.DAILY, Endpoint.BY_AGENT} if is_fresh else {Endpoint.USAGE})
    return snapshot({USED: value, "today.messages": value}, at=at(minute), subjects=listed, fresh=fresh)


def test_only_an_answer_of_this_cycle_is_a_point_of_its_endpoint() -> None:
    history = History({"today.messages": HOUR, USED: HOUR})
    for minute in range(61):
        history.add(asked(minute, minute, is_fresh=minute % 5 == 0))
    seen = history.windows(every=MINUTE)
    assert summed(seen, 1200, name="today.messages") == (40, 50, 60)
    assert seen.ago("today.messages", 17 * 60) == 40
    assert seen.ago(USED, 17 * 60) == 43


def test_a_window_shorter_than_an_endpoint_is_asked_holds_what_stood_then() -> None:
    history = History({"today.messages": HOUR})
    for minute in range(60):
        history.add(asked(minute, minute, is_fresh=minute % 5 == 0))
    assert summed(history.windows(every=MINUTE), 120, name="today.messages") == (55, 55, 55)


def test_an_endpoint_that_is_asked_more_slowly_wants_to_be_filled_further_back() -> None:
    assert History({"today.messages": HOUR}).span(every=MINUTE) == HOUR + 15 * MINUTE + 15 * MINUTE
    assert History({"agent.calls": HOUR}).span(every=MINUTE) == HOUR + 15 * MINUTE + 15 * MINUTE
    both = History({"agent.calls": HOUR, USED: DAY, TOTAL: HOUR})
    assert both.span(every=MINUTE) == DAY + 144 * MINUTE + 3 * MINUTE
    assert both.spans(every=MINUTE) == {Endpoint.BY_AGENT: 90 * MINUTE, Endpoint.USAGE: both.span(every=MINUTE)}


def test_each_subject_has_a_past_of_its_own() -> None:
    history = History({"agent.calls": HOUR, USED: HOUR})
    for minute in range(0, 30, 5):
        history.add(asked(minute, minute, is_fresh=True, subjects={"a1": minute, "a2": 2 * minute}))
    seen = {name: history.windows(every=MINUTE, subject=(Each.AGENT, name)) for name in ("a1", "a2", "a3")}
    assert [each.ago("agent.calls", 600) for each in seen.values()] == [15, 30, None]
    assert [each.ago(USED, 600) for each in seen.values()] == [15, 15, 15]
    assert history.windows(every=MINUTE).ago("agent.calls", 600) is None


def test_a_subject_that_is_new_is_young_and_one_that_is_gone_is_forgotten_after_its_window() -> None:
    history = History({"agent.calls": HOUR})
    for minute in range(0, 200, 5):
        name = "old" if minute < 50 else "new"
        history.add(asked(minute, minute, is_fresh=True, subjects={name: 7}))
        old, new = (history.windows(every=MINUTE, subject=(Each.AGENT, each)) for each in ("old", "new"))
        assert new.ago("agent.calls", 3600) == (7 if minute >= 110 else None)
        assert (old.ago("agent.calls", 3600) is None) == (minute < 60 or minute >= 110)
    assert list(history._subjects) == [(Each.AGENT, "new")]


def test_a_listing_that_is_not_of_this_cycle_adds_no_points() -> None:
    history = History({"agent.calls": HOUR})
    for minute in range(11):
        history.add(asked(minute, 0, is_fresh=minute == 0, subjects={"a1": minute}))
    assert history.windows(every=MINUTE, subject=(Each.AGENT, "a1")).ago("agent.calls", 60) == 0
