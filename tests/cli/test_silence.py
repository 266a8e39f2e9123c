# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard ack` and `guard silence`: what they write, and what they say to a misspelled word."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from inline_snapshot import snapshot

from guard.clock import Clock
from guard.errors import ExitCode
from guard.model import Ack, AlertKey, EventKind, Level, Silence, State
from guard.store import Unit
from guard.store.database import Database
from tests.builders import KEY, account, alert, at, incident, reading
from tests.cli.conftest import RULES, Fill, Run

C = Level.CRITICAL
T = TypeVar("T")
AGENT = AlertKey("main", "agent-minutes", "agt_1")


@pytest.fixture(autouse=True)
def _here(in_zone: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(12))
    monkeypatch.setattr("guard.cli.person.getuser", lambda: "ann")


def firing(unit: Unit) -> None:
    """An account with two alerts that fire, one of which is of an agent, and one at rest."""
    unit.save_account(account(cycled_at=at(12), good_at=at(12)))
    agents = incident(key=AGENT, id="inc2", peak=Level.WARNING)
    unit.save_alerts(
        [
            alert(state=State.FIRING, level=C, incident=incident(peak=C), reading=reading(labels={"team": "ops"})),
            alert(key=AGENT, state=State.FIRING, level=Level.WARNING, incident=agents),
            alert(key=AlertKey("main", "calls")),
        ]
    )


def acks(incident_id: str = "inc1") -> list[Ack]:
    return _read(lambda unit: unit.acks([incident_id]))


def silences() -> list[Silence]:
    return _read(lambda unit: unit.silences())


def _read(work: Callable[[Unit], list[T]]) -> list[T]:
    database = Database(Path("guard.db").resolve(), create=False)
    found = database.run(work)
    database.close()
    return found


# --- ack ------------------------------------------------------------------------------------------------------------


def test_what_fires_is_acknowledged_until_it_ends(guard: Run, rules: Path, fill: Fill) -> None:
    fill(firing)
    done = guard("ack", "main/numbers-remaining", "--reason", "more  are\nordered")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot("""\
main/numbers-remaining is acknowledged by ann.
Nobody is reminded of it until it ends; that is told all the same.
""")
    assert acks() == [Ack("inc1", C, at(12), "ann", "more are ordered", id=1)]
    [event] = _read(lambda unit: unit.events(limit=9))
    assert (event.kind, event.key, event.text) == (EventKind.ACKED, KEY, "by ann: more are ordered")


def test_an_ack_may_be_for_a_time_and_a_rise_breaks_it(guard: Run, rules: Path, fill: Fill) -> None:
    rules.write_text(RULES.replace("every =", 'tz = "Europe/Berlin"\nevery ='))
    fill(firing)
    assert guard("ack", str(AGENT), "--for", "4h", "--by", "bob").out == snapshot("""\
main/agent-minutes/agt_1 is acknowledged by bob.
Nobody is reminded of it until it gets worse than warning, or ends, or at the latest until 2026-11-23 19:17 CET; that is told all the same.
""")
    [found] = acks("inc2")
    assert (found.until_at, found.by) == (at(12) + timedelta(hours=4), "bob")


