"""Kills the real service again and again, and counts what was lost and what came twice.

`python -m tests.crash.harness --kills 200` prints its count as JSON and ends with 1 if a promise was broken. It imports
everything once and forks, before any thread or event loop: a cold process costs half a second, a fork a twentieth.
"""

import argparse
import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.crash import child
from tests.crash.stage import KEY

LONGEST_LIFE_S: Final = 0.5
QUIET_S: Final = 60.0
RULES: Final = """
[accounts.main]
api_key = "${{STAGE_KEY}}"
every = "1s"
base_url = "{api}"

[channels.ops]
kind = "slack"
webhook_url = "${{STAGE_SLACK}}"

[defaults]
notify = ["ops"]
remind = {{ critical = "off", warning = "off" }}

[rules.numbers-remaining]
value = "numbers.remaining"
warning = "< 3"
critical = "< 2"

[rules.numbers-used]
value = "numbers.used / numbers.limit"
warning = "> 80%"
for = "2s"
"""
SCENARIO: Final = """
interval = "1s"
repeat = true
[series]
"numbers.remaining" = "9x20 2x15 1x20 9x25 1x12"
"""


@dataclass
class Count:
    """What a run of the harness saw."""

    seed: int
    kills: int = 0
    incidents: int = 0
    accepted: int = 0  # posts that the receiver took
    copies: int = 0  # posts beyond the first with the same key
    lost: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        """The promises that do not hold."""
        copies = [f"{self.copies} copies after {self.kills} kills"] if self.copies > self.kills else []
        return self.lost + copies


@dataclass
class Stage:
    """The running stage, and the service's files."""

    directory: Path
    api: str
    slack: str

    def tell(self, path: str) -> None:
        """Steers the stage."""
        with closing(HTTPConnection(urlsplit(self.slack).netloc, timeout=10)) as connection:
            connection.request("POST", path)
            assert connection.getresponse().status == 200

    @property
    def rules(self) -> Path:
        """The rule file, written for this stage."""
        path = self.directory / "rules.toml"
        path.write_text(RULES.format(api=self.api))
        return path

    @property
    def environ(self) -> dict[str, str]:
        """What the service finds in its environment."""
        return {
            "GUARD_DATABASE": str(self.directory / "guard.db"),
            "GUARD_LISTEN": "off",
            "STAGE_KEY": KEY,
            "STAGE_SLACK": f"{self.slack}/services/T0/B0/token",
        }


