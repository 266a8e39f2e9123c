"""`guard backtest`: the past under a rule file, beside what was sent and what the running rules would have."""

import json
import os
import pty
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.clock import Clock
from guard.errors import ExitCode
from guard.model import AlertKey, Answer, Event, EventKind, Failure, FailureKind, Level, SubAccount
from guard.store import Poll, RuleFile, Unit
from tests.builders import KEY, at
from tests.cli.conftest import RULES, Fill, Run

LEFT = (5, 5, 2, 2, 1, 1, 5, 5)


def answered(left: int) -> Answer:
    payload = {"numbers": {"used": 12 - left, "limit": 12, "remaining": left}}
    return Answer(payload, json.dumps(payload))


def past(unit: Unit, account: str = "main") -> None:
    """Eight polls, the last one minute ago."""
    for number, left in enumerate(LEFT):
        unit.record_poll(Poll(account, at(number), answered(left)))


def past_of(text: str) -> Callable[[Unit], None]:
    """The same polls, under rules of which this is the version that took effect."""

    def work(unit: Unit) -> None:
        past(unit)
        unit.add_rule_file(RuleFile(at(0), "d1", text, ()))

    return work


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(len(LEFT)))


@pytest.fixture
def minutely(rules: Path) -> Path:
    rules.write_text(RULES.replace('every = "1s"', 'every = "1m"'))
    return rules


@pytest.mark.usefixtures("minutely")
def test_what_would_have_been_sent_stands_beside_what_was(guard: Run, fill: Fill) -> None:
    def sent(unit: Unit) -> None:
        past(unit)
        unit.add_events([Event(at(2), KEY, EventKind.DELIVERED, "i1", Level.WARNING, channel="ops")])

    fill(sent)
    done = guard("backtest", "--since", "8m")
    assert (done.code, done.err) == (ExitCode.DONE, "")
    assert done.out == snapshot("""\
main: 8 polls from 2026-11-23 14:05 UTC to 2026-11-23 14:13 UTC
RULE               VALUE     RANGE
numbers-remaining  ██▃▃▁▁██  1 to 5; warning < 3, critical < 2

      AT                       MESSAGE               ALERT                   TO   SUMMARY
      2026-11-23 14:07:00 UTC  [warning]             main/numbers-remaining  ops  2 of 12 phone numbers left
sent  2026-11-23 14:07:00 UTC  warning               main/numbers-remaining  ops
      2026-11-23 14:09:00 UTC  [escalated critical]  main/numbers-remaining  ops  1 of 12 phone numbers left
      2026-11-23 14:11:00 UTC  [resolved]            main/numbers-remaining  ops  5 of 12 phone numbers left
3 messages would have been sent; 1 sent in that time

""")


def test_two_rule_files_differ_in_messages(guard: Run, fill: Fill, minutely: Path) -> None:
    fill(past_of(minutely.read_text()))
    new = Path("new.toml")
    new.write_text(minutely.read_text().replace("< 3", "< 2").replace("critical", "# critical"))
    done = guard("backtest", "--rules", "new.toml", "--since", "8m")
    assert (done.code, done.err) == (ExitCode.DONE, "")
    assert done.out == snapshot("""\
main: 8 polls from 2026-11-23 14:05 UTC to 2026-11-23 14:13 UTC
RULE               VALUE     RANGE
numbers-remaining  ██▃▃▁▁██  1 to 5; warning < 2

            AT                       MESSAGE               ALERT                   TO   SUMMARY
- only now  2026-11-23 14:07:00 UTC  [warning]             main/numbers-remaining  ops  2 of 12 phone numbers left
- only now  2026-11-23 14:09:00 UTC  [escalated critical]  main/numbers-remaining  ops  1 of 12 phone numbers left
+ only new  2026-11-23 14:09:00 UTC  [warning]             main/numbers-remaining  ops  1 of 12 phone numbers left
both        2026-11-23 14:11:00 UTC  [resolved]            main/numbers-remaining  ops  5 of 12 phone numbers left
2 messages would have been sent; 1 only by this file, 2 only by the rules that run now, 1 by both

""")
    same = json.loads(guard("backtest", "--since", "8m", "--format", "json").out)
    assert {each["by"] for each in same["accounts"][0]["messages"]} == {"new"}
    assert not same["accounts"][0]["compared"]


