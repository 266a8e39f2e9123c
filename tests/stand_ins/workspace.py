"""A Slack workspace over HTTP, for a bot's token: the real slack-sdk speaks to it, from this process or another."""

import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

from tests.stand_ins.workspace_state import CLOCK, OPS, TOKEN, Channel, Posted, WorkspaceState

SECRETS: Final = (TOKEN, TOKEN.lower(), "s3cretTokenOfTheBot", "1112223334")
LONG_S: Final = 30.0
_ABORT: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends a reset


class Ending(Enum):
    """What comes of a call's connection."""

    ANSWER = auto()
    DROP = auto()  # it is torn down without an answer
    HANG = auto()  # no answer comes until the server closes


@dataclass(frozen=True, slots=True)
class Fault:
    """What one call meets in place of its answer; `is_kept` is whether Slack did what it was asked nevertheless."""

    error: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None  # in place of JSON
    ending: Ending = Ending.ANSWER
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as it came, whatever became of it."""

    method: str
    args: dict[str, Any]
    headers: dict[str, str]  # by names in small letters


class Workspace:
    """Listens on a free port of loopback, in threads of its own, while it is entered.

    `api_url` is what a client takes for its base URL. Faults are met first to last, those of `always` each time.
    """

    def __init__(self, *channels: Channel, now: Callable[[], datetime] = CLOCK.now, page_most: int = 1000) -> None:
        self.state = WorkspaceState(*channels, now=now, page_most=page_most)
        self._asked: list[Asked] = []
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._changed = threading.Condition(threading.RLock())
        self._over = threading.Event()

        def handle(handler: BaseHTTPRequestHandler) -> None:
            self._handle(handler)

        kind = type("_Handler", (_Handler,), {"do_GET": handle, "do_POST": handle})
        self._server = _Server(("127.0.0.1", 0), kind)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    # --- what a test sees ------------------------------------------------------------------------------------------

    @property
    def asked(self) -> list[Asked]:
        """All calls, in the order of their arrival."""
        with self._changed:
            return list(self._asked)

    @property
    def methods(self) -> list[str]:
        """The methods of all calls."""
        return [each.method for each in self.asked]

    @property
    def ops(self) -> Channel:
        """The channel that there is unless others were given."""
        return self.state.channels[OPS]

    @contextmanager
    def still(self) -> Iterator[WorkspaceState]:
        """The state, and nobody changes it meanwhile."""
        with self._changed:
            yield self.state

    def story(self, channel: str = OPS) -> list[tuple[str, list[str]]]:
        """The channel as people read it: each root's text now, and the texts in its thread; shown ones with a `*`."""
        with self._changed:
            there = self.state.channels[channel]
            return [(root.text, [_reply(each) for each in there.thread(root)]) for root in there.roots]

    def until(self, holds: Callable[[WorkspaceState], bool], within_s: float = LONG_S) -> bool:
        """Waits until something holds; False when the time is over before. Not for the loop of a test that awaits."""
        with self._changed:
            return self._changed.wait_for(lambda: holds(self.state), within_s)

    # --- what a test does ------------------------------------------------------------------------------------------

    def fail(self, method: str, *faults: Fault) -> None:
        """The next calls of a method meet these faults, one each."""
        with self._changed:
            self._faults[method].extend(faults)

    def always(self, method: str, fault: Fault) -> None:
        """Every call of a method meets this fault from now on."""
        with self._changed:
            self._always[method] = fault

    def mend(self) -> None:
        """No call meets a fault any more."""
        with self._changed:
            self._faults.clear()
            self._always.clear()

    def delete(self, posted: Posted, channel: str = OPS) -> None:
        """A person deletes a message."""
        with self._changed:
            self.state.channels[channel].delete(posted)

    # --- the wire --------------------------------------------------------------------------------------------------

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        asked = _read(handler)
        with self._changed:
            self._asked.append(asked)
            queue = self._faults[asked.method]
            fault = queue.popleft() if queue else self._always.get(asked.method)
            answer: dict[str, Any] = {"ok": False, "error": fault.error} if fault and fault.error else {}
            if fault is None or fault.is_kept:
                kept = self.state.answer(asked.method, asked.args, token=_bearer(asked))
                answer = answer or kept
            self._changed.notify_all()
        self._reply(handler, answer, fault or Fault())

    def _reply(self, handler: BaseHTTPRequestHandler, answer: dict[str, Any], fault: Fault) -> None:
        match fault.ending:
            case Ending.DROP:
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                handler.connection.close()
            case Ending.HANG:
                self._over.wait()
            case Ending.ANSWER:
                body = (json.dumps(answer) if fault.body is None else fault.body).encode()
                kind = "application/json; charset=utf-8" if fault.body is None else "text/html"
                with suppress(OSError):  # the other side has gone
                    handler.send_response(fault.status)
                    headers = {"Content-Type": kind, "Content-Length": str(len(body)), **fault.headers}
                    for name, value in headers.items():
                        handler.send_header(name, value)
                    handler.end_headers()
                    handler.wfile.write(body)


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stays silent: stderr belongs to the tests."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Stays silent: the other side may end at any moment."""


def _read(handler: BaseHTTPRequestHandler) -> Asked:
    """A call, with its arguments from wherever Slack takes them: the query, a form or a JSON object."""
    url = urlsplit(handler.path)
    headers = {name.lower(): value for name, value in handler.headers.items()}
    body = handler.rfile.read(int(headers.get("content-length") or 0))
    args: dict[str, Any] = dict(parse_qsl(url.query))
    if headers.get("content-type", "").startswith("application/json"):
        args |= json.loads(body)
    else:
        args |= dict(parse_qsl(body.decode()))
    return Asked(url.path.removeprefix("/api/"), args, headers)


def _bearer(asked: Asked) -> str:
    return asked.headers.get("authorization", "").removeprefix("Bearer ")


def _reply(posted: Posted) -> str:
    return f"*{posted.text}" if posted.is_broadcast else posted.text
