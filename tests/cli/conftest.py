import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from guard import logs
from guard.__main__ import main
from guard.store import Unit
from guard.store.database import Database
from tests.cli.explaining import at_desk, explain

__all__ = ["at_desk", "explain"]  # fixtures of explaining

KEY = "sandbox-key-of-the-tests"

RULES = """\
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
base_url = "https://agentphone.invalid"
every = "1s"

[channels.ops]
kind = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"

[defaults]
notify = ["ops"]

[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"
summary = "{numbers.remaining} of {numbers.limit} phone numbers left"
"""


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test has an empty directory, and an environment that says nothing of this machine."""
    for name in os.environ:
        if name.startswith(("GUARD_", "AGENTPHONE_", "SLACK_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUARD_DATABASE", "guard.db")
    monkeypatch.setenv("GUARD_LISTEN", "off")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(autouse=True)
def _own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a command changes of the process's log lasts one test."""
    monkeypatch.setattr(logs, "_secrets", logs._Secrets())
    root, guard = logging.getLogger(), logging.getLogger("guard")
    handlers, levels = list(root.handlers), (root.level, guard.level)
    yield
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    guard.setLevel(levels[1])
    logging.captureWarnings(capture=False)


@pytest.fixture
def in_zone() -> Iterator[Callable[[str], None]]:
    """Sets this machine's time zone; it is UTC until then."""
    with pytest.MonkeyPatch.context() as patch:

        def change(zone: str) -> None:
            patch.setenv("TZ", zone)
            time.tzset()

        change("UTC")
        yield change
    time.tzset()


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]
Fill = Callable[[Callable[[Unit], object]], None]


@pytest.fixture
def guard(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command within this process."""

    def run(*argv: str) -> Done:
        capfd.readouterr()
        code = main(argv)
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good rule file where commands look for it, with its variables set."""
    path = Path("rules.toml")
    path.write_text(RULES)
    monkeypatch.setenv("AGENTPHONE_API_KEY", KEY)
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.invalid/services/T0/B0/s3cretTokenOfTheWebhook")
    return path


@pytest.fixture
def fill() -> Fill:
    """Writes into the database, which is created."""

    def write(work: Callable[[Unit], object]) -> None:
        database = Database(Path("guard.db").resolve(), create=True)
        database.run(work)
        database.close()

    return write
