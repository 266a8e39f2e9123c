"""Slack by an incoming webhook: a message an event, through slack-sdk."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from guard.model import Level
from guard.notify.exchange import DEADLINE, exchange
from guard.notify.notifier import Call, Gone, Outcome, Post, Retry, Sent
from guard.notify.slack_answer import Refused
from guard.notify.slack_log import SILENT
from guard.notify.slack_payload import Payload, mention_of, post_payloads
from guard.notify.slack_webhook_answer import verdict

_UNUSABLE: Final = "the webhook's address, or the proxy's, is no usable URL"


class SlackWebhookNotifier:
    """One Slack channel behind an incoming webhook.

    `url` is a secret: it goes to its own host and into no text. `mention` gives by level the Slack markup (`<!here>`)
    that is put before what fires; the end of it mentions nobody. Proxies are those of the environment, as slack-sdk
    reads them.
    """

    threads: ClassVar = False
    edits: ClassVar = False
    finds: ClassVar = False

    def __init__(self, url: str, *, mention: Mapping[Level, str], deadline: timedelta = DEADLINE) -> None:
        """Connects to nothing yet."""
        self._url = url
        self._mention = mention
        self._deadline = deadline

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Posts the message; if Slack refuses what is in it, once more as short text, and that answer counts.

        The key goes along as the message's metadata, where an app with a token could find it.
        """
        if not isinstance(call, Post):
            return Gone("a webhook cannot edit or answer what it posted")
        full, short = post_payloads(call.message, key=key, mention=mention_of(call.message, self._mention))
        post = partial(self._post_either, full=full, short=short)
        return await exchange(post, deadline=self._deadline, unusable=_UNUSABLE)

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:  # noqa: ARG002 - a webhook shows nothing
        """Finds nothing: through a webhook nobody can look."""
        return None

    async def close(self) -> None:
        """Does nothing: a delivery keeps no connection."""

    async def _post_either(self, session: aiohttp.ClientSession, *, full: Payload, short: Payload) -> Outcome:
        answer = await self._post(session, full)
        if isinstance(answer, Refused):
            answer = await self._post(session, short)
        return answer.outcome if isinstance(answer, Refused) else answer

    async def _post(self, session: aiohttp.ClientSession, payload: Payload) -> Outcome | Refused:
        # The client's default handlers would post again after a dropped connection, which may show it twice.
        client = AsyncWebhookClient(self._url, session=session, logger=SILENT, retry_handlers=[])
        answer = await client.send_dict(payload)
        return verdict(answer.status_code, answer.body, answer.headers, url=self._url)
