import fcntl
import io
import json
import logging
import os
import select
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import NoReturn, TextIO

import pytest
from inline_snapshot import snapshot

from guard import logs
from guard.logs import LogFormat, log

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SECRET = 'sk live/"42"\\ü+x'
WEBHOOK = "https://hooks.slack.com/services/T000/B000/abcdefghijklmnopqrstuvwx"


@pytest.fixture(autouse=True)
def _own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `setup` and `add_secret` change for the whole process lasts one test."""
    monkeypatch.setattr(logs, "_secrets", logs._Secrets())
    root, guard = logging.getLogger(), logging.getLogger("guard")
    levels = root.level, guard.level
    yield
    for sink in [handler for handler in root.handlers if isinstance(handler, logs._Sink)]:
        root.removeHandler(sink)
        sink.close()
    root.setLevel(levels[0])
    guard.setLevel(levels[1])
    logging.captureWarnings(capture=False)


def set_up(
    stream: TextIO | None = None, *, log_format: LogFormat = "text", secrets: tuple[str, ...] = (), at: datetime = NOW
) -> TextIO:
    stream = io.StringIO() if stream is None else stream
    # pytest's own handlers keep raw texts for its report, and xdist cannot carry every letter of them.
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if isinstance(handler, logs._Sink)]
    logs.setup(log_format, stream=stream, secrets=secrets, now=lambda: at)
    return stream


def lines(stream: TextIO) -> list[str]:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue().splitlines()


def objects(stream: TextIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines(stream)]


def raised(exc: Exception) -> Exception:
    """The exception with the traceback of having been raised."""
    try:
        raise exc
    except type(exc) as caught:
        return caught


class Unprintable:
    def __str__(self) -> NoReturn:
        raise LookupError("no text today")


# --- how a line reads ----------------------------------------------------------------------------------------------


def test_a_text_line_names_time_level_event_fields_and_text() -> None:
    stream = set_up()
    log.info("poll.failed", "slow API", account="main", kind="timeout", wait_s=1.5, lost=True)
    log.warning("delivery.retry", channel="ops", why="503: try later", after=None, name="")
    log.error("service.gave_up")
    assert lines(stream) == snapshot(
        [
            '2026-11-23T14:05:00Z INFO  poll.failed account=main kind=timeout wait_s=1.5 lost=true "slow API"',
            '2026-11-23T14:05:00Z WARN  delivery.retry channel=ops why="503: try later" after=null name=""',
            "2026-11-23T14:05:00Z ERROR service.gave_up",
        ]
    )


def test_a_json_line_is_one_object_with_the_same_facts() -> None:
    stream = set_up(log_format="json", at=NOW.astimezone(timezone(timedelta(hours=2))))
    log.info("cycle.done", "all is well", account="main", rules=3, since_at=NOW, ratio=float("inf"))
    assert objects(stream) == snapshot(
        [
            {
                "at": "2026-11-23T14:05:00.000Z",
                "level": "info",
                "event": "cycle.done",
                "text": "all is well",
                "account": "main",
                "rules": 3,
                "since_at": "2026-11-23T14:05:00+00:00",
                "ratio": "inf",
            }
        ]
    )


def test_a_field_never_hides_what_every_line_has() -> None:
    stream = set_up(log_format="json")
    log.info("alert.fired", "it fires", level="critical", text="other", at="noon", event="none")
    [line] = objects(stream)
    assert (line["level"], line["text"], line["event"]) == ("info", "it fires", "alert.fired")
    assert (line["level_"], line["text_"], line["event_"], line["at_"]) == ("critical", "other", "none", "noon")


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("evil", ["a\nb", "a\r\x1b[31mb", "a\u2028b", "a\x85b", "a\u202eb", "a\x7fb", "a\ud800b"])
def test_no_value_can_begin_a_line_or_steer_a_terminal(log_format: LogFormat, evil: str) -> None:
    stream = set_up(log_format=log_format)
    log.info("poll.failed", evil, name=evil)
    [line] = lines(stream)
    assert line.isprintable()
    if log_format == "json":
        assert json.loads(line)["name"] == evil


def test_letters_of_all_scripts_stay_readable() -> None:
    stream = set_up()
    log.info("alert.fired", "3 × über 日本", name="Zoë")
    assert lines(stream)[0].endswith('alert.fired name=Zoë "3 × über 日本"')


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_is_one_field_of_the_one_line(log_format: LogFormat) -> None:
    stream = set_up(log_format=log_format)
    log.error("service.crashed", "unplanned", exc=raised(ZeroDivisionError("by nothing")), account="main")
    [line] = lines(stream)
    assert "Traceback (most recent call last):\\n" in line
    assert "ZeroDivisionError: by nothing" in line


def test_an_object_that_cannot_be_printed_costs_no_line() -> None:
    stream = set_up()
    log.error("service.crashed", exc=Exception(Unprintable()), name=Unprintable())
    [line] = lines(stream)
    assert 'name="<Unprintable, whose text raised LookupError>"' in line
    assert "exception str() failed" in line


# --- secrets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        repr(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        "https://x.example/?key=sk%20live%2F%2242%22%5C%C3%BC%2Bx",
        "https://x.example/?key=sk%20live%2f%2242%22%5c%c3%bc%2bx",
        "https://x.example/?key=sk+live%2F%2242%22%5C%C3%BC%2Bx",
        "https://x.example/sk%20live/%2242%22%5C%C3%BC%2Bx",
    ],
)
def test_a_secret_is_blotted_out_in_every_spelling_and_place(log_format: LogFormat, shown: str) -> None:
    stream = set_up(log_format=log_format, secrets=(SECRET,))
    log.error("poll.failed", f"refused {shown}", exc=raised(ValueError(shown)), url=shown)
    logging.getLogger("httpx").warning("asked %s", shown)
    text = "\n".join(lines(stream))
    assert text.count("***") >= 4
    assert "live" not in text
    assert "42" not in text.replace("2026", "")


@pytest.mark.parametrize(
    "shown",
    [
        WEBHOOK,
        "POST /services/T000/B000/abcdefghijklmnopqrstuvwx HTTP/1.1",
        "token abcdefghijklmnopqrstuvwx revoked",
    ],
)
def test_a_secret_url_is_known_by_its_parts_too(shown: str) -> None:
    stream = set_up(secrets=(WEBHOOK,))
    log.info("delivery.sent", shown)
    assert "***" in lines(stream)[0]
    assert "abcdef" not in lines(stream)[0]


def test_password_and_query_of_a_secret_url_are_secrets() -> None:
    stream = set_up(secrets=("https://me:hunter22@x.example/ping?rid=7f",))
    log.info("heartbeat.failed", "hunter22 did GET /ping?rid=7f at /ping")
    assert lines(stream)[0].endswith('heartbeat.failed "*** did GET *** at /ping"')


def test_what_is_no_url_is_a_secret_as_it_is() -> None:
    stream = set_up(secrets=("http://[half", "https://x.example"))
    log.info("check.done", "http://[half https://x.example x.example")
    assert lines(stream)[0].endswith('"*** *** x.example"')


def test_a_number_that_is_a_secret_is_blotted_out() -> None:
    stream = set_up(log_format="json", secrets=("12345678",))
    log.info("check.done", pin=12345678, other=1234)
    assert objects(stream)[0]["pin"] == "***"
    assert objects(stream)[0]["other"] == 1234


def test_a_secret_of_less_than_four_letters_is_none() -> None:
    stream = set_up(secrets=("abc", ""))
    log.info("check.done", "abcabc")
    assert lines(stream)[0].endswith('"abcabc"')


def test_a_longer_secret_wins_over_one_that_it_begins_with() -> None:
    stream = set_up(secrets=("abcd", "abcdefgh"))
    log.info("check.done", "abcdefgh abcd")
    assert lines(stream)[0].endswith('"*** ***"')


def test_ten_thousand_keys_cost_little_and_none_is_shown() -> None:
    keys = [f"key-of-account-{number:05}" for number in range(10_000)]
    stream = set_up(secrets=tuple(keys))
    log.info("check.done", " ".join(keys[::999]))
    assert "key" not in lines(stream)[0]


def test_a_key_that_is_read_later_is_a_secret_from_then_on() -> None:
    stream = set_up(secrets=("first-key",))
    logs.add_secret("second-key")
    log.info("check.done", "first-key second-key")
    assert lines(stream)[0].endswith('"*** ***"')


def test_what_is_shown_elsewhere_can_be_redacted_too() -> None:
    assert logs.redact("a first-key b") == "a first-key b"
    logs.add_secret("first-key")
    assert logs.redact("a first-key b") == "a *** b"


# --- libraries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["httpx", "slack_sdk.web", "apscheduler.scheduler", "sqlalchemy.engine", "alembic"])
def test_libraries_are_heard_from_warning_on_under_their_own_names(name: str) -> None:
    stream = set_up()
    library = logging.getLogger(name)
    library.info("GET https://secret.example")
    library.warning("retry %d", 3)
    library.critical("it is over")
    assert lines(stream) == [
        f'2026-11-23T14:05:00Z WARN  {name} "retry 3"',
        f'2026-11-23T14:05:00Z ERROR {name} "it is over"',
    ]


def test_a_warning_of_python_is_an_event_like_others() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        stream = set_up()
        warnings.warn("this will go", FutureWarning, stacklevel=1)
    [line] = lines(stream)
    assert "WARN  py.warnings" in line
    assert "FutureWarning: this will go" in line


def test_setting_up_again_replaces_what_was_set_before() -> None:
    first, second = set_up(), set_up(log_format="json")
    log.info("service.started")
    assert lines(first) == []
    assert objects(second)[0]["event"] == "service.started"


# --- where lines go ------------------------------------------------------------------------------------------------


def small_pipe() -> tuple[int, TextIO]:
    reader, writer = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux; elsewhere pipes are as small as they are
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, open(writer, "w", encoding="utf-8")  # noqa: PTH123  # a handle, and the test closes it


def read_all(reader: int) -> str:
    data = b""
    while select.select([reader], [], [], 0)[0] and (piece := os.read(reader, 65_536)):
        data += piece
    return data.decode()


def test_a_file_gets_each_line_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        set_up(stream)
        log.info("service.started", "x" * 10_000)
        assert path.read_text().endswith('xxx"\n')
        log.info("service.stopped", "\ud800")
    assert path.read_text().splitlines()[1].endswith('service.stopped "\\ud800"')


def test_a_blocked_stderr_stops_nothing_and_gets_its_lines_later() -> None:
    reader, stream = small_pipe()
    with stream:
        set_up(stream)
        for number in range(100):
            log.info("cycle.done", "x" * 200, number=number)
        text = ""
        for _ in range(50):
            text += read_all(reader)
            log.info("cycle.done", number=100)
        os.close(reader)
    assert [f"number={number} " in text for number in range(100)] == [True] * 100
    assert all(line.startswith("2026-11-23T14:05:00Z INFO  cycle.done") for line in text.splitlines())


def test_what_a_blocked_stderr_cannot_hold_is_counted() -> None:
    reader, stream = small_pipe()
    with stream:
        set_up(stream)
        for _ in range(1000):
            log.info("cycle.done", "x" * 200)
        text = ""
        for _ in range(50):
            text += read_all(reader)
            log.info("service.stopping")
        os.close(reader)
    whole = text.count("cycle.done")
    dropped = next(line for line in text.splitlines() if "log.dropped" in line)
    assert dropped.endswith(f'WARN  log.dropped count={1000 - whole} "nobody read the log"')
    assert text.index("cycle.done") < text.index("log.dropped") < text.rindex("service.stopping")


def test_the_end_waits_a_moment_for_what_is_left() -> None:
    reader, stream = small_pipe()
    with stream:
        set_up(stream)
        for _ in range(30):
            log.info("cycle.done", "x" * 200)
        first = os.read(reader, 65_536)
        set_up(io.StringIO())
        assert len(read_all(reader)) > 0
        assert len(first) > 0
        os.close(reader)


def test_a_stderr_that_takes_nothing_after_all_gets_its_line_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(number: int, data: bytes) -> NoReturn:
        raise BlockingIOError

    path = tmp_path / "log"
    with path.open("w") as stream:
        set_up(stream)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", busy)
            log.info("service.started")
        set_up(io.StringIO())
    assert path.read_text().endswith("INFO  service.started\n")


def test_a_stderr_whose_reader_is_gone_raises_nothing() -> None:
    reader, stream = small_pipe()
    os.close(reader)
    with stream:
        set_up(stream)
        log.error("service.crashed", "x" * 10_000)
        log.error("service.crashed")


def test_a_closed_stderr_raises_nothing(tmp_path: Path) -> None:
    stream = (tmp_path / "log").open("w")
    set_up(stream)
    stream.close()
    log.error("service.crashed")


def test_a_full_disk_raises_nothing() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as stream:
        set_up(stream)
        log.error("service.crashed")


def test_a_stream_in_memory_that_fails_raises_nothing() -> None:
    class Broken(io.StringIO):
        def write(self, text: str, /) -> NoReturn:
            raise RuntimeError("no")

    set_up(Broken())
    log.error("service.crashed")
