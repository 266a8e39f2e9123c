"""One event a line on stderr, as text or JSON, with every secret blotted out.

Modules write `log.info("poll.failed", "no route to host", account="main")`; `setup` says, once, where that goes and how
it reads. Events of libraries are shown from WARNING on, named after their logger.
"""

import json
import logging
import os
import re
import select
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Literal, TextIO
from urllib.parse import quote, quote_plus, urlsplit

LogFormat = Literal["text", "json"]
_Plain = str | int | float | bool | None

_BLOT: Final = "***"
_SHORTEST_SECRET: Final = 4  # a shorter one would blot out half of every line, and protects nothing
_SHORTEST_PATH: Final = 8  # of a secret URL: a shorter path is a word rather than a secret
_SHORTEST_TOKEN: Final = 16  # of a secret URL's last segment, for the same reason
_WAITING_BYTES: Final = 65_536  # kept for a stderr that takes nothing at the moment
_LAST_WAIT_MS: Final = 100  # for each piece of what still waits at the end of the process
_SHOWN_LEVELS: Final = {"info": "INFO ", "warning": "WARN ", "error": "ERROR"}
_RESERVED: Final = frozenset({"at", "level", "event", "text"})
_BARE: Final = re.compile(r"[^\s\"=\\]+")
_HEX: Final = re.compile(r"%[0-9A-F]{2}")


class Log:
    """Writes events. An event's name is stable and dotted (`cycle.done`); its text is for people and may change.

    Fields are shown in the order given; times as ISO 8601, other objects as their `str`. Nothing here ever raises or
    waits: a line that cannot be written is lost.
    """

    _logger = logging.getLogger("guard")

    def info(self, event: str, text: str = "", /, **fields: object) -> None:
        """What is as it should be."""
        self._logger.info(text, extra={"event": event, "fields": fields})

    def warning(self, event: str, text: str = "", /, **fields: object) -> None:
        """What guard copes with by itself, and a person may want to know."""
        self._logger.warning(text, extra={"event": event, "fields": fields})

    def error(self, event: str, text: str = "", /, *, exc: BaseException | None = None, **fields: object) -> None:
        """What needs a person; with `exc`, its traceback becomes the field `traceback`."""
        self._logger.error(text, extra={"event": event, "fields": fields}, exc_info=exc)


log: Final = Log()


# --- secrets -------------------------------------------------------------------------------------------------------


class _Secrets:
    """Texts that are never shown, in any of the spellings in which they may turn up."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None  # of all forms; None until they are asked for

    def add(self, secret: str) -> None:
        forms = {form for form in _spellings(secret) if len(form) >= _SHORTEST_SECRET}
        if not forms <= self._forms:
            self._forms |= forms
            self._pattern = None  # not made anew with each of ten thousand keys: it grows with all before them

    def redact(self, text: str) -> str:
        if not self._forms:
            return text
        return (self._pattern or self._compile()).sub(_BLOT, text)

    def _compile(self) -> re.Pattern[str]:
        longest_first = sorted(self._forms, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest_first)))
        if len(longest_first) == len(self._forms):  # another thread may have added one in the meantime
            self._pattern = pattern
        return pattern


_secrets: Final = _Secrets()


def add_secret(secret: str) -> None:
    """Registers a text that no line shows from now on; one of less than four letters is ignored."""
    _secrets.add(secret)


def redact(text: str) -> str:
    """The text with every registered secret blotted out, for what is shown elsewhere than in the log."""
    return _secrets.redact(text)


def _spellings(secret: str) -> Iterator[str]:
    """A secret as it is, and as URLs, JSON and Python's own error texts write it; repetitions are possible."""
    for part in (secret, *_telling_parts(secret)):
        yield part
        for quoted in (quote(part), quote(part, safe=""), quote_plus(part)):
            yield quoted
            yield _HEX.sub(lambda match: match[0].lower(), quoted)
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield repr(part)[1:-1]


def _telling_parts(secret: str) -> Iterator[str]:
    """The parts of a secret URL that give it away alone: libraries name the path without the host."""
    with suppress(ValueError):  # no URL after all
        url = urlsplit(secret)
        if not url.netloc:
            return
        if url.password:
            yield url.password
        if len(url.path) >= _SHORTEST_PATH:
            yield url.path
        if url.query:
            yield f"{url.path}?{url.query}"
        last = url.path.rpartition("/")[2]
        if len(last) >= _SHORTEST_TOKEN:
            yield last


# --- how a line reads ----------------------------------------------------------------------------------------------


