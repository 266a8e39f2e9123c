"""`guard status` and `guard alerts` for accounts with sub-accounts: few, many, and those that need a look."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from sqlalchemy import Executable, Row

from guard.clock import Clock
from guard.errors import ExitCode
from guard.model import Account, Alert, AlertKey, Answer, Failure, FailureKind, Level, State, SubAccount, Timer
from guard.store import Poll, Unit, View
from tests.builders import MINUTE, account, alert, at, incident, reading
from tests.cli.conftest import RULES, Fill, Run

ANSWER = Answer({"numbers": {"remaining": 4}}, '{"numbers":{"remaining":4}}')
DOWN = Failure(FailureKind.SERVER, "the API failed: 503")
REFUSED = Failure(FailureKind.UNAUTHORIZED, "the API refused the key: 401 Unauthorized")
WHY = "too short a history for increase(…, 1h)"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(12))


@pytest.fixture
def watched(rules: Path) -> Path:
    """A rule file that watches all sub-accounts, each asked once a minute."""
    rules.write_text(RULES.replace('every = "1s"', 'every = "1m"\nsub_accounts = "all"'))
    return rules


def well(name: str) -> Account:
    return account(name=name, cycled_at=at(11.5), good_at=at(11.5))


def failing(name: str, *, failure: Failure = DOWN, **changes: object) -> Account:
    return account(name=name, cycled_at=at(11.5), good_at=at(2), failures=3, failure=failure, **changes)


def family(unit: Unit, *subs: Account, absent: Iterable[str] = (), master: Account | None = None) -> None:
    """The account main, listed 4 minutes ago, and its sub-accounts, each of which once had 4 numbers left."""
    main = master or well("main")
    for each in (main, *subs):
        unit.save_account(replace(each, listed_at=at(8) if each is main else None))
        unit.record_poll(Poll(each.name, at(2), ANSWER))
    gone = set(absent)
    ids = [each.name.removeprefix("main:") for each in subs]
    unit.save_sub_accounts(SubAccount("main", each, absent=2 if each in gone else 0) for each in ids)


def many(unit: Unit, count: int = 1000) -> None:
    """So many sub-accounts: three of them fail, and two are absent, of which one fails too."""
    failures = {"c007": failing("main:c007"), "c003": failing("main:c003"), "c900": failing("main:c900", lost=True)}
    names = [f"c{number:03}" for number in range(count)]
    family(unit, *(failures.get(each) or well(f"main:{each}") for each in names), absent=["c500", "c003"])


def fired(name: str, level: Level, *, rule: str = "numbers-remaining") -> Alert:
    key = AlertKey(name, rule)
    began = incident(id=f"{name}-{rule}", key=key, peak=level)
    return alert(key=key, state=State.FIRING, level=level, incident=began, reading=reading())


# --- status --------------------------------------------------------------------------------------------------------


def test_a_few_sub_accounts_are_shown_like_accounts(guard: Run, watched: Path, fill: Fill) -> None:
    fill(lambda unit: family(unit, well("main:acme"), failing("main:beta", lost=True), absent=["beta"]))
    done = guard("status")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot("""\
rules.toml: 1 rule, 1 account and all its sub-accounts, 1 channel

main
  answered 30 s ago
  2 sub-accounts, 1 answered within 3 min, listed 4 min ago
  numbers.remaining 4

main:acme
  answered 30 s ago
  numbers.remaining 4

main:beta
  failed 3 times: the API failed: 503; last good answer 10 min ago
  DATA IS LOST: nothing is watched until it answers again
  absent from the last 2 listings
  numbers.remaining 4

No alert is firing; 1 rule watched on 3 accounts.

Every channel knows all there is to know: ops.
""")


def test_of_many_sub_accounts_those_that_need_a_look_are_named(guard: Run, watched: Path, fill: Fill) -> None:
    fill(many)
    assert guard("status").out == snapshot("""\
rules.toml: 1 rule, 1 account and all its sub-accounts, 1 channel

main
  answered 30 s ago
  1,000 sub-accounts, 997 answered within 3 min, listed 4 min ago
    main:c900: DATA IS LOST, failed 3 times: the API failed: 503; last good answer 10 min ago
    main:c003: failed 3 times: the API failed: 503; last good answer 10 min ago; absent from the last 2 listings
    main:c007: failed 3 times: the API failed: 503; last good answer 10 min ago
    main:c500: absent from the last 2 listings
  numbers.remaining 4

