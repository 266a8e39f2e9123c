# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard status`, `guard alerts` and `guard history`: what is stored, for people and for machines."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.cli.alerts import young_document
from guard.clock import Clock
from guard.errors import ExitCode
from guard.model import (
    AlertKey,
    Answer,
    Cover,
    DeliveryState,
    Event,
    EventKind,
    Failure,
    FailureKind,
    Level,
    State,
    Timer,
)
from guard.store import Poll, Unit
from tests.builders import KEY, MINUTE, NOW, account, alert, at, delivery, incident, knowledge, notification, reading
from tests.cli.conftest import RULES, Fill, Run

ANSWER = Answer(
    {"numbers": {"used": 11, "limit": 12, "remaining": 1}, "plan": {"name": "growth"}},
    '{"numbers":{"used":11,"limit":12,"remaining":1},"plan":{"name":"growth"}}',
)
CALLS = AlertKey("main", "calls")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(12))


def calm(unit: Unit) -> None:
    """An account that answers, and nothing to tell."""
    unit.record_poll(Poll("main", at(12), ANSWER))
    unit.save_account(account(cycled_at=at(12), good_at=at(12)))
    unit.save_alerts([alert(reading=replace(reading(), at=at(12)))])


def firing(unit: Unit) -> None:
    """One alert of each state, and a channel that takes nothing."""
    calm(unit)
    unit.save_alerts(
        [
            alert(state=State.FIRING, level=Level.CRITICAL, incident=incident(peak=Level.CRITICAL), reading=reading()),
            alert(key=CALLS, state=State.PENDING, timers={Level.WARNING: Timer(5 * MINUTE, at(12))}),
            alert(
                key=AlertKey("main", "segments"), unknown=Timer(2 * MINUTE, at(12)), unknown_why="a limit is missing"
            ),
        ]
    )
    unit.save_desired([notification(desired=knowledge(Level.CRITICAL))])
    cover = (Cover(KEY, knowledge()),)
    unit.save_delivery(delivery(covers=cover, due_at=at(13), attempts=3, why="connection refused"))
    unit.save_delivery(delivery(key="k2", covers=cover, due_at=at(1), created_at=at(1)))
    unit.save_delivery(delivery(key="k3", covers=cover, state=DeliveryState.SENDING, created_at=at(2)))
    unit.save_delivery(
        delivery(key="k4", covers=cover, state=DeliveryState.DEAD, created_at=at(3), settled_at=at(4), why="no_service")
    )


def happened(unit: Unit) -> None:
    def event(minute: float, kind: EventKind, **more: object) -> Event:
        return Event(at(minute), KEY, kind, **more)  # type: ignore[arg-type] # a builder's keywords are checked by what it builds

    unit.add_events(
        [
            event(-2000, EventKind.CALMED),
            event(0, EventKind.FIRED, incident_id="inc1", level=Level.WARNING, value=2),
            event(1, EventKind.DELIVERED, incident_id="inc1", level=Level.WARNING, channel="ops"),
            event(
                5, EventKind.RESOLVED, incident_id="inc1", level=Level.WARNING, value=1234.5, text="new\nperiod \x1b[1m"
            ),
            Event(at(6), CALLS, EventKind.PENDING),
        ]
    )


# --- status --------------------------------------------------------------------------------------------------------


def test_a_calm_state_reads_well(guard: Run, rules: Path, fill: Fill) -> None:
    fill(calm)
    done = guard("status")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot("""\
rules.toml: 1 rule, 1 account, 1 channel

main
  answered just now
  numbers.remaining 1

No alert is firing; 1 rule watched.

Every channel knows all there is to know: ops.
""")