class _Formatter(logging.Formatter):
    """`2026-11-23T14:05:00Z WARN  poll.failed account=main "no route to host"`, or the same as a JSON object."""

    def __init__(self, log_format: LogFormat, *, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._log_format = log_format
        self._now = now

    def format(self, record: logging.LogRecord) -> str:
        at = self._now().astimezone(UTC).replace(tzinfo=None)
        level = _level_word(record.levelno)
        event = str(getattr(record, "event", record.name))
        text = _secrets.redact(record.getMessage())
        fields = self._fields(record)
        if self._log_format == "json":
            head: dict[str, _Plain] = {"at": f"{at.isoformat(timespec='milliseconds')}Z", "level": level}
            return _json({**head, "event": event, "text": text, **fields})
        parts = [f"{at.isoformat(timespec='seconds')}Z", f"{_SHOWN_LEVELS[level]}", event]
        parts += [f"{name}={_bare(value)}" for name, value in fields.items()]
        return " ".join([*parts, _json(text)] if text else parts)

    def _fields(self, record: logging.LogRecord) -> dict[str, _Plain]:
        given: Mapping[str, object] = getattr(record, "fields", {})
        fields = {f"{name}_" if name in _RESERVED else name: _plain(value) for name, value in given.items()}
        if record.exc_info:
            fields["traceback"] = _plain(self.formatException(record.exc_info))
        return fields


def _level_word(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    return "warning" if number >= logging.WARNING else "info"


def _plain(value: object) -> _Plain:
    """A value as a line may hold it: redacted, and of a type that JSON knows."""
    if value is None or isinstance(value, bool):
        return value
    try:
        text = value.isoformat() if isinstance(value, datetime) else str(value)
    except Exception as exc:  # noqa: BLE001  # an object's own __str__ may raise anything
        return f"<{type(value).__name__}, whose text raised {type(exc).__name__}>"
    clean = _secrets.redact(text)
    if isinstance(value, int | float) and abs(value) < float("inf") and clean == text:
        return value
    return clean


def _bare(value: _Plain) -> str:
    """A field's value in a text line: without quotes where it is one plain word."""
    if isinstance(value, str) and _BARE.fullmatch(value) and value.isprintable():
        return value
    return _json(value)


def _json(value: object) -> str:
    """JSON on one line of printable letters, so that no value can begin a line or steer a terminal."""
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


# --- where lines go ------------------------------------------------------------------------------------------------


class _Sink(logging.Handler):
    """Writes to a stream without ever waiting for its reader.

    The service lives on one thread: a pager or a journal that stopped reading stderr would stop it too. What is not
    taken waits, up to a bound; what came beyond it is counted, and the count is told once there is room again.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._waiting = bytearray()
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # no fault of a log line is worth more than the work that it tells of
            self._put(f"{self.format(record)}\n")

    def close(self) -> None:
        with suppress(Exception):
            self._drain(self._stream.fileno(), wait_ms=_LAST_WAIT_MS)
        super().close()

    def _put(self, line: str) -> None:
        try:
            number = self._stream.fileno()
        except OSError:  # a stream in memory
            self._stream.write(line)
            return
        self._drain(number)
        data = line.encode(errors="backslashreplace")
        if self._waiting and len(self._waiting) + len(data) > _WAITING_BYTES:
            self._dropped += 1
            return
        self._waiting += data
        self._drain(number)

    def _drain(self, number: int, *, wait_ms: int = 0) -> None:
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        while self._waiting and poll.poll(wait_ms):
            self._write_piece(number)
            if self._dropped and not self._waiting:
                self._waiting += self._dropped_line()

    def _dropped_line(self) -> bytes:
        fields = {"count": self._dropped}
        self._dropped = 0
        record = {"levelno": logging.WARNING, "event": "log.dropped", "fields": fields, "msg": "nobody read the log"}
        return f"{self.format(logging.makeLogRecord(record))}\n".encode()

    def _write_piece(self, number: int) -> None:
        # A pipe that is ready takes this much without waiting (POSIX's PIPE_BUF), and not one byte more for certain.
        piece = self._waiting[: select.PIPE_BUF]
        try:
            del self._waiting[: os.write(number, piece)]
        except BlockingIOError:
            raise  # it waits for the next event
        except OSError:  # closed, or the disk is full
            self._waiting.clear()


def setup(log_format: LogFormat, *, stream: TextIO, secrets: Iterable[str] = (), now: Callable[[], datetime]) -> None:
    """Sends every event of this process to `stream` from now on; called again, it replaces what it set before.

    `now` gives aware instants. Secrets shorter than four letters are ignored; those of an earlier call stay secret.
    """
    for secret in secrets:
        add_secret(secret)
    sink = _Sink(stream)
    sink.setFormatter(_Formatter(log_format, now=now))
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Sink)]:
        root.removeHandler(handler)
        handler.close()
    root.addHandler(sink)
    root.setLevel(logging.WARNING)  # libraries: httpx and slack_sdk tell whole URLs below it
    Log._logger.setLevel(logging.INFO)  # noqa: SLF001  # its own module
    logging.captureWarnings(capture=True)
