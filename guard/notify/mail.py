"""Email: one SMTP transaction a delivery and recipient, through aiosmtplib."""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import ClassVar, Final

import aiosmtplib

from guard.config.things import Security
from guard.notify.mail_answer import fault_text, is_final, refusal, spellings
from guard.notify.mail_mime import Envelope, brief_mail, mail, mailbox
from guard.notify.mail_thread import Thread, topic
from guard.notify.notifier import Call, Edit, Outcome, Rejected, Reply, Retry, Sent, Unsure

# RFC 5321, section 4.5.3.2.6, would wait ten minutes for the last answer. But one slow server would then hold up a
# channel for as long, and the service takes what shows no progress for a minute for hanging. Who answers later than
# this has perhaps taken the mail: it is sent again with the same Message-ID, and mail clients show it once.
_DEADLINE: Final = timedelta(seconds=45)
_BEGIN_SHARE: Final = 2 / 3  # of the deadline within which the message goes out, so that its answer has time left
_FAREWELL_S: Final = 2.0  # for QUIT and its answer, after the deadline at worst; so nothing takes longer than 47 s
_GO_AHEAD: Final = 354
_TAKEN: Final = 2  # the first digit
_SIZE: Final = re.compile("[0-9]{1,20}")  # RFC 1870, section 3
_FULL_NAME: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LINE_OF_A_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


