"""`guard run` and `guard once`, against a pretend AgentPhone and a pretend Slack."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import pytest
from inline_snapshot import snapshot

from guard.errors import ExitCode
from guard.sandbox.scenario import Fault
from guard.sandbox.server import Sandbox
from tests.cli.conftest import KEY, RULES, Done, Run
from tests.cli.process import command
from tests.stand_ins.slack import SECRETS, SlackStandIn


@pytest.fixture
async def sandbox(rules: Path) -> AsyncIterator[Sandbox]:
    """The pretend AgentPhone that the rule file asks."""
    async with Sandbox(scenario="steady", key=KEY) as sandbox:
        rewrite(rules, "https://agentphone.invalid", sandbox.base_url)
        yield sandbox


@pytest.fixture
async def slack(rules: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackStandIn]:
    """The pretend Slack that the rule file's channel leads to."""
    async with SlackStandIn() as stand_in:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", stand_in.url)
        yield stand_in


def rewrite(rules: Path, old: str, new: str) -> None:
    text = rules.read_text()
    assert old in text
    rules.write_text(text.replace(old, new))


def texts(slack: SlackStandIn) -> list[str]:
    return [post["text"] for post in slack.shown]


# --- run -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [SIGTERM, SIGINT], ids=lambda number: number.name)
async def test_run_tells_each_change_once_and_ends_when_asked(
    sandbox: Sandbox, slack: SlackStandIn, number: Signals
) -> None:
    async with command("run") as service:
        await service.until("service.started")
        for left in (2, 1, 5):
            sandbox.set({"numbers.remaining": left})
            await service.until("delivery.sent")
        async with asyncio.timeout(8):
            assert await service.end(number) == 0
    assert texts(slack) == snapshot(
        [
            "[warning] main / numbers-remaining: 2 of 12 phone numbers left",
            "[escalated critical] main / numbers-remaining: 1 of 12 phone numbers left",
            "[resolved] main / numbers-remaining: 5 of 12 phone numbers left",
        ]
    )
    assert "service.stopped" in service.text
    assert "Traceback" not in service.text
    assert not any(secret in service.text for secret in (*SECRETS, KEY))


async def test_run_goes_on_where_it_was(sandbox: Sandbox, slack: SlackStandIn) -> None:
    sandbox.set({"numbers.remaining": 2})
    async with command("run") as service:
        await service.until("delivery.sent")
    async with command("run") as service:  # the first one was killed
        await service.until("service.started")
        sandbox.clear()
        await service.until("delivery.sent")
        assert await service.end(SIGTERM) == 0
    assert texts(slack) == snapshot(
        [
            "[warning] main / numbers-remaining: 2 of 12 phone numbers left",
            "[resolved] main / numbers-remaining: 5 of 12 phone numbers left",
        ]
    )


async def test_a_second_instance_on_the_same_database_refuses_to_start(sandbox: Sandbox, slack: SlackStandIn) -> None:
    async with command("run") as first:
        await first.until("service.started")
        async with command("run") as second:
            assert await second.end() == ExitCode.ALREADY_RUNNING
        assert f"is already used by process {first.process.pid}" in second.text
        assert await first.end(SIGTERM) == 0


async def test_the_log_is_json_when_asked_for(sandbox: Sandbox, slack: SlackStandIn) -> None:
    async with command("run", GUARD_LOG="json", GUARD_RULEZ="x") as service:
        await service.until("service.started")
        assert await service.end(SIGTERM) == 0
    events = [json.loads(line)["event"] for line in service.text.splitlines()]
    assert events[:3] == ["settings.unknown", "store.created", "service.started"]


async def test_an_api_key_that_is_refused_is_told_at_once(sandbox: Sandbox, slack: SlackStandIn) -> None:
    sandbox.fault(Fault(status=401))
    async with command("run") as service:
        await service.until("delivery.sent")
        assert await service.end(SIGTERM) == 0
    assert texts(slack) == snapshot(
        [
            (
                "[critical] main / guard.no_data: nothing is watched: "
                "the API refused the key: 401 Unauthorized: Missing or invalid API key"
            )
        ]
    )