No alert is firing; 1 rule watched on 1,001 accounts.

Every channel knows all there is to know: ops.
""")


def test_a_thousand_sub_accounts_cost_no_more_queries_than_six(
    guard: Run, watched: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[object] = []
    real = View._rows

    def counted(self: View, query: Executable, **values: object) -> list[Row[Any]]:
        queries.append(query)
        return real(self, query, **values)

    monkeypatch.setattr(View, "_rows", counted)
    fill(lambda unit: many(unit, count=6))
    assert guard("status").code == 0
    few, queries[:] = len(queries), []
    fill(many)
    assert guard("status").code == 0
    assert len(queries) == few


def test_no_more_than_five_are_named(guard: Run, watched: Path, fill: Fill) -> None:
    fill(lambda unit: family(unit, *(failing(f"main:c{number}") for number in range(7))))
    assert guard("status").out.partition("\n\nNo alert")[0] == snapshot("""\
rules.toml: 1 rule, 1 account and all its sub-accounts, 1 channel

main
  answered 30 s ago
  7 sub-accounts, 0 answered within 3 min, listed 4 min ago
    main:c0: failed 3 times: the API failed: 503; last good answer 10 min ago
    main:c1: failed 3 times: the API failed: 503; last good answer 10 min ago
    main:c2: failed 3 times: the API failed: 503; last good answer 10 min ago
    main:c3: failed 3 times: the API failed: 503; last good answer 10 min ago
    main:c4: failed 3 times: the API failed: 503; last good answer 10 min ago
    and 2 more; `guard status --account 'main:*'` shows all
  numbers.remaining 4\
""")


def test_while_the_key_is_refused_sub_accounts_are_left_alone(guard: Run, watched: Path, fill: Fill) -> None:
    left = account(name="main:acme", cycled_at=at(5), good_at=at(5))
    fill(lambda unit: family(unit, left, master=failing("main", failure=REFUSED)))
    assert guard("status").out.partition("\n\nNo alert")[0] == snapshot("""\
rules.toml: 1 rule, 1 account and all its sub-accounts, 1 channel

main
  failed 3 times: the API refused the key: 401 Unauthorized; last good answer 10 min ago
  1 sub-account, 0 answered within 3 min, listed 4 min ago
  numbers.remaining 4

main:acme
  answered 7 min ago
  last asked 7 min ago; left alone while main fails
  numbers.remaining 4\
""")


def test_a_service_that_is_not_running_shows_in_every_account(guard: Run, watched: Path, fill: Fill) -> None:
    left = account(name="main:acme", cycled_at=at(5), good_at=at(5))
    fill(lambda unit: family(unit, left, master=replace(left, name="main")))
    assert guard("status").out.count("  last asked 7 min ago: is the service running?\n") == 2


def test_a_listed_sub_account_that_had_no_turn_yet_says_so(guard: Run, rules: Path, fill: Fill) -> None:
    rules.write_text(RULES.replace('every = "1s"', 'sub_accounts = ["acme", "beta"]'))
    fill(lambda unit: unit.save_account(well("main:acme")))
    assert guard("status").out.partition("\n\nNo alert")[0] == snapshot("""\
rules.toml: 1 rule, 1 account and 2 sub-accounts, 1 channel

main
  was never asked; `guard run` does
  2 sub-accounts, 1 answered within 3 min

main:acme
  answered 30 s ago

main:beta
  was never asked; `guard run` does\
""")


def test_before_the_first_listing_no_sub_account_is_known(guard: Run, watched: Path, fill: Fill) -> None:
    fill(lambda unit: unit.save_account(well("main")))
    assert "\n  no sub-account, never listed yet\n" in guard("status").out


def test_without_a_rule_file_all_that_are_stored_are_shown(guard: Run, fill: Fill) -> None:
    fill(lambda unit: family(unit, well("main:acme"), failing("main:beta")))
    assert guard("status").out.partition("\n\nNo alert")[0] == snapshot("""\
rules.toml: cannot be used; `guard check` says why

main
  answered 30 s ago
  2 sub-accounts, listed 4 min ago
  numbers.remaining 4

