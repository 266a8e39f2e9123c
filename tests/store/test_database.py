"""Opening, locking, committing, closing; and everything that can be wrong with a file."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from guard.errors import AlreadyRunningError, ExitCode, StorageError
from guard.model import Account
from guard.store import Unit, schema
from guard.store.connection import WRITER, apply
from guard.store.database import Database
from tests.builders import account
from tests.store import child


def save(unit: Unit) -> None:
    unit.save_account(account())


def opens(path: Path) -> dict[str, Account]:
    """What an existing database holds."""
    database = Database(path, create=False)
    try:
        assert not database.created
        return database.run(lambda unit: unit.accounts())
    finally:
        database.close()


@pytest.fixture
def closed(path: Path) -> Path:
    """A closed database with one account in it."""
    database = Database(path, create=True)
    database.run(save)
    database.close()
    return path


# --- opening -------------------------------------------------------------------------------------------------------


def test_a_new_database_says_so_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "newer" / "guard.db"
    database = Database(path, create=True)
    database.run(save)
    modes = [each.stat().st_mode & 0o777 for each in (path.parent.parent, path.parent)]
    files = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    database.close()
    assert database.created
    assert modes == [0o700, 0o700]
    assert files == dict.fromkeys(("guard.db", "guard.db-shm", "guard.db-wal", "guard.db.lock"), 0o600)


def test_what_was_committed_is_there_after_closing(closed: Path) -> None:
    assert opens(closed) == {"main": account()}
    assert sorted(each.name for each in closed.parent.iterdir()) == ["guard.db", "guard.db.lock"]


def test_an_existing_database_is_opened_and_not_created_again(closed: Path) -> None:
    database = Database(closed, create=True)
    assert not database.created
    assert database.run(lambda unit: unit.account("main")) == account()
    database.close()


def test_a_missing_database_is_not_created_unasked(path: Path) -> None:
    with pytest.raises(StorageError, match=r"guard.db does not exist; `guard run`") as caught:
        Database(path, create=False)
    assert caught.value.exit_code is ExitCode.STORAGE
    assert list(path.parent.iterdir()) == []


def test_the_settings_that_durability_stands_on_are_in_force(database: Database) -> None:
    found = {name: database._file.execute(f"PRAGMA {name}").fetchone()[0] for name in WRITER}
    assert found == {"busy_timeout": 5000, "foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}


def test_a_setting_that_does_not_take_is_refused() -> None:
    memory = sqlite3.connect(":memory:")
    with pytest.raises(StorageError, match="keeps journal_mode at memory instead of wal"):
        apply(WRITER, memory)
    memory.close()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def without_tables(path: Path) -> None:
    path.unlink()
    file = sqlite3.connect(path)
    file.execute("PRAGMA user_version = 1")
    file.close()


def foreign(path: Path) -> None:
    path.unlink()
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE poll (id)")
    file.close()


def text(path: Path) -> None:
    path.write_text("not a database at all\n" * 500)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribbled_on(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8 * 4096)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (empty, "is there but empty; restore it from a backup, or move it away to start anew; a -wal or -shm file"),
        (without_tables, "is there but empty; restore it from a backup, or move it away to start anew"),
        (foreign, "is the database of another program; restore"),
        (text, "is not an SQLite database, or it is damaged; restore"),
        (cut_short, "is damaged; restore"),
        (scribbled_on, "is damaged; restore"),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_a_harmed_file_is_refused_left_as_it_is_and_not_locked(
    closed: Path, harm: Callable[[Path], None], message: str, create: bool
) -> None:
    whole = closed.read_bytes()
    harm(closed)
    harmed = closed.read_bytes()
    with pytest.raises(StorageError, match=f"guard.db {message}"):
        Database(closed, create=create)
    assert closed.read_bytes() == harmed
    closed.write_bytes(whole)
    assert opens(closed) == {"main": account()}


def kill_after_a_commit(path: Path) -> bytes:
    child.dies(
        "database = Database(path, create=False)\ndatabase.run(lambda unit: unit.save_account(Account('side')))\ndie()",
        path,
    )
    return path.with_name("guard.db-wal").read_bytes()


def test_the_log_of_an_emptied_database_is_not_touched(closed: Path) -> None:
    log, whole = kill_after_a_commit(closed), closed.read_bytes()
    empty(closed)
    with pytest.raises(StorageError, match="is there but empty"):
        Database(closed, create=True)
    assert closed.with_name("guard.db-wal").read_bytes() == log
    closed.write_bytes(whole)
    assert set(opens(closed)) == {"main", "side"}


def test_a_log_without_its_database_is_never_played_into_a_new_one(closed: Path) -> None:
    log = kill_after_a_commit(closed)
    closed.unlink()
    with pytest.raises(StorageError, match=r"does not exist, but its log guard.db-wal does; restore both, or move"):
        Database(closed, create=True)
    assert not closed.exists()
    assert closed.with_name("guard.db-wal").read_bytes() == log


def test_damage_in_a_file_too_large_to_be_checked_is_found_when_it_is_met(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_QUICK", 0)
    (root,) = sqlite3.connect(closed).execute("SELECT rootpage FROM sqlite_master WHERE name = 'account'").fetchone()
    with closed.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StorageError, match=r"guard.db is damaged; restore"):
        opens(closed)


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        Database(tmp_path, create=False)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file cannot be used: File exists"):
        Database(tmp_path / "file" / "guard.db", create=True)


# --- transactions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [ValueError("a bug"), KeyboardInterrupt(), StorageError("said by the work itself")])
def test_work_that_raises_changes_nothing(database: Database, fault: BaseException) -> None:
    def work(unit: Unit) -> None:
        save(unit)
        raise fault

    with pytest.raises(type(fault)) as caught:
        database.run(work)
    assert caught.value is fault
    assert database.run(lambda unit: unit.accounts()) == {}


def test_work_killed_in_the_middle_changes_nothing(closed: Path) -> None:
    child.dies(
        """
