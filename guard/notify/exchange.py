"""One exchange over HTTP: a session and a deadline of its own, and what a fault of the wire means for a delivery."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import aiohttp

from guard.notify.answer import json_object
from guard.notify.notifier import Rejected, Retry, Unsure
from guard.units import duration_text

DEADLINE: Final = timedelta(seconds=10)

_WORD_BYTES: Final = 64 * 1024  # more of an answer in plain text is not read
_OBJECT_BYTES: Final = 4 * 1024 * 1024  # nor of one in JSON; 200 messages with blocks are well below 1 MiB
_REDIRECTION: Final = 3  # the first digit

T = TypeVar("T")


async def exchange(
    talk: Callable[[aiohttp.ClientSession], Awaitable[T]], *, deadline: timedelta, unusable: str, who: str = "Slack"
) -> T | Retry | Unsure | Rejected:
    """What `talk` makes of a session of its own, or what became of the delivery where the wire failed.

    Only a POST can show something to anyone: a fault before it went out, or of a GET, is one to try again. `unusable`
    tells people what is wrong if no request can be made at all, `who` whom it was made to.
    """
    wire = _Wire()
    try:
        async with asyncio.timeout(deadline.total_seconds()), _session(wire) as session:
            return await talk(session)
    except _RedirectError as redirect:
        return Rejected(f"{who} answered {redirect.status}, a redirect, which is not followed")
    except TimeoutError:
        within = f"within {duration_text(deadline)}"
        return Unsure(f"no answer {within}") if wire.went_out else Retry(f"no connection {within}")
    except (ValueError, aiohttp.NonHttpUrlClientError):
        return Rejected(unusable)
    except (aiohttp.ClientError, OSError) as fault:
        why = _kind(fault)
        return Unsure(f"the connection broke off before an answer: {why}") if wire.went_out else Retry(why)


@dataclass(slots=True)
class _Wire:
    """Whether a POST went out: what fails before that was surely not shown to anyone."""

    went_out: bool = False

    def trace(self) -> aiohttp.TraceConfig:
        """Watches each request of a session."""

        async def started(*_: object) -> None:
            self.went_out = False

        async def sending(_session: object, _context: object, sent: aiohttp.TraceRequestHeadersSentParams) -> None:
            self.went_out = sent.method == "POST"

        config = aiohttp.TraceConfig()
        config.on_request_start.append(started)
        config.on_request_headers_sent.append(sending)
        return config


class _RedirectError(Exception):
    """The answer points elsewhere. Following it would carry message and secret to who knows whom."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _ShortAnswer(aiohttp.ClientResponse):
    """An answer of which only the beginning is read, whatever it claims to be.

    To slack-sdk's API client every answer is a JSON object, empty if it is none in truth: of a list, a number, a page
    or plain text it makes errors of many kinds, AttributeError among them.
    """

    @property
    def content_type(self) -> str:
        """What has slack-sdk's API client call `json`; its webhook client does not look."""
        return "application/json"

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:  # noqa: ARG002 - aiohttp's names
        """The first 64 KiB, as UTF-8."""
        return await self._beginning(_WORD_BYTES)

    async def json(self, **_: object) -> Mapping[str, object]:
        """The object that the first 4 MiB are; empty if they are none."""
        return json_object(await self._beginning(_OBJECT_BYTES))

    async def _beginning(self, at_most_bytes: int) -> str:
        read = bytearray()
        while len(read) < at_most_bytes and (more := await self.content.read(at_most_bytes - len(read))):
            read += more
        return read.decode(errors="replace")


def _session(wire: _Wire) -> aiohttp.ClientSession:
    """A session for one exchange, with a fresh connection a request.

    A kept connection may have been closed by the other side meanwhile, and then nobody knows whether the request was
    read.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        headers={"Accept-Encoding": "identity"},
        middlewares=(_follow_nothing,),
        response_class=_ShortAnswer,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the exchange's deadline is the only one
        trace_configs=[wire.trace()],
    )


async def _follow_nothing(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    response = await handler(request)
    if response.status // 100 == _REDIRECTION:
        response.close()
        raise _RedirectError(response.status)
    return response


def _kind(fault: Exception) -> str:
    """What failed, in words of our own: aiohttp's texts hold the address."""
    match fault:
        case aiohttp.ClientConnectorDNSError():
            return "the host's name could not be resolved"
        case aiohttp.ClientConnectorCertificateError():
            return "the host's certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "TLS failed"
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return "the proxy could not be used"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case _:
            return type(fault).__name__
