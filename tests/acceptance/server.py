"""A server in threads of the test's own process: the test says what it answers, and waits for what it is asked."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Self

from tests.acceptance.exchange import Answer, Handler

LONG_S = 20.0
"""For what is bound to come: far longer than any promise, so that a busy machine fails no test."""


@dataclass(frozen=True)
class Request:
    """What was asked, and when: `at_s` before the answer and `answered_at_s` after it, on the monotonic clock."""

    method: str
    path: str
    headers: dict[str, str]  # by names in small letters
    body: bytes
    answer: Answer
    at_s: float
    answered_at_s: float


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Stays silent: the other side may end at any moment."""


class Server:
    """One address on loopback. Requests are known from the moment of their answer."""

    def __init__(self, answer: Answer) -> None:
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._answer = answer
        self._requests: list[Request] = []
        self._arrived: list[bytes] = []

        def handle(handler: Handler) -> None:
            self._handle(handler)

        kind = type("_Handler", (Handler,), {"over": self._over, "do_GET": handle, "do_POST": handle})
        self._server = _Quiet(("127.0.0.1", 0), kind)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[Request]:
        """All that were answered, in the order of their answers."""
        with self._changed:
            return list(self._requests)

    @property
    def arrived(self) -> list[bytes]:
        """The bodies of all requests, also of those that are not answered yet."""
        with self._changed:
            return list(self._arrived)

    @property
    def asked(self) -> int:
        """How many requests came, answered or not."""
        return len(self.arrived)

    @property
    def answer(self) -> Answer:
        return self._answer

    @answer.setter
    def answer(self, answer: Answer) -> None:
        with self._changed:
            self._answer = answer

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()

    def until(self, holds: Callable[[], bool], within_s: float = LONG_S) -> bool:
        """Waits until something holds of what this server was asked; False when the time is over before."""
        with self._changed:
            return self._changed.wait_for(holds, within_s)

    def until_asked(self, times: int = 1, within_s: float = LONG_S) -> None:
        """Waits for so many requests from now on, answered or not."""
        last = self.asked + times
        assert self.until(lambda: self.asked >= last, within_s), f"{self.url} was not asked {times} times"

    def until_answered(self, times: int = 1, within_s: float = LONG_S) -> None:
        """Waits until the present answer was given so many times from now on."""
        self._until_given(len(self._given()) + times, within_s)

    def until_given(self, times: int = 1, within_s: float = LONG_S) -> None:
        """Waits until the present answer was given so many times since it was set."""
        self._until_given(times, within_s)

    def _given(self) -> list[Request]:
        return [each for each in self.requests if each.answer is self._answer]

    def _until_given(self, times: int, within_s: float) -> None:
        assert self.until(lambda: len(self._given()) >= times, within_s), (
            f"{self.url} gave its answer {len(self._given())} times, and {times} were awaited"
        )

    def _handle(self, handler: Handler) -> None:
        at_s = time.monotonic()
        length = int(handler.headers.get("Content-Length") or 0)
        handler.body = handler.rfile.read(length)
        if len(handler.body) < length:  # it broke off: nobody was asked anything
            handler.close_connection = True
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._changing():
            self._arrived.append(handler.body)
            answer = self._answer
        try:
            with suppress(OSError):
                answer(handler)
        finally:
            asked = Request(handler.command, handler.path, headers, handler.body, answer, at_s, time.monotonic())
            with self._changing():
                self._requests.append(asked)
