# ruff: noqa: E501 -- what is shown is as long as it is
"""`guard explain` while the rule file is broken, or newer than what the service goes by."""

import json
from functools import partial
from pathlib import Path

import pytest
from inline_snapshot import snapshot as shown

from guard.rule_version import note_invalid
from guard.store import RuleFile, Unit
from tests.builders import NOW
from tests.cli.conftest import Run
from tests.cli.explaining import Explain, Sit, left, sentence
from tests.outbox.desk import Desk
from tests.wiring import NUMBERS

OTHER = NUMBERS.replace("numbers-remaining", "numbers-left")
FILE = Path("rules.toml")


def holds(text: str) -> None:
    """The rule file says something else."""
    FILE.write_text(text)


def text() -> str:
    """What the rule file says."""
    return FILE.read_text(encoding="utf-8-sig")


async def taken(it: Desk, other: str = "") -> None:
    """The rule file as it stands takes effect, or another text does."""
    version = RuleFile(it.clock.now(), "digest", other or text())
    await it.store.run(partial(Unit.add_rule_file, rule_file=version))


async def noticed(it: Desk) -> None:
    """The service sees that the rule file is broken."""
    config, now = it.parts.config, it.clock.now()
    await it.store.run(lambda unit: note_invalid(unit, config, ["rules.toml:1:1: error: no"], now=now))


async def test_while_it_is_broken_the_last_version_that_took_effect_is_gone_by(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await taken(it)
        holds("[rules")
        it.clock.move(minutes=5)
        await noticed(it)
        it.clock.move(minutes=5)
        await left(it, 5)
        assert explain() == shown("""\
main/numbers-remaining: ok
Nothing is sent now: no level holds.
rules.toml is broken since 2026-11-23 14:10 UTC; the version of 2026-11-23 14:05 UTC is in force. `guard check` says what to mend.

By the answer of 2026-11-23 14:15 UTC, just now:
  value     numbers.remaining = 5
  critical  < 2: does not hold
  warning   < 3: does not hold

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")


async def test_before_the_service_noticed_nobody_guesses_since_when_it_is_broken(
    at_desk: Sit, explain: Explain
) -> None:
    async with at_desk() as it:
        await taken(it)
        holds("[accounts.mian]")
        await left(it, 5)
        assert explain().splitlines()[2] == shown(
            "rules.toml is broken; the version of 2026-11-23 14:05 UTC is in force. `guard check` says what to mend."
        )
        assert sentence(explain("main/guard.config_invalid")) == shown(
            "Nothing is sent now: rules.toml cannot be used, which nobody noticed yet."
        )


async def test_a_slip_is_compared_with_the_version_in_force(at_desk: Sit, guard: Run) -> None:
    async with at_desk() as it:
        await taken(it)
        holds("[rules")
        assert guard("explain", "main/numbers-remaning").err == shown(
            "guard: error: there is no alert 'main/numbers-remaning': rules.toml of 2026-11-23 14:05 UTC has no rule 'numbers-remaning', did you mean 'numbers-remaining'?\n"
        )


async def test_a_version_that_this_guard_cannot_use_is_none(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await taken(it, "[rules.of-long-ago]")
        await left(it, 1)
        holds("[rules")
        assert explain().splitlines()[1:3] == shown(
            [
                "ops is told now.",
                "rules.toml cannot be used; `guard check` says why. What follows is what the database knows.",
            ]
        )


async def test_a_variable_that_cannot_be_read_does_not_matter(
    at_desk: Sit, explain: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_desk() as it:
        await taken(it)
        holds("[rules")
        await left(it, 5)
        monkeypatch.delenv("API_KEY")
        monkeypatch.setenv("API_KEY_FILE", "nowhere")
        assert sentence(explain()) == shown("Nothing is sent now: no level holds.")


async def test_for_machines_a_broken_file_says_which_version_is_in_force(at_desk: Sit, guard: Run) -> None:
    async with at_desk() as it:
        await taken(it)
        holds("[rules")
        await noticed(it)
        document = json.loads(guard("explain", "main/numbers-remaining", "--format", "json").out)
        assert document["rule_file"] == shown(
            {"broken": True, "broken_since": "2026-11-23T14:05:00Z", "in_force": "2026-11-23T14:05:00Z"}
        )


async def test_a_rule_that_the_service_has_not_taken_up_yet(at_desk: Sit, explain: Explain, guard: Run) -> None:
    async with at_desk() as it:
        await taken(it)
        await left(it, 1)
        holds("\ufeff" + text() + OTHER)
        assert explain("main/numbers-left") == shown("""\
main/numbers-left: ok
Nothing is sent now: the service has not taken up the rule yet; it goes by the version of 2026-11-23 14:05 UTC.

By the answer of 2026-11-23 14:05 UTC, just now:
  value     numbers.remaining = 1
  critical  < 2: holds
  warning   < 3: holds

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")
        assert json.loads(guard("explain", "main/numbers-left", "--format", "json").out)["taken_up"] is False
        await taken(it)
        assert sentence(explain("main/numbers-left")) == shown(
            "Nothing is sent now: critical holds by the rule file as it is now, and the next cycle decides."
        )


async def test_an_account_that_the_service_has_not_taken_up_yet(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await taken(it)
        holds(text().replace("[accounts.main]", '[accounts.main]\nsub_accounts = ["acme"]'))
        assert sentence(explain("main:acme/numbers-remaining")) == shown(
            "Nothing is sent now: main:acme was never asked yet; `guard run` asks it."
        )


async def test_without_any_version_it_is_not_said_that_a_rule_is_new(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 5)
        holds(text() + OTHER)
        assert sentence(explain("main/numbers-left")) == shown("Nothing is sent now: no level holds.")
        assert it.clock.now() == NOW


async def test_without_any_version_what_everybody_knows_is_still_said(at_desk: Sit, explain: Explain) -> None:
    async with at_desk() as it:
        await left(it, 1)
        await it.sends()
        holds("[rules")
        assert sentence(explain()) == shown("Nothing is sent now: it fires critical and everybody knows.")


async def test_for_machines_a_rule_that_is_disabled_and_a_sub_account_say_why_they_are_quiet(
    at_desk: Sit, guard: Run
) -> None:
    async with at_desk() as it:
        await left(it, 5)
        off = text().replace("[rules.numbers-remaining]", "[rules.numbers-remaining]\nenabled = false")
        holds((off + OTHER).replace("[accounts.main]", '[accounts.main]\nsub_accounts = ["acme"]'))
        for name, is_watched, why in (
            ("main/numbers-remaining", False, "the rule is disabled in rules.toml (enabled = false)."),
            ("main:acme/numbers-remaining", False, "the rule is disabled in rules.toml (enabled = false)."),
            ("main:acme/numbers-left", True, "main:acme was never asked yet; `guard run` asks it."),
        ):
            document = json.loads(guard("explain", name, "--format", "json").out)
            assert (document["watched"], document["why"]) == (is_watched, f"Nothing is sent now: {why}")