database = Database(path, create=False)
def work(unit):
    unit.save_account(Account("main", failures=1))
    for number in range(400):  # more than the cache holds, so that it reaches the log before the commit
        unit.record_poll(Poll("main", datetime(2026, 11, 23, tzinfo=UTC), Answer({}, str(number) + "x" * 20_000)))
    assert Path(f"{path}-wal").stat().st_size > 1_000_000
    die()
database.run(work)
""",
        closed,
    )
    assert closed.with_name("guard.db-wal").stat().st_size > 1_000_000
    assert opens(closed) == {"main": account()}


def test_what_was_committed_survives_a_kill(closed: Path) -> None:
    child.dies(
        """
database = Database(path, create=False)
database.run(lambda unit: unit.save_account(Account("side")))
die()
""",
        closed,
    )
    assert set(opens(closed)) == {"main", "side"}


def test_a_full_disk_changes_nothing_and_it_goes_on_when_there_is_room(database: Database) -> None:
    def fill(unit: Unit) -> None:
        save(unit)
        unit.save_channel_fingerprint("ops", "x" * 1_000_000)

    (pages,) = database._file.execute("PRAGMA page_count").fetchone()
    database._file.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StorageError, match=r"guard.db cannot grow, the disk is full; nothing was changed"):
        database.run(fill)
    assert database.run(lambda unit: unit.accounts()) == {}
    database._file.execute("PRAGMA max_page_count = 100000")
    database.run(fill)
    assert database.run(lambda unit: unit.accounts()) == {"main": account()}


def test_a_commit_that_does_not_fit_changes_nothing_and_it_goes_on_when_there_is_room(closed: Path) -> None:
    printed = child.output(
        """
database = Database(path, create=False)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, most))
def work(unit):
    unit.save_account(Account("side"))
    unit.save_channel_fingerprint("ops", "x" * 1_000_000)
