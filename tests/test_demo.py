import errno
import io
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from guard.cli.example import example_text
from guard.demo import NowLine, run_demo
from guard.errors import ConfigError, GuardError
from tests.cli.process import command


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A directory and an environment in which nothing of the user's can be used; all that is left there is seen."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    (tmp_path / "rules.toml").write_text("this is no rule file")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    for name in ("GUARD_RULES", "GUARD_DATABASE", "GUARD_LOG", "SLACK_WEBHOOK_URL", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, "/dev/null/nothing-here")
    yield
    assert list(temporary.iterdir()) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["rules.toml", "tmp"]


def told(printed: str) -> list[str]:
    """The headline of each message, without its channel and colour."""
    return [line[5:] for line in printed.splitlines() if re.match(r" ▌ [🔴🟠🟢] ", line)]


async def test_the_story_fires_escalates_and_resolves() -> None:
    stream = io.StringIO()
    assert await run_demo(example_text(), speed=600, stream=stream) == 0
    printed = stream.getvalue()
    assert printed.splitlines()[:3] == snapshot(
        [
            "The real service watches a pretend AgentPhone on this machine, 600 times as fast.",
            "The story: phone numbers run out while messages go over budget; then both recover.",
            "You see the messages as they would read in Slack. It takes 6 s; Ctrl-C ends it.",
        ]
    )
    assert told(printed) == snapshot(
        [
            "warning · main / numbers-remaining",
            "warning · main / messages-over-budget",
            "escalated critical · main / numbers-remaining",
            "escalated critical · main / messages-over-budget",
            "resolved · main / numbers-remaining",
            "resolved · main / messages-over-budget",
        ]
    )
    assert printed.splitlines()[-1] == snapshot(
        "That is all: 2 fired, 2 escalated, 2 resolved; 6 messages. Next: guard init"
    )


async def test_a_signal_in_the_middle_ends_it_early() -> None:
    class Impatient(io.StringIO):
        def write(self, text: str) -> int:
            if "numbers left" in text:
                signal.raise_signal(signal.SIGINT)
            return super().write(text)

    stream = Impatient()
    assert await run_demo(example_text(), speed=1200, stream=stream) == 0
    assert re.match(r"Ended early: [12] fired, \d escalated, 0 resolved;", stream.getvalue().splitlines()[-1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
async def test_ctrl_c_ends_it_early(number: signal.Signals) -> None:
    async with command("demo", "--speed", "300") as demo:
        await demo.until("Ctrl-C ends it.")
        await demo.until("numbers left")
        assert await demo.end(number) == 0
    assert demo.text.splitlines()[-1] == "Ended early: 1 fired, 0 escalated, 0 resolved; 1 message."


async def test_a_story_that_shows_nothing_is_an_error() -> None:
    never = re.sub(r'(warning|critical) *= "[<>] [^"]*"', r'\1 = "< -1"', example_text(), count=4)
    with pytest.raises(GuardError, match="did not show what it should: 0 fired, 0 escalated, 0 resolved; 0 messages"):
        await run_demo(never, speed=3600, stream=io.StringIO())


async def test_a_terminal_that_is_gone_ends_it_early(caplog: pytest.LogCaptureFixture) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            if "numbers left" in text:
                raise OSError(errno.EIO, "Input/output error")
            return super().write(text)

    stream = Gone()
    assert await run_demo(example_text(), speed=600, stream=stream) == 0
    assert stream.getvalue().splitlines()[-1].startswith("Ended early: ")
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


@pytest.mark.parametrize("lines", [1, 12], ids=["before the first message", "after it"])
def test_a_reader_that_goes_away_ends_it_quietly(lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "guard", "demo", "--speed", "300"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    with process:
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


async def test_rules_with_mistakes_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"the example rule file has errors\nrules\.example\.toml:1:"):
        await run_demo("[rules]", speed=60, stream=io.StringIO())


# --- the line of the present ---------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_present_is_one_line_that_makes_room() -> None:
    terminal = Terminal()
    line = NowLine(terminal)
    line.show(datetime(2026, 11, 23, 14, 5, tzinfo=UTC), {"numbers.remaining": 2, "stats.messagesLast24h": None})
    line.erase()
    assert terminal.getvalue() == snapshot(
        "\r\x1b[2K 14:05 UTC · numbers.remaining 2 · stats.messagesLast24h ?\r\x1b[2K"
    )


@pytest.mark.parametrize("file", [io.StringIO(), Terminal()], ids=["file", "dumb terminal"])
def test_where_nothing_can_be_erased_the_present_is_not_shown(
    file: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    line = NowLine(file)
    line.show(datetime(2026, 11, 23, 14, 5, tzinfo=UTC), {})
    line.erase()
    assert file.getvalue() == ""


def test_a_terminal_that_is_gone_shows_no_present() -> None:
    class Gone(Terminal):
        def flush(self) -> None:
            raise OSError(errno.EIO, "Input/output error")

    NowLine(Gone()).erase()
