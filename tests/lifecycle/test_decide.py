"""One cycle's decisions with the rules of a rule file: what comes together of evaluate, step, watch and desire."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from guard.lifecycle.decide import Decision, Memory, Watched, decide, restate, retire
from guard.model import (
    NO_DATA,
    Account,
    AlertKey,
    EventKind,
    Failure,
    FailureKind,
    Knowledge,
    Level,
    Notification,
    Reason,
    Snapshot,
    State,
)
from tests.builders import KEY, MINUTE, NOW, at, snapshot
from tests.wiring import NUMBERS, config, only

W, C = Level.WARNING, Level.CRITICAL
LOST = AlertKey("main", NO_DATA)
DOWN = Failure(FailureKind.SERVER, "it answered 503")
BAD_KEY = Failure(FailureKind.UNAUTHORIZED, "it answered 401")
MESSAGES = """
[rules.messages]
value = "stats.messagesLast24h"
warning = "> budgets.messages"
[budgets]
messages = 100
"""


class Life:
    """One account's memory, carried from cycle to cycle as the store would."""

    def __init__(self, rules: str = NUMBERS) -> None:
        self.memory = Memory(Account("main"))
        self.rules(rules)

    def rules(self, text: str) -> None:
        account = only(config(rules=text))
        self.watched = Watched(
            name=account.name,
            rules=account.rules,
            no_data=account.no_data,
            budgets=account.budgets,
            every=account.every,
            no_data_after=account.no_data_after,
        )

    def cycle(self, minute: float, seen: Snapshot | Failure | None) -> Decision:
        decision = decide(self.watched, self.memory, seen, now=at(minute), jitter=1)
        self.keep(decision)
        return decision

    def sees(self, minute: float, **values: float) -> Decision:
        return self.cycle(minute, snapshot({name.replace("_", "."): value for name, value in values.items()}))

    def keep(self, decision: Decision) -> None:
        known = {(each.key, each.channel): each for each in self.memory.notifications()}
        known |= {(each.key, each.channel): each for each in decision.notifications}
        alerts = {**self.memory.alerts, **{each.key: each for each in decision.alerts}}
        self.memory = Memory(decision.account, alerts, known.values)

    def is_told(self, minute: float) -> None:
        """Every channel was notified of what it should know."""
        told = [replace(each, notified=each.desired, notified_at=at(minute)) for each in self.memory.notifications()]
        self.memory = replace(self.memory, notifications=lambda: told)


def said(decision: Decision) -> list[tuple[str, EventKind]]:
    return [(event.key.rule, event.kind) for event in decision.events]


def wished(decision: Decision) -> list[tuple[str, Knowledge | None]]:
    return [(each.key.rule, each.desired) for each in decision.notifications]


# --- decide --------------------------------------------------------------------------------------------------------


def test_a_quiet_cycle_changes_nothing_but_the_account() -> None:
    life = Life()
    for minute in range(3):
        decision = life.sees(minute, numbers_remaining=5)
        assert decision == Decision(Account("main", NOW + minute * MINUTE, good_at=at(minute), good_streak=minute + 1))


def test_a_crossing_fires_and_every_part_says_so_together() -> None:
    decision = Life().sees(0, numbers_remaining=2)
    (alert,), (incident,), (notification,) = decision.alerts, decision.incidents, decision.notifications
    assert said(decision) == [("numbers-remaining", EventKind.FIRED)]
    assert (alert.state, alert.level, alert.incident) == (State.FIRING, W, incident)
    assert alert.reading is not None
    assert alert.reading.summary == "2 phone numbers left"
    assert notification == Notification(KEY, "ops", desired=Knowledge(incident.id, W))


def test_what_goes_on_as_it_was_wishes_for_nothing_and_writes_no_incident() -> None:
    life = Life()
    life.sees(0, numbers_remaining=2)
    decision = life.sees(1, numbers_remaining=2)
    assert (decision.events, decision.incidents, decision.notifications) == ((), (), ())
    assert [each.timers[W].total for each in decision.alerts] == [MINUTE]


