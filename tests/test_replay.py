"""A replay decides what the service decided: the recorded polls of a live run give its very event log."""

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.cli.scripted import at_pace, scripted
from guard.config import AccountConfig
from guard.model import NO_DATA, Answer, Endpoint, Event, EventKind, Failure, FailureKind, Level, Occasion, Snapshot
from guard.parts import Parts
from guard.payload import snapshot as snapshot_of
from guard.replay import Cycle, Replay, recorded, replayed, together
from guard.sandbox.scenario import Scenario
from guard.sandbox.scenario_file import load_scenario, read_scenario
from guard.sandbox.server import Sandbox
from guard.siblings import needed
from guard.store import Poll, Reader
from tests.builders import KEY, MINUTE, NOW, at, snapshot
from tests.stand_ins.clock import HandClock
from tests.wiring import API_KEY, NUMBERS, config, only, opened

DELIVERIES = {EventKind.DELIVERED, EventKind.RETRIED, EventKind.UNSURE, EventKind.DIED, EventKind.SUPERSEDED}

RULES = (
    NUMBERS
    + """
[rules.webhook-failures]
value = "increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h)"
when = "increase(stats.totalWebhookDeliveries, 1h) >= 20"
warning = "> 5%"
critical = "> 20%"
for = "5m"

[rules.month]
value = "stats.messagesLast24h"
warning = "> 700"
clear = "< 650"
keep_firing_for = "10m"

[rules.elapsed]
value = "period.elapsed"
info = "> 10%"

[rules.webhooks-now]
value = "webhooks.failed"
info = "> 3"

[rules.pace]
value = "month.projectedMessages"
info = "> 1"

[rules.each-agent]
each = "agent"
value = "agent.messages"
info = "> 10"

[rules.not-there]
value = "stats.faxesLast24h"
info = "> 1"
"""
)

FAULTS = """
interval = "1m"
series."numbers.remaining" = "5x3 2x2 _x2 1x2 5x40"

[[faults]]
from = "10m"
to = "14m"
status = 401

[[faults]]
from = "20m"
to = "22m"
status = 429
retry_after = "9m"

[[faults]]
from = "35m"
to = "50m"
status = 503
"""


@dataclass
class Lived:
    """What a live run left behind."""

    account: AccountConfig
    events: list[Event]
    path: Path

    def replay(self, *, since: datetime = NOW) -> list[Cycle]:
        with Reader.open(self.path / "guard.db") as reader:
            usage = reader.recorded(self.account.name, since=since)
            others = (
                reader.recorded(self.account.name, since=since, endpoint=each) for each in needed(self.account.rules)
            )
            siblings = merge(*others, key=attrgetter("at"))
            return list(replayed(Replay(self.account), recorded(self.account, usage, siblings)))


async def lived(path: Path, scenario: Scenario, *, minutes: int) -> Lived:
    """Runs the service's own cycles against the sandbox, once a minute, and again as soon as it may after a failure."""
    clock = HandClock(scenario.start or NOW)
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(scenario=scenario, key=API_KEY, now=clock.now))
        wanted = config(rules=RULES, api=sandbox.base_url)
        parts = await stack.enter_async_context(opened(wanted, path, clock=clock))
        await _run(parts, clock, minutes=minutes)
        events: list[Event] = await parts.store.run(lambda unit: unit.events(limit=100_000))
    return Lived(only(wanted), [event for event in reversed(events) if event.kind not in DELIVERIES], path)


async def _run(parts: Parts, clock: HandClock, *, minutes: int) -> None:
    (family,) = parts.families
    cycles = family.master
    for _ in range(minutes):
        await cycles.run(ask=cycles.is_due(), jitter=1)
        left = 60.0
        while cycles.account.ask_at is not None and timedelta() < (wait := cycles.account.ask_at - clock.now()):
            if wait >= timedelta(seconds=left):
                break
            clock.move(seconds=wait.total_seconds())
            left -= wait.total_seconds()
            await cycles.run(ask=True, jitter=1)
        clock.move(seconds=left)


@pytest.mark.parametrize("name", ["numbers", "webhooks", "outage", "month-end", "unauthorized"])
async def test_the_polls_of_a_live_run_give_its_very_event_log(tmp_path: Path, name: str) -> None:
    it = await lived(tmp_path, load_scenario(name), minutes=150)
    replays = [event for cycle in it.replay(since=NOW.replace(year=2000)) for event in cycle.events]
    assert replays == it.events
    assert it.events


