"""What the Dockerfile says, held against the project; hadolint reads it in `make lint`."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import guard
from guard.cli.app import COMMANDS
from guard.settings import Settings, unknown_variables
from guard.signals import END_S

ROOT = Path(__file__).parents[1]
LINES = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()
FINAL = LINES[max(number for number, line in enumerate(LINES) if line.startswith("FROM ")) :]


def said(word: str, lines: list[str] = FINAL) -> list[str]:
    """What stands behind an instruction, each time that it stands there."""
    return [line.removeprefix(f"{word} ") for line in lines if line.startswith(f"{word} ")]


def pairs(word: str) -> dict[str, str]:
    """The names and values of LABEL or ENV."""
    return {
        name: value.strip('"') for text in said(word) for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S+)', text)
    }


def test_it_runs_as_a_user_by_number_who_is_not_root() -> None:
    [user] = said("USER")
    assert re.fullmatch(r"[1-9][0-9]{3,}:[1-9][0-9]{3,}", user)


def test_it_remembers_in_its_one_volume() -> None:
    [volume] = said("VOLUME")
    assert said("WORKDIR") == [volume]
    assert Settings.from_environ(pairs("ENV")).database == f"{volume}/guard.db"


def test_the_variables_that_it_sets_are_read() -> None:
    assert unknown_variables(pairs("ENV")) == {}


def test_it_runs_the_service_without_a_shell_and_takes_another_command_in_its_place() -> None:
    [entrypoint], [command] = said("ENTRYPOINT"), said("CMD")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert json.loads(entrypoint)[0] in project["scripts"]
    assert json.loads(command)[0] in COMMANDS


def test_its_health_is_asked_by_a_program_that_exists() -> None:
    [health] = said("HEALTHCHECK")
    python, *words = json.loads(health.partition("CMD ")[2])
    assert python == "python"
    done = subprocess.run(
        [sys.executable, *words], env={"GUARD_LISTEN": "off", "HOME": "/"}, cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout == b"GUARD_LISTEN is off, so nobody can be asked\n"


def test_docker_waits_longer_than_an_end_takes() -> None:
    assert said("STOPSIGNAL") == ["SIGTERM"]
    docker_waits_s = 10
    assert docker_waits_s > END_S


def test_its_labels_say_what_the_project_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    of = {name.removeprefix("org.opencontainers.image."): value for name, value in pairs("LABEL").items()}
    assert of == {
        "title": project["name"],
        "description": project["description"],
        "version": guard.__version__,
        "licenses": project["license"],
    }


def test_all_that_it_is_made_of_is_let_in_and_nothing_else() -> None:
    copied = {name for line in said("COPY", LINES) if "--from" not in line for name in line.split()[:-1]}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_what_is_fetched_is_checked_by_its_hash_and_the_rest_is_not_fetched() -> None:
    commands = [part for line in said("RUN", LINES) for part in line.split(" && ")]
    pips = [command for command in commands if command.startswith("pip ")]
    assert [command for command in pips if "--no-index" not in command] == [
        command for command in pips if "--require-hashes --requirement requirements.lock" in command
    ]
