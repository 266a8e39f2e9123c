"""`guard sandbox` and `guard demo`."""

import re
from pathlib import Path
from signal import SIGINT

import httpx
import pytest
from inline_snapshot import snapshot

from guard.cli import play
from guard.errors import ExitCode
from guard.sandbox.scenario_file import scenario_names
from tests.cli.conftest import KEY, Done, Run
from tests.cli.process import command


async def test_the_sandbox_answers_until_ctrl_c() -> None:
    async with command("sandbox", "--listen", "127.0.0.1:0", "--key", KEY, "--scenario", "numbers") as sandbox:
        address = (await sandbox.until("is on http://")).split()[5]
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            answer = await client.get("/v1/usage", headers={"Authorization": f"Bearer {KEY}"})
            refused = await client.get("/v1/usage")
        assert (answer.json()["numbers"]["remaining"], refused.status_code) == (5, 401)
        assert await sandbox.end(SIGINT) == 0
    assert "Traceback" not in sandbox.text


async def test_the_agency_has_sub_accounts_and_says_so() -> None:
    async with command("sandbox", "--listen", "127.0.0.1:0", "--key", KEY, "--scenario", "agency") as sandbox:
        address = (await sandbox.until("is on http://")).split()[5]
        assert "acme, birch, cedar, dune, elm" in await sandbox.until("Accounts:")
        headers = {"Authorization": f"Bearer {KEY}", "X-Sub-Account-Id": "dune"}
        async with httpx.AsyncClient(base_url=address, trust_env=False, headers=headers) as client:
            assert (await client.get("/v1/usage")).json()["numbers"]["remaining"] == 4
        assert await sandbox.end(SIGINT) == 0


def test_ctrl_c_is_the_way_to_end_the_sandbox(guard: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(line: str) -> None:
        announced(line)
        raise KeyboardInterrupt

    announced = play._announce
    monkeypatch.setattr(play, "_announce", interrupted)
    done = guard("sandbox", "--listen", ":0")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"A pretend AgentPhone is on http://127\.0\.0\.1:\d+ until Ctrl-C\.\n\n", done.out)


def test_the_demo_shows_the_story_of_the_example_and_no_log(guard: Run) -> None:
    done = guard("demo", "--speed", "600")
    assert (done.code, done.err) == (0, "")
    assert "resolved · main / messages-over-budget" in done.out
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--listen", "localhost"],
            snapshot("guard: error: --listen 'localhost' names no port; write it as 127.0.0.1:8765\n"),
        ),
        (["--listen", "[::1]"], snapshot("guard: error: --listen '[::1]' names no port; write it as 127.0.0.1:8765\n")),
        (
            ["--listen", "1:99999"],
            snapshot("guard: error: --listen '1:99999' names no port; write it as 127.0.0.1:8765\n"),
        ),
        (
            ["--scenario", "numbrs"],
            snapshot(
                "guard: error: there is no scenario 'numbrs', did you mean 'numbers'? "
                "Built in are agency, demo, messages, month-end, numbers, outage, steady, unauthorized, webhooks; "
                "a path that ends in .toml names your own\n"
            ),
        ),
        (["--speed", "0"], snapshot("guard: error: the speed must be a number above 0, not 0\n")),
        (
            ["--key", "two words"],
            snapshot("guard: error: the key must be plain ASCII without spaces, as HTTP headers are\n"),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_sandbox_that_cannot_be_says_why(guard: Run, words: list[str], said: str) -> None:
    assert guard("sandbox", *words) == Done(ExitCode.USAGE, "", said)


def test_the_help_names_every_scenario(guard: Run) -> None:
    shown = " ".join(guard("sandbox", "--help").out.split())
    *first, last = scenario_names()
    assert f"Built in are {', '.join(first)} and {last}." in shown
