"""What docs/deploy.md and the systemd unit say is so."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from guard.cli.app import COMMANDS
from guard.config import load
from guard.errors import ExitCode
from guard.service import WATCH_S
from guard.settings import Settings, unknown_variables
from guard.signals import END_S
from tests.console.listening import listening

ROOT = Path(__file__).parents[1]
DEPLOY = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
UNIT_PATH = ROOT / "docs/quota-guard.service"
UNIT = UNIT_PATH.read_text(encoding="utf-8")
CODE = "\n".join(re.findall(r"```\w+\n(.*?)```", DEPLOY, re.DOTALL))
EXECUTABLE = "/opt/quota-guard/bin/guard"
ANALYZE = shutil.which("systemd-analyze") or ""
MOST_EXPOSED = 15  # tenths; systemd-analyze rates from 0 to 10


def secrets() -> set[str]:
    """The variables that the example rule file names."""
    asked: set[str] = set()

    def secret(name: str) -> str:
        asked.add(name)
        return "x"

    load((ROOT / "rules.example.toml").read_text(encoding="utf-8"), path="rules.toml", secret=secret)
    return asked


def of_unit(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)


def seconds(key: str) -> int:
    [text] = of_unit(key)
    return int(text)


# --- the guide -----------------------------------------------------------------------------------------------------


def test_every_command_in_it_exists() -> None:
    found = re.findall(
        r"(?:bin/guard|^\$ guard|-guard guard|--tmpfs /tmp quota-guard|:ro quota-guard) ([a-z-]+)", DEPLOY, re.MULTILINE
    )
    assert set(found) >= {"init", "status", "once", "demo", "check"}
    assert set(found) <= set(COMMANDS)


def test_every_variable_in_it_is_read() -> None:
    named = set(re.findall(r"\bGUARD_\w+", DEPLOY))
    assert {"GUARD_LISTEN", "GUARD_CONSOLE_TOKEN", "GUARD_CONSOLE_TOKEN_FILE"} <= named
    assert unknown_variables(dict.fromkeys(named, "x")) == {}


def test_its_secrets_are_those_of_the_example_rule_file() -> None:
    named = set(re.findall(r"\b(?!GUARD_)(?:[A-Z]+_)+(?:KEY|URL|TOKEN)\b", CODE))
    assert named <= secrets()
    assert {name.removesuffix("_FILE") for name in re.findall(r"\b(?!GUARD_)[A-Z_]+_FILE\b", CODE)} == secrets()


@pytest.mark.parametrize("address", re.findall(r"`([^`\s]+:[0-9]+)`", DEPLOY.partition("| `GUARD_LISTEN` |")[2]))
def test_every_address_in_it_can_be_listened_on(address: str) -> None:
    listen = Settings.from_environ({"HOME": "/", "GUARD_LISTEN": address, "GUARD_CONSOLE_TOKEN": "t0ken"}).listen
    assert listen is not None
    needs_token = next(line for line in DEPLOY.splitlines() if f"`{address}`" in line and line.startswith("|"))
    assert listen.is_loopback != ("needs `GUARD_CONSOLE_TOKEN`" in needs_token)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", DEPLOY))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


async def test_healthz_answers_as_it_shows() -> None:
    shown = json.loads(next(line for line in DEPLOY.splitlines() if line.startswith('{"status"')))
    async with listening() as it:
        it.health.cycled(it.health.began_s)
        told = json.loads((await it.ask()).body)
    assert list(told) == list(shown)
    assert [type(value) for value in told.values()] == [type(value) for value in shown.values()]


def test_the_copy_that_it_makes_holds_what_is_still_in_the_wal(tmp_path: Path) -> None:
    [code] = re.findall(r'python -c "(.*)"$', CODE, re.MULTILINE)
    with sqlite3.connect(tmp_path / "guard.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE poll (at)")
        database.commit()
        for _ in range(2):  # an older copy does not matter
            database.execute("INSERT INTO poll VALUES ('now')")
            database.commit()
            subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    database.close()
    copy = sqlite3.connect(tmp_path / "backup.db")
    assert copy.execute("SELECT count(*) FROM poll").fetchall() == [(2,)]
    copy.close()


# --- the unit ------------------------------------------------------------------------------------------------------


def test_it_starts_the_service_from_where_the_guide_puts_it() -> None:
    assert of_unit("ExecStart") == [f"{EXECUTABLE} run"]
    assert f"sudo python3 -m venv {Path(EXECUTABLE).parents[1]}\n" in DEPLOY
    assert f"useradd --system --home-dir /var/lib/{of_unit('StateDirectory')[0]} " in DEPLOY
    assert DEPLOY.count(f"/usr/sbin/nologin {of_unit('User')[0]}\n") == 1


def test_every_credential_is_a_file_of_the_guide_and_given_to_a_secret_of_the_example() -> None:
    credentials = dict(each.split(":") for each in of_unit("LoadCredential"))
    given = dict(re.findall(r"^Environment=(\w+)_FILE=%d/(\S+)$", UNIT, re.MULTILINE))
    assert set(given) == secrets()
    assert set(given.values()) == set(credentials)
    assert all(f"/dev/stdin {path}" in CODE for path in credentials.values())


def test_its_variables_are_read() -> None:
    assert unknown_variables(dict.fromkeys(re.findall(r"GUARD_\w+", UNIT), "x")) == {}


def test_it_leaves_time_for_an_end_and_for_the_services_own_watchdog() -> None:
    assert seconds("TimeoutStopSec") > END_S
    assert seconds("WatchdogSec") > END_S + 3 * WATCH_S
    assert of_unit("Type") == ["notify"]


def test_what_does_not_mend_itself_is_not_started_again() -> None:
    assert of_unit("Restart") == ["always"]
    assert of_unit("RestartPreventExitStatus") == [f"{ExitCode.USAGE:d} {ExitCode.CONFIG:d}"]


@pytest.mark.acceptance
@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed")
class TestSystemdAnalyze:
    @staticmethod
    def asked(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([ANALYZE, *words], capture_output=True, text=True, check=False)

    def test_it_finds_no_fault(self, tmp_path: Path) -> None:
        unit = tmp_path / UNIT_PATH.name
        unit.write_text(UNIT.replace(EXECUTABLE, shutil.which("true") or sys.executable))  # ours need not be there
        answer = self.asked("verify", str(unit))
        assert (answer.returncode, answer.stderr) == (0, "")

    def test_it_finds_little_exposed(self) -> None:
        answer = self.asked("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager", str(UNIT_PATH))
        assert answer.returncode == 0, answer.stdout[-200:]
