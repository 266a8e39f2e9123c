# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard explain`: the rarer causes for which nothing is sent now, each made by real cycles and a real outbox."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from inline_snapshot import snapshot as shown

from guard.model import Account, AlertKey, Failure, FailureKind, Knowledge, Level, Notification, State
from guard.store import Unit
from tests.builders import NOW, alert, incident
from tests.cli.explaining import Explain, Sit, left, sentence
from tests.outbox.desk import DOWN, Desk
from tests.stand_ins.slack import Answer
from tests.wiring import FIVE_RULES, NUMBERS

FILE = Path("rules.toml")
DOWN_API = Failure(FailureKind.SERVER, "the API failed: 503")


def edited(old: str, new: str) -> None:
    text = FILE.read_text()
    assert old in text
    FILE.write_text(text.replace(old, new))


async def fires_and_is_told(it: Desk, numbers: int = 1) -> None:
    await left(it, numbers)
    await it.sends()


# --- the rule file no longer watches it -------------------------------------------------------------------------------


async def test_an_account_that_was_removed(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await fires_and_is_told(it)
        edited("[accounts.main]", "[accounts.prod]")
        assert sentence(explain()) == shown(
            "Nothing is sent now: rules.toml has no account 'main'; what fires ends when the service takes that up, and who was told of it is told so."
        )


async def test_a_rule_that_is_disabled_while_its_end_is_being_told(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(Answer(), DOWN) as it:
        await fires_and_is_told(it)
        await left(it, 5)
        edited("[rules.numbers-remaining]", "[rules.numbers-remaining]\nenabled = false")
        assert sentence(explain()) == shown("ops is told now; the rule is disabled in rules.toml (enabled = false).")
        await it.outbox.attempt("ops")
        assert sentence(explain()) == shown(
            "Nothing is sent now: ops is tried again in 1 s, at 2026-11-23 14:05 UTC (Slack answered 503 service_unavailable); the rule is disabled in rules.toml (enabled = false)."
        )


async def test_a_channel_that_is_gone_from_the_rule_file(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        edited("[channels.ops]", "[channels.hook]")
        edited("['ops']", "['hook']")
        assert sentence(explain()) == shown("Nothing is sent now: ops is no longer in rules.toml.")


# --- the channel ------------------------------------------------------------------------------------------------------


async def test_a_channel_that_is_down_is_tried_again_at_a_time(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(*[DOWN] * 12) as it:
        for _ in range(10):
            it.clock.move(minutes=1)
            await fires_and_is_told(it)
        assert re.fullmatch(
            r"Nothing is sent now: ops is tried again in [^,]+, at 2026-11-23 14:\d\d UTC "
            r"\(Slack answered 503 service_unavailable\)\.",
            sentence(explain()),
        )


async def test_a_digest_that_is_on_its_way(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(DOWN, rules=FIVE_RULES) as it:
        await fires_and_is_told(it)
        assert sentence(explain("main/numbers-3")) == shown(
            "Nothing is sent now: ops is tried again in 1 s, at 2026-11-23 14:05 UTC, in one digest with 4 others (Slack answered 503 service_unavailable)."
        )


async def test_what_waits_for_the_end_of_a_pass_over_many_sub_accounts(at_desk: Sit, explain: Explain) -> None:
    """Three of the pass were told at once; what comes after them waits."""
    async with at_desk() as it:
        edited("[accounts.main]", '[accounts.main]\nsub_accounts = ["a", "b", "c", "d"]')
        await left(it, 5)
        told = [waiting(each, told=each != "d") for each in "abcd"]
        await it.store.run(partial(passed, told=told))
        assert sentence(explain("main:d/numbers-remaining")) == shown(
            "ops is told now, or at the end of the pass over its account and sub-accounts, in one digest."
        )


def waiting(sub: str, *, told: bool) -> Notification:
    """A notification of a sub-account's alert that fires; told just now, or not yet."""
    known = Knowledge(f"incident-{sub}", Level.CRITICAL)
    found = Notification(AlertKey(f"main:{sub}", "numbers-remaining"), "ops", desired=known)
    return replace(found, notified=known, notified_at=NOW) if told else found


def passed(unit: Unit, told: Sequence[Notification]) -> None:
    """The accounts of these notifications in the midst of a pass."""
    for each in told:
        unit.save_account(Account(each.key.account, cycled_at=NOW, good_at=NOW))
        assert each.desired
        happened = incident(key=each.key, id=each.desired.incident_id)
        unit.save_incidents([happened])
        found = alert(key=each.key, state=State.FIRING, level=Level.CRITICAL)
        unit.save_alerts([replace(found, incident=happened)])
    unit.save_desired(told)
    unit.save_notified([each for each in told if each.notified])


async def test_what_is_held_back_is_not_said_to_be_known(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        [known] = await it.store.run(Unit.notifications)
        assert known.desired
        held = replace(known, desired=replace(known.desired, held=True))
        await it.store.run(partial(Unit.save_desired, notifications=[held]))
        assert sentence(explain()) == "Nothing is sent now: ops is no longer held back, and told in the next cycle."


# --- reminders --------------------------------------------------------------------------------------------------------


async def test_reminders_wait_while_the_data_is_lost(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await fires_and_is_told(it)
        for _ in range(4):
            it.clock.move(minutes=1)
            await it.cycle(DOWN_API)
        assert sentence(explain()) == shown(
            "Nothing is sent now: the data of main is lost, so its rules and reminders wait: the API failed: 503; left alone until 2026-11-23 14:09 UTC."
        )
        assert explain().splitlines()[-1] == shown(
            "ops      critical     critical  2026-11-23 14:05 UTC, 4 min ago  reminded at 2026-11-23 18:05 UTC, once the data is back"
        )


async def test_reminders_that_are_off(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=NUMBERS + 'remind = { critical = "off" }\n') as it:
        await fires_and_is_told(it)
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires critical and everybody knows; remind is off for critical."
        )


async def test_reminders_that_were_all_sent(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=NUMBERS + 'remind = { critical = "1m", max = 2 }\n') as it:
        for _ in range(4):
            await fires_and_is_told(it)
            it.clock.move(minutes=1)
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires critical and everybody knows; all 2 reminders were sent (max)."
        )


# --- no reason of its own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (partial(left, numbers=5), shown("Nothing is sent now: no level holds.")),
        (
            partial(left, numbers=2),
            shown("Nothing is sent now: it fires warning, and `notify` names nobody for that level."),
        ),
    ],
)
async def test_a_channel_that_is_only_told_of_what_is_worse(
    at_desk: Sit, explain: Explain, make: Callable[[Desk], Awaitable[None]], said: str
) -> None:
    async with at_desk(rules=NUMBERS + 'notify = { critical = ["ops"] }\n') as it:
        await make(it)
        assert sentence(explain()) == said
