# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard explain` where the obvious answer would be untrue: what was given up, begun too late, renamed, or in a zone."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from inline_snapshot import snapshot as shown

from guard.model import Silence
from guard.rule_version import note_invalid
from guard.store import RuleFile, Unit
from tests.cli.explaining import Explain, Sit, left, sentence
from tests.outbox.desk import DOWN
from tests.stand_ins.slack import Answer, Drop
from tests.wiring import NUMBERS

FILE = Path("rules.toml")


def edited(old: str, new: str) -> str:
    """Writes the rule file with that in place of this, and gives its text."""
    text = FILE.read_text().replace(old, new)
    FILE.write_text(text)
    return text


async def test_what_was_given_up_was_not_refused(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(DOWN, DOWN) as it:
        await left(it, 1)
        await it.outbox.attempt("ops")
        it.clock.move(hours=25)
        await left(it, 1)
        await it.outbox.attempt("ops")
        assert sentence(explain()) == shown(
            "Nothing is sent now: ops did not take it for 1 day, so that it was given up (Slack answered 503 service_unavailable); it is tried again within the hour, or after `guard send-test ops`."
        )
        it.clock.move(hours=1)
        await left(it, 1)
        assert "did not take it for 1 day, so that it was given up; tried again now" in explain()


async def test_a_silence_that_began_after_an_unclear_answer_is_too_late(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(Drop(after_reading=True), Answer()) as it:
        await left(it, 1)
        await it.outbox.attempt("ops")
        now = it.clock.now()
        silence = Silence("main/*", now, now + timedelta(hours=2), by="ann")
        await it.store.run(partial(Unit.add_silence, silence=silence))
        await left(it, 1)
        said = sentence(explain())
        assert "held back from" not in said
        assert "ops is tried again in" in said
        assert said.endswith("began too late to hold that back: silence 1 by ann until 2026-11-23 16:05 UTC.")


async def test_a_rule_that_has_another_name_is_found_by_the_old_one(at_desk: Sit, guard: Callable[..., Any]) -> None:
    async with at_desk() as it:
        await left(it, 5)
        renamed = '[rules.left]\nrenamed_from = "numbers-remaining"'
        edited("[rules.numbers-remaining]", renamed)
        said = await asyncio.to_thread(lambda: guard("explain", "main/numbers-remaining"))
        assert (said.code, said.err) == shown(
            (
                64,
                "guard: error: there is no alert 'main/numbers-remaining': numbers-remaining is called left now (renamed_from in rules.toml); `guard explain main/left` explains it\n",
            )
        )


async def test_one_answer_speaks_of_one_zone(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(rules=NUMBERS) as it:
        text = edited("[accounts.main]", '[accounts.main]\ntz = "Europe/Berlin"')
        await it.store.run(partial(Unit.add_rule_file, rule_file=RuleFile(it.clock.now(), "digest", text)))
        edited(text, "[rules")
        config, now = it.parts.config, it.clock.now()
        await it.store.run(lambda unit: note_invalid(unit, config, ["rules.toml:1:1: error: no"], now=now))
        await left(it, 5)
        for alert in ("main/guard.config_invalid", "main/numbers-remaining"):
            said = explain(alert)
            assert " CET" in said
            assert " UTC" not in said


async def test_what_a_silence_held_back_until_it_was_over_is_known_to_nobody(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        now = it.clock.now()
        silence = Silence("main/*", now, now + timedelta(hours=2), by="ann")
        await it.store.run(partial(Unit.add_silence, silence=silence))
        await left(it, 1)
        await left(it, 5)
        assert sentence(explain()) == shown(
            "Nothing is sent now: no level holds, and what fired last was over before it was to be told."
        )


async def test_whom_the_rule_file_names_since_nobody_is_said_to_know(at_desk: Sit, explain: Explain) -> None:
    async with at_desk(names=("ops", "boss"), rules=NUMBERS + 'notify = ["ops"]\n') as it:
        await left(it, 1)
        await it.sends()
        edited('notify = ["ops"]', 'notify = ["ops", "boss"]')
        assert sentence(explain()) == shown(
            "Nothing is sent now: it fires critical, and the next cycle tells more, since the rule file leads it to boss by now."
        )
