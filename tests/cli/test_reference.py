"""docs/reference/commands.md says what there is, and nothing else."""

import re
from pathlib import Path

import pytest

from guard.cli.app import COMMANDS
from guard.clock import Clock
from guard.errors import ExitCode
from guard.sandbox.scenario_file import scenario_names
from tests.builders import at
from tests.cli.conftest import RULES, Fill, Run
from tests.cli.test_channels import MAIL
from tests.cli.test_families import young
from tests.cli.test_reading import firing, happened

SUBS = 'sub_accounts = "all"\n'
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "commands.md").read_text()


def section(name: str) -> str:
    found = re.search(rf"^## guard {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def test_every_command_has_its_section_in_the_order_of_the_help() -> None:
    assert re.findall(r"^## guard (.+)$", PAGE, re.MULTILINE) == list(COMMANDS)
    assert re.findall(r"^\| \[`guard (.+?)`\]", PAGE, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_listed(guard: Run, name: str) -> None:
    offered = set(re.findall(r"^│ (?:\* )? *(--[a-z-]+)", guard(*name.split(), "--help").out, re.MULTILINE)) - {
        "--help"
    }
    [row] = re.findall(rf"^\| \[`guard {name}`\].*$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(--[a-z-]+)`", row)) == offered


def test_every_exit_code_is_listed() -> None:
    listed = {int(code) for codes in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for code in codes.split(", ")}
    assert listed == {*ExitCode, 130}


def test_every_scenario_is_named() -> None:
    assert set(scenario_names()) <= set(re.findall(r"`([a-z-]+)`", section("sandbox")))


@pytest.mark.parametrize("name", ["check", "status", "alerts", "history"])
def test_every_key_of_a_document_is_named(
    guard: Run, rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(12))
    fill(firing)
    fill(happened)
    fill(young)
    rules.write_text("[rules]" if name == "check" else RULES.replace("[channels", f"{SUBS}{MAIL}\n[channels"))
    shown = guard(name, "--format", "json").out
    assert name != "status" or ('"recipients": [' in shown and '"absent": [' in shown)
    keys = set(re.findall(r'^ *"([a-z_]+)":', shown, re.MULTILINE))
    named = set(re.findall(r"`([a-z_]+)`", section(name) + (section("alerts") if name == "status" else "")))
    assert keys
    assert keys <= named