main:acme
  answered 30 s ago
  numbers.remaining 4

main:beta
  failed 3 times: the API failed: 503; last good answer 10 min ago
  numbers.remaining 4\
""")


def test_sub_accounts_that_the_rule_file_does_not_watch_are_not_shown(guard: Run, rules: Path, fill: Fill) -> None:
    fill(many)
    fill(lambda unit: unit.save_alerts([fired("main:c001", Level.CRITICAL)]))
    shown = guard("status").out
    assert "sub-account" not in shown
    assert "No alert is firing; 1 rule watched." in shown


def test_one_sub_account_is_shown_by_its_name(guard: Run, watched: Path, fill: Fill) -> None:
    fill(many)
    fill(lambda unit: unit.save_alerts([fired("main:c001", Level.CRITICAL), fired("main:c003", Level.WARNING)]))
    assert guard("status", "--account", "main:c003").out == snapshot("""\
rules.toml: 1 rule, 1 account and all its sub-accounts, 1 channel

main:c003
  failed 3 times: the API failed: 503; last good answer 10 min ago
  absent from the last 2 listings
  numbers.remaining 4

ALERT                        STATE   LEVEL    VALUE  SINCE                             SUMMARY
main:c003/numbers-remaining  firing  warning  1      2026-11-23 14:05 UTC, 12 min ago  1 of 12 phone numbers left

Every channel knows all there is to know: ops.
""")


def test_all_sub_accounts_are_shown_by_a_pattern(guard: Run, watched: Path, fill: Fill) -> None:
    fill(lambda unit: many(unit, count=30))
    shown = guard("status", "--account", "main:*").out.splitlines()
    assert [line for line in shown if line.startswith("main")] == [f"main:c{number:03}" for number in range(30)]
    assert "No alert is firing; 1 rule watched on 30 accounts." in shown


@pytest.mark.parametrize("command", ["status", "alerts"])
def test_a_name_that_no_account_has_is_a_wrong_word(guard: Run, watched: Path, fill: Fill, command: str) -> None:
    fill(lambda unit: family(unit, well("main:acme")))
    done = guard(command, "--account", "main:acne")
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert done.err == snapshot("guard: error: there is no account 'main:acne', did you mean 'main:acme'?\n")


def test_status_of_sub_accounts_for_machines(guard: Run, watched: Path, fill: Fill) -> None:
    fill(many)
    [main] = json.loads(guard("status", "--format", "json").out)["accounts"]
    assert main["sub_accounts"] == snapshot(
        {
            "count": 1000,
            "answered": 997,
            "listed_at": "2026-11-23T14:13:00Z",
            "failing": ["main:c003", "main:c007", "main:c900"],
            "absent": ["main:c003", "main:c500"],
        }
    )
    [one] = json.loads(guard("status", "--account", "main:c003", "--format", "json").out)["accounts"]
    assert one == snapshot(
        {
            "account": "main:c003",
            "cycled_at": "2026-11-23T14:16:30Z",
            "good_at": "2026-11-23T14:07:00Z",
            "data_lost": False,
            "failures": 3,
            "failure": {"kind": "server", "text": "the API failed: 503"},
            "not_asked_before": None,
            "values": {"numbers.remaining": 4.0},
            "sub_accounts": None,
        }
    )


def test_without_a_rule_file_nobody_knows_how_many_answered_in_time(guard: Run, fill: Fill) -> None:
    fill(many)
    [main] = json.loads(guard("status", "--format", "json").out)["accounts"]
    assert main["sub_accounts"]["answered"] is None
    assert "\n  1,000 sub-accounts, listed 4 min ago\n" in guard("status").out


# --- alerts --------------------------------------------------------------------------------------------------------


def storm(unit: Unit) -> None:
    """One alert on each of 30 sub-accounts, every third of them critical, and one that may soon fire."""
    many(unit, count=30)
    names = [f"main:c{number:03}" for number in range(30)]
    unit.save_alerts(fired(each, Level.WARNING if int(each[-2:]) % 3 else Level.CRITICAL) for each in names)
    soon = AlertKey("main", "calls")
    unit.save_alerts([alert(key=soon, state=State.PENDING, timers={Level.CRITICAL: Timer(5 * MINUTE, at(12))})])


def test_status_shows_twenty_alerts_the_worst_first(guard: Run, watched: Path, fill: Fill) -> None:
    fill(storm)
    shown = guard("status").out.splitlines()
    first = next(number for number, line in enumerate(shown) if line.startswith("ALERT ")) + 1
    assert [line.split()[2] for line in shown[first : first + 20]] == ["critical"] * 10 + ["warning"] * 10
    assert shown[first + 20] == snapshot("and 11 more; `guard alerts` shows all")
    assert "and 10 more; `guard alerts --account 'main:*'` shows all\n" in guard("status", "--account", "main:*").out
    assert len(json.loads(guard("status", "--format", "json").out)["alerts"]) == 31


def test_alerts_shows_all_of_them_or_those_of_an_account(guard: Run, watched: Path, fill: Fill) -> None:
    fill(storm)
    assert len(guard("alerts").out.splitlines()) == 1 + 31
    assert guard("alerts", "--account", "main:c00[78]").out == snapshot("""\
