# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard explain`: why an alert was told, or why not, in situations that real cycles and a real outbox made."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from inline_snapshot import snapshot as shown

from guard.clock import Clock
from guard.errors import ExitCode
from guard.lifecycle.decide import Decision
from guard.model import (
    Account,
    AlertKey,
    Cover,
    Endpoint,
    Failure,
    FailureKind,
    Knowledge,
    Level,
    State,
    SubAccount,
)
from guard.model import Answer as Usage
from guard.store import Poll, Unit
from tests.builders import KEY, NOW, account, alert, at, delivery, incident, notification
from tests.cli.conftest import RULES, Fill, Run
from tests.cli.explaining import Explain, Sit, answers, keyless, left, sentence
from tests.cli.test_reference import section
from tests.outbox.desk import DOWN, OK, Desk
from tests.stand_ins.slack import Answer
from tests.wiring import NUMBERS

REFUSED = Answer(status=404, body="no_service")
PATIENT = NUMBERS + 'for = "10m"\nkeep_firing_for = "15m"\n'
BUSY = """
[rules.messages]
value = "stats.messagesLast24h"
warning = "> 80% * budgets.daily"
clear = "< 70% * budgets.daily"
[budgets]
daily = 1_000
"""
DOWN_API = Failure(FailureKind.SERVER, "the API failed: 503")
WEBHOOKS = """
[rules.webhook-failures]
value = "increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h)"
when = "increase(stats.totalWebhookDeliveries, 1h) >= 20"
unit = "share"
warning = "> 5%"
critical = "> 20%"
for = "10m"
"""
PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text()


async def webhooks(it: Desk, *, failed: int, total: int) -> None:
    await answers(it, stats={"failedWebhookDeliveries": failed, "totalWebhookDeliveries": total})


