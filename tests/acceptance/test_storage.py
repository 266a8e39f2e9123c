"""A disk that is full or read-only, a database that is cut, spoilt, deleted or replaced under the running service.

Each time it is told straight to the channel, polling goes on, nothing begins anew in silence; where the cause can go
away by itself, so does the trouble.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from guard.errors import ExitCode
from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home, Running
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import Slack

MOUNT: Final = "/bin/mount"
UNMOUNT: Final = "/bin/umount"
ROOM: Final = "size=1m"
NEEDS_ROOT: Final = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


@contextmanager
def _mounted(place: Path) -> Iterator[None]:
    """A small disk of its own at this place."""
    place.mkdir()
    done = subprocess.run([MOUNT, "-t", "tmpfs", "-o", ROOM, "tmpfs", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run([UNMOUNT, "--lazy", place], check=True)


def _is_told_and_recovers(
    home: Home, api: AgentPhone, slack: Slack, *, breaks: Callable[[Running], None], mends: Callable[[Running], None]
) -> None:
    """Has a crossing come while nothing can be written."""
    home.write(rule_file(api.url))
    with home.run() as service:
        api.until_answered(2)
        breaks(service)
        api.say(1)
        (told,) = slack.until_shown("critical")
        assert "guard.store_failing" in told.text
        api.until_answered(2)  # it goes on asking
        assert home.call("check").returncode == 0
        mends(service)
        assert slack.until(lambda: len(slack.shown) == 3)
        assert {post.text.split(":")[0] for post in slack.shown[1:]} == {
            "[resolved] guard.store_failing",
            "[critical] main / numbers-remaining",
        }
        api.until_answered(2)
        assert len(slack.shown) == 3
        assert service.end() == 0


@NEEDS_ROOT
def test_a_disk_that_is_full_is_told_of_and_all_goes_on_when_there_is_room_again(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    with _mounted(home.database.parent):
        filling = home.database.with_name("filling")

        def fill(_service: Running) -> None:
            with filling.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))

        _is_told_and_recovers(home, api, slack, breaks=fill, mends=lambda _: filling.unlink())


def test_a_database_that_may_not_grow_is_told_of_and_all_goes_on_when_it_may(
    home: Home, api: AgentPhone, slack: Slack
) -> None:
    def limit(size: int) -> Callable[[Running], None]:
        def set_limit(service: Running) -> None:
            resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        return set_limit

    _is_told_and_recovers(home, api, slack, breaks=limit(0), mends=limit(resource.RLIM_INFINITY))


@NEEDS_ROOT
def test_a_disk_that_is_read_only_stops_the_start_with_what_to_do(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    with _mounted(home.database.parent):
        assert home.call("once").returncode == 0
        subprocess.run([MOUNT, "-o", "remount,ro", home.database.parent], check=True)
        asked = api.asked
        done = home.call("run")
        assert (done.returncode, api.asked) == (ExitCode.STORAGE, asked)
        assert "Read-only file system" in done.stderr
        assert "Traceback" not in done.stderr


def _cut_in_half(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def _emptied(database: Path) -> None:
    os.truncate(database, 0)


def _spoilt(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (database.stat().st_size - 4096))


def _deleted(database: Path) -> None:
    database.unlink()


@pytest.mark.parametrize("harm", [_cut_in_half, _emptied, _spoilt, _deleted])
def test_a_database_that_is_harmed_is_told_of_and_the_next_start_refuses_it_and_leaves_it_as_it_is(
    home: Home, api: AgentPhone, slack: Slack, harm: Callable[[Path], None]
) -> None:
    home.write(rule_file(api.url))
    with home.run() as service:
        api.until_answered(2)
        harm(home.database)
        api.say(1)
        (told,) = slack.until_shown("critical")
        assert "guard.store_failing" in told.text
        api.until_answered(2)
        assert service.end() == 0
    left = _contents(home)
    for argv in ("run", "once"):
        done = home.call(argv)
        assert done.returncode == ExitCode.STORAGE, done.stderr
        assert "restore" in done.stderr
        assert "Traceback" not in done.stderr
    assert _contents(home) == left
    assert slack.marks == ["critical"]


def test_a_database_that_is_replaced_is_told_of_and_not_written_to(home: Home, api: AgentPhone, slack: Slack) -> None:
    home.write(rule_file(api.url))
    other = home.path / "other.db"
    assert home.call("once", GUARD_DATABASE=str(other)).returncode == 0
    with home.run() as service:
        api.until_answered(2)
        shutil.copy(other, home.database.with_name("copy"))
        home.database.with_name("copy").replace(home.database)
        api.say(1)
        slack.until_shown("critical")
        assert "was replaced while it was in use" in service.log.text
        api.until_answered(2)
        assert home.database.read_bytes() == other.read_bytes()
        assert service.end() == 0


def _contents(home: Home) -> dict[str, bytes]:
    """What stands beside each other, without what each start writes."""
    files = (each for each in home.database.parent.iterdir() if each.suffix not in {".lock", ".db-shm"})
    return {each.name: each.read_bytes() for each in files}