try:
    database.run(work)
except Exception as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(*database.run(lambda unit: unit.accounts()))
database.run(work)
print(*database.run(lambda unit: unit.accounts()))
database.close()
""",
        closed,
    ).splitlines()
    assert "guard.db cannot be read or written; nothing was changed" in printed[0]
    assert printed[1:] == ["main", "main side"]


def test_a_database_that_may_not_be_written_is_refused(closed: Path) -> None:
    open_to_all = Path("/tmp") / f"guard-{os.getpid()}"  # noqa: S108 - nobody may enter pytest's own directory
    open_to_all.mkdir()
    try:
        copy = Path(shutil.copy(closed, open_to_all))
        copy.with_name("guard.db.lock").touch()
        for each, mode in ((open_to_all, 0o777), (copy.with_name("guard.db.lock"), 0o666), (copy, 0o444)):
            each.chmod(mode)
        printed = child.output(
            """
import guard.store.database
if os.getuid() == 0:
    os.setuid(65534)  # root may write everything
try:
    Database(path, create=False)
except Exception as error:
    print(type(error).__name__, error)
""",
            copy,
        )
    finally:
        shutil.rmtree(open_to_all)
    assert printed.startswith("StorageError")
    assert "guard.db is read-only; nothing was changed" in printed


def test_a_lock_held_by_another_is_waited_for_and_then_told(database: Database, path: Path) -> None:
    database._file.execute("PRAGMA busy_timeout = 10")
    backup = sqlite3.connect(path, isolation_level=None)
    backup.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match=r"guard.db is locked by another process, perhaps a backup"):
        database.run(save)
    backup.close()
    database.run(save)


def test_the_text_of_an_error_never_shows_a_value(database: Database) -> None:
    def work(unit: Unit) -> None:
        save(unit)
        unit._connection.exec_driver_sql("INSERT INTO account (name) VALUES (?)", ("a-secret",))

    with pytest.raises(StorageError) as caught:
        database.run(work)
    assert "a-secret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_file_that_vanished_is_told_each_time_until_it_is_back(database: Database, path: Path) -> None:
    path.rename(path.with_suffix(".away"))
    for _ in range(2):
        with pytest.raises(StorageError, match=r"guard.db vanished while it was in use; nothing was changed"):
            database.run(save)
    path.with_suffix(".away").rename(path)
    database.run(save)


def test_a_file_that_was_replaced_is_told_each_time(database: Database, path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").replace(path)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"guard.db was replaced while it was in use; nothing was changed"):
            database.run(save)


# --- the lock ------------------------------------------------------------------------------------------------------

HOLD = """
database = Database(path, create=False)
print(os.getpid(), flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_is_there_and_comes_in_after_a_kill(closed: Path) -> None:
    with child.start(HOLD, closed) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == f"{holder.pid}\n"
        alias = closed.with_name("alias.db")
        alias.symlink_to(closed)
        with pytest.raises(AlreadyRunningError) as caught:
            Database(closed, create=False)
        holder.kill()
    assert f"guard.db is already used by process {holder.pid}, started 20" in str(caught.value)
    assert "stop it first, or give this one another database with GUARD_DATABASE" in str(caught.value)
    assert opens(closed) == {"main": account()}


def test_a_lock_without_a_name_still_keeps_others_out(database: Database, path: Path) -> None:
    os.truncate(path.with_name("guard.db.lock"), 0)
    with pytest.raises(AlreadyRunningError, match="already used by another process; stop it first"):
        Database(path, create=False)


def test_a_lock_that_cannot_be_written_is_no_lock(closed: Path) -> None:
    printed = child.output(
        """
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    Database(path, create=False)
except Exception as error:
    print(type(error).__name__, error)
""",
        closed,
    )
    assert printed.startswith("StorageError")
    assert printed.endswith("guard.db cannot be used: File too large")
