import errno
import inspect
import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard import __main__, __version__, logs
from guard.__main__ import main
from guard.cli.app import COMMANDS, Listed
from guard.clock import Clock
from guard.errors import ExitCode
from guard.store import Reader
from tests.cli.conftest import Done, Fill, Run

HEAVY = ("aiohttp", "alembic", "apscheduler", "httpx", "pydantic", "slack_sdk", "sqlalchemy", "sqlmodel", "tree_sitter")


def unpadded(text: str) -> str:
    """Rich fills its lines with blanks."""
    return "\n".join(line.rstrip() for line in text.splitlines())


# --- help ----------------------------------------------------------------------------------------------------------


def test_guard_alone_shows_what_there_is(guard: Run) -> None:
    done = guard()
    assert (done.code, done.err) == (0, "")
    assert unpadded(done.out) == snapshot("""\

 Usage: guard [OPTIONS] COMMAND [ARGS]...

 Tells people, once and in time, that their AgentPhone account is about to run
 out of something.

 Begin with `guard demo`, which needs nothing, then `guard init`.

╭─ Options ────────────────────────────────────────────────────────────────────╮
│ --version          <bool>  Show the version and exit.                        │
│ --help     -h      <bool>  Show this message and exit.                       │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Set up ─────────────────────────────────────────────────────────────────────╮
│ init       Write a rule file to begin with.                                  │
│ check      Look for mistakes in a rule file.                                 │
│ schema     Print the JSON Schema of the rule file, for editors.              │
│ test       Play stories through a rule file, and compare.                    │
│ backtest   Show what a rule file would have told of the past.                │
│ send-test  Send a test message to a channel.                                 │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Watch ──────────────────────────────────────────────────────────────────────╮
│ run        Watch the accounts and tell the channels, until stopped.          │
│ once       Do one pass, for cron; the exit code says how things stand.       │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Look ───────────────────────────────────────────────────────────────────────╮
│ status     Show how things stand, from the database.                         │
│ alerts     Show the alerts that are not at rest, the worst first.            │
│ history    Show what happened, newest last.                                  │
│ report     Show the last report, or the one that is due next.                │
│ explain    Explain an alert: why it was told, or why not.                    │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Hear less ──────────────────────────────────────────────────────────────────╮
│ ack        Acknowledge what fires: nobody is reminded of it.                 │
│ silence    Silence alerts for a while, and see what is silenced.             │
╰──────────────────────────────────────────────────────────────────────────────╯
╭─ Try out ────────────────────────────────────────────────────────────────────╮
│ demo       Show alerts fire, escalate and resolve, in about a minute.        │
│ sandbox    Run a pretend AgentPhone, to try rules against.                   │
╰──────────────────────────────────────────────────────────────────────────────╯
""")
    assert guard("--help") == guard("-h") == done


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_keeps_its_lines_on_a_terminal_and_shows_an_example(guard: Run, name: str) -> None:
    listed = COMMANDS[name]
    done = guard(*name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    shown = unpadded(done.out).splitlines()
    assert shown[1].startswith(f" Usage: guard {name} ")
    assert {f" {line}" for line in inspect.cleandoc(listed.command.__doc__ or "").splitlines() if line} <= set(shown)
    assert shown[-3:-1] == [" Example", f" {listed.example}"]
    assert f"guard {name}" in listed.example


@pytest.mark.parametrize("listed", COMMANDS.values(), ids=COMMANDS)
def test_a_command_is_listed_by_the_first_line_of_its_own_help(listed: Listed) -> None:
    assert listed.about == inspect.cleandoc(listed.command.__doc__ or "").splitlines()[0]


def test_help_imports_nothing_that_takes_long() -> None:
    script = "import sys; from guard.__main__ import main; main(['--help']); print('\\n', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {*HEAVY, "asyncio", "guard.model", "guard.cli.status"} & set(done.stdout.splitlines()[-1].split())


def test_a_command_behind_a_double_dash_is_the_real_one(guard: Run) -> None:
    assert guard("--", "check") == guard("check")
    assert guard("check").code == ExitCode.CONFIG


def test_python_dash_m_is_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["guard", "--nonsense"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(__main__.__file__, run_name="__main__")
    assert ended.value.code == ExitCode.USAGE


def test_the_version_is_shown(guard: Run) -> None:
    assert guard("--version").out == f"quota-guard {__version__}\n"


def test_a_terminal_without_unicode_is_shown_what_it_can_show() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "guard", "--help"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Tells people, once and in time" in done.stdout


def test_what_is_printed_can_be_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = io.StringIO()
    monkeypatch.setattr(sys, "stdout", memory)
    assert main(["--version"]) == 0
    assert memory.getvalue() == f"quota-guard {__version__}\n"


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_whoever_no_longer_reads_is_no_error(guard: Run, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        assert main([words]) == 0


def test_a_reader_that_goes_away_leaves_no_complaint() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "guard", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    with process:
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 0


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("words", ["--help", "init", "check", "status", "history"])
@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "at once"])
def test_a_full_disk_behind_stdout_is_one_line(rules: Path, fill: Fill, words: str, buffered: bool) -> None:
    fill(lambda unit: None)
    if words == "init":
        rules.unlink()
    python = [sys.executable, *([] if buffered else ["-u"])]
    with FULL.open("w") as full:
        done = subprocess.run(
            [*python, "-m", "guard", words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr == "guard: error: what there is to show cannot be written: No space left on device\n"
    assert done.returncode == ExitCode.STORAGE


@pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("words", ["--help", "--version"])
def test_a_full_disk_behind_stdout_is_no_defect(guard: Run, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        done = guard(words)
    assert (done.code, done.err.count("\n")) == (ExitCode.STORAGE, 1)


def test_ctrl_c_ends_a_command_with_130_and_no_words(guard: Run, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    fill(lambda unit: None)
    monkeypatch.setattr(Reader, "alerts", interrupted)
    assert guard("alerts") == Done(130, "", "")


# --- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["chek"],
            snapshot("""\
guard: error: No such command 'chek'. Did you mean 'check', 'schema'?
Try `guard --help`.
"""),
        ),
        (
            ["check", "--formt", "json"],
            snapshot("""\
guard: error: No such option: --formt (Possible options: --format)
Try `guard check --help`.
"""),
        ),
        (
            ["check", "--format", "xml"],
            snapshot("""\
guard: error: Invalid value for '--format': 'xml' is not one of 'text', 'json', 'github'.
Try `guard check --help`.
"""),
        ),
        (
            ["check", "a.toml", "b.toml"],
            snapshot("""\
guard: error: Got unexpected extra argument(s) (b.toml)
Try `guard check --help`.
"""),
        ),
        (
            ["send-test"],
            snapshot("""\
guard: error: Missing argument 'CHANNEL'.
Try `guard send-test --help`.
"""),
        ),
        (
            ["history", "--limit", "many"],
            snapshot("""\
guard: error: Invalid value for '--limit': it should be a valid integer
Try `guard history --help`.
"""),
        ),
        (
            ["history", "--limit", "0"],
            snapshot("""\
guard: error: Invalid value for '--limit': it should be greater than or equal to 1
Try `guard history --help`.
"""),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_words_that_mean_nothing_are_refused_with_a_hint(guard: Run, words: list[str], said: str) -> None:
    done = guard(*words)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert done.err == said


def test_a_mistake_that_a_person_can_mend_is_one_line(guard: Run) -> None:
    done = guard("status")
    assert (done.code, done.out) == (ExitCode.STORAGE, "")
    assert re.fullmatch(r"guard: error: /.*/guard\.db does not exist; `guard run` or .*\n", done.err)


def test_an_error_does_not_steer_the_terminal(guard: Run) -> None:
    done = guard("check", "\x1b[31mred\r.toml")
    assert done.code == ExitCode.CONFIG
    assert r"there is no rule file \x1b[31mred\r.toml" in done.err
    assert done.err.strip().isprintable()


def test_an_error_of_the_system_that_nobody_planned_for_is_shown_whole_too(
    guard: Run, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "gone")

    fill(lambda unit: None)
    monkeypatch.setattr(Clock, "now", broken)
    done = guard("alerts")
    assert (done.code, done.out) == (ExitCode.UNPLANNED, "")
    assert "Traceback (most recent call last):" in done.err


def test_what_nobody_planned_for_is_shown_whole_but_for_secrets(
    guard: Run, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lambda unit: None)
    logs.add_secret("s3cret-of-mine")

    def broken(_: object) -> None:
        raise LookupError("no s3cret-of-mine here")

    monkeypatch.setattr(Reader, "alerts", broken)
    done = guard("alerts")
    assert (done.code, done.out) == (ExitCode.UNPLANNED, "")
    assert done.err.startswith("guard: error: this should not have happened (LookupError); please report it with")
    assert "Traceback (most recent call last):" in done.err
    assert done.err.endswith("LookupError: no *** here\n")


@pytest.mark.parametrize("words", [["status"], ["alerts"], ["history"], ["check"]])
def test_every_command_that_reads_gives_one_json_document(
    guard: Run, fill: Fill, rules: object, words: list[str]
) -> None:
    fill(lambda unit: None)
    done = guard(*words, "--format", "json")
    assert (done.code, done.err) == (0, "")
    assert isinstance(json.loads(done.out), dict)
    assert done.out.isascii()