async def test_waits_that_a_failure_asked_for_are_replayed_too(tmp_path: Path) -> None:
    it = await lived(tmp_path, read_scenario(FAULTS, name="faults", place="faults"), minutes=60)
    replays = [event for cycle in it.replay() for event in cycle.events]
    assert replays == it.events
    lost = [event for event in it.events if event.key.rule == NO_DATA and event.kind is EventKind.FIRED]
    assert [event.level for event in lost if event.level is Level.CRITICAL]


def replay_of(*left: float | Failure, rules: str = NUMBERS) -> list[Cycle]:
    replay = Replay(only(config(rules=rules)))
    seen: list[Snapshot | Failure] = [
        each if isinstance(each, Failure) else snapshot({"numbers.remaining": each}) for each in left
    ]
    moments = [
        (at(number), replace(each, at=at(number)) if isinstance(each, Snapshot) else each)
        for number, each in enumerate(seen)
    ]
    return list(replayed(replay, moments))


def told(cycles: list[Cycle]) -> list[tuple[float, str, Occasion, Level]]:
    return [
        ((each.at - NOW) / MINUTE, each.channel, each.telling.occasion, each.telling.desired.level)
        for cycle in cycles
        for each in cycle.told
    ]


EDITED = (
    RULES.replace('"> 5%"', '"> 1%"').replace("< 2", "< 1").replace("[rules.pace]", "[rules.speed]")
    + """
[rules.failures]
value = "increase(stats.failedWebhookDeliveries, 2h)"
warning = "> 3"
"""
)


@pytest.mark.parametrize("name", ["numbers", "webhooks", "outage", "month-end"])
def test_replays_of_the_same_answers_decide_as_each_would_alone(name: str) -> None:
    story = load_scenario(name)
    accounts = [at_pace(only(config(rules=rules)), story) for rules in (RULES, EDITED)]
    seen = [(cycle.at, cycle.seen) for cycle in scripted(Replay(accounts[1]), story, cycles=150) if cycle.seen]
    apart = [[_outcome(cycle) for cycle in replayed(Replay(account), seen)] for account in accounts]
    found: list[list[Cycle]] = [[], []]
    both = together(*accounts)
    for moment, what in seen:
        for replay, cycles in zip(both, found, strict=True):
            cycles.extend(map(_outcome, replay.polled(what, at=moment)))
    assert found == apart
    assert any(cycle.events for cycle in found[0])


def test_a_rule_that_two_files_share_is_checked_once_for_each_answer() -> None:
    one, other = (only(config(rules=rules)) for rules in (NUMBERS, NUMBERS.replace("numbers-remaining", "numbers")))
    both = together(one, other)
    checks = {check for replay in both for check in replay._quiet.values()}
    assert len(checks) == 1
    edited = together(one, only(config(rules=NUMBERS.replace("< 3", "< 4"))))
    assert len({check for replay in edited for check in replay._quiet.values()}) == 2


def test_a_budget_that_a_rule_reads_makes_it_another() -> None:
    rule = '[budgets]\nleast = 3\nother = 1\n[rules.it]\nvalue = "numbers.remaining"\nwarning = "< budgets.least"\n'
    for old, new, count in (("least = 3", "least = 4", 2), ("other = 1", "other = 2", 1)):
        accounts = (only(config(rules=text)) for text in (rule, rule.replace(old, new)))
        assert len({check for replay in together(*accounts) for check in replay._quiet.values()}) == count


def test_a_channel_is_told_each_state_once() -> None:
    assert told(replay_of(5, 2, 2, 1, 1, 5)) == [
        (1, "ops", Occasion.FIRED, Level.WARNING),
        (3, "ops", Occasion.ESCALATED, Level.CRITICAL),
        (5, "ops", Occasion.RESOLVED, Level.CRITICAL),
    ]


def test_a_reminder_comes_when_it_is_due() -> None:
    assert told(replay_of(*[1] * 242))[1:] == [(240, "ops", Occasion.REMINDER, Level.CRITICAL)]


def test_what_ended_is_told_with_the_incident_that_ended() -> None:
    *_, end = replay_of(1, 5)
    (resolved,) = end.told
    assert resolved.telling.incident.ended_at == at(1)
    assert resolved.telling.alert.key == KEY


def test_a_replay_is_the_same_each_time() -> None:
    failed = Failure(FailureKind.SERVER, "the API answered 503")
    polls = (5, failed, failed, failed, 1, failed, 5)
    assert replay_of(*polls) == replay_of(*polls)


def test_answers_from_before_are_looked_back_on_and_decide_nothing() -> None:
    rule = '[rules.growth]\nvalue = "increase(stats.totalMessages, 10m)"\nwarning = "> 5"\n'
    replay = Replay(only(config(rules=rule)))
    assert replay.looks_back >= 10 * MINUTE
    for minute in range(-11, 0):
        replay.remember(snapshot({"stats.totalMessages": 10}, at=at(minute)))
    cycle = replay.cycle(snapshot({"stats.totalMessages": 20}), now=NOW)
    assert [event.kind for event in cycle.events] == [EventKind.FIRED]