def test_an_escalation_and_an_end_are_wished_for_and_the_incident_keeps_its_peak() -> None:
    life = Life()
    (first,) = life.sees(0, numbers_remaining=2).incidents
    up = life.sees(1, numbers_remaining=1)
    assert [(each.id, each.peak, each.peak_value) for each in up.incidents] == [(first.id, C, 1)]
    assert wished(up) == [("numbers-remaining", Knowledge(first.id, C))]
    over = life.sees(2, numbers_remaining=5)
    assert [(each.id, each.peak, each.ended_at, each.reason) for each in over.incidents] == [
        (first.id, C, at(2), Reason.RECOVERED)
    ]
    assert wished(over) == [("numbers-remaining", Knowledge(first.id, C, ended=True))]
    assert life.sees(3, numbers_remaining=5) == Decision(life.memory.account)


def test_each_rule_has_an_alert_of_its_own_and_reads_the_accounts_budgets() -> None:
    life = Life(NUMBERS + MESSAGES)
    both = life.sees(0, numbers_remaining=1, stats_messagesLast24h=101)
    assert said(both) == [("numbers-remaining", EventKind.FIRED), ("messages", EventKind.FIRED)]
    one = life.sees(1, numbers_remaining=1, stats_messagesLast24h=100)
    assert said(one) == [("messages", EventKind.RESOLVED)]


@pytest.mark.parametrize("seen", [DOWN, None], ids=["a failure", "not asked"])
def test_without_an_answer_no_rule_is_stepped(seen: Failure | None) -> None:
    life = Life()
    life.sees(0, numbers_remaining=1)
    before = life.memory.alerts[KEY]
    decision = life.cycle(1, seen)
    assert (decision.alerts, decision.events, decision.notifications) == ((), (), ())
    assert life.memory.alerts[KEY] == before
    assert decision.account.outage == MINUTE


def test_an_answer_of_a_period_that_is_over_is_not_read_for_its_period() -> None:
    life = Life('[rules.late]\nvalue = "period.elapsed"\nwarning = "> 50%"\n')
    new, old = ({"at": NOW, "period_start_at": NOW - timedelta(days=days)} for days in (1, 31))
    life.cycle(0, snapshot({"period.elapsed": 0.1}, **new))
    decision = life.cycle(1, snapshot({"period.elapsed": 0.99}, **old))
    assert said(decision) == [("late", EventKind.UNKNOWN)]


# --- guard.no_data -------------------------------------------------------------------------------------------------


def test_a_refused_key_fires_at_once_to_everyone() -> None:
    decision = Life().cycle(0, BAD_KEY)
    assert said(decision) == [(NO_DATA, EventKind.FIRED)]
    assert [(each.channel, each.desired and each.desired.level) for each in decision.notifications] == [("ops", C)]


def test_an_outage_fires_after_its_time_and_ends_with_the_second_good_answer() -> None:
    life = Life()
    life.sees(0, numbers_remaining=5)
    steps = [life.cycle(minute, DOWN) for minute in (1, 2, 3)]
    steps += [life.sees(minute, numbers_remaining=5) for minute in (4, 5)]
    fired, resolved = (NO_DATA, EventKind.FIRED), (NO_DATA, EventKind.RESOLVED)
    assert [said(each) for each in steps] == [[], [], [fired], [], [resolved]]


def test_a_rule_that_is_unknown_for_15_minutes_is_a_warning_that_names_it() -> None:
    life = Life()
    steps = [life.sees(minute, stats_x=1) for minute in range(16)]
    assert [said(each) for each in steps if each.events] == [
        [("numbers-remaining", EventKind.UNKNOWN)],
        [(NO_DATA, EventKind.FIRED)],
    ]
    reading = life.memory.alerts[LOST].reading
    assert reading is not None
    assert "numbers-remaining (" in reading.summary
    assert life.memory.alerts[LOST].level is W
    assert said(life.sees(16, numbers_remaining=5)) == [
        ("numbers-remaining", EventKind.KNOWN),
        (NO_DATA, EventKind.RESOLVED),
    ]


