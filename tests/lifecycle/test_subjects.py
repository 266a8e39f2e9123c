"""Rules with `each`: one alert for each subject that is listed, and what becomes of those that no longer are."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from guard.model import NO_DATA, AlertKey, Each, Endpoint, Event, EventKind, Failure, FailureKind, Level, Reason, State
from tests.builders import MINUTE, NOW, at, snapshot
from tests.lifecycle.test_decide import Life

MINUTES = """
[rules.agent-minutes]
value = "agent.totalSeconds"
each = "agent"
warning = "> 10m"
critical = "> 20m"
for = "10m"
summary = "{agent.agentName} talked for {agent.totalSeconds}"
"""
ONE, TWO = AlertKey("main", "agent-minutes", "agt_1"), AlertKey("main", "agent-minutes", "agt_2")
WHOLE = AlertKey("main", "agent-minutes")
LOST = AlertKey("main", NO_DATA)
FRESH = frozenset({Endpoint.USAGE, Endpoint.BY_AGENT})
STALE = frozenset({Endpoint.USAGE})
PENDING, FIRED, RESOLVED = EventKind.PENDING, EventKind.FIRED, EventKind.RESOLVED
UNKNOWN, KNOWN = EventKind.UNKNOWN, EventKind.KNOWN

DECEMBER = round((datetime(2026, 12, 1, tzinfo=UTC) - NOW) / MINUTE)
"""The minute at which that month begins."""

Seconds = Mapping[str, float] | None


class Agents(Life):
    """An account whose agents talk so long."""

    def __init__(self, rules: str = MINUTES) -> None:
        super().__init__(rules)

    def lists(self, minute: float, seconds: Seconds, *, fresh: frozenset[Endpoint] = FRESH) -> list[Event]:
        """One cycle in which the listing shows these agents; None where there never was a good one."""
        names = {
            agent: {"agent.totalSeconds": s, "agent.agentName": agent.upper()} for agent, s in (seconds or {}).items()
        }
        subjects = {} if seconds is None else {Each.AGENT: names}
        seen = snapshot(at=at(minute), subjects=subjects, fresh=fresh)
        return list(self.cycle(minute, seen).events)

    def span(self, first: int, last: int, seconds: Seconds, **how: frozenset[Endpoint]) -> list[tuple[int, str, str]]:
        """One cycle a minute, both ends included; each event by its minute, alert and kind."""
        return [
            (minute, str(event.key).removeprefix("main/"), event.kind.value.removeprefix("alert."))
            for minute in range(first, last + 1)
            for event in self.lists(minute, seconds, **how)
        ]


def kinds(events: list[Event]) -> list[tuple[AlertKey, EventKind]]:
    return [(event.key, event.kind) for event in events]


# --- one alert for each --------------------------------------------------------------------------------------------


def test_each_subject_has_timers_of_its_own() -> None:
    it = Agents()
    it.span(0, 3, {"agt_1": 700, "agt_2": 0})
    events = it.span(4, 20, {"agt_1": 700, "agt_2": 1300})
    assert events == [
        (4, "agent-minutes/agt_2", "pending"),
        (10, "agent-minutes/agt_1", "fired"),
        (14, "agent-minutes/agt_2", "fired"),
    ]
    assert (it.memory.alerts[ONE].level, it.memory.alerts[TWO].level) == (Level.WARNING, Level.CRITICAL)


def test_one_subject_recovers_and_the_other_goes_on() -> None:
    it = Agents()
    it.span(0, 10, {"agt_1": 700, "agt_2": 700})
    assert kinds(it.lists(11, {"agt_1": 5, "agt_2": 700})) == [(ONE, RESOLVED)]
    assert it.memory.alerts[TWO].state is State.FIRING


def test_a_subject_at_rest_costs_no_row() -> None:
    it = Agents()
    it.span(0, 5, {"agt_1": 5, "agt_2": 5})
    assert it.memory.alerts == {}


def test_what_people_are_told_has_the_subjects_name_and_its_fields() -> None:
    it = Agents(MINUTES.replace('for = "10m"', 'labels = { team = "voice" }'))
    it.lists(0, {"agt_1": 700})
    reading = it.memory.alerts[ONE].reading
    assert reading is not None
    assert (reading.summary, reading.subject, reading.labels) == (
        "AGT_1 talked for 11 min 40 s",
        "AGT_1",
        {"team": "voice"},
    )


def test_a_field_that_one_subject_lacks_is_unknown_for_that_one() -> None:
    it = Agents()
    agents = {"agt_1": {"agent.totalSeconds": 700.0}, "agt_2": {"agent.agentName": "Two"}}
    decision = it.cycle(0, snapshot(subjects={Each.AGENT: agents}, fresh=FRESH))
    assert kinds(list(decision.events)) == [(ONE, PENDING), (TWO, UNKNOWN)]


def test_rules_of_the_account_and_of_subjects_stand_side_by_side() -> None:
    it = Agents(MINUTES.replace('for = "10m"\n', "") + '[rules.left]\nvalue = "numbers.remaining"\nwarning = "< 9"\n')
    assert kinds(it.lists(0, {"agt_1": 700})) == [(ONE, FIRED), (AlertKey("main", "left"), FIRED)]


# --- no listing ----------------------------------------------------------------------------------------------------


def test_without_a_listing_the_rule_is_unknown_as_a_whole_and_known_with_the_first() -> None:
    it = Agents()
    assert it.span(0, 14, None, fresh=STALE) == [(0, "agent-minutes", "unknown")]
    assert it.span(15, 16, None, fresh=STALE) == [(15, NO_DATA, "fired")]
    reading = it.memory.alerts[LOST].reading
    assert reading is not None
    assert "agent-minutes (no good listing of agents)" in reading.summary
    assert kinds(it.lists(17, {"agt_1": 5})) == [(WHOLE, KNOWN), (LOST, RESOLVED)]


def test_without_a_listing_what_fires_goes_on_and_is_unknown_itself() -> None:
    it = Agents()
    it.span(0, 10, {"agt_1": 700, "agt_2": 700})
    assert kinds(it.lists(11, None, fresh=STALE)) == [(ONE, UNKNOWN), (TWO, UNKNOWN)]
    assert {it.memory.alerts[key].state for key in (ONE, TWO)} == {State.FIRING}
    assert WHOLE not in it.memory.alerts


def test_a_rule_of_which_many_subjects_are_unknown_is_listed_once() -> None:
    it = Agents()
    it.span(0, 10, {f"agt_{n}": 700 for n in range(7)})
    it.span(11, 26, None, fresh=STALE)
    reading = it.memory.alerts[LOST].reading
    assert reading is not None
    assert reading.summary.count("agent-minutes") == 1
    assert "more" not in reading.summary


# --- subjects that vanish ------------------------------------------------------------------------------------------


@pytest.fixture
def firing() -> Agents:
    it = Agents()
    it.span(0, 10, {"agt_1": 700, "agt_2": 700})
    return it


def test_a_subject_that_three_listings_do_not_show_ends_for_that_reason(firing: Agents) -> None:
    left = {"agt_2": 700}
    assert kinds(firing.lists(15, left)) == [(ONE, UNKNOWN)]
    assert firing.lists(20, left) == []
    (gone,) = firing.lists(25, left)
    assert (gone.key, gone.kind, gone.text) == (ONE, RESOLVED, Reason.SUBJECT_GONE.value)
    ended = firing.memory.alerts[ONE]
    assert (ended.state, ended.absent, ended.unknown) == (State.OK, 0, None)
    assert firing.span(26, 60, left) == []


def test_only_listings_of_this_very_cycle_count(firing: Agents) -> None:
    left = {"agt_2": 700}
    firing.lists(15, left)
    assert firing.span(16, 24, left, fresh=STALE) == []
    assert firing.memory.alerts[ONE].absent == 1


def test_a_subject_that_comes_back_before_the_third_goes_on_as_it_was(firing: Agents) -> None:
    both, left = {"agt_1": 700, "agt_2": 700}, {"agt_2": 700}
    incident = firing.memory.alerts[ONE].incident
    firing.lists(15, left)
    firing.lists(20, left)
    assert kinds(firing.lists(25, both)) == [(ONE, KNOWN)]
    assert (firing.memory.alerts[ONE].incident, firing.memory.alerts[ONE].absent) == (incident, 0)
    firing.lists(30, left)
    assert firing.lists(35, left) == []  # the count began anew


def test_listings_that_are_empty_or_fail_for_an_hour_end_nothing(firing: Agents) -> None:
    firing.span(11, 70, {})
    firing.span(71, 130, None, fresh=STALE)
    for minute in range(131, 190):
        firing.cycle(minute, Failure(FailureKind.SERVER, "it answered 503"))
    alerts = firing.memory.alerts
    assert [alerts[key].state for key in (ONE, TWO)] == [State.FIRING, State.FIRING]
    assert alerts[ONE].absent == 0
    assert kinds(firing.lists(190, {"agt_1": 700, "agt_2": 5})) == [(ONE, KNOWN), (TWO, KNOWN), (TWO, RESOLVED)]


@pytest.mark.parametrize(
    ("seconds", "why"), [(700, Reason.NEW_PERIOD), (5, Reason.RECOVERED)], ids=["firing", "recovering"]
)
def test_what_is_open_ends_with_the_month_where_nobody_is_listed_yet(seconds: int, why: Reason) -> None:
    it = Agents(MINUTES + 'keep_firing_for = "2h"\n')
    it.span(0, 11, {"agt_1": 700})
    it.span(DECEMBER - 20, DECEMBER - 1, {"agt_1": seconds})
    (ended,) = it.lists(DECEMBER, {})
    assert (ended.key, ended.kind, ended.text) == (ONE, RESOLVED, why.value)
    assert it.span(DECEMBER + 1, DECEMBER + 60, {}) == []


def test_a_listing_that_is_emptied_on_the_first_day_of_a_month_is_no_fault_yet_and_one_on_the_second_is() -> None:
    it = Agents()
    it.span(DECEMBER, DECEMBER + 10, {"agt_1": 700})  # by a clock that is ahead of the server's these are November's
    assert it.span(DECEMBER + 11, DECEMBER + 70, {}) == []
    assert it.memory.alerts[ONE].unknown_why == "no agent is listed yet in this month"
    assert it.memory.alerts[ONE].state is State.FIRING
    second = DECEMBER + 24 * 60
    assert it.span(second - 1, second + 15, {}) == [
        (second, "agent-minutes/agt_1", "unknown"),
        (second + 15, NO_DATA, "fired"),
    ]


def test_an_empty_listing_in_between_does_not_count_and_does_not_begin_anew(firing: Agents) -> None:
    left = {"agt_2": 700}
    firing.lists(15, left)
    firing.lists(20, left)
    firing.lists(25, {})
    assert (ONE, RESOLVED) in kinds(firing.lists(30, left))


def test_what_is_pending_and_vanishes_calms_down_and_nobody_is_told() -> None:
    it = Agents()
    it.lists(0, {"agt_1": 700, "agt_2": 0})
    for minute in (1, 2):
        it.lists(minute, {"agt_2": 0})
    decision = it.cycle(3, snapshot(at=at(3), subjects={Each.AGENT: {"agt_2": {"agent.totalSeconds": 0}}}, fresh=FRESH))
    assert kinds(list(decision.events)) == [(ONE, EventKind.CALMED)]
    assert decision.notifications == ()


def test_a_subject_that_is_gone_and_comes_back_begins_anew(firing: Agents) -> None:
    first = firing.memory.alerts[ONE].incident
    for minute in (15, 20, 25):
        firing.lists(minute, {"agt_2": 700})
    events = firing.span(30, 40, {"agt_1": 700, "agt_2": 700})
    assert [(minute, kind) for minute, key, kind in events if key.endswith("agt_1")] == [(30, "pending"), (40, "fired")]
    again = firing.memory.alerts[ONE].incident
    assert first is not None
    assert again is not None
    assert again.id != first.id


def test_time_without_the_subject_does_not_count_for_its_timers() -> None:
    it = Agents()
    it.lists(0, {"agt_1": 700, "agt_2": 0})
    it.lists(1, {"agt_1": 700, "agt_2": 0})
    it.span(2, 9, {"agt_2": 0}, fresh=STALE)
    it.lists(10, {"agt_1": 700, "agt_2": 0})
    assert it.memory.alerts[ONE].timers[Level.WARNING].total == MINUTE


# --- the rule is edited --------------------------------------------------------------------------------------------


def test_an_alert_of_the_account_ends_where_the_rule_has_one_for_each_now() -> None:
    it = Agents('[rules.agent-minutes]\nvalue = "stats.x"\nwarning = "> 1"\n')
    it.sees(0, stats_x=2)
    it.rules(MINUTES)
    (ended, pending) = it.lists(1, {"agt_1": 700})
    assert (ended.key, ended.text) == (WHOLE, Reason.RULE_CHANGED.value)
    assert (pending.key, pending.kind) == (ONE, PENDING)
