# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard explain` of the rules that are built in, also before they ever fired."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from inline_snapshot import snapshot as shown

from guard.clock import Clock
from guard.errors import ExitCode
from guard.model import Failure, FailureKind
from guard.outbox.failing import note_failing
from guard.store import Unit
from tests.builders import account, at
from tests.cli.conftest import RULES, Fill, Run
from tests.cli.explaining import Explain, Sit, left, sentence
from tests.outbox.desk import OK
from tests.stand_ins.slack import Answer
from tests.wiring import NUMBERS

FORBIDDEN = Failure(FailureKind.FORBIDDEN, "the API answered 403")


async def test_no_data_that_never_fired(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 5)
        assert explain("main/guard.no_data") == shown("""\
main/guard.no_data: ok
Nothing is sent now: main answers, and no rule of it has been unknown for long.
Built in. It fires critical when AgentPhone gave no good answer for 3 min (no_data_after), and at once when it refuses the key; warning when a rule has been unknown for 15 min other than for too short a history. Two good answers in a row end it.

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")
        assert explain("guard.no_data") == explain("main/guard.no_data")


async def test_config_invalid_that_never_fired(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 5)
        assert explain("guard.config_invalid") == shown("""\
main/guard.config_invalid: ok
Nothing is sent now: rules.toml can be used.
Built in. It fires warning when rules.toml was changed and cannot be used, and ends when it can be used again.

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning
""")
        assert explain("guard.config_invalid") == explain("main/guard.config_invalid")


async def test_store_failing_while_the_database_takes_writes(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(names=("ops", "boss")) as it:
        await left(it, 5)
        it.clock.move(minutes=1)
        assert explain("guard.store_failing") == shown("""\
guard.store_failing: ok
Nothing is sent now: the database takes writes: the last cycle of main was written 1 min ago.
Built in. It fires critical when three cycles in a row could not be written to the database, goes straight to every channel, at most once an hour, and ends with a write that succeeds.

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of critical
boss     nothing      nothing  never  is told of critical
""")
        assert explain("guard.store_failing") == explain("main/guard.store_failing")
        it.clock.move(minutes=30)
        assert sentence(explain("guard.store_failing")) == shown(
            "Nothing is sent now as far as the database knows: the last cycle of main was written 31 min ago, and should be every 1 min; the service does not run, or it cannot write and has told every channel so."
        )


async def test_store_failing_before_anything_was_written(at_desk: Sit, explain: Explain) -> None:
    async with at_desk():
        assert sentence(explain("guard.store_failing")) == shown(
            "Nothing is sent now: nothing was written yet; `guard run` asks and writes."
        )


def test_store_failing_without_a_good_rule_file(explain: Explain, rules: Path, fill: Fill) -> None:
    fill(lambda unit: unit.save_account(account()))
    rules.write_text("[rules")
    assert explain("guard.store_failing") == shown("""\
guard.store_failing: ok
Nothing is sent now: rules.toml cannot be used, so nobody knows what is watched; `guard check` says why.
Built in. It fires critical when three cycles in a row could not be written to the database, goes straight to every channel, at most once an hour, and ends with a write that succeeds.
""")


async def test_built_in_for_machines(at_desk: Sit, guard: Run) -> None:
    async with at_desk() as it:
        await left(it, 5)
        for name in ("main/guard.no_data", "guard.config_invalid", "guard.store_failing"):
            document = json.loads(guard("explain", name, "--format", "json").out)
            assert document["alert"] == name.replace("guard.config", "main/guard.config")
            assert document["fires_when"].startswith("Built in. It fires ")
            assert [each["channel"] for each in document["channels"]] == ["ops"]


async def test_no_data_that_fires_still_says_what_it_is(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(OK) as it:
        await it.cycle(FORBIDDEN)
        await it.sends()
        assert explain("guard.no_data").splitlines()[:3] == shown(
            [
                "main/guard.no_data: firing critical since 2026-11-23 14:05 UTC, just now",
                "Nothing is sent now: it fires critical and everybody knows; ops is reminded at 2026-11-23 18:05 UTC.",
                "Built in. It fires critical when AgentPhone gave no good answer for 3 min (no_data_after), and at once when it refuses the key; warning when a rule has been unknown for 15 min other than for too short a history. Two good answers in a row end it.",
            ]
        )


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        (
            "guard.no_data",
            shown(
                (
                    ExitCode.USAGE,
                    "guard: error: there is one guard.no_data for each account; write main/guard.no_data or second/guard.no_data\n",
                )
            ),
        ),
        (
            "second/guard.config_invalid",
            shown((0, "Nothing is sent now: guard.config_invalid stands with main, the first account of rules.toml.")),
        ),
        (
            "guard.no_dta",
            shown(
                (
                    ExitCode.USAGE,
                    "guard: error: 'guard.no_dta' is no alert; write ACCOUNT/RULE, as in main/guard.no_data\n",
                )
            ),
        ),
        (
            "numbers-remaning",
            shown(
                (
                    ExitCode.USAGE,
                    "guard: error: 'numbers-remaning' is no alert; write ACCOUNT/RULE, as in main/numbers-remaining\n",
                )
            ),
        ),
        (
            "second",
            shown(
                (
                    ExitCode.USAGE,
                    "guard: error: 'second' is no alert; write ACCOUNT/RULE, as in second/numbers-remaining\n",
                )
            ),
        ),
        (
            "/",
            shown(
                (ExitCode.USAGE, "guard: error: '/' is no alert; write ACCOUNT/RULE, as in main/numbers-remaining\n")
            ),
        ),
    ],
)
def test_of_two_accounts_one_has_to_be_named(
    guard: Run, rules: Path, fill: Fill, alert: str, said: tuple[int, str]
) -> None:
    rules.write_text(RULES + '[accounts.second]\napi_key = "${AGENTPHONE_API_KEY}"\n')
    fill(lambda unit: unit.save_account(account()))
    done = guard("explain", alert)
    assert (done.code, done.err or sentence(done.out)) == said


def test_without_a_rule_file_nobody_knows_which_accounts_there_are(guard: Run, fill: Fill) -> None:
    fill(lambda unit: unit.save_account(account()))
    for alert in ("guard.no_data", "guard.config_invalid", "numbers-remaining"):
        done = guard("explain", alert)
        assert done.code == ExitCode.USAGE
        assert "ACCOUNT/" in done.err


def test_a_sub_account_has_its_own_no_data(
    explain: Explain, rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(0))
    rules.write_text(RULES.replace('every = "1s"', 'every = "1m"\nsub_accounts = ["acme"]'))
    for name in ("main", "main:acme"):
        fill(partial(Unit.save_account, account=account(name=name, cycled_at=at(0))))
    assert explain("main:acme/guard.no_data") == shown("""\
main:acme/guard.no_data: ok
Nothing is sent now: main:acme answers, and no rule of it has been unknown for long.
Built in. It fires critical when AgentPhone gave no good answer for 3 min (no_data_after), and at once when it refuses this account (403); warning when a rule has been unknown for 15 min other than for too short a history. Two good answers in a row end it.

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_a_channel_that_was_told_of_lost_data_and_refused(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(Answer(status=404, body="no_service")) as it:
        await it.cycle(FORBIDDEN)
        await it.sends()
        assert sentence(explain("guard.no_data")) == shown(
            "Nothing is sent now: ops refused it (Slack answered 404 no_service); it is tried again within the hour, or after `guard send-test ops`."
        )


# --- a channel -----------------------------------------------------------------------------------------------------


async def test_channel_failing_that_never_fired(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(names=("ops", "boss")) as it:
        await left(it, 5)
        assert explain("main/guard.channel_failing/ops") == shown("""\
main/guard.channel_failing/ops: ok
Nothing is sent now: ops takes what it is sent.
Built in. It fires critical when the channel refused a message for good, warning when one has waited for 15 min, goes to every other channel, and ends when all that waited has arrived.

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
boss     nothing      nothing  never  is told of warning and critical
""")


async def test_channel_failing_needs_the_name_of_a_channel(at_desk: Sit, guard: Run) -> None:
    async with at_desk(names=("ops", "boss")) as it:
        await left(it, 5)
        assert guard("explain", "guard.channel_failing").err == shown(
            "guard: error: there is one guard.channel_failing for each channel; write main/guard.channel_failing/ops or main/guard.channel_failing/boss\n"
        )
        assert "has no channel 'opps', did you mean 'ops'?" in guard("explain", "main/guard.channel_failing/opps").out


async def test_a_fallback_is_named_as_one(at_desk: Sit, explain: Explain, tmp_path: Path) -> None:
    gone = Answer(status=404, body="no_service")
    async with at_desk(gone, names=("ops", "boss"), rules=NUMBERS + 'notify = ["ops"]\n') as it:
        rules = tmp_path / "rules.toml"
        rules.write_text(rules.read_text().replace("remind", 'fallback = ["boss"]\nremind'))
        await left(it, 1)
        await it.sends("ops")
        with_boss = replace(it.parts.config, fallback=("boss",))
        await it.store.run(partial(note_failing, config=with_boss, now=it.clock.now()))
        await it.sends("boss")
        assert explain("main/numbers-remaining").partition("\n\n")[2] == shown("""\
By the answer of 2026-11-23 14:05 UTC, just now:
  value     numbers.remaining = 1
  critical  < 2: holds
  warning   < 3: holds

It says: 1 phone numbers left
Incident c33bf53c88545233, at its worst critical (1)

CHANNEL  SHOULD KNOW  KNOWS     TOLD                            NEXT
ops      critical     nothing   never                           refused it; tried again within the hour, or after `guard send-test ops`
boss     critical     critical  2026-11-23 14:05 UTC, just now  told as the fallback

ops: post a7580aa2 dead after 1 attempt: Slack answered 404 no_service
""")
        assert explain("main/guard.channel_failing/ops") == shown("""\
main/guard.channel_failing/ops: firing critical since 2026-11-23 14:05 UTC, just now
Nothing is sent now: it fires critical and everybody knows; boss is reminded at 2026-11-23 18:05 UTC.
Built in. It fires critical when the channel refused a message for good, warning when one has waited for 15 min, goes to every other channel, and ends when all that waited has arrived.

It says: ops refuses messages for good: Slack answered 404 no_service
Incident d1ccd5417dfa0c2d, at its worst critical

CHANNEL  SHOULD KNOW  KNOWS     TOLD                            NEXT
boss     critical     critical  2026-11-23 14:05 UTC, just now  reminded at 2026-11-23 18:05 UTC
""")