@contextmanager
def staged(*, seed: int) -> Iterator[Stage]:
    """A fresh stage in a directory of its own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "scenario.toml").write_text(SCENARIO)
        command = [sys.executable, "-m", "tests.crash.stage", name, str(seed), str(child.SPEED)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            addresses = json.loads(process.stdout.readline())
            try:
                yield Stage(directory, **addresses)
            finally:
                process.kill()


@dataclass
class Life:
    """One forked run of the service."""

    pid: int
    gone: int  # the reading end of a pipe that closes when the process ends

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within the time."""
        return bool(select.select([self.gone], [], [], timeout_s)[0])

    def end(self, number: signal.Signals) -> int:
        """Sends a signal and gives the exit status, negative for a signal, when it is gone."""
        os.kill(self.pid, number)
        return self.reap()

    def reap(self) -> int:
        """Waits for the end; a process that does not come to it is killed, which its status then tells."""
        if not self.wait(30):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.gone)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def live(stage: Stage, *, origin: tuple[object, float], seed: int, point: str = "", mark_first: bool = False) -> Life:
    """Forks the service from this warm process."""
    rules = stage.rules
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Life(pid, reading)
    try:  # the child
        os.close(reading)
        log = os.open(stage.directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ |= stage.environ
        code = child.run(rules, origin=origin, seed=seed, point=point, mark_first=mark_first)  # type: ignore[arg-type] # as it was given
    except BaseException as fault:  # noqa: BLE001 - the child must not return into the parent's code
        os.write(2, f"{fault!r}\n".encode())
        code = 99
    os._exit(code)


def random_kills(kills: int, *, seed: int, mark_first: bool = False) -> Count:
    """Kills the service at random moments, then lets it come to rest and counts."""
    chance = random.Random(seed)  # noqa: S311 - a seed, to be repeated
    origin, count = child.now_origin(), Count(seed)
    with staged(seed=seed) as stage:
        for number in range(kills):
            life = live(stage, origin=origin, seed=seed + number, mark_first=mark_first)
            if not life.wait(chance.random() * LONGEST_LIFE_S):
                count.kills += 1
            status = life.end(signal.SIGKILL)
            assert status == -signal.SIGKILL, f"it ended by itself with {status}: {tail(stage)}"
        return settle(stage, count, origin=origin)


def killed_at(point: str, *, seed: int) -> Count:
    """Kills the service once, at one durability point of its first firing."""
    origin, count = child.now_origin(), Count(seed)
    with staged(seed=seed) as stage:
        stage.tell("/calm")
        stage.tell("/value/1")
        status = live(stage, origin=origin, seed=seed, point=point).reap()
        assert status == -signal.SIGKILL, f"it was not killed at {point} but ended with {status}: {tail(stage)}"
        count.kills = 1
        life = live(stage, origin=origin, seed=seed + 1)
        until(stage, "SELECT count(*) FROM notification WHERE notified_incident_id IS NOT NULL", 2, life)
        status = life.end(signal.SIGTERM)
        assert status == 0, f"it ended with {status}: {tail(stage)}"
        return settle(stage, count, origin=origin)


def cold_kills(kills: int, *, seed: int) -> Count:
    """Kills processes that start from nothing, as an operator's do."""
    chance, count = random.Random(seed), Count(seed)  # noqa: S311 - a seed, to be repeated
    with staged(seed=seed) as stage:
        stage.tell("/value/1")
        command = [sys.executable, "-m", "guard", "run", "--rules", str(stage.rules)]
        for _ in range(kills):
            with (stage.directory / "log").open("a") as log:
                process = subprocess.Popen(command, env=os.environ | stage.environ, stdout=log, stderr=log)
            try:
                process.wait(timeout=0.5 + chance.random() * 2.5)
            except subprocess.TimeoutExpired:
                count.kills += 1
            process.kill()
            assert process.wait() == -signal.SIGKILL, tail(stage)
        return settle(stage, count, origin=child.now_origin())


def settle(stage: Stage, count: Count, *, origin: tuple[object, float]) -> Count:
    """Lets everything come to rest with a receiver that takes all, ends the service by SIGTERM, and counts."""
    stage.tell("/calm")
    polls = asked(stage, "SELECT count(*) FROM poll") or 0
    life = live(stage, origin=origin, seed=count.seed - 1)
    at_rest = (
        "SELECT (SELECT count(*) FROM alert WHERE state != 'ok') + (SELECT count(*) FROM notification WHERE waiting)"
        " + (SELECT count(*) FROM delivery WHERE state != 'sent')"
    )
    until(stage, f"SELECT count(*) > {polls + 1} FROM poll", 1, life)  # noqa: S608 - a number
    until(stage, at_rest, 0, life)
    status = life.end(signal.SIGTERM)
    assert status == 0, f"it ended with {status}: {tail(stage)}"
    return counted(stage, count)


def asked(stage: Stage, query: str) -> int | None:
    """The one number that a query gives; None while the database is only being created."""
    try:
        with closing(sqlite3.connect(f"file:{stage.directory}/guard.db?mode=ro", uri=True, timeout=5)) as database:
            return int(database.execute(query).fetchone()[0])
    except sqlite3.OperationalError as fault:
        if "no such table" in str(fault) or "unable to open" in str(fault):
            return None
        raise


def until(stage: Stage, query: str, wanted: int, life: Life) -> None:
    """Waits until the database says so; fails if the service ends, or after a minute."""
    for _ in range(int(QUIET_S / 0.05)):
        if (seen := asked(stage, query)) == wanted:
            return
        assert not life.wait(0.05), f"the service ended by itself: {tail(stage)}"
    raise AssertionError(f"no rest within {QUIET_S} s: {query} gives {seen}, not {wanted}: {tail(stage)}")


def counted(stage: Stage, count: Count) -> Count:
    """Holds what the database believes against what the receiver has."""
    file = stage.directory / "posts.jsonl"
    posts = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    by_key = Counter(post["key"] for post in posts)
    count.accepted, count.copies = len(posts), sum(by_key.values()) - len(by_key)
    with closing(sqlite3.connect(f"file:{stage.directory}/guard.db?mode=ro", uri=True)) as database:
        sent = database.execute("SELECT key, covers FROM delivery WHERE state = 'sent'").fetchall()
        incidents = {key for (key,) in database.execute("SELECT id FROM incident")}
    count.incidents = len(incidents)
    told = {name for key, covers in sent if by_key[key] for name in incidents if name in covers}
    count.lost = [f"delivery {key} is marked as sent and never arrived" for key, _ in sent if not by_key[key]]
    count.lost += [f"nobody was told of incident {name}" for name in sorted(incidents - told)]
    return count


def tail(stage: Stage) -> str:
    """The end of the service's log."""
    file = stage.directory / "log"
    return file.read_text()[-3000:] if file.exists() else "no log"


def main() -> int:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--cold", type=int, default=0)
    parser.add_argument("--point", choices=child.POINTS)
    parser.add_argument("--mark-first", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311 - printed, to be repeated
    asked = parser.parse_args()
    if asked.point:
        count = killed_at(asked.point, seed=asked.seed)
    elif asked.cold:
        count = cold_kills(asked.cold, seed=asked.seed)
    else:
        count = random_kills(asked.kills, seed=asked.seed, mark_first=asked.mark_first)
    print(json.dumps(asdict(count) | {"broken": count.broken}))  # noqa: T201 - a command
    return 1 if count.broken else 0


if __name__ == "__main__":
    sys.exit(main())
