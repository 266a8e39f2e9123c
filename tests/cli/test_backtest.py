"""`guard backtest`: the past under a rule file, beside what was sent and what the running rules would have."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.cli import backtest
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
main: 8 polls
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
main: 8 polls
RULE               VALUE     RANGE
numbers-remaining  ██▃▃▁▁██  1 to 5; warning < 2

   AT                       MESSAGE               ALERT                   TO   SUMMARY
-  2026-11-23 14:07:00 UTC  [warning]             main/numbers-remaining  ops  2 of 12 phone numbers left
-  2026-11-23 14:09:00 UTC  [escalated critical]  main/numbers-remaining  ops  1 of 12 phone numbers left
+  2026-11-23 14:09:00 UTC  [warning]             main/numbers-remaining  ops  1 of 12 phone numbers left
   2026-11-23 14:11:00 UTC  [resolved]            main/numbers-remaining  ops  5 of 12 phone numbers left
2 messages would have been sent; + 1 and - 2 against the rules that run

""")
    same = json.loads(guard("backtest", "--since", "8m", "--format", "json").out)
    assert {each["sign"] for each in same["accounts"][0]["messages"]} == {""}


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
main: 0 polls
Nothing is stored of that time. A story shows what the rules do: --series numbers

""")


@pytest.mark.usefixtures("minutely")
def test_a_story_takes_the_place_of_the_past(guard: Run) -> None:
    done = guard("backtest", "--series", "numbers")
    assert (done.code, done.err) == (ExitCode.DONE, "")
    assert done.out == snapshot("""\
main: 26 polls
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
    assert guard("backtest").code == ExitCode.STORAGE
    fill(lambda _: None)
    unknown = guard("backtest", "--series", "numbrs")
    assert unknown.code == ExitCode.USAGE
    assert "--series: there is no scenario 'numbrs', did you mean 'numbers'?" in unknown.err
    assert "--since: " in guard("backtest", "--since", "soon").err
    assert "there is no account 'mian', did you mean 'main'?" in guard("backtest", "--account", "mian").err


@pytest.mark.usefixtures("minutely")
def test_a_bar_shows_how_far_it_is_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with backtest._progress("main") as show:
        show(0.5)