def test_an_ack_is_taken_back(guard: Run, rules: Path, fill: Fill) -> None:
    fill(firing)
    guard("ack", "main/numbers-remaining")
    assert guard("ack", "main/numbers-remaining", "--undo").out == snapshot(
        "main/numbers-remaining: 1 ack taken back; reminders go on.\n"
    )
    assert [each.ended_at for each in acks()] == [at(12)]
    assert [each.kind for each in _read(lambda unit: unit.events(limit=9))] == [EventKind.UNACKED, EventKind.ACKED]
    again = guard("ack", "main/numbers-remaining", "--undo")
    assert (again.code, again.err) == (ExitCode.USAGE, "guard: error: main/numbers-remaining is not acknowledged\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            "main/calls",
            snapshot("main/calls does not fire; what fires is main/agent-minutes/agt_1, main/numbers-remaining"),
        ),
        (
            "main/numbers-remainin",
            snapshot("there is no alert 'main/numbers-remainin', did you mean 'main/numbers-remaining'?"),
        ),
        (
            "main/agent-minutes",
            snapshot("there is no alert 'main/agent-minutes'; what fires is main/agent-minutes/agt_1"),
        ),
        (
            "prod/x",
            snapshot("there is no alert 'prod/x'; what fires is main/agent-minutes/agt_1, main/numbers-remaining"),
        ),
        ("main/calls --undo --for 1h", snapshot("--undo takes an ack back; leave out --for and --reason")),
        (
            "main/calls --for 1y",
            snapshot("--for: '1y' is not a duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d"),
        ),
        ("main/calls --for 91d", snapshot("--for is more than 0s, and 90d at most, not 91d")),
        (f"main/calls --by {'x' * 101}", snapshot("--by has at most 100 characters, and this 101")),
    ],
)
def test_what_cannot_be_acknowledged_is_told_with_what_can(
    guard: Run, rules: Path, fill: Fill, words: str, why: str
) -> None:
    fill(firing)
    done = guard("ack", *words.split())
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert done.err.strip().removeprefix("guard: error: ") == why


def test_of_many_that_fire_some_are_named(guard: Run, fill: Fill) -> None:
    def many(unit: Unit) -> None:
        keys = [AlertKey("main", f"rule-{number}") for number in range(7)]
        about = [incident(key=key, id=f"inc{number}") for number, key in enumerate(keys)]
        unit.save_alerts([alert(key=each.key, state=State.FIRING, level=C, incident=each) for each in about])

    fill(many)
    assert guard("ack", "what/ever").err == snapshot(
        "guard: error: there is no alert 'what/ever'; what fires is main/rule-0, main/rule-1, main/rule-2, main/rule-3, main/rule-4 and 2 more\n"
    )
    fill(lambda unit: unit.delete_alerts(list(unit.alerts())))
    assert guard("ack", "what/ever").err == snapshot(
        "guard: error: there is no alert 'what/ever'; no alert fires now\n"
    )


