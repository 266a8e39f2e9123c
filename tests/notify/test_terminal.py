import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from rich.cells import cell_len

from guard.message import Fact, Message, trial
from guard.model import Level
from guard.notify.notifier import Call, Edit, Gone, Outcome, Post, Reply, Retry, Sent, Unsure
from guard.notify.terminal import TerminalNotifier
from tests.builders import NOW
from tests.notify.examples import NASTY, PATIENT, digest, message, messages

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def _a_plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setenv("TERM", "xterm-256color")


def notifier(stream: TextIO, name: str = "ops") -> TerminalNotifier:
    return TerminalNotifier(name, stream=stream, now=lambda: NOW)


async def printed(shown: Message, name: str = "ops") -> str:
    stream = io.StringIO()
    assert await notifier(stream, name).deliver(Post(shown), key="k1") == Sent()
    return stream.getvalue()


@contextmanager
def pipe(*, encoding: str = "utf-8") -> Iterator[tuple[TextIO, int]]:
    """A stream into a pipe, and the end where it can be read."""
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w", encoding=encoding)
    try:
        yield stream, reader
    finally:
        os.close(reader)
        os.set_blocking(stream.fileno(), False)
        with_nothing_left(stream)


def with_nothing_left(stream: TextIO) -> None:
    try:
        stream.close()
    except OSError:
        assert stream.closed


def fill(stream: TextIO, *, leave_bytes: int = 0, reader: int = -1) -> None:
    """Writes into a pipe until it takes no more, then reads some of it away again."""
    os.set_blocking(stream.fileno(), False)
    try:
        while os.write(stream.fileno(), b"x" * 4096):
            pass
    except BlockingIOError:
        os.set_blocking(stream.fileno(), True)
    if leave_bytes:
        os.read(reader, leave_bytes)


async def test_a_message_reads_as_in_slack() -> None:
    assert await printed(message(description="Release some\nin the dashboard.")) == snapshot("""\
 #ops  14:05:00 UTC
 ▌ 🔴 critical · main / numbers-remaining
 ▌ 1 of 12 phone numbers left
 ▌ Release some
 ▌ in the dashboard.
 ▌
 ▌ Account  main
 ▌ Value    1, critical below 2, warning below 3
 ▌ Since 2026-11-23 14:05 UTC · Data 12 s old
 ▌ Runbook https://example.com/numbers

""")


async def test_a_digest_reads_as_in_slack() -> None:
    assert await printed(digest(3, more=2)) == snapshot("""\
 #ops  14:05:00 UTC
 ▌ 🔴 digest critical · main
 ▌ many alerts
 ▌
 ▌ 🔴 [critical] main / spend: $412.00 this month
 ▌ 🟢 [critical] main / spend: $412.00 this month
 ▌ 🔴 [critical] main / spend: $412.00 this month
 ▌ and 2 more
 ▌ Runbook https://example.com/numbers

""")


async def test_a_trial_reads_as_in_slack() -> None:
    assert await printed(trial("ops", now=NOW)) == snapshot("""\
 #ops  14:05:00 UTC
 ▌ ⚪ test · ops
 ▌ this channel works; all is well and nothing needs doing
 ▌ Sent 2026-11-23 14:05 UTC

""")


async def test_lines_that_do_not_fit_are_folded_under_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "36")
    assert await printed(message()) == snapshot("""\
 #ops  14:05:00 UTC
 ▌ 🔴 critical · main /
 ▌ numbers-remaining
 ▌ 1 of 12 phone numbers left
 ▌
 ▌ Account  main
 ▌ Value    1, critical below 2,
 ▌          warning below 3
 ▌ Since 2026-11-23 14:05 UTC · Data
 ▌ 12 s old
 ▌ Runbook
 ▌ https://example.com/numbers

""")


async def test_a_wide_terminal_is_not_used_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    lines = (await printed(message(summary="word " * 100))).splitlines()
    assert 90 < max(map(len, lines)) <= 100