def test_a_rule_that_was_unknown_and_is_no_longer_there_does_not_keep_it_firing() -> None:
    life = Life(NUMBERS + MESSAGES)
    for minute in range(16):
        life.sees(minute, numbers_remaining=5)
    assert life.memory.alerts[LOST].level is W
    life.rules(NUMBERS)
    assert said(life.sees(16, numbers_remaining=5)) == [(NO_DATA, EventKind.RESOLVED)]


def test_a_rule_that_is_unknown_counts_no_further_while_there_is_no_answer() -> None:
    life = Life()
    for minute in range(15):
        life.sees(minute, stats_x=1)
    assert said(life.cycle(15, DOWN)) == []
    assert said(life.sees(16, stats_x=1)) == [(NO_DATA, EventKind.FIRED)]


@pytest.mark.parametrize(("seen", "reminded"), [(None, [NO_DATA]), ("good", [KEY.rule])], ids=["no data", "data"])
def test_while_an_account_gives_no_data_only_that_is_reminded_of(seen: str | None, reminded: list[str]) -> None:
    life = Life()
    life.sees(0, numbers_remaining=1)
    if seen is None:
        life.cycle(1, BAD_KEY)
    life.is_told(1)
    minute = 1 + 4 * 60
    decision = life.sees(minute, numbers_remaining=1)
    assert said(decision) == [(rule, EventKind.REMINDER_DUE) for rule in reminded]
    assert [(rule, known and known.reminders) for rule, known in wished(decision)] == [(rule, 1) for rule in reminded]


# --- retire --------------------------------------------------------------------------------------------------------


def retired(life: Life, keys: Iterable[AlertKey], reason: Reason) -> Decision:
    decision = retire(life.memory, dict.fromkeys(keys, reason), now=at(60))
    life.keep(decision)
    return decision


def test_what_fires_and_is_retired_ends_for_its_reason_and_is_told_so() -> None:
    life = Life()
    (incident,) = life.sees(0, numbers_remaining=1).incidents
    life.is_told(0)
    decision = retired(life, [KEY], Reason.RULE_REMOVED)
    assert [(event.kind, event.level, event.text) for event in decision.events] == [
        (EventKind.RESOLVED, C, "rule removed")
    ]
    assert decision.incidents == (replace(incident, ended_at=at(60), reason=Reason.RULE_REMOVED),)
    assert wished(decision) == [(KEY.rule, Knowledge(incident.id, C, ended=True))]
    assert life.memory.alerts[KEY].state is State.OK


def test_what_is_pending_and_is_retired_calms_down_and_nobody_is_told() -> None:
    life = Life(NUMBERS + 'for = "5m"\n')
    life.sees(0, numbers_remaining=1)
    decision = retired(life, [KEY], Reason.RULE_DISABLED)
    assert said(decision) == [(KEY.rule, EventKind.CALMED)]
    assert (decision.incidents, decision.notifications) == ((), ())


def test_retiring_nothing_changes_nothing() -> None:
    life = Life()
    life.sees(0, numbers_remaining=1)
    assert retired(life, [], Reason.ACCOUNT_REMOVED) == Decision(life.memory.account)


def test_an_accounts_missing_data_is_retired_with_the_account() -> None:
    life = Life()
    life.cycle(0, BAD_KEY)
    decision = retired(life, [LOST], Reason.ACCOUNT_REMOVED)
    assert said(decision) == [(NO_DATA, EventKind.RESOLVED)]
    assert [known and known.ended for _, known in wished(decision)] == [True]


def test_what_was_retired_and_comes_back_fires_anew() -> None:
    life = Life()
    (first,) = life.sees(0, numbers_remaining=1).incidents
    retired(life, [KEY], Reason.RULE_REMOVED)
    (second,) = life.sees(61, numbers_remaining=1).incidents
    assert second.id != first.id


def test_to_look_at_what_fires_once_more_reminds_nobody() -> None:
    it = Life(NUMBERS.replace("summary", 'remind = { critical = "1h" }\nsummary'))
    it.sees(0, numbers_remaining=1)
    it.is_told(0)
    assert restate(it.watched, it.memory, now=at(61)).notifications == ()
    assert [each.desired.reminders for each in it.sees(61, numbers_remaining=1).notifications if each.desired] == [1]