ODD_RULES = """
[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< budgets.least"
clear = "> 3"
summary = "{numbers.remaining} left, {stats.totalCalls} calls"

[rules.growth]
value = "increase(stats.totalMessages, 3m)"
when = "stats.totalMessages > 4"
warning = "> 5"
for = "2m"

[rules.elapsed]
value = "period.elapsed"
info = ">= 100%"
description = "{plan.name}"

[budgets]
least = 2
"""


def seldom(*odd: object, usual: object) -> st.SearchStrategy[object]:
    """Mostly the usual."""
    return st.sampled_from([*[usual] * 12, *odd])


@st.composite
def answers(draw: st.DrawFn) -> Answer | Failure | None:
    """Mostly calm answers, some alarming or odd, and failures; None where the account is left alone."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.none() | st.just(Failure(FailureKind.SERVER, "the API answered 503")))
    month = draw(seldom(10, 12, usual=11))
    payload = {
        "plan": {"name": draw(st.sampled_from(["growth", "scale"]))},
        "numbers": {"limit": draw(seldom(20, usual=12)), "remaining": draw(seldom(4, 2, 1, None, usual=5))},
        "stats": {
            "totalMessages": draw(st.sampled_from([5, 5, 6, 7, 20, 4, "odd"])),
            "totalCalls": draw(st.integers(0)),
        },
        "periodStart": f"2026-{month}-01",
        "periodEnd": f"2026-{month}-28",
    }
    return Answer(payload, json.dumps(payload))


@settings(max_examples=60)
@given(st.lists(st.tuples(answers(), seldom(2, 9, usual=1)), max_size=40))
def test_what_is_not_decided_would_have_changed_nothing(polls: list[tuple[Answer | Failure | None, float]]) -> None:
    decided_in_full(polls)


def of_month(month: int) -> Answer:
    payload = {
        "numbers": {"limit": 12, "remaining": 5},
        "stats": {"totalMessages": 4},
        "periodStart": f"2026-{month}-01",
    }
    payload["periodEnd"] = f"2026-{month}-28"
    return Answer(payload, json.dumps(payload))


@pytest.mark.parametrize("months", [[11, 11, 10, 11, 10, 10], [11, *[0] * 40, 11, 11, 11, 11]])
def test_what_goes_on_with_the_account_itself_is_decided_too(months: list[int]) -> None:
    failed = Failure(FailureKind.SERVER, "the API answered 503")
    decided_in_full([(of_month(month) if month else failed, 1) for month in months], rules=NUMBERS)


def decided_in_full(polls: list[tuple[Answer | Failure | None, float]], *, rules: str = ODD_RULES) -> None:
    """Beside a replay that decides on every rule in every cycle, and on all that an answer says."""
    account = only(config(rules=rules))
    replay, full = Replay(account), Replay(account)
    now = NOW
    for outcome, minutes in polls:
        now += minutes * MINUTE
        if outcome is None:
            assert _outcome(replay.cycle(None, now=now)) == _outcome(full._decided(full._watched, None, now=now))
            continue
        ((_, seen),) = recorded(account, [Poll(account.name, now, outcome)])
        whole = snapshot_of(outcome, account=account.name, at=now) if isinstance(outcome, Answer) else outcome
        if isinstance(whole, Snapshot):
            full.sight.add(whole)
        assert _outcome(replay.cycle(seen, now=now)) == _outcome(full._decided(full._watched, whole, now=now))
        assert replay.account.ask_at == full.account.ask_at
    assert replay.account == full.account


def _outcome(cycle: Cycle) -> Cycle:
    return replace(cycle, seen=None)


def test_answers_that_change_nothing_are_counted() -> None:
    replay = Replay(only(config(rules=NUMBERS)))
    for minute in range(5):
        replay.cycle(snapshot({"numbers.remaining": 5}, at=at(minute)), now=at(minute))
    assert replay._calm == 4
    account = replay.account
    assert (account.good_streak, account.good_at, account.cycled_at) == (5, at(4), at(4))
    assert replay.account is account


def test_a_sibling_that_failed_costs_nothing_else() -> None:
    account = only(config(rules=NUMBERS))
    failed = Poll(account.name, NOW, Failure(FailureKind.SERVER, "the API answered 503"), Endpoint.DAILY)
    usage = Poll(account.name, NOW, of_month(11))
    assert list(recorded(account, [usage], [failed])) == list(recorded(account, [usage]))
