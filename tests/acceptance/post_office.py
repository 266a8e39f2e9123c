"""A mail server of our own: SMTP in the clear on loopback, a thread a connection."""

import base64
import socketserver
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Final, Self

from tests.acceptance.server import LONG_S

ANN: Final = "ann@example.com"
BEN: Final = "ben@example.com"


@dataclass(frozen=True)
class Mail:
    """One mail that was taken."""

    recipient: str
    raw: bytes
    at_s: float  # on the monotonic clock

    @property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def mark(self) -> str:
        """What stands in the brackets at the beginning."""
        return self.subject[1 : self.subject.index("]")]

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """What it says as plain text."""
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())


class _Quiet(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stays silent: the other side may end at any moment."""


class PostOffice:
    """Takes every mail until told otherwise.

    `refusals` are answers to RCPT by address, first to last, before it is taken. While `is_silent` it takes mails and
    never says so. It offers a login, and refuses it while it `repeats` all that it is told, as some servers do.
    """

    def __init__(self) -> None:
        self.refusals: defaultdict[str, list[str]] = defaultdict(list)
        self.is_silent = False
        self.repeats = False
        self.over = threading.Event()
        self._changed = threading.Condition()
        self._mails: list[Mail] = []
        office = self

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                office._converse(self)

        self._server = _Quiet(("127.0.0.1", 0), Conversation)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def mails(self) -> list[Mail]:
        """All that it took, in the order of arrival."""
        with self._changed:
            return list(self._mails)

    def to(self, recipient: str) -> list[Mail]:
        """What one person got, each mail once: a copy has the same Message-ID, and mail clients show one."""
        return list({each.id: each for each in reversed(self.mails) if each.recipient == recipient}.values())[::-1]

    def marks(self, recipient: str) -> list[str]:
        return [each.mark for each in self.to(recipient)]

    @property
    def copies(self) -> int:
        """How many mails had a Message-ID that their recipient had seen."""
        return sum(times - 1 for times in Counter((each.recipient, each.id) for each in self.mails).values())

    def until(self, holds: Callable[[], bool], within_s: float = LONG_S) -> bool:
        """Waits until something holds of what arrived; False when the time is over before."""
        with self._changed:
            return self._changed.wait_for(holds, within_s)

    def until_marks(self, *marks: str, to: tuple[str, ...] = (ANN, BEN), within_s: float = LONG_S) -> None:
        """Waits until each of these people got mails with these marks, and no others."""
        assert self.until(lambda: all(self.marks(each) == list(marks) for each in to), within_s), [
            (each.recipient, each.subject) for each in self.mails
        ]

    def _converse(self, client: socketserver.StreamRequestHandler) -> None:
        def say(line: str) -> None:
            client.wfile.write(f"{line}\r\n".encode())

        say("220 office.test")
        recipient = ""
        while line := client.rfile.readline().decode().strip():
            match line.upper().partition(" ")[0]:
                case "EHLO":
                    say("250-office.test")
                    say("250 AUTH PLAIN")
                case "AUTH":
                    say(f"535 5.7.8 {line} {_login(line)}" if self.repeats else "235 welcome")
                case "RCPT":
                    address = line.partition("<")[2].partition(">")[0]
                    refusal = self.refusals[address].pop(0) if self.refusals[address] else ""
                    recipient = "" if refusal else address
                    say(refusal or "250 taken")
                case "DATA":
                    say("354 go ahead")
                    self._take(recipient, _content(client))
                    if self.is_silent:
                        self.over.wait()
                        return
                    say("250 taken")
                case "QUIT":
                    say("221 bye")
                    return
                case _:
                    say("250 office.test")

    def _take(self, recipient: str, raw: bytes) -> None:
        with self._changed:
            if raw:
                self._mails.append(Mail(recipient, raw, time.monotonic()))
                self._changed.notify_all()


def _login(line: str) -> str:
    """What stands behind `AUTH PLAIN`, in clear words."""
    return base64.b64decode(line.split()[2]).replace(b"\0", b" ").decode()


def _content(client: socketserver.StreamRequestHandler) -> bytes:
    """The mail up to its end, which is a line with a dot; empty where the connection ends before."""
    lines: list[bytes] = []
    while (line := client.rfile.readline()) != b".\r\n":
        if not line.endswith(b"\n"):
            return b""
        lines.append(line.removeprefix(b"."))
    return b"".join(lines)
