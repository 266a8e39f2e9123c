"""docs/silences.md: every command on the page does what stands below it, and its rule file is a good one."""

import re
import shlex
from pathlib import Path

import pytest

from guard.clock import Clock
from guard.model import Level, State
from guard.store import Unit
from tests.builders import account, alert, at, incident, reading
from tests.cli.conftest import Fill, Run
from tests.config.files import ACCOUNT, CHANNEL, DEFAULTS, config

PAGE = (Path(__file__).parents[2] / "docs" / "silences.md").read_text()


def firing(unit: Unit) -> None:
    unit.save_account(account(cycled_at=at(12), good_at=at(12)))
    about = incident(peak=Level.CRITICAL)
    unit.save_alerts([alert(state=State.FIRING, level=Level.CRITICAL, incident=about, reading=reading())])


@pytest.mark.usefixtures("in_zone")
def test_every_command_on_the_page_does_what_it_says(
    guard: Run, rules: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(12))
    monkeypatch.setattr("guard.cli.person.getuser", lambda: "ann")
    fill(firing)
    shown = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
    commands = re.findall(r"^\$ guard (.+)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE)
    assert len(commands) == 8
    for words, said in commands:
        done = guard(*shlex.split(words))
        assert done.out + done.err == said


def test_the_quiet_window_on_the_page_is_without_mistakes() -> None:
    [block] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    [rule] = config(ACCOUNT + CHANNEL + DEFAULTS + block).accounts[0].rules
    assert [window.name for window in rule.policy.quiet] == ["nights"]


def test_every_page_that_it_leads_to_is_there() -> None:
    for name in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (Path(__file__).parents[2] / "docs" / name).exists()
