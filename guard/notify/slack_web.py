"""Slack's Web API, a call at a time, through slack-sdk."""

from collections.abc import Awaitable

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from guard.notify.slack_answer import word_in
from guard.notify.slack_bot_answer import Said
from guard.notify.slack_log import SILENT


def web_client(token: str, *, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client that tries everything once: its default handlers would post again after a dropped connection.

    `session` is one of `guard.notify.exchange`.
    """
    return AsyncWebClient(token, base_url=base_url, session=session, logger=SILENT, retry_handlers=[])


async def said(request: Awaitable[AsyncSlackResponse], *, secret: str) -> Said:
    """What Slack answers to a call, `ok` or not; nothing of `secret` is in its word."""
    try:
        answer = await request
    except SlackApiError as refusal:
        answer = refusal.response
    body = answer.data if isinstance(answer.data, dict) else {}  # it is one, since the session reads nothing else
    word = word_in(body.get("error"), secret=secret)
    return Said(answer.status_code, body, word, answer.headers.get("Retry-After"))
