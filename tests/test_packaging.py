import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def make(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Calls make as a person would, and not as the make that may run these tests."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**outer, **environ}, capture_output=True, text=True, check=False)


def script(path: Path, *body: str) -> str:
    path.write_text("\n".join(["#!/bin/sh", *body]))
    path.chmod(0o755)
    return str(path)


# --- the wheel -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [path] = directory.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_all_of_the_package(wheel: zipfile.ZipFile) -> None:
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "guard").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == here | {"guard/cli/rules.example.toml"}


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"guard/py\.typed", r"guard/sandbox/scenarios/.+", r"guard/store/migrations/.+"),
        *(r"guard/console/templates/alert\.html", r"guard/console/style\.css"),
    ],
)
def test_the_wheel_holds_what_is_read_at_run_time(wheel: zipfile.ZipFile, pattern: str) -> None:
    assert any(re.fullmatch(pattern, name) for name in wheel.namelist())


def test_the_example_in_the_wheel_is_the_one_that_people_read(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("guard/cli/rules.example.toml") == (ROOT / "rules.example.toml").read_bytes()


def test_the_wheel_brings_its_licence_and_both_commands(wheel: zipfile.ZipFile) -> None:
    [licence] = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
    [commands] = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    assert wheel.read(licence).startswith(b"MIT License")
    assert wheel.read(commands).decode().split() == [
        "[console_scripts]",
        *("guard", "=", "guard.__main__:main"),
        *("quota-guard", "=", "guard.__main__:main"),
    ]


# --- the lock files ------------------------------------------------------------------------------------------------


def locked(name: str) -> dict[str, str]:
    """Each package of a lock file with its one version."""
    pinned = re.findall(r"^([a-z0-9.-]+)==([^ ]+)", (ROOT / name).read_text(), flags=re.MULTILINE)
    assert len(dict(pinned)) == len(pinned)
    return dict(pinned)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "index" not in text
    assert "/" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_in_a_lock_file_has_one_exact_version_and_hashes(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text())[1:]
    assert len(entries) == len(locked(name))
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry


def test_the_development_lock_holds_the_runtime_lock() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


@pytest.mark.parametrize(("name", "group"), [("requirements.lock", "build"), ("requirements-dev.lock", "dev")])
def test_a_lock_file_meets_what_the_project_asks_for(name: str, group: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"][group]]
    versions = locked(name)
    for requirement in [Requirement(text) for text in asked if isinstance(text, str)]:
        assert versions[requirement.name.lower()] in requirement.specifier, requirement


# --- the Makefile --------------------------------------------------------------------------------------------------


def test_make_alone_lists_every_target() -> None:
    shown = make().stdout
    [declared] = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert re.findall(r"^make (\w+) +\S", shown, flags=re.MULTILINE) == declared.split()


def test_make_names_the_lack_of_python(tmp_path: Path) -> None:
    answer = make("demo", f"VENV={tmp_path}/venv", "PYTHON=")
    assert answer.returncode != 0
    assert "No Python 3.11 or newer was found." in answer.stderr


def test_make_refuses_an_old_python(tmp_path: Path) -> None:
    old = script(tmp_path / "python3", "exit 1")
    answer = make("demo", f"VENV={tmp_path}/venv", f"PYTHON={old}")
    assert answer.returncode != 0
    assert f"{old} is no Python 3.11 or newer." in answer.stderr


def test_make_says_how_to_get_a_missing_ensurepip(tmp_path: Path) -> None:
    bare = script(tmp_path / "python3", 'case "$*" in *ensurepip*) exit 1;; esac', f'exec {sys.executable} "$@"')
    answer = make("test", f"VENV={tmp_path}/venv", f"PYTHON={bare}")
    assert answer.returncode != 0
    assert "ensurepip is missing. Debian, Ubuntu: sudo apt install python3-venv" in answer.stderr
    assert not (tmp_path / "venv").exists()


def test_make_finds_a_python_that_is_new_enough(tmp_path: Path) -> None:
    script(tmp_path / "python3", "exit 1")
    script(tmp_path / "python3.14", "exit 127")
    script(tmp_path / "python3.13", f'exec {sys.executable} "$@"')
    answer = make("--dry-run", "demo", f"VENV={tmp_path}/venv", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert f"python3.13 -m venv --clear {tmp_path}/venv" in answer.stdout
