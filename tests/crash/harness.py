"""Kills the real service again and again, and counts what was lost and what came twice.

`python -m tests.crash.harness --kills 200 --on bot,mail` prints its count as JSON and ends with 1 if a promise was
broken. It imports everything once and forks, before any thread or event loop: a cold process costs half a second, a
fork a twentieth.
"""

import argparse
import asyncio
import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from guard.errors import ExitCode
from guard.model import CHANNEL_FAILING, CallKind
from guard.store.document import covers_of
from tests.crash import child
from tests.crash.channels import RECIPIENTS, Kind, environ, rule_file
from tests.crash.child import Act
from tests.crash.count import Believed, Count, Taken
from tests.crash.power import cut
from tests.crash.stage import serve

LONGEST_LIFE_S: Final = 0.6
QUIET_S: Final = 60.0
LATER: Final = (CallKind.REPLY, CallKind.EDIT)  # calls that come only when something that was told changes
AT_REST: Final = (
    "SELECT (SELECT count(*) FROM alert WHERE state != 'ok') + (SELECT count(*) FROM notification WHERE waiting)"
    " + (SELECT count(*) FROM notification WHERE channel = 'bot' AND NOT root_ended)"
    " + (SELECT count(*) FROM delivery WHERE state != 'sent')"
)
"""Zero when nothing fires, nothing waits and everything was sent."""

Origin = tuple[datetime, float]


@dataclass
class Stage:
    """The running stage, and the service's files."""

    directory: Path
    kinds: tuple[Kind, ...]
    addresses: dict[str, str]
    origin: Origin

    def tell(self, path: str, method: str = "POST") -> bytes:
        """Steers the stage, or asks it."""
        with closing(HTTPConnection(urlsplit(self.addresses["steering"]).netloc, timeout=10)) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read()

    @property
    def taken(self) -> dict[str, Any]:
        """What the receivers have."""
        found: dict[str, Any] = json.loads(self.tell("/taken", "GET"))
        return found

    @property
    def rules(self) -> Path:
        """The rule file, written for this stage."""
        path = self.directory / "rules.toml"
        path.write_text(rule_file(self.kinds, self.addresses))
        return path

    @property
    def environ(self) -> dict[str, str]:
        """What the service finds in its environment."""
        database = str(self.directory / "guard.db")
        return {"GUARD_DATABASE": database, "GUARD_LISTEN": "off", **environ(self.addresses)}