def test_whoever_has_no_name_is_not_named(guard: Run, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("guard.cli.person.getuser", nobody)
    fill(firing)
    assert guard("ack", "main/numbers-remaining").out.splitlines()[0] == "main/numbers-remaining is acknowledged."


# --- silence ----------------------------------------------------------------------------------------------------------


def test_a_silence_says_its_number_and_what_it_matches_now(guard: Run, rules: Path, fill: Fill) -> None:
    fill(firing)
    done = guard("silence", "add", "main/*", "--for", "2h", "--reason", "an upgrade")
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot("""\
Silence 1: main/*, until 2026-11-23 16:17 UTC.
It matches 4 rules on 1 account; of them fires main/numbers-remaining, main/agent-minutes/agt_1.
""")
    assert silences() == [Silence("main/*", at(12), at(132), reason="an upgrade", by="ann", id=1)]


def test_a_silence_may_begin_later_and_be_for_some_only(guard: Run, rules: Path, fill: Fill) -> None:
    fill(firing)
    words = "--start 2026-11-23T16:00Z --until 2026-11-23T18:30+01:00 --label team=ops --below critical --by bob"
    assert guard("silence", "add", "*", *words.split()).out == snapshot("""\
Silence 1: * team=ops below critical, from 2026-11-23 16:00 UTC until 2026-11-23 17:30 UTC.
It matches 1 rule on 1 account; of them fires main/numbers-remaining.
""")
    [found] = silences()
    assert (found.starts_at, found.ends_at) == (at(115), at(205))
    assert (found.labels, found.below, found.by) == ({"team": "ops"}, C, "bob")


def test_a_time_without_a_zone_is_one_of_this_machine(
    guard: Run, rules: Path, fill: Fill, in_zone: Callable[[str], None]
) -> None:
    in_zone("Europe/Berlin")
    fill(firing)
    done = guard("silence", "add", "*", "--start", "2026-11-23 16:00", "--until", "2026-11-23T18:30")
    assert done.out.splitlines()[0] == "Silence 1: *, from 2026-11-23 16:00 CET until 2026-11-23 18:30 CET."
    assert (silences()[0].starts_at, silences()[0].ends_at) == (at(55), at(205))


def test_a_silence_is_about_rules_that_were_never_evaluated_and_about_unwatched_alerts(
    guard: Run, rules: Path, fill: Fill
) -> None:
    fill(lambda unit: None)
    assert guard("silence", "add", "main/numbers-remaining", "--for", "1h").out.splitlines()[1] == snapshot(
        "It matches 1 rule on 1 account; none of them fires now."
    )
    rules.unlink()
    fill(firing)
    assert guard("silence", "add", "main/agent-minutes", "--for", "1h").out.splitlines()[1] == snapshot(
        "It matches 1 rule on 1 account; of them fires main/agent-minutes/agt_1."
    )


def test_a_silence_is_about_sub_accounts_and_not_about_accounts_that_are_gone(
    guard: Run, rules: Path, fill: Fill
) -> None:
    rules.write_text(RULES.replace("every =", 'sub_accounts = "all"\nevery ='))
    for name in ("main:acme", "gone"):
        fill(partial(Unit.save_account, account=account(name=name)))
    said = guard("silence", "add", "*", "--for", "1h").out.splitlines()[1]
    assert said == "It matches 2 rules on 2 accounts; none of them fires now."


@pytest.mark.parametrize(
    ("pattern", "warning"),
    [
        (
            "main/numbers-remainin",
            snapshot(
                "it matches nothing that is known, did you mean 'main/numbers-remaining'? `guard silence end 1` takes it back"
            ),
        ),
        ("prod/*", snapshot("it matches nothing that is known; `guard silence end 1` takes it back")),
    ],
)
def test_a_silence_that_matches_nothing_is_kept_with_a_warning(
    guard: Run, rules: Path, fill: Fill, pattern: str, warning: str
) -> None:
    fill(firing)
    done = guard("silence", "add", pattern, "--for", "2h")
    assert done.code == 0
    assert done.err.strip().removeprefix("guard: warning: ") == warning
    assert len(silences()) == 1


def test_a_silence_that_its_label_alone_keeps_from_matching_says_so(guard: Run, rules: Path, fill: Fill) -> None:
    fill(firing)
    done = guard("silence", "add", "main/numbers-remaining", "--for", "2h", "--label", "team=nobody")
    assert done.err == snapshot(
        "guard: warning: it matches nothing that is known, since nothing there is labelled team=nobody; `guard silence end 1` takes it back\n"
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("*", snapshot("say either --for, such as --for 2h, or --until, such as --until '2026-11-24 06:00'")),
        (
            "* --for 2h --until 2026-11-24T06:00Z",
            snapshot("say either --for, such as --for 2h, or --until, such as --until '2026-11-24 06:00'"),
        ),
        (
            "* --for 2x",
            snapshot("--for: '2x' is not a duration; write a whole number and s, m, h or d, as in 90s, 15m, 36h, 7d"),
        ),
        ("* --for 0s", snapshot("--for is more than 0s, and 90d at most, not 0s")),
        ("* --for 91d", snapshot("--for is more than 0s, and 90d at most, not 91d")),
        (
            "* --until 2027-11-24T06:00Z",
            snapshot("it lasts 90 days at most, and not 365 d 15 h; a rule that nobody wants is disabled"),
        ),
        (
            "* --until yesterday",
            snapshot("--until 'yesterday' is no time; write \"2026-11-24 06:00\", or 2026-11-24T06:00Z"),
        ),
        ("* --until 2026-11-22T06:00Z", snapshot("it would be over before it begins: it ends 2026-11-22 06:00 UTC")),
        (
            "* --for 1h --start 2026-11-22T06:00Z",
            snapshot("it would be over before it begins: it ends 2026-11-22 07:00 UTC"),
        ),
        (
            "* --for 1h --start 2027-11-22T06:00Z",
            snapshot("--start is within the next 90 days, not 2027-11-22 06:00 UTC"),
        ),
        ("* --for 1h --label team", snapshot("--label 'team' is no label; write it as in --label team=support")),
        (
            "numbers-remaining --for 1h",
            snapshot(
                "'numbers-remaining' is no alert; write ACCOUNT/RULE, as in 'numbers-remaining/*' or '*/numbers-remaining'"
            ),
        ),
        (f"{'x' * 401}* --for 1h", snapshot("a pattern has 1 to 400 characters that can be seen")),
    ],
)
def test_a_silence_that_cannot_be_is_refused(guard: Run, rules: Path, fill: Fill, words: str, why: str) -> None:
    fill(firing)
    done = guard("silence", "add", *words.split())
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert done.err.strip().removeprefix("guard: error: ") == why
    assert silences() == []