EDITS = {
    "a threshold that is lowered": (
        "< 3",
        "< 2.5",
        ("both", "both", "both"),
        "the very same by the rules that run now",
    ),
    "a threshold that is met later": (
        "< 3",
        "< 2",
        ("running", "running", "new", "both"),
        "1 only by this file, 2 only by the rules that run now, 1 by both",
    ),
    "a rule that is renamed": (
        "[rules.numbers-remaining]",
        '[rules.numbers-left]\nrenamed_from = "numbers-remaining"',
        ("both", "both", "both"),
        "the very same by the rules that run now",
    ),
    "a rule under another name": (
        "[rules.numbers-remaining]",
        "[rules.numbers-left]",
        ("new", "running") * 3,
        "3 only by this file, 3 only by the rules that run now, 0 by both",
    ),
    "a rule that is removed": (
        "[rules.numbers-remaining]",
        '[rules.calls]\nvalue = "stats.callsLast24h"\nwarning = "> 5"\n[rules.numbers-remaining]\nenabled = false',
        ("running",) * 3,
        "0 only by this file, 3 only by the rules that run now, 0 by both",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_seen_in_whose_messages_there_are(guard: Run, fill: Fill, minutely: Path, edit: str) -> None:
    old, new, by, verdict = EDITS[edit]
    fill(past_of(minutely.read_text()))
    Path("new.toml").write_text(minutely.read_text().replace(old, new))
    (found,) = json.loads(guard("backtest", "--rules", "new.toml", "--format", "json").out)["accounts"]
    assert found["compared"]
    assert tuple(each["by"] for each in found["messages"]) == by
    assert verdict in guard("backtest", "--rules", "new.toml").out


def test_both_names_of_a_renamed_rule_are_one(guard: Run, fill: Fill, minutely: Path) -> None:
    fill(past_of(minutely.read_text()))
    renamed = '[rules.numbers-left]\nrenamed_from = "numbers-remaining"'
    Path("new.toml").write_text(
        minutely.read_text().replace("[rules.numbers-remaining]", renamed).replace("< 3", "< 2")
    )
    assert guard("backtest", "--rules", "new.toml").out.partition("\n\n")[2] == snapshot("""\
            AT                       MESSAGE               ALERT                   TO   SUMMARY
- only now  2026-11-23 14:07:00 UTC  [warning]             main/numbers-remaining  ops  2 of 12 phone numbers left
- only now  2026-11-23 14:09:00 UTC  [escalated critical]  main/numbers-remaining  ops  1 of 12 phone numbers left
+ only new  2026-11-23 14:09:00 UTC  [critical]            main/numbers-left       ops  1 of 12 phone numbers left
both        2026-11-23 14:11:00 UTC  [resolved]            main/numbers-left       ops  5 of 12 phone numbers left
2 messages would have been sent; 1 only by this file, 2 only by the rules that run now, 1 by both

""")


@pytest.mark.parametrize(
    "other", ['every = "2m"', 'every = "1m"\ntz = "Asia/Tokyo"', 'every = "1m"\nstale_after = "1h"']
)
def test_a_file_of_another_rhythm_is_compared_too(guard: Run, fill: Fill, minutely: Path, other: str) -> None:
    fill(past_of(minutely.read_text()))
    Path("new.toml").write_text(minutely.read_text().replace('every = "1m"', other))
    assert "the very same by the rules that run now" in guard("backtest", "--rules", "new.toml").out


@pytest.mark.usefixtures("minutely")
def test_the_line_begins_with_the_first_poll_that_there_is(guard: Run, fill: Fill) -> None:
    fill(past)
    (month,) = json.loads(guard("backtest", "--since", "30d", "--format", "json").out)["accounts"]
    assert (month["from"], month["to"]) == ("2026-11-23T14:05:00Z", "2026-11-23T14:13:00Z")
    assert month["curves"][0]["values"] == list(LEFT)


EACH = """
[rules.talk]
each = "agent"
value = "agent.totalSeconds"
warning = "> 10h"

[rules.texts]
each = "number"
value = "number.messages"
warning = "> 10_000"
"""


def test_a_clock_that_went_back_hides_nothing(
    guard: Run, fill: Fill, minutely: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert minutely.exists()
    fill(past)
    monkeypatch.setattr(Clock, "now", lambda _: at(-60))
    assert "3 messages would have been sent" in guard("backtest").out


def test_a_rule_with_each_has_lines_of_those_that_came_nearest(guard: Run, minutely: Path) -> None:
    minutely.write_text(minutely.read_text() + EACH)
    done = guard("backtest", "--series", "numbers")
    assert (done.code, done.err) == (ExitCode.DONE, "")
    assert done.out.partition("\n\n")[0] == snapshot("""\
main: 26 polls from 2026-06-01 00:00 UTC to 2026-06-01 00:26 UTC
RULE               VALUE                       RANGE
numbers-remaining  █████▃▃▃▃▃▃▃▃▃▃▁▁▁▁▁▁▁▁▁▁█  1 to 5; warning < 3, critical < 2
talk/agt_1         ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0 s; warning > 10 h
talk/agt_2         ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0 s; warning > 10 h
talk/agt_3         ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0 s; warning > 10 h
texts/num_1        ██████████████████████████  23,211 to 23,212; warning > 10,000
texts/num_2        ██████████████████████████  17,409; warning > 10,000
texts/num_3        ██████████████████████████  13,540; warning > 10,000
texts: 8 more subjects, none of which came nearer\
""")


def test_a_rule_with_each_says_where_there_was_none(guard: Run, fill: Fill, minutely: Path) -> None:
    minutely.write_text(minutely.read_text() + EACH)
    fill(past)
    assert guard("backtest").out.partition("\n\n")[0] == snapshot("""\
main: 8 polls from 2026-11-23 14:05 UTC to 2026-11-23 14:13 UTC
RULE               VALUE     RANGE
numbers-remaining  ██▃▃▁▁██  1 to 5; warning < 3, critical < 2
talk               ········  unknown all the time: no agent was listed
texts              ········  unknown all the time: no number was listed\
""")


@pytest.mark.parametrize(("columns", "blocks"), [(80, 25), (100, 45), (120, 60)])
def test_the_table_keeps_to_the_terminal(
    guard: Run, minutely: Path, monkeypatch: pytest.MonkeyPatch, columns: int, blocks: int
) -> None:
    minutely.write_text(minutely.read_text() + EACH)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    table = re.sub(r"\x1b\[[0-9;]*m", "", guard("backtest", "--series", "webhooks").out).partition("\n\n")[0]
    lines = table.splitlines()
    assert max(map(len, lines[1:])) <= columns
    assert lines[2] == f"numbers-remaining  {'█' * blocks}  5; warning < 3, critical < 2"


def test_an_account_that_is_new_has_nothing_to_be_compared_with(guard: Run, fill: Fill, minutely: Path) -> None:
    old = minutely.read_text().replace("accounts.main", "accounts.other")
    fill(past_of(old))
    assert "would have been sent\n" in guard("backtest").out


def test_a_running_version_that_cannot_be_read_any_more_is_left_out(guard: Run, fill: Fill, minutely: Path) -> None:
    assert minutely.exists()
    fill(past_of("broken"))
    assert "would have been sent\n" in guard("backtest").out


@pytest.mark.usefixtures("minutely")
def test_what_lies_before_is_looked_back_on_and_not_told(guard: Run, fill: Fill) -> None:
    rules = RULES + '\n[rules.growth]\nvalue = "increase(stats.totalMessages, 5m)"\nwarning = "> 5"\n'
    Path("rules.toml").write_text(rules.replace('every = "1s"', 'every = "1m"'))

    def grown(unit: Unit) -> None:
        for number in range(8):
            payload = {"stats": {"totalMessages": 3 * number}, "numbers": {"remaining": 1}}
            unit.record_poll(Poll("main", at(number), Answer(payload, json.dumps(payload))))
        unit.record_poll(Poll("main", at(0.5), Failure(FailureKind.SERVER, "the API answered 503")))

    fill(grown)
    document = json.loads(guard("backtest", "--since", "2m", "--format", "json").out)
    (account,) = document["accounts"]
    assert account["polls"] == 2
    assert [each["alert"] for each in account["messages"]] == ["main/numbers-remaining", "main/growth"]


def test_sub_accounts_are_those_of_the_listings(guard: Run, fill: Fill, minutely: Path) -> None:
    minutely.write_text(minutely.read_text().replace("[channels.ops]", 'sub_accounts = "all"\n[channels.ops]', 1))

    def two(unit: Unit) -> None:
        past(unit)
        past(unit, "main:acme")
        unit.save_sub_accounts([SubAccount("main", "acme")])

    fill(two)
    document = json.loads(guard("backtest", "--format", "json").out)
    assert [each["account"] for each in document["accounts"]] == ["main", "main:acme"]
    only = json.loads(guard("backtest", "--account", "main:*", "--format", "json").out)
    assert [each["account"] for each in only["accounts"]] == ["main:acme"]
    keys = {AlertKey("main:acme", "numbers-remaining")}
    assert {each["alert"] for each in only["accounts"][0]["messages"]} == {str(key) for key in keys}


@pytest.mark.usefixtures("minutely")
def test_where_nothing_is_stored_a_story_is_offered(guard: Run, fill: Fill) -> None:
    fill(lambda _: None)
    assert guard("backtest").out == snapshot("""\
main: no poll is stored since 2026-10-24 14:13 UTC

`guard run` records polls, and --since 90d looks further back. Without a past, --series numbers
plays a story that is built in, and --series FILE one of yours.
""")


@pytest.mark.usefixtures("minutely")
def test_a_story_takes_the_place_of_the_past(guard: Run) -> None:
    done = guard("backtest", "--series", "numbers")
    assert (done.code, done.err) == (ExitCode.DONE, "")
    assert done.out == snapshot("""\
main: 26 polls from 2026-06-01 00:00 UTC to 2026-06-01 00:26 UTC
RULE               VALUE                       RANGE
numbers-remaining  █████▃▃▃▃▃▃▃▃▃▃▁▁▁▁▁▁▁▁▁▁█  1 to 5; warning < 3, critical < 2

  AT                       MESSAGE               ALERT                   TO   SUMMARY
  2026-06-01 00:05:00 UTC  [warning]             main/numbers-remaining  ops  2 of 12 phone numbers left
  2026-06-01 00:15:00 UTC  [escalated critical]  main/numbers-remaining  ops  1 of 12 phone numbers left
  2026-06-01 00:25:00 UTC  [resolved]            main/numbers-remaining  ops  5 of 12 phone numbers left
3 messages would have been sent

""")


@pytest.mark.usefixtures("minutely")
def test_mistakes_of_the_command_line_are_said(guard: Run, fill: Fill) -> None:
    missing = guard("backtest")
    assert missing.code == ExitCode.STORAGE
    for way in ("`guard run`", "GUARD_DATABASE", "--series FILE", "`guard demo`"):
        assert way in missing.err
    fill(lambda _: None)
    unknown = guard("backtest", "--series", "numbrs")
    assert unknown.code == ExitCode.USAGE
    assert "--series: there is no scenario 'numbrs', did you mean 'numbers'?" in unknown.err
    assert "--since: " in guard("backtest", "--since", "soon").err
    assert "there is no account 'mian', did you mean 'main'?" in guard("backtest", "--account", "mian").err


@pytest.mark.usefixtures("minutely")
def test_a_bar_on_the_terminal_of_stderr_shows_how_far_it_is(
    guard: Run, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(past)
    piped = guard("backtest")
    assert piped.err == ""
    monkeypatch.setenv("TERM", "xterm-256color")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as context:
        context.setattr(sys, "stderr", terminal)
        done = guard("backtest")
    drawn = _read_to_the_end(ours)
    os.close(ours)
    assert re.search(r"main .*\d+%", drawn)
    assert done.out == piped.out


@pytest.mark.usefixtures("minutely")
def test_where_nothing_happened_there_are_the_lines_alone(guard: Run, fill: Fill) -> None:
    fill(lambda unit: unit.record_poll(Poll("main", at(0), answered(5))))
    assert guard("backtest").out.endswith("critical < 2\n\n0 messages would have been sent\n\n")


def _read_to_the_end(terminal: int) -> str:
    read = b""
    while True:
        try:
            more = os.read(terminal, 65_536)
        except OSError:  # as Linux says that nobody holds the other end any more
            return read.decode()
        if not more:
            return read.decode()
        read += more