@contextmanager
def staged(*, seed: int, kinds: tuple[Kind, ...]) -> Iterator[Stage]:
    """A fresh stage in a directory of its own."""
    origin = child.now_origin()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            _end_with(lambda: asyncio.run(serve(directory, writing, seed=seed, speed=child.SPEED, origin=origin)))
        os.close(writing)
        try:
            with os.fdopen(reading) as told:
                addresses = json.loads(told.readline())
            yield Stage(directory, kinds, addresses, origin)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


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
        return self.reap()[1]

    def reap(self) -> tuple[bool, int]:
        """Waits for the end: whether it came by itself, or else the process was killed, and the exit status."""
        if not (by_itself := self.wait(30)):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.gone)
        return by_itself, os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def live(stage: Stage, *, seed: int, **breaks: Any) -> Life:
    """Forks the service from this warm process; `breaks` says what is to go wrong in it, as `child.run` takes it."""
    rules = stage.rules
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        log = os.open(stage.directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ |= stage.environ
        _end_with(partial(child.run, rules, origin=stage.origin, seed=seed, **breaks))
    os.close(writing)
    return Life(pid, reading)


def _end_with(work: Callable[[], int | None]) -> NoReturn:
    """Ends this forked process with the work: it must not return into the parent's code."""
    code = 99
    try:
        code = work() or 0
    except BaseException as fault:  # noqa: BLE001 - whatever it was
        os.write(2, f"{fault!r}\n".encode())
    os._exit(code)


def random_kills(kills: int, *, seed: int, kinds: tuple[Kind, ...], no_find: bool = False, **breaks: bool) -> Count:
    """Kills the service at random moments, then lets it come to rest and counts."""
    chance = random.Random(seed)  # noqa: S311 - a seed, to be repeated
    count = Count(seed, kinds)
    with staged(seed=seed, kinds=kinds) as stage:
        for number in range(kills):
            life = live(stage, seed=seed + number, no_find=no_find, **breaks)
            if not life.wait(chance.random() * LONGEST_LIFE_S):
                count.kills += 1
            status = life.end(signal.SIGKILL)
            assert status == -signal.SIGKILL, f"it ended by itself with {status}: {tail(stage)}"
        return settle(stage, count, no_find=no_find)


def broken_at(
    points: str, act: Act, *, seed: int, kinds: tuple[Kind, ...], no_find: bool = False, **breaks: bool
) -> Count:
    """Breaks the service at durability points, of its first firing or of what follows upon that.

    A kill and a hang end it, so they are one in each life; after a defect it goes on.
    """
    count, turned = Count(seed, kinds), False
    notified = "SELECT count(*) FROM notification WHERE notified_incident_id IS NOT NULL"
    everybody = sum(len(RECIPIENTS[kind]) for kind in kinds) * 2  # of two alerts
    with staged(seed=seed, kinds=kinds) as stage:
        stage.tell("/calm")
        stage.tell("/value/1")
        for number, point in enumerate([points] if act is Act.RAISE else points.split("+")):
            life = live(stage, seed=seed + number, point=point, act=act, no_find=no_find, **breaks)
            if (point.partition(":")[2] in LATER and not turned) or act is Act.RAISE:
                until(stage, notified, everybody, life.wait)
                stage.tell("/calm")
                turned = True
            if act is Act.RAISE:
                until(stage, AT_REST, 0, life.wait)
            _ended_as_it_should(stage, life, point, act)
            count.kills += 1
        if not turned:
            life = live(stage, seed=seed + count.kills, no_find=no_find)
            until(stage, notified, everybody, life.wait)
            status = life.end(signal.SIGTERM)
            assert status == 0, f"it ended with {status}: {tail(stage)}"
        return settle(stage, count, no_find=no_find)


def _ended_as_it_should(stage: Stage, life: Life, point: str, act: Act) -> None:
    """A kill ends it, the watchdog ends what hangs, and a defect ends nothing and stands in the log."""
    if act is Act.RAISE:
        status = life.end(signal.SIGTERM)
        assert status == ExitCode.DONE, f"it ended with {status} after {point}: {tail(stage)}"
        log = (stage.directory / "log").read_text()
        assert all(each in log for each in point.split("+")), f"nothing was raised at {point}: {tail(stage)}"
        return
    by_itself, status = life.reap()
    assert by_itself, f"it did not end at {point}: {tail(stage)}"
    wanted = -signal.SIGKILL if act is Act.KILL else ExitCode.UNPLANNED
    assert status == wanted, f"{act} at {point}: it ended with {status}: {tail(stage)}"


def power_cuts(cuts: int, *, seed: int, kinds: tuple[Kind, ...], normal: bool = False) -> Count:
    """Cuts the power at random moments: what was acknowledged must be there afterwards, and all promises kept."""
    chance, count, lost = random.Random(seed), Count(seed, kinds), 0  # noqa: S311 - a seed, to be repeated
    with staged(seed=seed, kinds=kinds) as stage:
        for number in range(cuts):
            life = live(stage, seed=seed + number, power=True, normal=normal)
            life.wait(0.2 + chance.random() * LONGEST_LIFE_S)
            status = life.end(signal.SIGKILL)
            assert status == -signal.SIGKILL, f"it ended by itself with {status}: {tail(stage)}"
            count.kills += 1
            lost += cut(stage.directory / "guard.db")
        if lost:
            count.wrong.append(f"{lost} acknowledged rows were lost")
            return count  # what else is wrong then follows from it
        return settle(stage, count)


def cold_kills(kills: int, *, seed: int, kinds: tuple[Kind, ...]) -> Count:
    """Kills processes that start from nothing, as an operator's do."""
    chance, count = random.Random(seed), Count(seed, kinds)  # noqa: S311 - a seed, to be repeated
    with staged(seed=seed, kinds=kinds) as stage:
        stage.tell("/value/1")
        command = [sys.executable, "-m", "guard", "run", "--rules", str(stage.rules)]
        for number in range(kills):
            with (stage.directory / "log").open("a") as log:
                process = subprocess.Popen(command, env=os.environ | stage.environ, stdout=log, stderr=log)
            if not number:  # there must be something to lose, however slow the machine is
                until(stage, "SELECT count(*) > 0 FROM incident", 1, partial(_ended, process))
            if not _ended(process, 0.5 + chance.random() * 2.5):
                count.kills += 1
            process.kill()
            assert process.wait() == -signal.SIGKILL, tail(stage)
        return settle(stage, count)


def _ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    try:
        process.wait(timeout=within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def settle(stage: Stage, count: Count, *, no_find: bool = False) -> Count:
    """Lets everything come to rest with receivers that take all, ends the service by SIGTERM, and counts."""
    stage.tell("/calm")
    polls = asked(stage, "SELECT count(*) FROM poll") or 0
    life = live(stage, seed=count.seed - 1, no_find=no_find)
    until(stage, f"SELECT count(*) > {polls + 1} FROM poll", 1, life.wait)  # noqa: S608 - a number
    until(stage, AT_REST, 0, life.wait)
    status = life.end(signal.SIGTERM)
    assert status == 0, f"it ended with {status}: {tail(stage)}"
    counted(stage, count)
    return count


def asked(stage: Stage, query: str) -> int | None:
    """The one number that a query gives; None while the database is only being created."""
    try:
        with closing(sqlite3.connect(f"file:{stage.directory}/guard.db?mode=ro", uri=True, timeout=5)) as database:
            return int(database.execute(query).fetchone()[0])
    except sqlite3.OperationalError as fault:
        if "no such table" in str(fault) or "unable to open" in str(fault):
            return None
        raise


def until(stage: Stage, query: str, wanted: int, ended: Callable[[float], bool]) -> None:
    """Waits until the database says so; fails if the service ends, or after a minute."""
    for _ in range(int(QUIET_S / 0.05)):
        if (seen := asked(stage, query)) == wanted:
            return
        assert not ended(0.05), f"the service ended by itself: {tail(stage)}"
    raise AssertionError(f"no rest within {QUIET_S} s: {query} gives {seen}, not {wanted}: {tail(stage)}")


def counted(stage: Stage, count: Count) -> None:
    """Holds what the database believes against what the receivers have."""
    seen = stage.taken
    count.unanswered = seen["unanswered"]
    count.doubts = asked(stage, "SELECT count(*) FROM event WHERE kind = 'delivery.unsure'") or 0
    query = "SELECT key, channel, recipient, call, covers FROM delivery WHERE state = 'sent'"
    with closing(sqlite3.connect(f"file:{stage.directory}/guard.db?mode=ro", uri=True)) as database:
        believed = [
            Believed(key, channel, recipient, CallKind(call), covers_of(covers))
            for key, channel, recipient, call, covers in database.execute(query)
        ]
        about = "SELECT id, CASE rule WHEN ? THEN subject ELSE '' END FROM incident"
        incidents = dict(database.execute(about, [CHANNEL_FAILING]))
    count.compare([Taken(**each) for each in seen["taken"]], believed, incidents)


def tail(stage: Stage) -> str:
    """The end of the service's log."""
    file = stage.directory / "log"
    return file.read_text()[-3000:] if file.exists() else "no log"


def _kinds(text: str) -> tuple[Kind, ...]:
    return tuple(Kind(each) for each in text.split(","))


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", type=_kinds, default=(Kind.WEBHOOK,), help="webhook, bot, mail; several with commas")
    parser.add_argument("--kills", type=int, default=0, help="so many at random moments")
    parser.add_argument("--cold", type=int, default=0, help="so many of processes that start from nothing")
    parser.add_argument(
        "--point",
        help="at this durability point, or at several with + between; at each of some with a comma between, or of: all",
    )
    parser.add_argument("--act", type=Act, choices=list(Act), default=Act.KILL, help="what happens there")
    parser.add_argument("--mark-first", action="store_true", help="a control: marks as sent before it sends")
    parser.add_argument("--no-find", action="store_true", help="a control: a bot finds nothing that it has posted")
    parser.add_argument("--power", type=int, default=0, help="so many power cuts at random moments")
    parser.add_argument("--normal", action="store_true", help="a control: SQLite syncs at checkpoints alone")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311 - printed, to be repeated
    return parser.parse_args()


def runs(wanted: argparse.Namespace) -> Iterator[tuple[str, Count]]:
    """What was asked for, run by run."""
    seed, kinds = wanted.seed, wanted.on
    controls = {name: getattr(wanted, name) for name in ("mark_first", "no_find")}
    if wanted.point:
        points = child.POINTS[kinds[0]] if wanted.point == "all" else wanted.point.split(",")
        yield from ((each, broken_at(each, wanted.act, seed=seed, kinds=kinds, **controls)) for each in points)
    elif wanted.power:
        yield "power", power_cuts(wanted.power, seed=seed, kinds=kinds, normal=wanted.normal)
    elif wanted.cold:
        yield "cold", cold_kills(wanted.cold, seed=seed, kinds=kinds)
    else:
        yield "random", random_kills(wanted.kills, seed=seed, kinds=kinds, **controls)


def main() -> int:
    """Runs what the command line asks for, and prints one line of JSON a run."""
    wanted, code = parsed(), 0
    for name, count in runs(wanted):
        print(json.dumps({"run": name, **asdict(count), "broken": count.broken}), flush=True)  # noqa: T201 - a command
        code = 1 if count.broken else code
    return code


if __name__ == "__main__":
    sys.exit(main())
