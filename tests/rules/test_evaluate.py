"""One rule against one snapshot."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.lifecycle.step import _step_in_full, step
from guard.model import Alert, AlertKey, Bound, Each, Evaluation, Level, Snapshot
from guard.rules.evaluate import Facts, evaluate
from guard.rules.expression import Expression, read_expression
from guard.rules.rule import Rule, fingerprint
from guard.rules.template import read_template
from guard.rules.tree import Name
from guard.rules.values import NO_WINDOWS, Windows
from tests.builders import MINUTE, NOW, at, policy, snapshot
from tests.rules.trees import BUDGETS, condition, expression, refuse

I, W, C = Level  # noqa: E741 -- three levels, three letters
FEWER = ("numbers.limit is missing", False)


def rule(value: str = "numbers.remaining", **changes: Any) -> Rule:
    """A rule with the levels warning < 3 and critical < 2; keywords are written as in a rule file."""
    levels = {level: changes.pop(level.word) for level in Level if level.word in changes}
    conditions = {level: condition(text) for level, text in (levels or {W: "< 3", C: "< 2"}).items()}
    read = {"clear": condition, "when": expression, "summary": _template, "description": _template}
    changes = {key: read[key](given) if key in read else given for key, given in changes.items()}
    fields = {"policy": policy(rule="r", levels=tuple(conditions)), "value": expression(value)}
    return Rule(**{**fields, "conditions": conditions, **changes})


def evaluated(some: Rule, taken: Snapshot, *, budgets: Mapping[str, float] | None = None) -> Evaluation:
    return evaluate(some, Facts.of(taken, budgets=budgets or {}))


def _template(text: str) -> Any:
    return read_template(text, budgets=BUDGETS, complain=refuse)


@pytest.mark.parametrize(
    ("remaining", "holds", "clear"),
    [
        (5, {W: False, C: False}, True),
        (3, {W: False, C: False}, True),
        (2, {W: True, C: False}, False),
        (1, {W: True, C: True}, False),
        (0, {W: True, C: True}, False),
        (None, {W: None, C: None}, None),
    ],
)
def test_levels_hold_by_the_value(remaining: float | None, holds: dict[Level, bool], *, clear: bool | None) -> None:
    values = {} if remaining is None else {"numbers.remaining": remaining}
    seen = evaluated(rule(), snapshot(values or {"numbers.used": 1}))
    assert (dict(seen.holds), seen.clear) == (holds, clear)
    assert seen.unknown == ("numbers.remaining is missing" if remaining is None else "")
    assert seen.key == AlertKey("main", "r")


@pytest.mark.parametrize(
    ("critical", "holds"),
    [
        ("< 2", {W: False, C: False}),
        ("> 3", {W: True, C: True}),
        ("> stats.callsLast24h", {W: None, C: None}),
    ],
)
def test_a_level_holds_while_a_higher_one_does(critical: str, holds: dict[Level, bool | None]) -> None:
    seen = evaluated(rule(warning="< 3", critical=critical), snapshot({"numbers.remaining": 5}))
    assert seen.holds == holds


@pytest.mark.parametrize(
    ("used", "warning", "critical", "holds", "clear"),
    [
        (5, "> 3", "> stats.nope", {W: True, C: None}, False),
        (5, "> 9", "> stats.nope", {W: None, C: None}, None),
        (5, "> stats.nope", "> 3", {W: True, C: True}, False),
        (5, "> stats.nope", "> 9", {W: None, C: False}, None),
    ],
)
def test_an_unknown_bound_makes_unknown_what_depends_on_it(
    used: float, warning: str, critical: str, holds: dict[Level, bool | None], *, clear: bool | None
) -> None:
    bounds = {"warning": warning, "critical": critical}
    some = rule("numbers.used", **{key: text.replace("nope", "callsLast24h") for key, text in bounds.items()})
    seen = evaluated(some, snapshot({"numbers.used": used}))
    assert (dict(seen.holds), seen.clear) == (holds, clear)
    assert seen.unknown == ("stats.callsLast24h is missing" if None in holds.values() else "")
    assert seen.reading is not None
    assert len(seen.reading.bounds) == 1


@pytest.mark.parametrize(
    ("used", "clear"),
    [(100, False), (85, False), (75, False), (70, False), (69, True)],
)
def test_an_explicit_clear_is_over_only_past_it(used: float, *, clear: bool) -> None:
    some = rule("numbers.used", warning="> 80", clear="< 70")
    assert evaluated(some, snapshot({"numbers.used": used})).clear is clear


@pytest.mark.parametrize(
    ("used", "clear"),
    [(100, False), (75, None)],
)
def test_an_unknown_clear_is_still_no_end_while_a_level_holds(used: float, *, clear: bool | None) -> None:
    some = rule("numbers.used", warning="> 80", clear="< stats.callsLast24h")
    seen = evaluated(some, snapshot({"numbers.used": used}))
    assert seen.clear is clear
    assert bool(seen.unknown) is (clear is None)


def test_a_clear_that_overlaps_a_level_does_not_end_it() -> None:
    some = rule("numbers.used", warning="> 80", clear="< 90")
    assert evaluated(some, snapshot({"numbers.used": 85})).clear is False


def test_a_rule_that_does_not_apply_holds_nothing_and_is_over() -> None:
    some = rule("1 / 0", when="plan.name == 'growth'")
    seen = evaluated(some, snapshot({"plan.name": "free"}))
    assert (seen.applies, dict(seen.holds), seen.clear, seen.reading) == (False, {W: False, C: False}, True, None)
    assert seen.unknown == ""


def test_a_rule_of_which_it_is_unknown_whether_it_applies_is_unknown() -> None:
    some = rule(when="plan.name == 'growth'")
    seen = evaluated(some, snapshot({"numbers.remaining": 1}))
    assert (seen.applies, dict(seen.holds), seen.clear, seen.reading) == (None, {W: None, C: None}, None, None)
    assert seen.unknown == "plan.name is missing"


def test_a_rule_that_applies_looks_at_its_value() -> None:
    some = rule(when="plan.name == 'growth'")
    seen = evaluated(some, snapshot({"numbers.remaining": 1, "plan.name": "growth"}))
    assert (seen.applies, seen.holds[C]) == (True, True)


def test_an_unlisted_field_that_is_a_text_makes_the_value_unknown() -> None:
    some = replace(rule(), value=Expression.of(Name("stats.new")))
    assert evaluated(some, snapshot({"stats.new": "x"})).unknown == "stats.new is no number"
    assert evaluated(some, snapshot({"stats.new": 1})).holds[C] is True


def test_the_reading_says_all_that_a_message_needs() -> None:
    some = rule(
        summary="{numbers.remaining} of {numbers.limit} left",
        description="plan {plan.name}",
        runbook="https://example.com/r",
        unit="numbers",
    )
    taken = snapshot({"numbers.remaining": 1, "numbers.limit": 12}, at=at(3), age=timedelta(minutes=2))
    reading = evaluated(some, taken).reading
    assert reading is not None
    assert (reading.summary, reading.description, reading.runbook) == (
        "1 of 12 left",
        "plan unknown",
        "https://example.com/r",
    )
    assert (reading.value, reading.unit, reading.at, reading.age) == (1, "numbers", at(3), timedelta(minutes=2))
    assert reading.bounds == {W: Bound("<", 3), C: Bound("<", 2)}


@pytest.mark.parametrize(
    ("value", "unit", "summary"),
    [
        ("numbers.remaining", "", "numbers.remaining is 1"),
        ("numbers.remaining / numbers.limit", "share", "numbers.remaining / numbers.limit is 25 %"),
        ("period.elapsed", "", "period.elapsed is 50 %"),
        ("plan.limits.voiceMinutesPerMonth", "", "plan.limits.voiceMinutesPerMonth is 900 minutes"),
        ("3 * numbers.remaining", "", "3 * numbers.remaining is 3"),
    ],
)
def test_a_rule_without_a_summary_says_its_value_in_its_unit(value: str, unit: str, summary: str) -> None:
    values = {
        "numbers.remaining": 1,
        "numbers.limit": 4,
        "period.elapsed": 0.5,
        "plan.limits.voiceMinutesPerMonth": 900,
    }
    reading = evaluated(rule(value, unit=unit), snapshot(values)).reading
    assert reading is not None
    assert reading.summary == summary


QUOTIENT = "numbers.remaining / numbers.limit"


@pytest.mark.parametrize(
    ("value", "changes", "unit"),
    [
        (QUOTIENT, {"warning": "< 30%"}, "share"),
        (QUOTIENT, {"warning": "< 30%", "critical": "< 10%", "clear": "> 0.5"}, "share"),
        ("increase(stats.totalCalls, 1h) / increase(stats.totalMessages, 1h)", {"warning": "> 5%"}, "share"),
        ("numbers.used / budgets.dollars", {"warning": "> 80%"}, "share"),
        (f"1 - {QUOTIENT}", {"warning": "> 90%"}, "share"),
        ("numbers.used / ago(numbers.used, 1d) - 1", {"warning": "< -20%"}, "share"),
        (QUOTIENT, {"warning": "< 30%", "unit": "count"}, "count"),
        (QUOTIENT, {"warning": "< 30%", "unit": "numbers"}, "numbers"),
        (QUOTIENT, {"warning": "< 30%", "critical": "< 0.1"}, ""),
        (QUOTIENT, {"warning": "< 30% * period.elapsed"}, ""),
        (QUOTIENT, {"warning": "< 0.3"}, ""),
        (f"100 * {QUOTIENT}", {"warning": "< 30%"}, ""),
        (f"100 - {QUOTIENT}", {"warning": "< 30%"}, ""),
        (f"{QUOTIENT} + numbers.used", {"warning": "< 30%"}, ""),
        ("numbers.used / 2", {"warning": "< 30%"}, ""),
        ("numbers.used + 1", {"warning": "< 30%"}, ""),
        ("numbers.used", {"warning": "< 30%"}, "count"),
        ("agents.totalSeconds", {"warning": "< 30%"}, "seconds"),
    ],
)
def test_a_quotient_with_levels_in_percent_is_a_share(value: str, changes: dict[str, str], unit: str) -> None:
    assert rule(value, **changes).value_unit == unit


def test_a_quotient_with_levels_in_percent_is_shown_as_one() -> None:
    seen = evaluated(rule(QUOTIENT, warning="< 40%"), snapshot({"numbers.remaining": 43, "numbers.limit": 120}))
    assert seen.reading is not None
    assert (seen.reading.summary, seen.reading.unit) == (f"{QUOTIENT} is 35.8 %", "share")
    assert seen.reading.bounds == {W: Bound("<", 0.4)}


def test_an_estimate_is_compared_exactly_and_shown_as_a_whole_number() -> None:
    some = rule("month.projectedMessages", warning="> 18_429", summary="{month.projectedMessages} messages")
    seen = evaluated(some, snapshot({"month.projectedMessages": 18_429.25}))
    assert seen.reading is not None
    assert (seen.holds, seen.reading.value, seen.reading.summary) == ({W: True}, 18_429.25, "18,429 messages")


def test_budgets_are_read_by_their_prefix() -> None:
    some = rule("numbers.used", warning="> 80% * budgets.dollars")
    seen = evaluated(some, snapshot({"numbers.used": 9}), budgets={"dollars": 10.0})
    assert seen.holds == {W: True}
    assert seen.reading is not None
    assert seen.reading.bounds == {W: Bound(">", 8)}


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ("numbers.remaining", {"numbers.limit": 12}),
        ("numbers.used / numbers.limit", {"numbers.limit": 12}),
        ("numbers.used / plan.limits.numbers", {"numbers.limit": 12}),
        ("stats.callsLast24h / plan.limits.messagesPerMonth", {"plan.limits.messagesPerMonth": 500}),
        ("stats.callsLast24h", {}),
    ],
)
def test_limits_behind_the_fields_come_along_where_they_are_known(value: str, limits: dict[str, float]) -> None:
    values = {"numbers.limit": 12, "plan.limits.messagesPerMonth": 500, "plan.limits.numbers": 0}
    assert evaluated(rule(value), snapshot(values)).limits == limits


def test_limits_come_along_also_when_the_rule_is_unknown_or_does_not_apply() -> None:
    some = rule(when="plan.name == 'a'")
    for taken in (snapshot({"numbers.limit": 12}), snapshot({"numbers.limit": 12, "plan.name": "b"})):
        assert evaluated(some, taken).limits == {"numbers.limit": 12}


def test_the_period_comes_along_only_for_a_rule_that_depends_on_it() -> None:
    taken = snapshot({"period.elapsed": 0.5, "numbers.remaining": 1}, period_start_at=NOW)
    assert evaluated(rule("period.elapsed"), taken).period_start_at == NOW
    assert evaluated(rule(when="period.elapsed > 10%"), taken).period_start_at == NOW
    assert evaluated(rule(), taken).period_start_at is None


# --- lack of history -------------------------------------------------------------------------------------------------

GROWN = "increase(stats.totalCalls, 1h)"
TOO_SHORT = f"too short a history for {GROWN}"


@pytest.mark.parametrize(
    ("changes", "calls", "used", "why", "is_young"),
    [
        ({"value": GROWN}, 5, 1, TOO_SHORT, True),
        ({"value": GROWN}, None, 1, "stats.totalCalls is missing", False),
        ({"when": f"{GROWN} >= 20"}, 5, 1, TOO_SHORT, True),
        ({"value": f"{GROWN} / numbers.used"}, 5, None, "numbers.used is missing", False),
        ({"value": "numbers.used", "warning": f"> {GROWN}"}, 5, 1, TOO_SHORT, True),
        ({"value": "numbers.used", "warning": f"> {GROWN}", "critical": "> numbers.limit"}, 5, 1, *FEWER),
        ({"value": "numbers.used", "warning": "> numbers.limit", "critical": f"> {GROWN}"}, 5, 1, *FEWER),
        ({"value": "numbers.used", "warning": "> 3", "clear": f"< {GROWN}"}, 5, 1, TOO_SHORT, True),
        ({"value": "numbers.used", "warning": "> 3"}, 5, 1, "", False),
    ],
)
def test_it_is_young_only_where_there_is_no_other_reason_than_too_short_a_history(
    changes: dict[str, Any], calls: float | None, used: float | None, why: str, *, is_young: bool
) -> None:
    values = {"stats.totalCalls": calls, "numbers.used": used, "numbers.remaining": 5}
    taken = snapshot({name: value for name, value in values.items() if value is not None})
    seen = evaluated(rule(**changes), taken)
    assert (seen.unknown, seen.is_young) == (why, is_young)


# --- the shortcut of an alert at rest --------------------------------------------------------------------------------

VALUES = st.dictionaries(
    st.sampled_from(["numbers.used", "numbers.remaining", "numbers.limit", "stats.totalCalls", "plan.name"]),
    st.integers(0, 9).map(float) | st.just("growth"),
)
RULES = st.fixed_dictionaries(
    {"value": st.sampled_from(["numbers.remaining", "numbers.used / numbers.limit", GROWN])},
    optional={
        "warning": st.sampled_from(["< 3", "> numbers.limit", f"> {GROWN}"]),
        "critical": st.sampled_from(["< 1", "> 8", "> numbers.used"]),
        "clear": st.sampled_from(["> 5", "< numbers.limit", f"< {GROWN}"]),
        "when": st.sampled_from(["plan.name == 'growth'", "numbers.used > 2", f"{GROWN} >= 2"]),
        "summary": st.sampled_from(["{numbers.remaining} left"]),
    },
)


class Grew:
    """A history that reaches back far enough."""

    def increase(self, name: str, window_s: float) -> float:
        return 2.0


@given(changes=RULES, values=VALUES, windows=st.sampled_from([Grew(), NO_WINDOWS]))
def test_an_alert_at_rest_steps_the_same_with_the_shortcut_and_without(
    changes: dict[str, Any], values: dict[str, float | str], windows: Windows
) -> None:
    some, resting = rule(**changes), Alert(AlertKey("main", "r"))
    facts = Facts.of(snapshot(values or {"stats.x": 1}), budgets={}, windows=windows)
    in_full, short = evaluate(some, facts), evaluate(some, facts, at_rest=True)
    assert (short.holds, short.clear, short.unknown, short.is_young) == (
        in_full.holds,
        in_full.clear,
        in_full.unknown,
        in_full.is_young,
    )
    stepped = step(resting, short, some.policy, now=NOW, every=MINUTE)
    assert stepped == _step_in_full(resting, in_full, some.policy, now=NOW, every=MINUTE)
    if short.reading is None and in_full.reading is not None:
        assert stepped.alert is resting


def test_what_nobody_would_read_is_not_written() -> None:
    some, calm = rule(summary="{numbers.remaining}"), snapshot({"numbers.remaining": 5})
    assert evaluate(some, Facts.of(calm, budgets={}), at_rest=True).reading is None
    assert evaluate(some, Facts.of(calm, budgets={})).reading is not None
    low = snapshot({"numbers.remaining": 2})
    assert evaluate(some, Facts.of(low, budgets={}), at_rest=True) == evaluate(some, Facts.of(low, budgets={}))


def test_evaluating_is_pure() -> None:
    some, taken = rule(summary="{numbers.remaining}"), snapshot()
    assert evaluated(some, taken) == evaluated(some, taken)


# --- subjects ------------------------------------------------------------------------------------------------------

CALLS = read_expression("number.calls", budgets=BUDGETS, complain=refuse, each=Each.NUMBER)
ONE, OTHER, BARE = "num_1", "num_2", "num_3"
LISTED = snapshot(
    {"numbers.remaining": 5, "numbers.limit": 12},
    subjects={
        Each.NUMBER: {
            ONE: {"number.calls": 2, "number.phoneNumber": "+14155550101"},
            OTHER: {"number.calls": 9, "number.phoneNumber": OTHER},
            BARE: {},
        }
    },
)


def evaluated_about(subject: str, **changes: Any) -> Evaluation:
    assert CALLS is not None
    some = replace(rule(**changes), value=CALLS, each=Each.NUMBER)
    facts = Facts.of(LISTED, budgets={})
    return evaluate(some, facts.about(Each.NUMBER, subject, windows=NO_WINDOWS))


def test_a_rule_for_each_reads_the_fields_of_one_subject_and_those_of_the_account() -> None:
    found = [evaluated_about(subject, warning="< numbers.limit - numbers.remaining") for subject in (ONE, OTHER)]
    assert [each.key for each in found] == [AlertKey("main", "r", ONE), AlertKey("main", "r", OTHER)]
    assert [each.holds for each in found] == [{W: True}, {W: False}]


def test_a_subject_is_called_by_its_name_where_that_is_not_its_id() -> None:
    found = [evaluated_about(subject, warning="< 99").reading for subject in (ONE, OTHER)]
    assert [each and each.subject for each in found] == ["+14155550101", ""]


def test_a_subject_without_the_field_is_unknown() -> None:
    assert evaluated_about(BARE).unknown == "number.calls is missing"


def test_labels_go_with_what_is_read() -> None:
    some = rule(policy=policy(rule="r", labels={"team": "voice"}), warning="< 9")
    read = evaluated(some, snapshot()).reading
    assert read is not None
    assert read.labels == {"team": "voice"}


# --- fingerprints ----------------------------------------------------------------------------------------------------


def mark(**changes: Any) -> str:
    some = rule(**{"value": "numbers.used", "warning": "> 80% * budgets.dollars"} | changes)
    return fingerprint(some, budgets={"dollars": 1})


@pytest.mark.parametrize(
    "changes",
    [
        {"warning": "> 81% * budgets.dollars"},
        {"warning": ">= 80% * budgets.dollars"},
        {"value": "numbers.used + 1"},
        {"critical": "> budgets.dollars"},
        {"clear": "< 3"},
        {"when": "numbers.used > 1"},
        {"each": Each.AGENT},
    ],
)
def test_a_rule_that_decides_otherwise_has_another_fingerprint(changes: dict[str, Any]) -> None:
    assert mark(**changes) != mark()


@pytest.mark.parametrize(
    "changes",
    [
        {"warning": ">80%*(budgets.dollars)"},
        {"summary": "other words"},
        {"unit": "numbers"},
        {"runbook": "https://example.com"},
        {"policy": policy(routes={})},
        {"policy": policy(hold=timedelta(minutes=1))},
        {"policy": policy(keep_firing_for=timedelta(minutes=1))},
        {"policy": policy(labels={"team": "voice"})},
        {"policy": policy(rule="another name"), "renamed_from": "r"},
        {"accounts": ("main:*",)},
    ],
)
def test_a_rule_that_only_reads_otherwise_has_the_same_fingerprint(changes: dict[str, Any]) -> None:
    assert mark(**changes) == mark()


def test_a_budget_counts_in_the_fingerprint_only_where_it_is_read() -> None:
    some = rule("numbers.used", warning="> budgets.dollars")
    assert fingerprint(some, budgets={"dollars": 1}) != fingerprint(some, budgets={"dollars": 2})
    assert fingerprint(some, budgets={"dollars": 1}) == fingerprint(some, budgets={"dollars": 1, "other": 5})


# --- wordings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": "other words"},
        {"description": "more words"},
        {"unit": "numbers"},
        {"runbook": "https://example.com"},
        {"policy": policy(rule="r", labels={"team": "voice"})},
        {"policy": policy(rule="another name"), "renamed_from": "r"},
    ],
)
def test_a_rule_in_other_words_has_another_wording(changes: dict[str, Any]) -> None:
    assert rule(**changes).wording != rule().wording


@pytest.mark.parametrize(
    "changes",
    [{"warning": "< 4"}, {"clear": "< 3"}, {"policy": policy(rule="r", routes={})}, {"renamed_from": "before"}],
)
def test_a_rule_that_says_the_same_has_the_same_wording_and_so_has_every_reading(changes: dict[str, Any]) -> None:
    some = rule(**changes)
    assert some.wording == rule().wording
    for left in (1, 2):
        read = evaluated(some, snapshot({"numbers.remaining": left})).reading
        assert read is not None
        assert read.wording == some.wording