class EmailNotifier:
    """One mail server that takes mail from one sender.

    `password` is a secret: it goes to the server, under TLS unless that is on loopback, and into no text. `sender` is
    an address, or a name and an address in `<>`. `now` tells the date of mails. A receipt names a thread.
    """

    threads: ClassVar[bool] = True
    edits: ClassVar[bool] = False
    finds: ClassVar[bool] = False

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Security,
        username: str,
        password: str,
        sender: str,
        now: Callable[[], datetime],
        deadline: timedelta = _DEADLINE,
    ) -> None:
        """Connects to nothing yet; an empty `username` means no login."""
        self._host = host
        self._port = port
        self._security = security
        self._username = username
        self._password = password
        self._sender = sender
        self._now = now
        self._deadline = deadline
        self._trust: ssl.SSLContext | None = None

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Sends the message as one mail to one recipient; its Message-ID is made from the key, so a copy has the same.

        A reply names the first mail of its thread in In-Reply-To and References, and has that one's subject but for the
        state: mail clients show as one thread what has both.
        """
        if isinstance(call, Edit):
            return Rejected("a mail that was sent cannot be changed")
        thread = Thread.of(call.receipt) if isinstance(call, Reply) else None
        try:
            envelope = Envelope(mailbox(self._sender), mailbox(call.recipient), key, thread)
            smtp = self._connection()
        except ValueError as fault:
            return Rejected(str(fault))
        at = self._now()
        whole, brief = mail(call.message, envelope, at=at), brief_mail(call.message, envelope, at=at)
        try:
            obstacle = await self._transaction(smtp, envelope, whole=whole, brief=brief)
            await smtp.leave()
        finally:
            smtp.close()
        return obstacle or Sent((thread or Thread(envelope.message_id, topic(call.message))).receipt)

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:  # noqa: ARG002 - nobody is asked
        """Gives None: what a mail server took is no longer within reach."""
        return None

    async def close(self) -> None:
        """Does nothing: a delivery keeps no connection."""

    def _connection(self) -> "_Connection":
        if self._trust is None and self._security is not Security.NONE:
            self._trust = ssl.create_default_context()  # some 30 ms, so it is kept
        return _Connection(
            hostname=self._host,
            port=self._port,
            use_tls=self._security is Security.TLS,
            start_tls=False,  # the library would log in and start TLS in one go
            tls_context=self._trust,
            local_hostname=_own_name(),
            timeout=None,  # the delivery's deadline is the only one
        )

    async def _transaction(
        self, smtp: "_Connection", envelope: Envelope, *, whole: bytes, brief: bytes
    ) -> Retry | Unsure | Rejected | None:
        """Makes the whole conversation but its end; every fault becomes an outcome, and None is none."""
        started_s = asyncio.get_running_loop().time()
        limit = asyncio.timeout_at(started_s + (self._deadline * _BEGIN_SHARE).total_seconds())
        try:
            async with limit:
                if obstacle := await self._prepare(smtp):
                    return obstacle
                await smtp.begin(envelope)
                limit.reschedule(started_s + self._deadline.total_seconds())
                await smtp.hand_in(envelope, whole=whole, brief=brief)
        except aiosmtplib.SMTPResponseException as fault:
            known = refusal(fault, secrets=spellings(self._username, self._password))
            return known or smtp.failed("the mail server's answer is none that SMTP has")
        except (aiosmtplib.SMTPException, OSError) as fault:
            self._trust = None  # what is trusted may be mended by the next attempt
            return smtp.failed("the mail server did not answer in time" if limit.expired() else fault_text(fault))
        except (ValueError, OverflowError):  # the second is a port beyond 65535
            return Rejected("host, port, username or password are none that can be used")
        return None

    async def _prepare(self, smtp: "_Connection") -> Retry | Rejected | None:
        """Connects, secures the connection and logs in; gives what stands against it, if it is not a fault."""
        await smtp.connect()
        await smtp.ehlo()
        if self._security is Security.STARTTLS:
            if not smtp.supports_extension("starttls"):
                # Who stands between can take the offer away, so it is no refusal: nothing is sent, and the next
                # attempt looks again.
                return Retry("the mail server does not offer STARTTLS; without it nothing is sent")
            await smtp.starttls()
            await smtp.ehlo()
        if self._username and not await smtp.authenticated(self._username, self._password):
            return Rejected("the mail server offers no login that is known here (PLAIN, LOGIN, CRAM-MD5)")
        return None


class _Connection(aiosmtplib.SMTP):
    """One connection for one mail, which knows whether the mail went out, and ends at once when it is closed."""

    went_out = False  # whether a byte of the mail did; what fails before that was surely not shown to anyone

    async def authenticated(self, username: str, password: str) -> bool:
        """Logs in by the first method that both know; False if there is none. Raises if it is refused.

        The library's own login goes on with the next method after a wrong password, and again; servers count that.
        """
        for name, method in (("plain", self.auth_plain), ("login", self.auth_login), ("cram-md5", self.auth_crammd5)):
            if name in self.server_auth_methods:
                await method(username, password)
                return True
        return False

    def takes(self, size_bytes: int) -> bool:
        """Whether the server would look at a mail of this size, as far as it says (RFC 1870; 0 is no limit)."""
        limit = _SIZE.fullmatch(self.esmtp_extensions.get("size", ""))
        return limit is None or int(limit[0]) == 0 or size_bytes <= int(limit[0])

    async def begin(self, envelope: Envelope) -> None:
        """Names sender and recipient, and waits for the go-ahead for the mail itself."""
        self.went_out = False
        await self.mail(envelope.sender.address)
        await self.rcpt(envelope.recipient.address)
        answer = await self.execute_command(b"DATA")
        if answer.code != _GO_AHEAD:
            raise aiosmtplib.SMTPDataError(answer.code, answer.message)

    async def hand_in(self, envelope: Envelope, *, whole: bytes, brief: bytes) -> None:
        """Sends the whole mail, or the brief one where the whole is too large or was refused for what it holds."""
        if not self.takes(len(whole)):
            return await self.hand_over(brief)
        try:
            return await self.hand_over(whole)
        except aiosmtplib.SMTPDataError as refused:
            if not is_final(refused):
                raise
            # Nobody has got anything, and the answer has ended the transaction (RFC 5321, section 4.1.1.4).
            try:
                await self.begin(envelope)
            except aiosmtplib.SMTPException:
                raise refused from None  # such as that of a server that hung up
        return await self.hand_over(brief)

    async def hand_over(self, raw: bytes) -> None:
        """Sends the mail, and waits until the server has taken it.

        The library's own DATA does not tell whether the mail went out. From its first byte on nobody knows how much of
        it arrives, so that is where an answer that does not come is left open.
        """
        if self.protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost")
        self.protocol.write(_LINE_OF_A_DOT.sub(b"..", raw) + b".\r\n")
        self.went_out = True
        answer = await self.protocol.read_response()
        if answer.code // 100 != _TAKEN:
            raise aiosmtplib.SMTPDataError(answer.code, answer.message)

    async def leave(self) -> None:
        """Says QUIT where that is still possible; whether anybody answers changes nothing."""
        with suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(_FAREWELL_S):
                await self.quit()

    def failed(self, why: str) -> Retry | Unsure:
        """What a fault of the connection means at this moment; ends the connection."""
        self.close()
        return Unsure(f"the mail may have been taken: {why}") if self.went_out else Retry(why)

    def close(self) -> None:
        """Ends the connection at once: an orderly end waits for the other side, for half a minute under TLS."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        super().close()


def _own_name() -> str:
    """What we call ourselves: the host's name if it is a full one, else an address literal, as RFC 5321 wants it.

    The library's own way asks DNS in a thread that nothing can end.
    """
    name = socket.gethostname()
    return name if _FULL_NAME.fullmatch(name) else "[127.0.0.1]"
