"""The state machine, case by case."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from guard.lifecycle.step import Step, _step_in_full, close, step
from guard.model import Alert, Bound, Evaluation, Event, EventKind, Level, Reason, State, Timer
from guard.rules.policy import Policy
from tests.builders import KEY, MINUTE, alert, at, evaluation, policy, reading, unknown

W, C = Level.WARNING, Level.CRITICAL


def play(
    script: Iterable[tuple[float, Evaluation]], rule: Policy, start: Alert | None = None
) -> tuple[Alert, list[Event]]:
    """Steps one alert through evaluations at minutes, with one minute as the polling interval."""
    now = start or alert()
    events: list[Event] = []
    for minute, seen in script:
        done = step(now, seen, rule, now=at(minute), every=MINUTE)
        now = done.alert
        events += done.events
    return now, events


def young() -> Evaluation:
    """Unknown for lack of history and nothing else."""
    return replace(unknown("too short a history"), is_young=True)


def told(events: Iterable[Event]) -> list[tuple[float, str, str]]:
    return [
        ((e.at - at(0)) / MINUTE, e.kind.removeprefix("alert."), e.text or (e.level.word if e.level else ""))
        for e in events
    ]


def test_without_for_it_fires_in_the_cycle_that_sees_it() -> None:
    done, events = play([(0, evaluation(C))], policy())
    assert (done.state, done.level) == (State.FIRING, C)
    assert told(events) == [(0, "fired", "critical")]


def test_warning_since_0_and_critical_since_9_fire_at_10_and_at_19() -> None:
    script = [(m, evaluation(W if m < 9 else C)) for m in range(25)]
    _, events = play(script, policy(hold=10 * MINUTE))
    assert told(events) == [(0, "pending", ""), (10, "fired", "warning"), (19, "escalated", "critical")]


def test_pending_that_passes_tells_nobody() -> None:
    done, events = play([(0, evaluation(W)), (1, evaluation())], policy(hold=10 * MINUTE))
    assert done.state is State.OK
    assert told(events) == [(0, "pending", ""), (1, "calmed", "")]


@pytest.mark.parametrize(("gap", "fires"), [(3, True), (3.1, False)])
def test_time_counts_in_full_up_to_three_intervals_and_not_at_all_beyond(gap: float, fires: bool) -> None:
    done, _ = play([(0, evaluation(W)), (gap, evaluation(W))], policy(hold=3 * MINUTE))
    assert (done.state is State.FIRING) is fires


def test_an_unknown_between_two_known_evaluations_does_not_stop_the_timer() -> None:
    done, _ = play([(0, evaluation(W)), (1, unknown()), (2, evaluation(W))], policy(hold=2 * MINUTE))
    assert done.state is State.FIRING


def test_a_clock_that_goes_back_counts_nothing() -> None:
    done, _ = play([(0, evaluation(W)), (-60, evaluation(W)), (-59, evaluation(W))], policy(hold=2 * MINUTE))
    assert done.state is State.PENDING
    assert done.timers[W] == Timer(MINUTE, at(-59))


def test_unknown_never_fires_and_never_resolves() -> None:
    pending, _ = play([(0, evaluation(W))] + [(m, unknown()) for m in range(1, 60)], policy(hold=5 * MINUTE))
    assert pending.state is State.PENDING
    firing, events = play([(0, evaluation(W))] + [(m, unknown()) for m in range(1, 60)], policy())
    assert firing.state is State.FIRING
    assert told(events) == [(0, "fired", "warning"), (1, "unknown", "numbers.remaining is missing")]
    assert firing.unknown == Timer(58 * MINUTE, at(59))


def test_what_is_known_again_says_so_once() -> None:
    done, events = play([(0, unknown()), (1, unknown()), (2, evaluation())], policy())
    assert done.unknown is None
    assert [kind for _, kind, _ in told(events)] == ["unknown", "known"]


def test_lack_of_history_runs_no_timer_and_makes_no_event_and_still_says_why() -> None:
    done, events = play([(minute, young()) for minute in range(60)], policy())
    assert (done, events) == (alert(unknown_why="too short a history"), [])
    again = step(done, young(), policy(), now=at(60), every=MINUTE)
    assert (again.alert, again.events) == (done, ())
    known, events = play([(60, evaluation())], policy(), done)
    assert (known, events) == (alert(), [])


def test_lack_of_history_ends_what_was_unknown_for_another_reason() -> None:
    script = [(0, unknown()), (1, unknown()), *((minute, young()) for minute in range(2, 30))]
    done, events = play(script, policy())
    assert (done.unknown, done.unknown_why) == (None, "too short a history")
    assert told(events) == [(0, "unknown", "numbers.remaining is missing"), (2, "known", "too short a history")]
    known, events = play([(30, evaluation())], policy(), done)
    assert (known, events) == (alert(), [])


def test_what_is_missing_after_a_lack_of_history_begins_to_count_then() -> None:
    done, events = play([(0, young()), (1, young()), (2, unknown()), (3, unknown())], policy())
    assert (done.unknown, done.unknown_why) == (Timer(MINUTE, at(3)), "numbers.remaining is missing")
    assert told(events) == [(2, "unknown", "numbers.remaining is missing")]


def test_lack_of_history_never_fires_and_never_resolves_and_writes_nothing_twice() -> None:
    pending, _ = play([(0, evaluation(W)), (1, young())], policy(hold=2 * MINUTE))
    assert (pending.state, pending.unknown_why) == (State.PENDING, "too short a history")
    firing, _ = play([(0, evaluation(W)), (1, young())], policy())
    assert (firing.state, firing.level) == (State.FIRING, W)
    assert step(firing, young(), policy(), now=at(2), every=MINUTE).alert == firing


def test_a_changed_rule_that_is_young_at_first_waits_for_a_known_evaluation() -> None:
    firing, _ = play([(0, evaluation(W))], policy())
    waiting, events = play([(1, young())], policy(fingerprint="v2"), firing)
    assert (waiting.state, events) == (State.FIRING, [])
    assert told(play([(2, evaluation())], policy(fingerprint="v2"), waiting)[1]) == [(2, "resolved", "rule changed")]


def test_an_alert_at_rest_is_given_back_as_it_is() -> None:
    resting = alert(fingerprint="v1", reading=reading())
    for seen in (evaluation(), evaluation(None, clear=False), evaluation(applies=False)):
        done = step(resting, seen, policy(fingerprint="v2"), now=at(1), every=MINUTE)
        assert done.alert is resting
        assert done == Step(resting) == _step_in_full(resting, seen, policy(), now=at(1), every=MINUTE)


def test_a_level_that_is_unknown_leaves_the_other_to_fire() -> None:
    half = evaluation(holds={W: True, C: None}, clear=False, unknown="budgets gone")
    done, _ = play([(0, half)], policy())
    assert (done.state, done.level) == (State.FIRING, W)


def test_a_lower_level_is_kept_as_the_level_without_a_new_incident() -> None:
    done, events = play([(0, evaluation(C)), (1, evaluation(W))], policy())
    assert (done.state, done.level) == (State.FIRING, W)
    assert done.incident is not None
    assert done.incident.peak is C
    assert told(events)[1:] == [(1, "lowered", "warning")]


def test_between_the_lowest_level_and_clear_it_keeps_its_lowest_level() -> None:
    done, _ = play([(0, evaluation(C)), (1, evaluation(None, clear=False))], policy())
    assert (done.state, done.level) == (State.FIRING, W)


def test_an_escalation_raises_the_peak() -> None:
    done, events = play([(0, evaluation(W)), (1, evaluation(C))], policy())
    assert done.incident is not None
    assert done.incident.peak is C
    assert told(events)[1:] == [(1, "escalated", "critical")]


def test_resolved_at_once_without_keep_firing_for() -> None:
    done, events = play([(0, evaluation(W)), (1, evaluation())], policy())
    assert (done.state, done.level, done.incident) == (State.OK, None, None)
    assert told(events)[1:] == [(1, "resolved", "recovered")]


def test_the_end_waits_for_keep_firing_for_and_the_same_incident_goes_on() -> None:
    rule = policy(keep_firing_for=5 * MINUTE)
    script = [(0, evaluation(W)), (1, evaluation()), (2, evaluation(W)), *((m, evaluation()) for m in range(3, 9))]
    done, events = play(script, rule)
    assert done.state is State.OK
    assert [(m, kind) for m, kind, _ in told(events)] == [
        (0, "fired"),
        (1, "recovering"),
        (2, "refired"),
        (3, "recovering"),
        (8, "resolved"),
    ]
    assert len({event.incident_id for event in events}) == 1


def test_unknown_while_recovering_waits() -> None:
    rule = policy(keep_firing_for=2 * MINUTE)
    done, _ = play([(0, evaluation(W)), (1, evaluation())] + [(m, unknown()) for m in range(2, 20)], rule)
    assert done.state is State.RECOVERING


def test_when_that_is_false_ends_a_pending_and_an_incident() -> None:
    off = evaluation(applies=False)
    pending, events = play([(0, evaluation(W)), (1, off)], policy(hold=MINUTE * 5))
    assert (pending.state, pending.timers) == (State.OK, {})
    assert told(events)[1:] == [(1, "calmed", "no longer applies")]
    firing, events = play([(0, evaluation(W)), (1, off)], policy(keep_firing_for=MINUTE * 5))
    assert firing.state is State.OK
    assert told(events)[1:] == [(1, "resolved", "no longer applies")]
    resting, events = play([(0, off)], policy())
    assert (resting, events) == (alert(), [])


def test_a_limit_that_was_raised_is_the_reason() -> None:
    script = [(0, evaluation(W, limits={"numbers.limit": 12})), (1, evaluation(limits={"numbers.limit": 20}))]
    assert told(play(script, policy())[1])[1:] == [(1, "resolved", "limit changed")]


def test_a_limit_raised_at_the_start_of_recovering_is_still_the_reason() -> None:
    raised = evaluation(limits={"numbers.limit": 20})
    script = [(0, evaluation(W, limits={"numbers.limit": 12})), (1, raised), (2, raised), (3, raised)]
    assert told(play(script, policy(keep_firing_for=2 * MINUTE))[1])[-1] == (3, "resolved", "limit changed")


def test_a_limit_that_was_lowered_is_not_the_reason() -> None:
    script = [(0, evaluation(W, limits={"numbers.limit": 12})), (1, evaluation(limits={"numbers.limit": 10}))]
    assert told(play(script, policy())[1])[1:] == [(1, "resolved", "recovered")]


def test_a_limit_that_is_gone_is_no_change() -> None:
    script = [(0, evaluation(W, limits={"numbers.limit": 12})), (1, evaluation())]
    assert told(play(script, policy())[1])[1:] == [(1, "resolved", "recovered")]


def test_a_new_period_is_the_reason() -> None:
    script = [(0, evaluation(W, period_start_at=at(-100))), (1, evaluation(period_start_at=at(0)))]
    assert told(play(script, policy())[1])[1:] == [(1, "resolved", "new period")]


def test_a_changed_rule_under_which_nothing_holds_ends_the_incident_at_once() -> None:
    firing, _ = play([(0, evaluation(W))], policy())
    done, events = play([(1, evaluation())], policy(fingerprint="v2", keep_firing_for=MINUTE * 9), firing)
    assert done.state is State.OK
    assert told(events) == [(1, "resolved", "rule changed")]


def test_a_changed_rule_that_still_holds_keeps_incident_and_level() -> None:
    rule = policy(hold=2 * MINUTE)
    firing, _ = play([(m, evaluation(C)) for m in range(3)], rule)
    done, events = play([(3, evaluation(C)), (4, evaluation(C))], policy(fingerprint="v2", hold=9 * MINUTE), firing)
    assert (done.state, done.level, events) == (State.FIRING, C, [])


def test_a_changed_rule_starts_its_pending_anew() -> None:
    pending, _ = play([(m, evaluation(W)) for m in range(4)], policy(hold=4 * MINUTE))
    done, _ = play([(4, evaluation(W))], policy(hold=4 * MINUTE, fingerprint="v2"), pending)
    assert (done.state, done.timers[W].total) == (State.PENDING, timedelta())


def test_a_changed_rule_that_is_unknown_at_first_waits_for_a_known_evaluation() -> None:
    firing, _ = play([(0, evaluation(W))], policy())
    changed = policy(fingerprint="v2")
    waiting, _ = play([(1, unknown())], changed, firing)
    assert waiting.state is State.FIRING
    assert told(play([(2, evaluation())], changed, waiting)[1])[-1] == (2, "resolved", "rule changed")


@pytest.mark.parametrize(
    ("operator", "values", "peak"), [("<", (2, 1, 2), 1), (">", (80, 100, 90), 100), ("!", (1, 2, 3), 3)]
)
def test_the_peak_is_the_worst_value_in_the_direction_of_the_levels(
    operator: str, values: tuple[float, ...], peak: float
) -> None:
    bounds = {W: Bound(operator, 3)}
    script = [(m, evaluation(W, reading=reading(value, bounds=bounds))) for m, value in enumerate(values)]
    done, _ = play(script, policy())
    assert done.incident is not None
    assert done.incident.peak_value == peak


def test_a_rule_without_a_value_has_no_peak() -> None:
    done, _ = play([(0, evaluation(W, reading=reading(None))), (1, evaluation(W, reading=None))], policy())
    assert done.incident is not None
    assert done.incident.peak_value is None


def test_an_alert_at_rest_keeps_nothing_so_its_row_is_not_written() -> None:
    done, events = play([(0, evaluation()), (1, evaluation())], policy())
    assert (done, events) == (alert(), [])


def test_closing_from_outside_gives_the_reason() -> None:
    firing, _ = play([(0, evaluation(W))], policy())
    done = close(firing, Reason.RULE_REMOVED, now=at(5))
    assert done.closed is not None
    assert (done.closed.ended_at, done.closed.reason) == (at(5), Reason.RULE_REMOVED)
    assert [event.kind for event in done.events] == [EventKind.RESOLVED]
    assert close(alert(), Reason.RULE_REMOVED, now=at(5)).events == ()


def test_the_same_crossing_has_the_same_incident_id_and_another_instant_another() -> None:
    ids = [play([(m, evaluation(W))], policy())[1][0].incident_id for m in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]
    assert KEY.account not in ids[0]


def test_a_shorter_for_fires_nothing_while_the_rule_is_unknown() -> None:
    pending, _ = play([(m, evaluation(W)) for m in range(5)], policy(hold=10 * MINUTE))
    done, events = play([(5, unknown())], policy(hold=2 * MINUTE, fingerprint="v2"), pending)
    assert (done.state, [event.kind for event in events]) == (State.PENDING, [EventKind.UNKNOWN])


def test_a_shorter_keep_firing_for_resolves_nothing_while_the_rule_is_unknown() -> None:
    before = policy(keep_firing_for=10 * MINUTE)
    recovering, _ = play([(0, evaluation(W)), *((m, evaluation()) for m in range(1, 5))], before)
    done, _ = play([(5, unknown())], policy(keep_firing_for=MINUTE, fingerprint="v2"), recovering)
    assert done.state is State.RECOVERING


def test_a_removed_level_never_raises_the_one_that_fires() -> None:
    between = evaluation(None, clear=False)
    firing, _ = play([(0, evaluation(W)), (1, between)], policy())
    only_critical = policy(levels=(C,), routes={C: ("ops",)}, fingerprint="v2")
    done, events = play([(2, between)], only_critical, firing)
    assert (done.state, told(events)) == (State.OK, [(2, "resolved", "rule changed")])
    higher, events = play([(2, evaluation(C))], only_critical, firing)
    assert (higher.level, told(events)) == (C, [(2, "escalated", "critical")])
