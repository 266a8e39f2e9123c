"""A mail server that takes mail over SMTP and keeps it, and an odd one that says at each step what a test wants."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CERTIFICATE: Final = Path(__file__).parents[1] / "agentphone" / "self-signed.pem"  # for the name localhost
EXPIRED: Final = Path(__file__).with_name("expired.pem")  # the same, until February 2020
USERNAME: Final = "guard"
PASSWORD: Final = "pass phrase 7f3Q"


@dataclass(frozen=True, slots=True)
class Received:
    """One mail that was taken, or refused for what it holds, or would have been taken."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    secure: bool
    user: str  # who had logged in; empty for nobody

    @property
    def mail(self) -> EmailMessage:
        """The mail, read by the standard library."""
        read = message_from_bytes(self.raw, policy=default)
        assert isinstance(read, EmailMessage)
        return read

    def text(self, subtype: str = "plain") -> str:
        """One of its bodies."""
        (part,) = [part for part in self.mail.walk() if part.get_content_type() == f"text/{subtype}"]
        content: str = part.get_content()
        return content.replace("\r\n", "\n")


def tls(certificate: Path = CERTIFICATE) -> ssl.SSLContext:
    """The server's side of TLS, with a certificate that only those trust who were told to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@dataclass
class MailStandIn:
    """aiosmtpd on a free port of loopback, where it is called localhost.

    `refusals` are answers to RCPT by address, first to last, before it is taken, and `rejections` answers to the mail
    itself, which is kept all the same. With `is_mute` a mail is kept, and the connection cut in place of an answer.
    `withheld` are ways of logging in that are not offered, and `size_limit` is the largest mail in bytes.
    """

    starttls: bool = False
    implicit_tls: bool = False
    login: bool = False
    is_mute: bool = False
    certificate: Path = CERTIFICATE
    withheld: tuple[str, ...] = ()
    size_limit: int = 1_000_000
    rejections: list[str] = field(default_factory=list)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        context = tls(self.certificate) if self.implicit_tls else None
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname="mail.test",
            loop=asyncio.get_running_loop(),
            tls_context=tls(self.certificate) if self.starttls else None,
            data_size_limit=self.size_limit,
            auth_exclude_mechanism=self.withheld,
            require_starttls=self.starttls,
            auth_required=self.login and self.starttls,  # aiosmtpd warns of doing so without TLS that it knows of
            auth_require_tls=self.starttls,
            authenticator=_authenticate,
        )

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if waiting := self.refusals.get(address):
            return waiting.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        assert isinstance(envelope.content, bytes)
        assert isinstance(server.transport, asyncio.WriteTransport)
        secure = server.transport.get_extra_info("sslcontext") is not None
        login: object = session.auth_data  # which aiosmtpd declares to be None
        user = login.login.decode() if isinstance(login, LoginPassword) else ""
        sender = envelope.mail_from or ""
        self.received.append(Received(sender, tuple(envelope.rcpt_tos), envelope.content, secure, user))
        if self.is_mute:
            server.transport.abort()
        return self.rejections.pop(0) if self.rejections else "250 taken"


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False, auth_data=data)


# --- the odd one ---------------------------------------------------------------------------------------------------

Step = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

STEPS: Final[Mapping[str, bytes]] = {
    "greeting": b"220 odd.test ESMTP\r\n",
    "EHLO": b"250-odd.test\r\n250 AUTH PLAIN\r\n",
    "STARTTLS": b"220 go ahead\r\n",
    "AUTH": b"235 welcome\r\n",
    "MAIL": b"250 OK\r\n",
    "RCPT": b"250 OK\r\n",
    "DATA": b"354 go ahead\r\n",
    ".": b"250 taken\r\n",
    "QUIT": b"221 bye\r\n",
}
"""What is asked of a server, in order, and what a good one says."""


class OddMailServer:
    """Says at each step what it is told to instead of what a good one says; a step may be a script of its own.

    `echoes` puts into every answer all that the connection has sent so far, the latest first. `lines` is what was read.
    """

    def __init__(self, steps: Mapping[str, Step] | None = None, *, echoes: bool = False) -> None:
        self.steps: dict[str, Step] = {**STEPS, **(steps or {})}
        self.echoes = echoes
        self.lines: list[bytes] = []
        self.port = 0
        self._open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task, writer in self._open.items():
            task and task.cancel()
            writer.transport.abort()
        await asyncio.gather(*filter(None, self._open), return_exceptions=True)

    async def closed(self) -> None:
        """Waits until every connection has been closed from the other side."""
        await asyncio.gather(*filter(None, self._open))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[asyncio.current_task()] = writer
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._say("greeting", reader, writer)
            while line := await reader.readline():
                self.lines.append(line)
                step = line.split()[0].decode().upper()
                await self._say(step, reader, writer)
                if step == "DATA" and self.steps[step] == STEPS[step]:
                    self.lines.append(await reader.readuntil(b"\r\n.\r\n"))
                    await self._say(".", reader, writer)
                if step == "STARTTLS" and self.steps[step] == STEPS[step]:
                    await writer.start_tls(tls())
        writer.close()

    async def _say(self, step: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = self.steps.get(step, b"500 what?\r\n")
        if not isinstance(said, bytes):
            await said(reader, writer)
        elif self.echoes and self.lines:
            heard = b" ".join(b" ".join(reversed(self.lines)).split())
            writer.write(said[:4] + heard[:4000] + b" " + said[4:])
        else:
            writer.write(said)
        await writer.drain()