def test_status_shows_what_fires_and_what_could_not_be_told(
    guard: Run, rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(firing)
    assert guard("status").out == snapshot("""\
rules.toml: 1 rule, 1 account, 1 channel

main
  answered just now
  numbers.remaining 1

ALERT                   STATE    LEVEL     VALUE  SINCE                             SUMMARY
main/numbers-remaining  firing   critical  1      2026-11-23 14:05 UTC, 12 min ago  1 of 12 phone numbers left
main/calls              pending                   2026-11-23 14:12 UTC, 5 min ago
main/segments           ok                                                          (unknown now: a limit is missing)

CHANNEL  STATE                                        NEXT ATTEMPT                                 WHY
ops      1 to be told of
ops      dead: main/numbers-remaining                 within the hour, or after `guard send-test`  no_service. Check the webhook_url of [channels.ops], then run `guard send-test ops`: all is tried again then.
ops      pending, 12 min old: main/numbers-remaining  in 1 min                                     connection refused
ops      pending, 11 min old: main/numbers-remaining  now
ops      sending: main/numbers-remaining              under way
""")


def test_status_says_that_data_is_lost_and_why(guard: Run, rules: Path, fill: Fill) -> None:
    failure = Failure(FailureKind.UNAUTHORIZED, "AgentPhone answered 401")
    fill(
        lambda unit: unit.save_account(
            account(cycled_at=at(2), good_at=NOW, failures=3, failure=failure, lost=True, ask_at=at(20))
        )
    )
    assert guard("status").out == snapshot("""\
rules.toml: 1 rule, 1 account, 1 channel

main
  failed 3 times: AgentPhone answered 401; last good answer 12 min ago; asked again in 8 min
  last asked 10 min ago: is the service running?
  DATA IS LOST: nothing is watched until it answers again

No alert is firing; 1 rule watched.

Every channel knows all there is to know: ops.
""")


def test_status_before_the_first_poll(guard: Run, rules: Path, fill: Fill) -> None:
    fill(lambda unit: None)
    assert guard("status").out == snapshot("""\
rules.toml: 1 rule, 1 account, 1 channel

main
  was never asked; `guard run` does

No alert is firing; 1 rule watched.

Every channel knows all there is to know: ops.
""")


def test_status_without_a_rule_file_shows_what_is_stored(guard: Run, fill: Fill) -> None:
    fill(lambda unit: None)
    assert guard("status").out == snapshot("""\
rules.toml: cannot be used; `guard check` says why

No alert is firing.

No channel.
""")
    fill(firing)
    assert guard("status").out == snapshot("""\
rules.toml: cannot be used; `guard check` says why

main
  answered just now
  numbers.limit 12
  numbers.remaining 1
  numbers.used 11
  plan.name growth

ALERT                   STATE    LEVEL     VALUE  SINCE                             SUMMARY
main/numbers-remaining  firing   critical  1      2026-11-23 14:05 UTC, 12 min ago  1 of 12 phone numbers left
main/calls              pending                   2026-11-23 14:12 UTC, 5 min ago
main/segments           ok                                                          (unknown now: a limit is missing)

CHANNEL  STATE                                        NEXT ATTEMPT                                 WHY
ops      1 to be told of
ops      dead: main/numbers-remaining                 within the hour, or after `guard send-test`  no_service
ops      pending, 12 min old: main/numbers-remaining  in 1 min                                     connection refused
ops      pending, 11 min old: main/numbers-remaining  now
ops      sending: main/numbers-remaining              under way
""")


def test_status_for_machines(guard: Run, rules: Path, fill: Fill) -> None:
    fill(firing)
    assert json.loads(guard("status", "--format", "json").out) == snapshot(
        {
            "at": "2026-11-23T14:17:00Z",
            "rules": "rules.toml",
            "rules_usable": True,
            "accounts": [
                {
                    "account": "main",
                    "cycled_at": "2026-11-23T14:17:00Z",
                    "good_at": "2026-11-23T14:17:00Z",
                    "data_lost": False,
                    "failures": 0,
                    "failure": None,
                    "not_asked_before": None,
                    "values": {
                        "numbers.used": 11.0,
                        "numbers.limit": 12.0,
                        "numbers.remaining": 1.0,
                        "plan.name": "growth",
                    },
                    "sub_accounts": None,
                }
            ],
            "alerts": [
                {
                    "alert": "main/calls",
                    "account": "main",
                    "rule": "calls",
                    "subject": "",
                    "state": "pending",
                    "level": None,
                    "since": "2026-11-23T14:12:00Z",
                    "value": None,
                    "unit": None,
                    "summary": None,
                    "evaluated_at": None,
                    "unknown": None,
                    "young": None,
                    "incident": None,
                    "peak": None,
                    "acked": None,
                    "silenced": None,
                    "flapping": False,
                    "held": [],
                },
                {
                    "alert": "main/numbers-remaining",
                    "account": "main",
                    "rule": "numbers-remaining",
                    "subject": "",
                    "state": "firing",
                    "level": "critical",
                    "since": "2026-11-23T14:05:00Z",
                    "value": 1,
                    "unit": "",
                    "summary": "1 of 12 phone numbers left",
                    "evaluated_at": "2026-11-23T14:05:00Z",
                    "unknown": None,
                    "young": None,
                    "incident": "inc1",
                    "peak": "critical",
                    "acked": None,
                    "silenced": None,
                    "flapping": False,
                    "held": [],
                },
                {
                    "alert": "main/segments",
                    "account": "main",
                    "rule": "segments",
                    "subject": "",
                    "state": "ok",
                    "level": None,
                    "since": None,
                    "value": None,
                    "unit": None,
                    "summary": None,
                    "evaluated_at": None,
                    "unknown": "a limit is missing",
                    "young": None,
                    "incident": None,
                    "peak": None,
                    "acked": None,
                    "silenced": None,
                    "flapping": False,
                    "held": [],
                },
            ],
            "young": [],
            "silences": [],
            "channels": [
                {
                    "channel": "ops",
                    "waiting": 1,
                    "oldest_pending_at": "2026-11-23T14:05:00Z",
                    "dead": 1,
                    "deliveries": [
                        {
                            "key": "k1",
                            "call": "post",
                            "recipient": None,
                            "state": "pending",
                            "may_have_arrived": False,
                            "alerts": ["main/numbers-remaining"],
                            "created_at": "2026-11-23T14:05:00Z",
                            "due_at": "2026-11-23T14:18:00Z",
                            "attempts": 3,
                            "why": "connection refused",
                        },
                        {
                            "key": "k2",
                            "call": "post",
                            "recipient": None,
                            "state": "pending",
                            "may_have_arrived": False,
                            "alerts": ["main/numbers-remaining"],
                            "created_at": "2026-11-23T14:06:00Z",
                            "due_at": "2026-11-23T14:06:00Z",
                            "attempts": 0,
                            "why": None,
                        },
                        {
                            "key": "k3",
                            "call": "post",
                            "recipient": None,
                            "state": "sending",
                            "may_have_arrived": False,
                            "alerts": ["main/numbers-remaining"],
                            "created_at": "2026-11-23T14:07:00Z",
                            "due_at": None,
                            "attempts": 0,
                            "why": None,
                        },
                        {
                            "key": "k4",
                            "call": "post",
                            "recipient": None,
                            "state": "dead",
                            "may_have_arrived": False,
                            "alerts": ["main/numbers-remaining"],
                            "created_at": "2026-11-23T14:08:00Z",
                            "due_at": None,
                            "attempts": 0,
                            "why": "no_service",
                        },
                    ],
                }
            ],
        }
    )


def test_status_for_machines_of_an_account_that_fails(guard: Run, rules: Path, fill: Fill) -> None:
    failure = Failure(FailureKind.TIMEOUT, "no whole answer within 20 s")
    fill(lambda unit: unit.save_account(account(cycled_at=at(2), failures=1, failure=failure, ask_at=at(3))))
    [shown] = json.loads(guard("status", "--format", "json").out)["accounts"]
    assert shown == snapshot(
        {
            "account": "main",
            "cycled_at": "2026-11-23T14:07:00Z",
            "good_at": None,
            "data_lost": False,
            "failures": 1,
            "failure": {"kind": "timeout", "text": "no whole answer within 20 s"},
            "not_asked_before": "2026-11-23T14:08:00Z",
            "values": {},
            "sub_accounts": None,
        }
    )


def test_an_account_that_never_answered_says_so(guard: Run, rules: Path, fill: Fill) -> None:
    failure = Failure(FailureKind.TIMEOUT, "no whole answer within 20 s")
    fill(lambda unit: unit.save_account(account(cycled_at=at(12), failures=1, failure=failure)))
    assert "\n  failed 1 time: no whole answer within 20 s; last good answer never\n" in guard("status").out


def test_a_rule_that_is_disabled_is_counted_apart(guard: Run, rules: Path, fill: Fill) -> None:
    rules.write_text(f'{RULES}\n[rules.calls]\nenabled = false\nvalue = "stats.totalCalls"\nwarning = "> 9"\n')
    fill(lambda unit: None)
    shown = guard("status").out.splitlines()
    assert shown[0] == "rules.toml: 2 rules (1 disabled), 1 account, 1 channel"
    assert "No alert is firing; 1 rule watched." in shown


@pytest.mark.parametrize("command", ["status", "alerts", "history"])
def test_a_missing_database_is_never_made(guard: Run, command: str) -> None:
    assert guard(command).code == ExitCode.STORAGE
    assert not Path("guard.db").exists()


# --- alerts --------------------------------------------------------------------------------------------------------


def test_alerts_shows_those_that_are_not_at_rest(guard: Run, fill: Fill) -> None:
    fill(firing)
    assert guard("alerts").out == snapshot("""\
ALERT                   STATE    LEVEL     VALUE  SINCE                             SUMMARY
main/numbers-remaining  firing   critical  1      2026-11-23 14:05 UTC, 12 min ago  1 of 12 phone numbers left
main/calls              pending                   2026-11-23 14:12 UTC, 5 min ago
main/segments           ok                                                          (unknown now: a limit is missing)
""")


def test_alerts_shows_those_at_rest_when_asked(guard: Run, fill: Fill) -> None:
    fill(calm)
    assert guard("alerts").out == "No alert is firing.\n"
    assert guard("alerts", "--all").out == snapshot("""\
ALERT                   STATE  LEVEL  VALUE  SINCE  SUMMARY
main/numbers-remaining  ok            1             1 of 12 phone numbers left
""")


def test_alerts_before_the_first_evaluation(guard: Run, fill: Fill) -> None:
    fill(lambda unit: None)
    assert (
        guard("alerts").out == guard("alerts", "--all").out == snapshot("No alert is firing; none was evaluated yet.\n")
    )


def test_times_are_shown_in_the_accounts_zone(guard: Run, rules: Path, fill: Fill) -> None:
    rules.write_text(RULES.replace('every = "1s"', 'tz = "America/New_York"'))
    fill(firing)
    assert "2026-11-23 09:05 EST, 12 min ago" in guard("alerts").out


@pytest.fixture
def terminal(guard: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command as on a terminal of so many columns, and gives what it prints."""

    def run(*words: str, columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        return guard(*words).out

    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    return run


def uncoloured(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m| +(?=\x1b\[0m\n)", "", text)


@pytest.mark.parametrize("columns", [60, 120])
def test_levels_have_their_colour_on_a_terminal(terminal: Callable[..., str], fill: Fill, columns: int) -> None:
    fill(firing)
    assert "\x1b[31mcritical" in terminal("alerts", columns=columns)


@pytest.mark.parametrize("columns", [40, 80, 100, 120])
@pytest.mark.parametrize("words", [["alerts"], ["history"], ["status"]], ids=" ".join)
def test_no_line_is_wider_than_the_terminal_and_no_name_is_broken(
    terminal: Callable[..., str], rules: Path, fill: Fill, words: list[str], columns: int
) -> None:
    fill(firing)
    fill(happened)
    shown = uncoloured(terminal(*words, columns=columns))
    assert max(map(len, shown.splitlines())) <= columns
    assert shown.count("main/numbers-remaining") == {"alerts": 1, "history": 3, "status": 5}[words[0]]


def test_on_a_narrow_terminal_each_row_is_a_paragraph(terminal: Callable[..., str], fill: Fill) -> None:
    fill(firing)
    fill(happened)
    assert uncoloured(terminal("alerts", columns=60)) == snapshot("""\
main/numbers-remaining  firing  critical  1
  2026-11-23 14:05 UTC, 12 min ago
  1 of 12 phone numbers left
main/calls  pending  2026-11-23 14:12 UTC, 5 min ago
main/segments  ok  (unknown now: a limit is missing)
""")
    assert uncoloured(terminal("history", columns=80)) == snapshot("""\
2026-11-23 14:05:00 UTC  alert.fired  main/numbers-remaining  warning  2
2026-11-23 14:06:00 UTC  delivery.sent  main/numbers-remaining  warning  ops
2026-11-23 14:10:00 UTC  alert.resolved  main/numbers-remaining  warning
  1,234  new period \\x1b[1m
2026-11-23 14:11:00 UTC  alert.pending  main/calls
""")


def test_on_a_wide_terminal_only_the_last_column_is_broken_into_lines(terminal: Callable[..., str], fill: Fill) -> None:
    fill(firing)
    assert uncoloured(terminal("alerts", columns=112)) == snapshot("""\
ALERT                   STATE    LEVEL     VALUE  SINCE                             SUMMARY
main/numbers-remaining  firing   critical  1      2026-11-23 14:05 UTC, 12 min ago  1 of 12 phone numbers left
main/calls              pending                   2026-11-23 14:12 UTC, 5 min ago
main/segments           ok                                                          (unknown now: a limit is
                                                                                    missing)
""")


def test_alerts_for_machines(guard: Run, fill: Fill) -> None:
    fill(firing)
    assert json.loads(guard("alerts", "--format", "json").out) == snapshot(
        {
            "at": "2026-11-23T14:17:00Z",
            "alerts": [
                {
                    "alert": "main/calls",
                    "account": "main",
                    "rule": "calls",
                    "subject": "",
                    "state": "pending",
                    "level": None,
                    "since": "2026-11-23T14:12:00Z",
                    "value": None,
                    "unit": None,
                    "summary": None,
                    "evaluated_at": None,
                    "unknown": None,
                    "young": None,
                    "incident": None,
                    "peak": None,
                    "acked": None,
                    "silenced": None,
                    "flapping": False,
                    "held": [],
                },
                {
                    "alert": "main/numbers-remaining",
                    "account": "main",
                    "rule": "numbers-remaining",
                    "subject": "",
                    "state": "firing",
                    "level": "critical",
                    "since": "2026-11-23T14:05:00Z",
                    "value": 1,
                    "unit": "",
                    "summary": "1 of 12 phone numbers left",
                    "evaluated_at": "2026-11-23T14:05:00Z",
                    "unknown": None,
                    "young": None,
                    "incident": "inc1",
                    "peak": "critical",
                    "acked": None,
                    "silenced": None,
                    "flapping": False,
                    "held": [],
                },
                {
                    "alert": "main/segments",
                    "account": "main",
                    "rule": "segments",
                    "subject": "",
                    "state": "ok",
                    "level": None,
                    "since": None,
                    "value": None,
                    "unit": None,
                    "summary": None,
                    "evaluated_at": None,
                    "unknown": "a limit is missing",
                    "young": None,
                    "incident": None,
                    "peak": None,
                    "acked": None,
                    "silenced": None,
                    "flapping": False,
                    "held": [],
                },
            ],
            "young": [],
        }
    )


# --- history -------------------------------------------------------------------------------------------------------


def test_history_shows_the_newest_last(guard: Run, fill: Fill) -> None:
    fill(happened)
    done = guard("history")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot("""\
AT                       EVENT           ALERT                   LEVEL    VALUE  CHANNEL  WHY
2026-11-23 14:05:00 UTC  alert.fired     main/numbers-remaining  warning  2
2026-11-23 14:06:00 UTC  delivery.sent   main/numbers-remaining  warning         ops
2026-11-23 14:10:00 UTC  alert.resolved  main/numbers-remaining  warning  1,234           new period \\x1b[1m
2026-11-23 14:11:00 UTC  alert.pending   main/calls
""")


def test_history_goes_as_far_back_as_asked(guard: Run, fill: Fill) -> None:
    fill(happened)
    assert len(guard("history", "--since", "9000d").out.splitlines()) == 6
    assert guard("history", "--since", "999999999d").code == 0
    assert guard("history", "--since", "1m").out == "Nothing happened in the last 1m.\n"


def test_history_says_when_there_is_more(guard: Run, fill: Fill) -> None:
    fill(happened)
    done = guard("history", "--limit", "2")
    assert [line.split()[3] for line in done.out.splitlines()[1:]] == ["alert.resolved", "alert.pending"]
    assert done.err == snapshot("guard: warning: there is more than --limit 2 shows; a higher one shows it\n")
    assert json.loads(guard("history", "--limit", "2", "--format", "json").out)["cut"] is True


def test_history_of_one_alert(guard: Run, fill: Fill) -> None:
    fill(happened)
    document = json.loads(guard("history", "--alert", "main/calls", "--format", "json").out)
    assert document == snapshot(
        {
            "since": "2026-11-22T14:17:00Z",
            "cut": False,
            "events": [
                {
                    "at": "2026-11-23T14:11:00Z",
                    "event": "alert.pending",
                    "alert": "main/calls",
                    "account": "main",
                    "rule": "calls",
                    "subject": "",
                    "incident": None,
                    "level": None,
                    "value": None,
                    "channel": None,
                    "text": "",
                }
            ],
        }
    )


def test_history_of_one_alert_says_whether_there_is_such_an_alert(guard: Run, fill: Fill) -> None:
    fill(calm)
    assert [
        guard("history", "--alert", f"main/{rule}").out for rule in ("numbers-remaining", "calls/agt_1")
    ] == snapshot(
        [
            "Nothing happened to main/numbers-remaining in the last 24h.\n",
            "Nothing happened to main/calls/agt_1 in the last 24h; no alert of that name was evaluated yet.\n",
        ]
    )


def test_history_of_one_account(guard: Run, fill: Fill) -> None:
    fill(happened)
    fill(lambda unit: unit.add_events([Event(at(7), AlertKey("main:acme", "calls"), EventKind.FIRED)]))
    fill(lambda unit: unit.save_account(account(name="main:beta")))
    [_, only] = guard("history", "--account", "main:acme").out.splitlines()
    assert "alert.fired  main:acme/calls" in only
    assert [guard("history", "--account", name).out for name in ("main:beta", "main:gone")] == snapshot(
        [
            "Nothing happened to main:beta in the last 24h.\n",
            "Nothing happened to main:gone in the last 24h; no account of that name was asked yet.\n",
        ]
    )
    assert guard("history", "--account", "main", "--alert", "main:acme/calls").out.startswith("Nothing happened to ")


def test_history_says_to_whom_and_what_was_edited(guard: Run, fill: Fill) -> None:
    def told(unit: Unit) -> None:
        for text in ("to ana@example.com", "the message was edited"):
            unit.add_events([Event(at(6), KEY, EventKind.DELIVERED, channel="mail", text=text)])

    fill(told)
    assert guard("history").out == snapshot("""\
AT                       EVENT          ALERT                   LEVEL  VALUE  CHANNEL  WHY
2026-11-23 14:11:00 UTC  delivery.sent  main/numbers-remaining                mail     to ana@example.com
2026-11-23 14:11:00 UTC  delivery.sent  main/numbers-remaining                mail     the message was edited
""")


@pytest.mark.parametrize(
    "words", [("--alert", "numbers-remaining"), ("--alert", "main/"), ("--since", "yesterday")], ids=" ".join
)
def test_history_refuses_what_it_cannot_mean(guard: Run, fill: Fill, words: tuple[str, str]) -> None:
    fill(happened)
    done = guard("history", *words)
    assert done.code == ExitCode.USAGE
    assert done.err.startswith(f"guard: error: {words[0]}")


def test_a_rule_that_is_not_known_yet_for_many_subjects_names_their_account_once() -> None:
    young = [alert(key=AlertKey("main", "calls", f"num_{n}"), unknown_why="too short a history") for n in range(3)]
    assert young_document(young) == [{"rule": "calls", "why": "too short a history", "accounts": ["main"]}]


def test_an_alert_of_a_subject_is_shown_by_all_three_parts_of_its_name(guard: Run, fill: Fill) -> None:
    one = alert(
        key=AlertKey("main", "calls", "num_1"),
        state=State.FIRING,
        level=Level.CRITICAL,
        incident=incident(key=AlertKey("main", "calls", "num_1")),
        reading=reading(),
    )
    fill(lambda unit: unit.save_alerts([one]))
    assert "main/calls/num_1" in guard("alerts").out