def test_silences_are_listed_and_ended(guard: Run, rules: Path, fill: Fill) -> None:
    fill(firing)
    assert guard("silence", "list").out == "Nothing is silenced.\n"
    assert guard("silence", "list", "--all").out == "There was no silence yet.\n"
    guard("silence", "add", "main/*", "--for", "2h", "--reason", "an upgrade")
    guard("silence", "add", "*/calls", "--for", "2h", "--start", "2026-11-23T16:00Z", "--below", "critical")
    guard("silence", "add", "*", "--for", "2h", "--label", "team=ops", "--by", "")
    assert guard("silence", "end", "3").out == snapshot(
        "Silence 3 is ended; what still fires is told in the next cycle.\n"
    )
    assert guard("silence", "list").out == snapshot("""\
NUMBER  STATE     FROM                  UNTIL                 ALERTS                  WHY
1       in force  2026-11-23 14:17 UTC  2026-11-23 16:17 UTC  main/*                  by ann: an upgrade
2       to come   2026-11-23 16:00 UTC  2026-11-23 18:00 UTC  */calls below critical  by ann
""")
    assert guard("silence", "list", "--all").out == snapshot("""\
NUMBER  STATE     FROM                  UNTIL                 ALERTS                  WHY
1       in force  2026-11-23 14:17 UTC  2026-11-23 16:17 UTC  main/*                  by ann: an upgrade
2       to come   2026-11-23 16:00 UTC  2026-11-23 18:00 UTC  */calls below critical  by ann
3       over      2026-11-23 14:17 UTC  2026-11-23 14:17 UTC  * team=ops
""")
    assert json.loads(guard("silence", "list", "--format", "json").out)["silences"][1] == snapshot(
        {
            "number": 2,
            "state": "to come",
            "pattern": "*/calls",
            "labels": {},
            "below": "critical",
            "starts_at": "2026-11-23T16:00:00Z",
            "ends_at": "2026-11-23T18:00:00Z",
            "ended_at": None,
            "by": "ann",
            "reason": None,
        }
    )


@pytest.mark.parametrize("number", ["1", "2"])
def test_only_what_goes_on_can_be_ended(guard: Run, rules: Path, fill: Fill, number: str) -> None:
    fill(firing)
    guard("silence", "add", "main/*", "--for", "2h")
    guard("silence", "end", "1")
    done = guard("silence", "end", number)
    what = "silence 1 is over already" if number == "1" else "there is no silence 2"
    why = f"guard: error: {what}; `guard silence list` shows those that can be ended\n"
    assert (done.code, done.err) == (ExitCode.USAGE, why)


@pytest.mark.parametrize("words", ["ack main/x", "silence add * --for 1h", "silence list", "silence end 1"])
def test_without_a_database_there_is_nothing_to_write_to(guard: Run, rules: Path, words: str) -> None:
    assert guard(*words.split()).code == ExitCode.STORAGE


def test_a_group_without_a_command_is_a_mistake(guard: Run) -> None:
    done = guard("silence")
    assert (done.code, done.err) == (
        ExitCode.USAGE,
        snapshot("""\
guard: error: Missing command.
Try `guard silence --help`.
"""),
    )
