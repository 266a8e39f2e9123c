"""The rule webhook-failures of rules.example.toml, on made-up hours of an account."""

from collections.abc import Iterator
from pathlib import Path

from guard.lifecycle.decide import Memory, Watched, decide
from guard.model import Account, Alert, AlertKey, Event, EventKind, Level, Snapshot
from guard.rules.history import History, needs
from tests.builders import MINUTE, at, snapshot
from tests.config.files import config

EXAMPLE = Path(__file__).parents[2] / "rules.example.toml"
KEY = AlertKey("main", "webhook-failures")
FAILED, TOTAL = "stats.failedWebhookDeliveries", "stats.totalWebhookDeliveries"


class Life:
    """The example's rule on one account, asked each minute; `total` and `failed` are what its counters stand at."""

    def __init__(self) -> None:
        (account,) = config(EXAMPLE.read_text(encoding="utf-8")).accounts
        rules = [rule for rule in account.rules if rule.name == KEY.rule]
        self.watched = Watched(
            name=account.name,
            rules=rules,
            no_data=account.no_data,
            budgets=account.budgets,
            every=account.every,
            no_data_after=account.no_data_after,
        )
        self.history = History(needs(rules))
        self.memory = Memory(Account("main"), history=self.history)
        self.minute, self.total, self.failed = 0, 85_102.0, 612.0

    def minutes(self, count: int, *, delivered: float, failing: float = 0.0) -> Iterator[tuple[int, Event]]:
        """Lives for some minutes, and gives what happened at which."""
        for _ in range(count):
            self.total += delivered
            self.failed += failing * delivered
            for event in self.sees(snapshot(self.fields(), at=at(self.minute))):
                yield self.minute, event
            self.minute += 1

    def fields(self) -> dict[str, float | str]:
        return {"numbers.remaining": 9, "stats.messagesLast24h": 100, TOTAL: self.total, FAILED: self.failed}

    def sees(self, seen: Snapshot) -> tuple[Event, ...]:
        self.history.add(seen)
        decision = decide(self.watched, self.memory, seen, now=seen.at, jitter=0)
        alerts: dict[AlertKey, Alert] = {**self.memory.alerts, **{each.key: each for each in decision.alerts}}
        self.memory = Memory(decision.account, alerts, history=self.history)
        return decision.events


def test_a_quarter_failing_at_five_times_the_traffic_is_told_while_the_lifetime_share_still_looks_fine() -> None:
    life = Life()
    assert list(life.minutes(90, delivered=1)) == []
    told = [(minute, event.kind, event.level) for minute, event in life.minutes(60, delivered=5, failing=0.25)]
    assert told == [
        (92, EventKind.PENDING, None),
        (102, EventKind.FIRED, Level.WARNING),
        (126, EventKind.ESCALATED, Level.CRITICAL),
    ]
    assert life.failed / life.total < 0.01
    reading = life.memory.alerts[KEY].reading
    assert reading is not None
    assert reading.summary == "75 of 300 webhooks failed"
    over = [(minute, event.kind) for minute, event in life.minutes(120, delivered=5)]
    assert over == [(161, EventKind.LOWERED), (197, EventKind.RESOLVED)]


def test_without_an_hour_of_history_nothing_is_told_and_missing_data_is_not_either() -> None:
    life = Life()
    assert list(life.minutes(59, delivered=50, failing=1)) == []
    alert = life.memory.alerts[KEY]
    assert (alert.unknown, alert.unknown_why) == (None, f"too short a history for increase({TOTAL}, 1h)")
    assert [event.kind for _, event in life.minutes(15, delivered=50, failing=1)] == [
        EventKind.PENDING,
        EventKind.FIRED,
    ]


def test_a_quiet_account_is_left_alone() -> None:
    life = Life()
    list(life.minutes(90, delivered=0))
    assert list(life.minutes(19, delivered=1, failing=1)) == []
    assert [(minute, event.kind) for minute, event in life.minutes(20, delivered=1, failing=1)] == [
        (109, EventKind.PENDING),
        (119, EventKind.FIRED),
    ]


def test_lagging_answers_fire_nothing() -> None:
    life = Life()
    list(life.minutes(90, delivered=1))
    for minute in range(90, 150):
        behind = {**life.fields(), TOTAL: 70_000, FAILED: 3} if minute % 3 else life.fields()
        assert life.sees(snapshot(behind, at=at(minute))) == ()


def test_the_history_of_the_example_is_an_hour_of_two_counters() -> None:
    life = Life()
    assert needs(life.watched.rules) == {FAILED: 60 * MINUTE, TOTAL: 60 * MINUTE}
