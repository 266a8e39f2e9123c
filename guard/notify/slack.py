"""Slack by an incoming webhook: a message an event, through slack-sdk."""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from guard.message import Message
from guard.model import Level
from guard.notify.notifier import Call, Outcome, Rejected, Retry, Unsure
from guard.notify.slack_answer import Refused, verdict
from guard.notify.slack_blocks import blocks, fallback
from guard.units import duration_text

_DEADLINE: Final = timedelta(seconds=10)
_BODY_BYTES: Final = 64 * 1024  # more of an answer is not read
_REDIRECTION: Final = 3  # the first digit
_AS_IT_STANDS: Final[Mapping[str, object]] = {"link_names": False, "unfurl_links": False, "unfurl_media": False}

# slack-sdk logs the webhook's URL, which is a secret, at DEBUG. This logger belongs to no tree, so no configuration
# can turn it on.
_SILENT: Final = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)  # noqa: LOG001 - see above


class SlackNotifier:
    """One Slack channel behind an incoming webhook.

    `url` is a secret: it goes to its own host and into no text. `mention` gives by level the Slack markup (`<!here>`)
    that is put before what fires; the end of it mentions nobody. Proxies are those of the environment, as slack-sdk
    reads them.
    """

    def __init__(self, url: str, *, mention: Mapping[Level, str], deadline: timedelta = _DEADLINE) -> None:
        """Connects to nothing yet."""
        self._url = url
        self._mention = mention
        self._deadline = deadline

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Posts the message; if Slack refuses what is in it, once more as short text, and that answer counts.

        The key goes along as the message's metadata, where an app with a token could find it.
        """
        full, short = _payloads(call.message, key=key, mention=self._mention_for(call.message))
        wire = _Wire()
        try:
            async with asyncio.timeout(self._deadline.total_seconds()), _session(wire) as session:
                answer = await self._post(session, full)
                if isinstance(answer, Refused):
                    answer = await self._post(session, short)
        except _RedirectError as redirect:
            return Rejected(f"Slack answered {redirect.status}, a redirect, which a webhook never does; not followed")
        except TimeoutError:
            within = f"within {duration_text(self._deadline)}"
            return Unsure(f"no answer {within}") if wire.went_out else Retry(f"no connection {within}")
        except (ValueError, aiohttp.NonHttpUrlClientError):
            return Rejected("the webhook's address, or the proxy's, is no usable URL")
        except (aiohttp.ClientError, OSError) as fault:
            why = _kind(fault)
            return Unsure(f"the connection broke off before an answer: {why}") if wire.went_out else Retry(why)
        return answer.outcome if isinstance(answer, Refused) else answer

    async def close(self) -> None:
        """Does nothing: a delivery keeps no connection."""

    async def _post(self, session: aiohttp.ClientSession, payload: dict[str, object]) -> Outcome | Refused:
        # The client's default handlers would post again after a dropped connection, which may show it twice.
        client = AsyncWebhookClient(self._url, session=session, logger=_SILENT, retry_handlers=[])
        answer = await client.send_dict(payload)
        return verdict(answer.status_code, answer.body, answer.headers, url=self._url)

    def _mention_for(self, message: Message) -> str:
        return "" if message.ended or message.level is None else self._mention.get(message.level, "")


def _payloads(message: Message, *, key: str, mention: str) -> tuple[dict[str, object], dict[str, object]]:
    """What is posted first, and what is posted if that is refused."""
    short = {**_AS_IT_STANDS, "text": fallback(message, mention=mention)}
    metadata = {"event_type": "quota_guard_delivery", "event_payload": {"key": key}}
    return {**short, "blocks": blocks(message, mention=mention), "metadata": metadata}, short


# --- the connection ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Wire:
    """Whether a request went out: what fails before that was surely not shown to anyone."""

    went_out: bool = False

    def trace(self) -> aiohttp.TraceConfig:
        """Watches each request of a session."""

        async def started(*_: object) -> None:
            self.went_out = False

        async def sending(*_: object) -> None:
            self.went_out = True

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
    """An answer of which only the beginning is read, in whatever encoding it claims to be."""

    async def text(self, encoding: str | None = None, errors: str = "strict") -> str:  # noqa: ARG002 - aiohttp's names
        """The first 64 KiB, as UTF-8."""
        beginning = bytearray()
        while len(beginning) < _BODY_BYTES and (more := await self.content.read(_BODY_BYTES - len(beginning))):
            beginning += more
        return beginning.decode(errors="replace")


def _session(wire: _Wire) -> aiohttp.ClientSession:
    """A session for one delivery, with a fresh connection a request.

    A kept connection may have been closed by Slack meanwhile, and then nobody knows whether the request was read.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        headers={"Accept-Encoding": "identity"},
        middlewares=(_follow_nothing,),
        response_class=_ShortAnswer,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the delivery's deadline is the only one
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
