"""An alert that fires and ends time and again: when it is told, and what is told of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from guard.config.watched import watched_on
from guard.lifecycle.decide import Memory, decide, retire
from guard.lifecycle.desired import desire, gap
from guard.lifecycle.step import is_at_rest
from guard.model import Account, AlertKey, EventKind, Knowledge, Level, Notification, Occasion, Reason, Snapshot
from tests.builders import NOW, alert, at, notification, policy
from tests.wiring import config, only

KEY = AlertKey("main", "probe")


PROBE = """
[rules.probe]
value = "numbers.used"
warning = "> 0"
critical = "> 1"
"""


@dataclass
class Life:
    """One alert under one rule, a minute between answers, with a channel that is told of everything at once."""

    rules: str = PROBE
    minute: int = 0
    known: list[Notification] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    events: list[EventKind] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watched = watched_on(only(config(rules=self.rules)), every=timedelta(minutes=1))
        self.memory = Memory(Account("main"), notifications=lambda: self.known)

    def see(self, *values: float | None) -> "Life":
        """Sees one answer after another; None stands for one without the field."""
        for value in values:
            now = at(self.minute)
            seen = Snapshot("main", now, {} if value is None else {"numbers.used": value})
            decision = decide(self.watched, self.memory, seen, now=now, jitter=0)
            self.memory = self.memory.after(decision)
            self.events += [each.kind for each in decision.events if each.key == KEY]
            self.known = [self._tell(each) for each in self._newest(decision.notifications)]
            self.minute += 1
        return self

    def _newest(self, changed: Iterable[Notification]) -> list[Notification]:
        return list({(each.key, each.channel): each for each in (*self.known, *changed)}.values())

    def _tell(self, each: Notification) -> Notification:
        occasion = gap(each.desired, each.notified)
        if occasion is None or each.desired is None:
            return each
        if each.key == KEY:
            level = "" if occasion in {Occasion.RESOLVED, Occasion.FLAPPING} else f" {each.desired.level.word}"
            self.told.append(f"{self.minute} {occasion}{level}")
        return replace(each, notified=each.desired, notified_at=at(self.minute))


FOUR = [1, 0, 1, 0, 1, 0, 1]
FIRST = [
    "0 fired warning",
    "1 resolved",
    "2 fired warning",
    "3 resolved",
    "4 fired warning",
    "5 resolved",
    "6 flapping",
]


def test_the_fourth_incident_within_an_hour_is_told_as_flapping_and_then_nothing() -> None:
    life = Life().see(*FOUR, 0, 1, 0, 1, 0, 0, 1, 0)
    assert life.told == FIRST
    assert life.events.count(EventKind.FLAPPING) == 1


def test_four_incidents_in_more_than_an_hour_are_told_each() -> None:
    life = Life().see(1, 0, 1, 0, 1, *[0] * 55, 1)
    assert life.told[-1] == "60 fired warning"


def test_four_incidents_in_just_an_hour_are_flapping() -> None:
    assert Life().see(1, 0, 1, 0, 1, *[0] * 54, 1).told[-1] == "59 flapping"


def test_after_thirty_stable_minutes_at_rest_its_end_is_told() -> None:
    life = Life().see(*FOUR, 0, *[0] * 29)
    assert life.told == FIRST
    assert life.see(0).told == [*FIRST, "37 resolved"]
    assert life.events[-1] is EventKind.STABLE
    assert is_at_rest(life.memory.alerts[KEY])
    assert life.see(*[0] * 30, 1).told[-1] == "68 fired warning"


def test_after_thirty_stable_minutes_of_firing_that_is_told() -> None:
    life = Life().see(*FOUR, 0, 1, *[1] * 30)
    assert life.told == [*FIRST, "38 fired warning"]
    assert life.see(0).told[-1] == "39 resolved"


def test_a_rise_breaks_it_within_an_incident_and_with_a_new_one() -> None:
    assert Life().see(*FOUR, 2).told == [*FIRST, "7 escalated critical"]
    life = Life().see(*FOUR, 0, 2)
    assert life.told == [*FIRST, "8 escalated critical"]
    assert life.see(0).told[-1] == "9 resolved"


def test_who_began_to_count_anew_after_a_rise_flaps_again_after_four_more() -> None:
    life = Life().see(*FOUR, 2, 0, 2, 0, 2, 0)
    assert life.events.count(EventKind.FLAPPING) == 1
    assert life.see(2, 0, 2).events.count(EventKind.FLAPPING) == 2


def test_what_cannot_be_evaluated_is_not_stable() -> None:
    life = Life().see(*FOUR, 0, *[0] * 20, *[None] * 30, *[0] * 9)
    assert life.told == FIRST
    assert life.see(0, 0).told[-1].endswith("resolved")


def test_nobody_is_reminded_of_what_flaps() -> None:
    rules = PROBE + 'remind = { warning = "5m" }'
    assert Life(rules).see(*FOUR, *[1] * 28).told == FIRST


@pytest.mark.parametrize("last", [1, 0])
def test_the_end_is_told_also_when_the_rule_is_gone(last: float) -> None:
    life = Life().see(*FOUR, 0, last)
    decision = retire(life.memory, {KEY: Reason.RULE_REMOVED}, now=NOW + timedelta(hours=1))
    (after,) = decision.notifications
    assert gap(after.desired, life.known[0].notified) is Occasion.RESOLVED
    assert decision.alerts[0].flapping is None


def test_a_rule_that_comes_back_does_not_flap_because_it_did_before() -> None:
    life = Life().see(*FOUR)
    decision = retire(life.memory, {KEY: Reason.RULE_REMOVED}, now=at(life.minute))
    assert decision.alerts[0].fired == ()


def test_what_was_missed_before_it_flapped_is_told_with_its_end() -> None:
    flaps = Knowledge("inc4", Level.WARNING, missed=("inc2", "inc3"), flapping=True)
    (over,) = desire(alert(), policy(), [notification(desired=flaps)], now=NOW, ended="inc6").notifications
    assert over.desired == Knowledge("inc6", Level.WARNING, ended=True, missed=("inc2", "inc3"))


def test_who_has_not_heard_that_it_was_stable_is_told_again_that_it_flaps() -> None:
    before, again = (Knowledge(each, Level.WARNING, flapping=True) for each in ("inc4", "inc9"))
    assert gap(again, before) is Occasion.FLAPPING
    assert gap(before, before) is None