async def test_a_terminal_without_unicode_gets_plain_letters() -> None:
    with pipe(encoding="ascii") as (stream, reader):
        await notifier(stream).deliver(Post(message(title="main / spend ≥ 80 %")), key="k1")
        assert os.read(reader, 4096).decode("ascii") == snapshot("""\
 #ops  14:05:00 UTC
 | * critical - main / spend ? 80 %
 | 1 of 12 phone numbers left
 |
 | Account  main
 | Value    1, critical below 2, warning below 3
 | Since 2026-11-23 14:05 UTC - Data 12 s old
 | Runbook https://example.com/numbers

""")


@pytest.mark.parametrize(
    ("shown", "colour"),
    [
        (message(), "31"),
        (message(level=Level.WARNING), "38;5;208"),
        (message(level=Level.INFO), "34"),
        (message(ended=True), "32"),
    ],
    ids=["critical", "warning", "info", "resolved"],
)
async def test_a_terminal_shows_the_level_s_colour(
    monkeypatch: pytest.MonkeyPatch, shown: Message, colour: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = await printed(shown)
    assert f"\x1b[{colour}m ▌\x1b[0m" in coloured
    monkeypatch.delenv("FORCE_COLOR")
    assert ANSI.sub("", coloured) == await printed(shown)


async def test_the_stream_takes_what_others_wrote_before_first() -> None:
    with pipe() as (stream, reader):
        stream.write("before\n")
        await notifier(stream).deliver(Post(message()), key="k1")
        assert os.read(reader, 4096).decode().startswith("before\n #ops")


async def test_a_long_message_arrives_whole() -> None:
    long = digest(20, text="long " * 80)
    with pipe() as (stream, reader):
        assert await notifier(stream).deliver(Post(long), key="k1") == Sent()
        assert os.read(reader, 65_536).decode() == await printed(long)


async def test_a_terminal_that_takes_no_text_is_tried_again_and_holds_up_nothing() -> None:
    with pipe() as (stream, _):
        fill(stream)
        outcome = await notifier(stream).deliver(Post(message()), key="k1")
    assert outcome == Retry("the terminal takes no text")


async def test_a_terminal_that_stops_in_the_middle_leaves_it_open() -> None:
    with pipe() as (stream, reader):
        fill(stream, leave_bytes=4096, reader=reader)
        outcome = await notifier(stream).deliver(Post(digest(20, text="long " * 80)), key="k1")
    assert outcome == Unsure("the terminal takes no text")


async def test_a_terminal_that_nobody_reads_any_more_is_tried_again() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        outcome = await notifier(stream).deliver(Post(message()), key="k1")
    assert outcome == Retry("the terminal is gone: BrokenPipeError")


@pytest.mark.parametrize("call", [Reply(message(), "r1"), Edit(message(), "r1")])
async def test_what_was_printed_cannot_be_edited_or_answered(call: Call) -> None:
    stream = io.StringIO()
    assert isinstance(await notifier(stream).deliver(call, key="k1"), Gone)
    assert await notifier(stream).find(key="k1", thread="r1", attempted_at=NOW) is None
    assert not stream.getvalue()


@pytest.mark.parametrize("make", [io.StringIO, lambda: open(os.devnull, "w")], ids=["memory", "file"])  # noqa: PTH123, SIM115 - closed by the test
async def test_a_closed_stream_is_tried_again(make: object) -> None:
    stream: TextIO = make()  # type: ignore[operator] # a parameter of pytest
    stream.close()
    outcome: Outcome = await notifier(stream).deliver(Post(message()), key="k1")
    await notifier(stream).close()
    assert outcome == Retry("the terminal is gone: ValueError")


@pytest.mark.parametrize("name", NASTY)
async def test_no_name_brings_control_characters_to_the_terminal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    everywhere = message(
        mark=name,
        title=name,
        summary=name,
        description=name,
        facts=(Fact(name, name), Fact(name, name, NOW)),
        runbook=name,
    )
    visible = ANSI.sub("", await printed(everywhere, name))
    assert all(letter.isprintable() or letter in "\n\u3000" for letter in visible if letter.isascii())
    assert not set(visible) & set("\x9b\x85\u2028\u202e\ud800")


@PATIENT
@given(shown=messages(), columns=st.integers(12, 140))
async def test_whatever_a_message_holds_nothing_is_wider_than_the_terminal(
    shown: Message, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert max(map(cell_len, (await printed(shown)).split("\n"))) <= columns
