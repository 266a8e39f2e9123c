"""What the README says is so."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from guard.cli.app import COMMANDS
from guard.config import load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(containing: str) -> str:
    """The one code block that holds a text."""
    (found,) = (each for each in re.findall(r"```\w*\n(.*?)```", README, re.DOTALL) if containing in each)
    return str(found)


def caption(module: Path) -> str:
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert text, f"{module} has no docstring"
    return text.splitlines()[0]


def test_the_map_shows_every_module_with_its_caption() -> None:
    modules = [path for path in (ROOT / "guard").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    real = {
        path.name if path.is_file() else f"{path.name}/": caption(path if path.is_file() else path / "__init__.py")
        for path in modules
        if path.name != "__init__.py"
    }
    shown = dict(line.split(maxsplit=1) for line in block("guard/\n").splitlines()[1:])
    assert shown == real


def test_the_way_to_read_the_code_exists() -> None:
    line = next(line for line in README.splitlines() if line.startswith("To read the code"))
    for name in re.findall(r"`([\w/.]+)`", line):
        assert (ROOT / "guard" / name).exists(), name


def test_every_command_that_is_shown_exists() -> None:
    names = set(COMMANDS)
    assert set(re.findall(r"^\$ guard ([\w-]+)", README, re.MULTILINE)) <= names
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^\$ make (\w+)", README, re.MULTILINE)) <= targets


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_rule_that_is_shown_is_a_good_one() -> None:
    frame = '[accounts.main]\napi_key = "${KEY}"\n[channels.ops]\nkind = "terminal"\n[defaults]\nnotify = ["ops"]\n'
    loaded = load(frame + block("[rules.numbers-remaining]"), path="README.md", secret=lambda _: "key")
    assert loaded.problems == ()


def test_the_demo_shows_what_is_shown() -> None:
    command = [sys.executable, "-m", "guard", "demo", "--speed", "600"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    seen = [line.rstrip() for line in done.stdout.splitlines()]
    timeless = [line.rstrip() for line in block("#ops").splitlines() if "UTC" not in line and "Lasted" not in line]
    assert [line for line in timeless if line not in seen] == []
    assert seen[-1].startswith("That is all: 2 fired, ")
    assert not re.search(r"INFO|WARN|ERROR|Traceback", done.stdout + done.stderr)