async def test_an_edit_takes_effect_on_sighup_and_a_bad_one_does_not(
    sandbox: Sandbox, slack: SlackStandIn, rules: Path
) -> None:
    sandbox.set({"numbers.remaining": 4})
    async with command("run") as service:
        await service.until("service.started")
        rewrite(rules, '"< 3"', '"< 5"')
        service.process.send_signal(SIGHUP)
        assert "rule numbers-remaining: warning < 3 -> < 5" in await service.until("rules.changed")
        await service.until("delivery.sent")
        rewrite(rules, '"numbers.remaining"', '"numbers.remaning"')
        service.process.send_signal(SIGHUP)
        await service.until("rules.invalid")
        await service.until("delivery.sent")
        rewrite(rules, '"numbers.remaning"', '"numbers.remaining"')
        await service.until("rules.unchanged")  # without any signal
        await service.until("delivery.sent")
        assert await service.end(SIGTERM) == 0
    assert texts(slack) == snapshot(
        [
            "[warning] main / numbers-remaining: 4 of 12 phone numbers left",
            (
                "[warning] main / guard.config_invalid: the rule file cannot be used as it is; "
                "the last good one stays in force"
            ),
            "[resolved] main / guard.config_invalid: the rule file can be used again",
        ]
    )


# --- run does not start --------------------------------------------------------------------------------------------


def test_with_a_directory_for_a_rule_file_nothing_starts(guard: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").mkdir()
    assert guard("run") == Done(ExitCode.CONFIG, "", "guard: error: rules.toml cannot be read: Is a directory\n")


@pytest.mark.parametrize("name", ["run", "once"])
def test_without_a_rule_file_nothing_starts(guard: Run, name: str) -> None:
    assert guard(name) == Done(
        ExitCode.CONFIG,
        "",
        snapshot(
            "guard: error: there is no rule file rules.toml; `guard init` makes one, "
            "--rules or GUARD_RULES names another\n"
        ),
    )
    assert not Path("guard.db").exists()


def test_with_a_rule_file_that_has_mistakes_nothing_starts(guard: Run, rules: Path) -> None:
    rules.write_text(RULES.replace('numbers.remaining"', 'numbers.remaning"').replace('"< 3"', '"3"'))
    assert guard("run") == Done(
        ExitCode.CONFIG,
        "",
        snapshot("""\
rules.toml:14:10: error: unknown field 'numbers.remaning', did you mean 'numbers.remaining'?
  value = "numbers.remaning"
           ^~~~~~~~~~~~~~~~
rules.toml:15:12: error: a level begins with one of < <= > >= == !=, not with '3'; write < 3 or > 3
  warning = "3"
             ^
guard: error: rules.toml cannot be used as it is; mend what is shown above, then look again with `guard check`
"""),
    )
    assert not Path("guard.db").exists()


def test_a_variable_that_is_not_set_is_named_with_its_place(
    guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    assert guard("run") == Done(
        ExitCode.CONFIG,
        "",
        snapshot("""\
rules.toml:8:15: warning: SLACK_WEBHOOK_URL is not set; the rule file is fine without it, but guard run needs it
  webhook_url = "${SLACK_WEBHOOK_URL}"
                ^~~~~~~~~~~~~~~~~~~~~~
guard: error: rules.toml needs SLACK_WEBHOOK_URL; set it in the environment
"""),
    )


def test_a_setting_that_makes_no_sense_is_named(guard: Run, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD_HEARTBEAT_URL", "hc-ping.invalid/s3cret-of-mine")
    done = guard("run")
    assert done.code == ExitCode.CONFIG
    assert done.err.startswith("guard: error: GUARD_HEARTBEAT_URL is no URL")
    assert "s3cret" not in done.err


# --- once ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "code"),
    [(5, ExitCode.DONE), (2, ExitCode.FIRING), (1, ExitCode.CRITICAL)],
    ids=["ok", "warning", "critical"],
)
async def test_once_tells_what_is_due_and_exits_with_the_worst_level(
    guard: Run, sandbox: Sandbox, slack: SlackStandIn, left: int, code: ExitCode
) -> None:
    sandbox.set({"numbers.remaining": left})
    for _ in range(2):
        done = await asyncio.to_thread(guard, "once")
        assert (done.code, done.out) == (code, "")
        assert len(slack.shown) == (code is not ExitCode.DONE)


async def test_once_without_data_exits_with_three(guard: Run, sandbox: Sandbox, slack: SlackStandIn) -> None:
    sandbox.fault(Fault(status=403))
    assert (await asyncio.to_thread(guard, "once")).code == ExitCode.NO_DATA
    assert len(slack.shown) == 1


async def test_warnings_about_the_rule_file_are_in_the_log(
    guard: Run, sandbox: Sandbox, slack: SlackStandIn, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(rules, '"numbers.remaining"', '"numbers.ported"')
    monkeypatch.setenv("GUARD_RULEZ", "x")
    done = await asyncio.to_thread(guard, "once", "--rules", str(rules))
    assert " WARN  rules.warning " in done.err
    assert ' WARN  settings.unknown "GUARD_RULEZ is no setting; did you mean GUARD_RULES?"' in done.err