ALERT                        STATE   LEVEL    VALUE  SINCE                             SUMMARY
main:c007/numbers-remaining  firing  warning  1      2026-11-23 14:05 UTC, 12 min ago  1 of 12 phone numbers left
main:c008/numbers-remaining  firing  warning  1      2026-11-23 14:05 UTC, 12 min ago  1 of 12 phone numbers left
""")
    assert guard("alerts", "--account", "main:c00*", "--format", "json").out.count('"alert":') == 10


def young(unit: Unit) -> None:
    """A rule that no account has watched for an hour yet, and one that fires although its history was lost."""
    many(unit, count=9)
    names = ["main", *(f"main:c{number:03}" for number in range(9))]
    unit.save_alerts(alert(key=AlertKey(each, "growth"), unknown_why=WHY) for each in names)
    unit.save_alerts([alert(key=AlertKey("main", "calls"), unknown_why="too short a history for increase(…, 2h)")])
    unit.save_alerts([replace(fired("main:c001", Level.WARNING, rule="growth"), reading=None, unknown_why=WHY)])


def test_too_short_a_history_is_said_and_is_no_trouble(guard: Run, watched: Path, fill: Fill) -> None:
    fill(young)
    assert guard("alerts").out == snapshot("""\
ALERT             STATE   LEVEL    VALUE  SINCE                             SUMMARY
main:c001/growth  firing  warning         2026-11-23 14:05 UTC, 12 min ago  (too short a history for increase(…, 1h))

calls is not known yet on main: too short a history for increase(…, 2h).
growth is not known yet on 9 accounts: too short a history for increase(…, 1h).
""")
    assert guard("status").out.partition(" firing ")[2].splitlines()[1:5] == snapshot(
        [
            "",
            "calls is not known yet on main: too short a history for increase(…, 2h).",
            "growth is not known yet on 9 accounts: too short a history for increase(…, 1h).",
            "",
        ]
    )


def test_with_all_those_at_rest_each_says_itself_that_its_history_is_too_short(
    guard: Run, watched: Path, fill: Fill
) -> None:
    fill(young)
    assert guard("alerts", "--all", "--account", "main").out == snapshot("""\
ALERT        STATE  LEVEL  VALUE  SINCE  SUMMARY
main/calls   ok                          (too short a history for increase(…, 2h))
main/growth  ok                          (too short a history for increase(…, 1h))
""")


def test_too_short_a_history_for_machines(guard: Run, watched: Path, fill: Fill) -> None:
    fill(young)
    document = json.loads(guard("alerts", "--format", "json").out)
    [shown] = document["alerts"]
    assert (shown["state"], shown["unknown"], shown["young"]) == ("firing", None, WHY)
    assert document["young"] == snapshot(
        [
            {"rule": "calls", "why": "too short a history for increase(…, 2h)", "accounts": ["main"]},
            {
                "rule": "growth",
                "why": "too short a history for increase(…, 1h)",
                "accounts": [
                    "main",
                    "main:c000",
                    "main:c002",
                    "main:c003",
                    "main:c004",
                    "main:c005",
                    "main:c006",
                    "main:c007",
                    "main:c008",
                ],
            },
        ]
    )
    assert json.loads(guard("status", "--format", "json").out)["young"] == document["young"]