async def test_an_alert_at_rest(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 5)
        assert explain() == shown("""\
main/numbers-remaining: ok
Nothing is sent now: no level holds.

By the answer of 2026-11-23 14:05 UTC, just now:
  value     numbers.remaining = 5
  critical  < 2: does not hold
  warning   < 3: does not hold

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_what_is_told_now_goes_on_to_be_what_everybody_knows(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        assert sentence(explain()) == shown("ops is told now.")
        await it.sends()
        it.clock.move(minutes=1)
        await left(it, 1)
        assert explain() == shown("""\
main/numbers-remaining: firing critical since 2026-11-23 14:05 UTC, 1 min ago
Nothing is sent now: it fires critical and everybody knows; ops is reminded at 2026-11-23 18:05 UTC.

By the answer of 2026-11-23 14:06 UTC, just now:
  value     numbers.remaining = 1
  critical  < 2: holds
  warning   < 3: holds

It says: 1 phone numbers left
Incident c33bf53c88545233, at its worst critical (1)

CHANNEL  SHOULD KNOW  KNOWS     TOLD                             NEXT
ops      critical     critical  2026-11-23 14:05 UTC, 1 min ago  reminded at 2026-11-23 18:05 UTC
""")


async def test_on_a_terminal_of_80_columns_the_channels_are_still_a_table(
    at_desk: Sit, explain: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    async with at_desk() as it:
        await left(it, 1)
        await it.sends()
        it.clock.move(minutes=1)
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")
        assert re.sub(r"\x1b\[[0-9;]*m", "", explain()).splitlines()[-3:] == shown(
            [
                "CHANNEL  SHOULD KNOW  KNOWS     TOLD                    NEXT",
                "ops      critical     critical  2026-11-23 14:05 UTC,   reminded at 2026-11-23",
                "                                1 min ago               18:05 UTC",
            ]
        )


async def test_an_alert_that_is_over(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        await it.sends()
        it.clock.move(minutes=1)
        await left(it, 5)
        assert sentence(explain()) == shown("ops is told now.")
        await it.sends()
        assert explain().splitlines()[:2] == shown(
            ["main/numbers-remaining: ok", "Nothing is sent now: no level holds, and everybody knows."]
        )
        assert explain().splitlines()[-1] == shown(
            "ops      critical, ended  critical, ended  2026-11-23 14:06 UTC, just now"
        )


async def test_a_condition_that_has_not_held_for_long_enough(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=PATIENT) as it:
        for numbers in (2, 2, 2, 1):
            await left(it, numbers)
            it.clock.move(minutes=2)
        assert explain() == shown("""\
main/numbers-remaining: pending
Nothing is sent now: it is pending until 2026-11-23 14:15 UTC: warning has held 6 min of 10 min (for).

By the answer of 2026-11-23 14:11 UTC, 2 min ago:
  value     numbers.remaining = 1
  critical  < 2: holds; has held 0 s of 10 min (for)
  warning   < 3: holds; has held 6 min of 10 min (for)

It says: 1 phone numbers left

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_an_end_that_has_not_held_for_long_enough(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=PATIENT.replace('for = "10m"\n', "", 1)) as it:
        for numbers in (1, 5, 5):
            await left(it, numbers)
            await it.sends()
            it.clock.move(minutes=2)
        assert explain() == shown("""\
main/numbers-remaining: recovering critical since 2026-11-23 14:05 UTC, 6 min ago
Nothing is sent now: it is recovering until 2026-11-23 14:22 UTC: over for 2 min of 15 min (keep_firing_for).

By the answer of 2026-11-23 14:09 UTC, 2 min ago:
  value     numbers.remaining = 5
  critical  < 2: does not hold
  warning   < 3: does not hold
  clear     no level holds; has held 2 min of 15 min (keep_firing_for)

It says: 5 phone numbers left
Incident c33bf53c88545233, at its worst critical (1)

CHANNEL  SHOULD KNOW  KNOWS     TOLD                             NEXT
ops      critical     critical  2026-11-23 14:05 UTC, 6 min ago
""")


async def test_between_the_lowest_level_and_its_end(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=BUSY) as it:
        for messages in (900, 750):
            await answers(it, stats={"messagesLast24h": messages})
            await it.sends()
            it.clock.move(minutes=1)
        assert explain("main/messages") == shown("""\
main/messages: firing warning since 2026-11-23 14:05 UTC, 2 min ago
Nothing is sent now: no level holds, but it is over only at `clear` (< 70% * budgets.daily); it fires warning and everybody knows; ops is reminded at 2026-11-24 14:05 UTC.

By the answer of 2026-11-23 14:06 UTC, 1 min ago:
  value     stats.messagesLast24h = 750
  warning   > 80% * budgets.daily = 800: does not hold
              budgets.daily = 1,000
  clear     < 70% * budgets.daily = 700: does not hold
              budgets.daily = 1,000

It says: stats.messagesLast24h is 750
Incident 34f4b9166fe20be0, at its worst warning (900)

CHANNEL  SHOULD KNOW  KNOWS    TOLD                             NEXT
ops      warning      warning  2026-11-23 14:05 UTC, 2 min ago  reminded at 2026-11-24 14:05 UTC
""")


async def test_a_rule_that_does_not_apply(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=WEBHOOKS) as it:
        for minute in range(0, 70, 2):
            await webhooks(it, failed=minute // 20, total=minute // 5)
            it.clock.move(minutes=2)
        assert explain("main/webhook-failures") == shown("""\
main/webhook-failures: ok
Nothing is sent now: the rule does not apply, since its `when` is false: increase(stats.totalWebhookDeliveries, 1h) >= 20.

By the answer of 2026-11-23 15:13 UTC, 2 min ago:
  value     increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h) = 25 %
              increase(stats.failedWebhookDeliveries, 1h) = 3
              increase(stats.totalWebhookDeliveries, 1h) = 12
  when      increase(stats.totalWebhookDeliveries, 1h) >= 20 = false
              increase(stats.totalWebhookDeliveries, 1h) = 12
  critical  > 20%: would hold
  warning   > 5%: would hold

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_a_share_of_the_last_hour_part_by_part(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=WEBHOOKS) as it:
        for minute in range(0, 70, 2):
            await webhooks(it, failed=minute // 10, total=minute)
            await it.sends()
            it.clock.move(minutes=2)
        assert explain("main/webhook-failures") == shown("""\
main/webhook-failures: pending
Nothing is sent now: it is pending until 2026-11-23 15:15 UTC: warning has held 8 min of 10 min (for).

By the answer of 2026-11-23 15:13 UTC, 2 min ago:
  value     increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h) = 10 %
              increase(stats.failedWebhookDeliveries, 1h) = 6
              increase(stats.totalWebhookDeliveries, 1h) = 60
  when      increase(stats.totalWebhookDeliveries, 1h) >= 20 = true
              increase(stats.totalWebhookDeliveries, 1h) = 60
  critical  > 20%: does not hold
  warning   > 5%: holds; has held 8 min of 10 min (for)

It says: increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h) is 10 %

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_too_short_a_history(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=WEBHOOKS) as it:
        await webhooks(it, failed=3, total=40)
        assert explain("main/webhook-failures") == shown("""\
main/webhook-failures: not known
Nothing is sent now: it is unknown: too short a history for increase(stats.totalWebhookDeliveries, 1h); time mends that.

By the answer of 2026-11-23 14:05 UTC, just now:
  value     increase(stats.failedWebhookDeliveries, 1h) / increase(stats.totalWebhookDeliveries, 1h) = unknown
              increase(stats.failedWebhookDeliveries, 1h) = unknown: too short a history
              increase(stats.totalWebhookDeliveries, 1h) = unknown: too short a history
  when      increase(stats.totalWebhookDeliveries, 1h) >= 20 = unknown
              increase(stats.totalWebhookDeliveries, 1h) = unknown: too short a history
  critical  > 20%: unknown
  warning   > 5%: unknown

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_a_field_that_is_missing(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        await it.sends()
        for _ in range(2):
            it.clock.move(minutes=2)
            await answers(it, plan={"name": "growth"})
        assert explain() == shown("""\
main/numbers-remaining: firing critical since 2026-11-23 14:05 UTC, 4 min ago
Nothing is sent now: it is unknown since 2026-11-23 14:07 UTC and neither fires nor ends: numbers.remaining is missing.

By the answer of 2026-11-23 14:09 UTC, just now:
  value     numbers.remaining = unknown: numbers.remaining is missing
  critical  < 2: unknown
  warning   < 3: unknown

It says: 1 phone numbers left
Incident c33bf53c88545233, at its worst critical (1)
Unknown since 2026-11-23 14:07 UTC, 2 min ago: numbers.remaining is missing

CHANNEL  SHOULD KNOW  KNOWS     TOLD                             NEXT
ops      critical     critical  2026-11-23 14:05 UTC, 4 min ago  reminded at 2026-11-23 18:05 UTC
""")
        assert sentence(explain("main/guard.no_data")) == shown(
            "Nothing is sent now: main answers, and no rule of it has been unknown for long."
        )


async def test_no_good_answer(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        await it.sends()
        it.clock.move(minutes=1)
        await it.cycle(DOWN_API)
        assert sentence(explain()) == shown(
            "Nothing is sent now: main gives no good answer now, so nothing new is decided: the API failed: 503; left alone until 2026-11-23 14:06 UTC."
        )
        for _ in range(4):
            it.clock.move(minutes=1)
            await it.cycle(DOWN_API)
        assert sentence(explain()) == shown(
            "Nothing is sent now: the data of main is lost, so its rules and reminders wait: the API failed: 503; left alone until 2026-11-23 14:10 UTC."
        )
        assert explain().splitlines()[-1] == shown(
            "ops      critical     critical  2026-11-23 14:05 UTC, 5 min ago  reminded at 2026-11-23 18:05 UTC, once the data is back"
        )
        await it.sends()
        assert explain("main/guard.no_data") == shown("""\
main/guard.no_data: firing critical since 2026-11-23 14:08 UTC, 2 min ago
Nothing is sent now: it fires critical and everybody knows; ops is reminded at 2026-11-23 18:10 UTC.
Built in. It fires critical when AgentPhone gave no good answer for 3 min (no_data_after), and at once when it refuses the key; warning when a rule has been unknown for 15 min other than for too short a history. Two good answers in a row end it.

It says: no good answer for 5 min, so nothing is watched: the API failed: 503
Incident 70a4ff9c1afd56f0, at its worst critical

CHANNEL  SHOULD KNOW  KNOWS     TOLD                            NEXT
ops      critical     critical  2026-11-23 14:10 UTC, just now  reminded at 2026-11-23 18:10 UTC
""")


async def test_an_outage_that_is_not_long_enough_yet(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        for _ in range(3):
            await it.cycle(DOWN_API)
            it.clock.move(minutes=1)
        assert sentence(explain("main/guard.no_data")) == shown(
            "Nothing is sent now: no good answer for 2 min of 3 min (no_data_after): the API failed: 503."
        )


async def test_an_account_that_answers_again(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        for _ in range(6):
            await it.cycle(DOWN_API)
            it.clock.move(minutes=1)
        await left(it, 5)
        assert sentence(explain()) == shown(
            "Nothing is sent now: the data of main is lost, so its rules wait: it answers again, and one more good answer is awaited."
        )


async def test_an_account_whose_answers_are_not_kept(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await it.sees(5)
        assert sentence(explain()) == shown("Nothing is sent now: there is no good answer yet.")


async def test_a_channel_that_is_tried_again(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(DOWN, OK) as it:
        await left(it, 1)
        await it.sends()
        assert sentence(explain()) == shown(
            "Nothing is sent now: ops is tried again in 1 s, at 2026-11-23 14:05 UTC (Slack answered 503 service_unavailable)."
        )
        assert keyless(explain()).splitlines()[-4:] == shown(
            [
                "CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT",
                "ops      critical     nothing  never  is tried again in 1 s, at 2026-11-23 14:05 UTC",
                "",
                "ops: post KEY pending, due in 1 s after 1 attempt: Slack answered 503 service_unavailable",
            ]
        )


async def test_a_message_whose_time_has_come(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(DOWN, OK) as it:
        await left(it, 1)
        await it.sends()
        it.clock.move(seconds=5)
        assert sentence(explain()) == shown("ops is told now (Slack answered 503 service_unavailable).")


async def test_a_channel_that_refused_it(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(REFUSED) as it:
        await left(it, 1)
        await it.sends()
        assert sentence(explain()) == shown(
            "Nothing is sent now: ops refused it (Slack answered 404 no_service); it is tried again within the hour, or after `guard send-test ops`."
        )
        assert keyless(explain()).splitlines()[-4:] == shown(
            [
                "CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT",
                "ops      critical     nothing  never  refused it; tried again within the hour, or after `guard send-test ops`",
                "",
                "ops: post KEY dead after 1 attempt: Slack answered 404 no_service",
            ]
        )


async def test_a_service_that_does_not_run(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        it.clock.move(hours=2)
        assert sentence(explain()) == shown(
            "Nothing is sent now: main was last asked 2 h ago, and should be every 1 min; the service does not seem to run."
        )


async def test_an_account_that_was_never_asked(at_desk: Sit, explain: Explain) -> None:
    async with at_desk():
        assert explain() == shown("""\
main/numbers-remaining: ok
Nothing is sent now: main was never asked yet; `guard run` asks it.

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_a_level_that_notifies_nobody(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=NUMBERS + 'notify = { critical = ["ops"] }\n') as it:
        await left(it, 2)
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires warning, and `notify` names nobody for that level."
        )
        assert explain().splitlines()[-2:] == shown(
            ["CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT", "ops      nothing      nothing  never  is told of critical"]
        )


async def test_a_rule_that_is_disabled(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=NUMBERS + "enabled = false\n") as it:
        await left(it, 1)
        assert explain() == shown("""\
main/numbers-remaining: not watched
Nothing is sent now: the rule is disabled in rules.toml (enabled = false).
""")


async def test_two_channels_of_which_one_knows(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(OK, DOWN, names=("ops", "boss")) as it:
        await left(it, 1)
        await it.sends("ops")
        await it.sends("boss")
        assert sentence(explain()) == shown(
            "Nothing is sent now: boss is tried again in 1 s, at 2026-11-23 14:05 UTC (Slack answered 503 service_unavailable)."
        )
        assert keyless(explain()).splitlines()[-5:] == shown(
            [
                "CHANNEL  SHOULD KNOW  KNOWS     TOLD                            NEXT",
                "ops      critical     critical  2026-11-23 14:05 UTC, just now  reminded at 2026-11-23 18:05 UTC",
                "boss     critical     nothing   never                           is tried again in 1 s, at 2026-11-23 14:05 UTC",
                "",
                "boss: post KEY pending, due in 1 s after 1 attempt: Slack answered 503 service_unavailable",
            ]
        )


async def test_a_rule_file_that_changed_since_the_last_cycle(at_desk: Sit, explain: Explain, tmp_path: Path) -> None:
    async with at_desk() as it:
        await left(it, 5)
        file = tmp_path / "rules.toml"
        file.write_text(file.read_text().replace('"< 3"', '"< 6"'))
        assert sentence(explain()) == shown(
            "Nothing is sent now: warning holds by the rule file as it is now, and the next cycle decides."
        )


async def test_a_rule_that_cannot_be_known_since_it_was_edited(at_desk: Sit, explain: Explain, tmp_path: Path) -> None:
    async with at_desk() as it:
        await left(it, 5)
        file = tmp_path / "rules.toml"
        file.write_text(file.read_text().replace('value = "numbers.remaining"', 'value = "numbers.used"'))
        assert sentence(explain()) == shown("Nothing is sent now: it is unknown: numbers.used is missing.")


async def test_without_a_good_rule_file_what_goes_on_is_explained_by_what_is_stored(
    at_desk: Sit, explain: Explain, tmp_path: Path
) -> None:
    async with at_desk(rules=PATIENT) as it:
        await left(it, 2)
        (tmp_path / "rules.toml").write_text("[rules")
        assert explain() == shown("""\
main/numbers-remaining: pending
Nothing is sent now: it is pending: warning has held 0 s.
rules.toml cannot be used; `guard check` says why. What follows is what the database knows.

It says: 2 phone numbers left
""")
        for numbers in (1, 1, 1, 1, 1, 5):
            it.clock.move(minutes=3)
            await left(it, numbers)
        assert sentence(explain()) == shown("ops is told now.")
        await it.sends()
        assert explain().splitlines()[-1] == shown("ops      critical     critical  2026-11-23 14:23 UTC, just now")


async def test_without_a_good_rule_file_nothing_is_known_of_an_alert_at_rest(
    at_desk: Sit, explain: Explain, tmp_path: Path
) -> None:
    async with at_desk(rules=PATIENT) as it:
        await left(it, 2)
        await left(it, 5)
        (tmp_path / "rules.toml").write_text("[rules")
        assert explain() == shown("""\
main/numbers-remaining: ok
Nothing is sent now: rules.toml cannot be used, so nobody knows what is watched; `guard check` says why.
""")


async def test_a_rule_that_is_no_longer_in_the_file(at_desk: Sit, explain: Explain, tmp_path: Path) -> None:
    async with at_desk() as it:
        await left(it, 1)
        await it.sends()
        file = tmp_path / "rules.toml"
        file.write_text(file.read_text().replace("numbers-remaining", "numbers-left"))
        assert explain() == shown("""\
main/numbers-remaining: firing critical since 2026-11-23 14:05 UTC, just now
Nothing is sent now: rules.toml has no rule 'numbers-remaining', did you mean 'numbers-left'? What fires ends when the service takes that up, and who was told of it is told so.

It says: 1 phone numbers left
Incident c33bf53c88545233, at its worst critical (1)

CHANNEL  SHOULD KNOW  KNOWS     TOLD                            NEXT
ops      critical     critical  2026-11-23 14:05 UTC, just now  no longer routed there
""")


async def test_a_rule_that_is_gone_is_explained_as_long_as_the_database_knows_its_alert(
    at_desk: Sit, explain: Explain, tmp_path: Path
) -> None:
    async with at_desk() as it:
        await left(it, 1)
        await it.sends()
        await left(it, 5)
        file = tmp_path / "rules.toml"
        file.write_text(file.read_text().replace("numbers-remaining", "numbers-left"))
        assert sentence(explain()) == shown(
            "ops is told now; rules.toml has no rule 'numbers-remaining', did you mean 'numbers-left'?"
        )
        await it.sends()
        assert explain().splitlines()[:2] == [
            "main/numbers-remaining: not watched",
            "Nothing is sent now: rules.toml has no rule 'numbers-remaining', did you mean 'numbers-left'?",
        ]


@pytest.mark.parametrize(
    ("alert", "why"),
    [
        ("main", shown("guard: error: 'main' is no alert; write ACCOUNT/RULE, as in main/numbers-remaining\n")),
        (
            "main/numbers-remaning",
            shown(
                "guard: error: there is no alert 'main/numbers-remaning': rules.toml has no rule 'numbers-remaning', did you mean 'numbers-remaining'?\n"
            ),
        ),
        (
            "mian/numbers-remaining",
            shown(
                "guard: error: there is no alert 'mian/numbers-remaining': rules.toml has no account 'mian', did you mean 'main'?\n"
            ),
        ),
        (
            "main/guard.no_dta",
            shown(
                "guard: error: there is no alert 'main/guard.no_dta': rules.toml has no rule 'guard.no_dta', did you mean 'guard.no_data'?\n"
            ),
        ),
        (
            "main:acme/numbers-remaining",
            shown(
                "guard: error: there is no alert 'main:acme/numbers-remaining': rules.toml does not watch main:acme; sub_accounts of main says which it does\n"
            ),
        ),
        (
            "main/numbers-remaining/agt_1",
            shown("guard: error: numbers-remaining has no subjects; write main/numbers-remaining\n"),
        ),
    ],
)
async def test_an_alert_that_there_is_not(at_desk: Sit, guard: Run, alert: str, why: str) -> None:
    async with at_desk() as it:
        await left(it, 5)
        done = guard("explain", alert)
        assert (done.code, done.out) == (ExitCode.USAGE, "")
        assert done.err == why


def test_without_a_database_there_is_nothing_to_explain(guard: Run, rules: Path) -> None:
    done = guard("explain", "main/numbers-remaining")
    assert (done.code, done.out) == (ExitCode.STORAGE, "")
    assert "guard.db does not exist; `guard run` or `guard once` creates it" in done.err


async def test_the_rule_file_itself(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 5)
        assert sentence(explain("main/guard.config_invalid")) == shown("Nothing is sent now: rules.toml can be used.")
        assert sentence(explain("main/guard.no_data")) == shown(
            "Nothing is sent now: main answers, and no rule of it has been unknown for long."
        )


async def test_for_machines(at_desk: Sit, guard: Run) -> None:
    async with at_desk(REFUSED, rules=BUSY) as it:
        await answers(it, stats={"messagesLast24h": 900})
        await it.sends()
        done = guard("explain", "main/messages", "--format", "json")
        assert json.loads(keyless(done.out)) == shown(
            {
                "at": "2026-11-23T14:05:00Z",
                "alert": "main/messages",
                "account": "main",
                "rule": "messages",
                "subject": "",
                "state": "firing",
                "level": "warning",
                "since": "2026-11-23T14:05:00Z",
                "value": 900.0,
                "unit": "count",
                "summary": "stats.messagesLast24h is 900",
                "evaluated_at": "2026-11-23T14:05:00Z",
                "unknown": None,
                "young": None,
                "incident": "34f4b9166fe20be0",
                "peak": "warning",
                "acked": None,
                "silenced": None,
                "flapping": False,
                "held": [],
                "why": "Nothing is sent now: ops refused it (Slack answered 404 no_service); it is tried again within the hour, or after `guard send-test ops`.",
                "watched": True,
                "taken_up": True,
                "rule_file": {"broken": False, "broken_since": None, "in_force": None},
                "fires_when": None,
                "unknown_since": None,
                "answer_at": "2026-11-23T14:05:00Z",
                "rule_now": {
                    "value": [{"depth": 0, "expression": "stats.messagesLast24h", "is": 900.0, "unknown": None}],
                    "when": [],
                    "applies": True,
                    "levels": {
                        "warning": {
                            "condition": "> 80% * budgets.daily",
                            "bound": 800.0,
                            "parts": [
                                {"depth": 0, "expression": "80% * budgets.daily", "is": 800.0, "unknown": None},
                                {"depth": 1, "expression": "budgets.daily", "is": 1000.0, "unknown": None},
                            ],
                            "holds": True,
                            "held_s": 0.0,
                        }
                    },
                    "clear": {
                        "condition": "< 70% * budgets.daily",
                        "bound": 700.0,
                        "parts": [
                            {"depth": 0, "expression": "70% * budgets.daily", "is": 700.0, "unknown": None},
                            {"depth": 1, "expression": "budgets.daily", "is": 1000.0, "unknown": None},
                        ],
                        "holds": False,
                        "held_s": None,
                    },
                    "for_s": 0.0,
                    "keep_firing_for_s": 0.0,
                },
                "falls": [],
                "channels": [
                    {
                        "channel": "ops",
                        "recipient": None,
                        "levels": ["warning"],
                        "should_know": {
                            "incident": "34f4b9166fe20be0",
                            "level": "warning",
                            "reminders": 0,
                            "ended": False,
                        },
                        "knows": None,
                        "told_at": None,
                        "reminded_at": None,
                        "deliveries": [
                            {
                                "key": "KEY",
                                "call": "post",
                                "recipient": None,
                                "state": "dead",
                                "may_have_arrived": False,
                                "alerts": ["main/messages"],
                                "created_at": "2026-11-23T14:05:00Z",
                                "due_at": None,
                                "attempts": 1,
                                "why": "Slack answered 404 no_service",
                            }
                        ],
                    }
                ],
            }
        )


async def test_an_alert_of_which_nothing_is_stored_for_machines(at_desk: Sit, guard: Run) -> None:
    async with at_desk(rules=WEBHOOKS) as it:
        document = json.loads(guard("explain", "main/webhook-failures", "--format", "json").out)
        assert (document["rule_now"], document["answer_at"], document["state"]) == (None, None, "ok")
        await webhooks(it, failed=3, total=40)
        document = json.loads(guard("explain", "main/webhook-failures", "--format", "json").out)
        assert (document["unknown"], document["young"]) == shown(
            (None, "too short a history for increase(stats.totalWebhookDeliveries, 1h)")
        )


# --- sub-accounts and subjects -------------------------------------------------------------------------------------


SUBS = 'every = "1m"\nsub_accounts = ["acme", "beta"]'


def watched(unit: Unit, *accounts: Account) -> None:
    for each in accounts:
        unit.save_account(each)
        unit.record_poll(Poll(each.name, NOW, Usage({"numbers": {"remaining": 4}}, '{"numbers":{"remaining":4}}')))


def test_sub_accounts_are_explained_by_their_masters_rules(
    explain: Explain, rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(10))
    rules.write_text(RULES.replace('every = "1s"', SUBS))
    refused = Failure(FailureKind.UNAUTHORIZED, "the API refused the key: 401 Unauthorized")
    main = account(cycled_at=at(10), good_at=at(5), failures=3, failure=refused)
    acme, beta = (
        account(name=f"main:{each}", cycled_at=at(late), good_at=NOW) for each, late in (("acme", 1), ("beta", 9))
    )
    fill(lambda unit: watched(unit, main, acme, beta))
    assert sentence(explain("main:acme/numbers-remaining")) == shown(
        "Nothing is sent now: main:acme is left alone while main fails: the API refused the key: 401 Unauthorized."
    )
    assert explain("main:beta/numbers-remaining") == shown("""\
main:beta/numbers-remaining: ok
Nothing is sent now: no level holds.

By the answer of 2026-11-23 14:05 UTC, 10 min ago:
  value     numbers.remaining = 4
  critical  < 2: does not hold
  warning   < 3: does not hold

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


def test_a_sub_account_that_was_never_listed(explain: Explain, rules: Path, fill: Fill) -> None:
    rules.write_text(RULES.replace('every = "1s"', 'sub_accounts = "all"'))
    fill(lambda unit: unit.save_sub_accounts([SubAccount("main", "acme")]))
    assert sentence(explain("main:acne/numbers-remaining")) == shown(
        "Nothing is sent now: main never listed 'acne', did you mean 'acme'?"
    )
    assert sentence(explain("main:acme/numbers-remaining")) == shown(
        "Nothing is sent now: main:acme was never asked yet; `guard run` asks it."
    )
    rules.write_text(RULES.replace('every = "1s"', 'sub_accounts = ["beta"]'))
    assert "main:beta was never asked yet" in sentence(explain("main:beta/numbers-remaining"))


def test_what_waits_behind_an_end_that_may_have_arrived(
    explain: Explain, rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message that is looked for first is about an earlier incident of the same alert."""
    monkeypatch.setattr(Clock, "now", lambda _: at(1))
    rules.write_text(
        RULES.replace('every = "1s"', 'every = "1m"').replace(
            'webhook_url = "${SLACK_WEBHOOK_URL}"', 'token = "${SLACK_BOT_TOKEN}"\nchannel = "C012ABCDE"'
        )
    )
    before, now = incident(id="inc1", ended_at=NOW), incident(id="inc2")
    ended, fires = Knowledge("inc1", Level.WARNING, ended=True), Knowledge("inc2", Level.WARNING)

    def doubted(unit: Unit) -> None:
        unit.save_account(account(cycled_at=at(1), good_at=at(1)))
        unit.save_changes(
            Decision(
                account(cycled_at=at(1), good_at=at(1)),
                (alert(state=State.FIRING, level=Level.WARNING, incident=now),),
                (before, now),
                (),
                (notification(desired=fires),),
            )
        )
        unit.save_delivery(
            delivery(covers=(Cover(KEY, ended),), due_at=at(3), attempted_at=NOW, attempts=1, may_have_arrived=True)
        )

    fill(doubted)
    assert sentence(explain()) == shown(
        "Nothing is sent now: ops is told after an earlier message; it is asked in 2 min, at 2026-11-23 14:08 UTC, whether it has arrived."
    )


def test_a_sub_account_that_is_listed_no_more(explain: Explain, rules: Path, fill: Fill) -> None:
    rules.write_text(RULES.replace('every = "1s"', 'sub_accounts = "all"'))

    def gone(unit: Unit) -> None:
        watched(unit, account(name="main:acme"))
        unit.delete_account("main:acme")

    fill(gone)
    assert sentence(explain("main:acme/numbers-remaining")) == shown(
        "Nothing is sent now: main:acme is not watched any more, since 3 listings in a row did not show it."
    )


def test_a_rule_that_is_for_other_accounts(
    explain: Explain, rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(10))
    rules.write_text(RULES.replace('every = "1s"', SUBS) + 'accounts = ["main:acme"]\n')
    fill(lambda unit: watched(unit, account(cycled_at=at(10)), account(name="main:acme", cycled_at=at(10))))
    assert sentence(explain("main/numbers-remaining")) == shown(
        "Nothing is sent now: the rule is not for main; its accounts in rules.toml say for which it is."
    )
    assert sentence(explain("main:acme/numbers-remaining")) == shown("Nothing is sent now: no level holds.")


AGENTS = """
[rules.agent-minutes]
each = "agent"
value = "agent.totalSeconds / 60"
warning = "> 100"
"""


@pytest.fixture
def agents(rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account whose last listing showed two agents."""
    monkeypatch.setattr(Clock, "now", lambda _: at(1))
    rules.write_text(RULES + AGENTS)
    rows = [{"agentId": f"agt_{each}", "totalSeconds": 5400} for each in (1, 2)]
    listing = Usage({"data": rows}, json.dumps({"data": rows}))

    def listed(unit: Unit) -> None:
        watched(unit, account(cycled_at=at(1)))
        unit.record_poll(Poll("main", NOW, listing, endpoint=Endpoint.BY_AGENT))

    fill(listed)


@pytest.mark.usefixtures("agents")
def test_one_agent_of_many(explain: Explain) -> None:
    assert explain("main/agent-minutes/agt_1") == shown("""\
main/agent-minutes/agt_1: ok
Nothing is sent now: no level holds.

By the answer of 2026-11-23 14:05 UTC, 1 min ago:
  value     agent.totalSeconds / 60 = 90
              agent.totalSeconds = 1 h 30 min
  warning   > 100: does not hold

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning
""")


@pytest.mark.usefixtures("agents")
@pytest.mark.parametrize(
    ("alert", "why"),
    [
        (
            "main/agent-minutes/agt_3",
            shown("guard: error: main/agent-minutes has no agent 'agt_3', did you mean 'agt_2'?\n"),
        ),
        ("main/agent-minutes/x", shown("guard: error: main/agent-minutes has no agent 'x'; there is agt_1, agt_2\n")),
    ],
)
def test_an_agent_that_there_is_not(guard: Run, alert: str, why: str) -> None:
    assert guard("explain", alert).err == why


@pytest.mark.usefixtures("agents")
def test_an_agent_that_the_last_listing_does_not_show(explain: Explain, fill: Fill) -> None:
    fired = alert(key=AlertKey("main", "agent-minutes", "agt_9"), state=State.FIRING, level=Level.WARNING)
    fill(lambda unit: unit.save_alerts([replace(fired, incident=incident(key=fired.key), absent=2)]))
    assert explain("main/agent-minutes/agt_9") == shown("""\
main/agent-minutes/agt_9: firing warning since 2026-11-23 14:05 UTC, 1 min ago
Nothing is sent now: it is unknown and neither fires nor ends: the last listing does not show agent agt_9.

Incident inc1, at its worst warning
Absent from the last 2 listings

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning
""")


# --- what the documentation says -----------------------------------------------------------------------------------


async def test_the_page_shows_what_it_says(at_desk: Sit, explain: Explain) -> None:
    summary = (
        "{increase(stats.failedWebhookDeliveries, 1h)} of {increase(stats.totalWebhookDeliveries, 1h)} webhooks failed"
    )
    async with at_desk(rules=f'{WEBHOOKS}summary = "{summary}"\n') as it:
        failed = 0
        for minute in range(0, 82, 2):
            failed += 2 if minute < 60 else 10
            await webhooks(it, failed=failed, total=10 * minute)
            await it.sends()
            it.clock.move(minutes=2)
        assert example() == explain("main/webhook-failures")


def example() -> str:
    [block] = re.findall(r"```console\n\$ guard explain main/webhook-failures\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


def test_every_sentence_of_the_page_is_one_that_is_shown_above() -> None:
    others = sorted(Path(__file__).parent.glob("test_explain_*.py"))
    above = Path(__file__).read_text().partition("# --- what the documentation says")[0]
    above += "".join(each.read_text() for each in others)
    sentences = re.findall(
        r"^\| ([^|]+) \| [^|]+ \|$", PAGE.partition("| --- | --- |")[2].partition("\n\n")[0], re.MULTILINE
    )
    parts = {part.strip() for each in sentences for part in re.split("[…,]", each) if part.strip()}
    assert len(parts) > 15
    assert {each for each in parts if each not in above} == set()


async def test_every_key_of_the_document_is_named(at_desk: Sit, guard: Run) -> None:
    async with at_desk(REFUSED, rules=BUSY) as it:
        await answers(it, stats={"messagesLast24h": 900})
        await it.sends()
        printed = guard("explain", "main/messages", "--format", "json").out
    keys = set(re.findall(r'^ *"([a-z_]+)":', printed, re.MULTILINE)) - {each.word for each in Level}
    assert keys <= set(re.findall(r"`([a-z_]+)`", section("explain")))


# --- what a rolling counter falls to ---------------------------------------------------------------------------------


def steady(hour: int) -> int:
    return 1_000 + 30 * hour


def reset(hour: int) -> int:
    return 30 * (hour % 10)


async def day_of_traffic(it: Desk, *, hours: int, counter: Callable[[int], int] = steady) -> None:
    """An answer each half hour; 30 messages an hour, and 720 in the last 24."""
    for half in range(2 * hours):
        it.clock.move(minutes=30)
        usage = {"stats": {"messagesLast24h": 720, "totalMessages": counter(half // 2)}}
        poll = Poll("main", it.clock.now(), Usage(usage, json.dumps(usage)))
        await it.store.run(partial(Unit.record_poll, poll=poll))
    it.clock.move(minutes=1)
    await answers(it, stats={"messagesLast24h": 720, "totalMessages": counter(hours)})


async def test_a_rolling_counter_is_said_to_fall_by_what_leaves_its_window(
    at_desk: Sit, explain: Explain, guard: Run
) -> None:
    async with at_desk(rules=BUSY) as it:
        await day_of_traffic(it, hours=26)
        assert "\nWith no further traffic stats.messagesLast24h falls by itself: 540 in 6 h, 360 in 12 h\n" in explain(
            "main/messages"
        )
        document = json.loads(guard("explain", "main/messages", "--format", "json").out)
        assert document["falls"] == [
            {"field": "stats.messagesLast24h", "after_s": 21_600, "value": 540},
            {"field": "stats.messagesLast24h", "after_s": 43_200, "value": 360},
        ]


@pytest.mark.parametrize(("hours", "counter"), [(20, steady), (26, reset)])
async def test_what_a_rolling_counter_falls_to_is_not_guessed_after_less_than_its_window_or_a_reset(
    at_desk: Sit, explain: Explain, hours: int, counter: Callable[[int], int]
) -> None:
    async with at_desk(rules=BUSY) as it:
        await day_of_traffic(it, hours=hours, counter=counter)
        assert "no further traffic" not in explain("main/messages")


async def test_what_a_rolling_counter_falls_to_is_not_guessed_where_its_own_counter_is_missing(
    at_desk: Sit, explain: Explain
) -> None:
    async with at_desk(rules=BUSY) as it:
        await answers(it, stats={"messagesLast24h": 720})
        assert "no further traffic" not in explain("main/messages")


async def test_an_outage_hides_only_what_it_makes_unknown(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=BUSY) as it:
        await day_of_traffic(it, hours=4)
        it.clock.move(hours=5)
        await day_of_traffic(it, hours=17, counter=lambda hour: 1_270 + 30 * hour)
        assert "\nWith no further traffic stats.messagesLast24h falls by itself: 360 in 12 h\n" in explain(
            "main/messages"
        )
