"""Slack by a bot's token, through slack-sdk: a message an incident, edited, replied to, and looked for by its key."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from guard.logs import log
from guard.model import Level
from guard.notify.exchange import DEADLINE, exchange
from guard.notify.notifier import Call, Outcome, Post, Rejected, Retry, Sent
from guard.notify.slack_answer import Refused
from guard.notify.slack_bot_answer import Said, receipt_of, verdict
from guard.notify.slack_payload import Payload, key_of, place_of, request_of
from guard.notify.slack_web import said, web_client

_UNUSABLE: Final = "base_url, or the proxy's address, is no usable URL, or the token holds what no token may"
_CHANNELS_A_PAGE: Final = 1000  # Slack's most
_CHANNEL_PAGES: Final = 20
_MESSAGES_A_PAGE: Final = 200
_MESSAGE_PAGES: Final = 5
_CLOCKS_DIFFER: Final = timedelta(hours=1)  # by no more than this, Slack's from ours


class SlackBotNotifier:
    """One Slack channel that a bot posts in.

    `token` is a secret: it goes to `base_url`, which ends in a slash, and into no text. `channel` is an id, such as
    `C012ABCDE`, or a name, `#ops`, which is resolved once, before its first use. `mention` gives by level the Slack
    markup (`<!here>`) that is put before what fires; quiet replies, edits and the end of it mention nobody. A receipt
    is a channel's id, a colon and a message's timestamp; that of a reply names the root that it stands under. Proxies
    are those of the environment, as slack-sdk reads them. It `has_buttons` where a `SlackSocket` listens for presses:
    they stand under roots and loud replies while their incident goes on.
    """

    threads: ClassVar = True
    edits: ClassVar = True
    finds: ClassVar = True

    def __init__(
        self,
        token: str,
        *,
        channel: str,
        base_url: str,
        mention: Mapping[Level, str],
        has_buttons: bool = False,
        deadline: timedelta = DEADLINE,
    ) -> None:
        """Connects to nothing yet."""
        self._token = token
        self._channel = channel
        self._base_url = base_url
        self._mention = mention
        self._has_buttons = has_buttons
        self._deadline = deadline
        self._id = "" if channel.startswith("#") else channel  # empty until it is known

    @property
    def place(self) -> str:
        """The channel: Slack takes about one message a second in each.

        https://docs.slack.dev/apis/web-api/rate-limits
        """
        return self._id or self._channel

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Posts, replies or edits; if Slack refuses what is in it, once more as short text, and that answer counts.

        The key goes along in the metadata of posts and replies.
        """
        make = partial(self._make, call=call, key=key)
        return await exchange(make, deadline=self._deadline, unusable=_UNUSABLE)

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:
        """Looks for the key in the thread, or in the channel, from an hour before the attempt on.

        None also where the app may not read there.
        """
        look = partial(self._look, key=key, thread=thread, since=attempted_at - _CLOCKS_DIFFER)
        found = await exchange(look, deadline=self._deadline, unusable=_UNUSABLE)
        # Where no request can be made at all, the delivery that follows says so for all to see.
        return found if isinstance(found, Sent | Retry) else None

    async def close(self) -> None:
        """Does nothing: a delivery keeps no connection."""

    async def _make(self, session: aiohttp.ClientSession, *, call: Call, key: str) -> Outcome:
        found = await self._resolved(session) if isinstance(call, Post) else None
        if isinstance(found, Rejected):
            return found
        # Where channels could not be listed, posting by name may still work.
        place = self._id or self._channel
        request = request_of(call, key=key, mentions=self._mention, channel=place, has_buttons=self._has_buttons)
        outcome = await self._made(session, call, method=request.method, payload=request.full)
        if isinstance(outcome, Refused):
            outcome = await self._made(session, call, method=request.method, payload=request.short)
        return outcome.outcome if isinstance(outcome, Refused) else outcome

    async def _made(
        self, session: aiohttp.ClientSession, call: Call, *, method: str, payload: Payload
    ) -> Outcome | Refused:
        answer = await said(self._client(session).api_call(method, json=payload), secret=self._token)
        outcome = verdict(answer, call=call, channel=self._channel)
        if isinstance(call, Post) and isinstance(outcome, Sent) and outcome.receipt:
            self._id, _ = place_of(outcome.receipt)  # of a name that could not be looked up
        return outcome

    async def _look(
        self, session: aiohttp.ClientSession, *, key: str, thread: str, since: datetime
    ) -> Sent | Retry | None:
        among = {"include_all_metadata": True, "limit": _MESSAGES_A_PAGE, "oldest": f"{since.timestamp():.6f}"}
        if thread:
            channel, root = place_of(thread)
            method, place = "conversations.replies", {"channel": channel, "ts": root}
        else:
            found = await self._resolved(session)
            if isinstance(found, Retry | Rejected):
                return found if isinstance(found, Retry) else None
            # Slack reads by id only, and says so to a name; what imitates it may list no channels and read by name.
            channel = found or self._channel
            method, place = "conversations.history", {"channel": channel}
        pick = partial(_ts_of, key=key)
        ts, last = await self._search(session, method, {**among, **place}, pick=pick, at_most=_MESSAGE_PAGES)
        if ts:
            return Sent(thread or receipt_of(channel, ts))
        if last.ok or last.unread:
            return last.unread
        log.warning("slack.cannot_look", f"{last.why}: a message that may have arrived cannot be looked for")
        return None

    async def _resolved(self, session: aiohttp.ClientSession) -> str | Rejected | Retry | None:
        """The channel's id; Rejected if no channel has the name, Retry or None if that cannot be seen now, or ever."""
        if self._id:
            return self._id
        name = self._channel.removeprefix("#")
        asked = {"types": "public_channel,private_channel", "exclude_archived": True, "limit": _CHANNELS_A_PAGE}
        pick = partial(_id_of, name=name)
        try:
            async with asyncio.timeout(self._deadline.total_seconds() / 2):  # the rest is for what comes after
                self._id, last = await self._search(
                    session, "conversations.list", asked, pick=pick, at_most=_CHANNEL_PAGES
                )
        except TimeoutError:
            return Retry("Slack did not list its channels in time")
        if not self._id and last.ok and not last.cursor:
            why = f"no channel #{name} that the bot can see"
            return Rejected(f"{why}: check the name, or invite the bot there with /invite")
        return self._id or last.unread

    async def _search(
        self,
        session: aiohttp.ClientSession,
        method: str,
        params: Payload,
        *,
        pick: Callable[[Said], str],
        at_most: int,
    ) -> tuple[str, Said]:
        """What `pick` finds first in the pages of a listing, empty if nothing, and the last page that was read."""
        client, cursor = self._client(session), ""
        while True:
            asked = {**params, "cursor": cursor} if cursor else params
            answer = await said(client.api_call(method, http_verb="GET", params=asked), secret=self._token)
            found, cursor, at_most = pick(answer), answer.cursor, at_most - 1
            if found or not cursor or not at_most:
                return found, answer

    def _client(self, session: aiohttp.ClientSession) -> AsyncWebClient:
        return web_client(self._token, base_url=self._base_url, session=session)


def _id_of(said: Said, *, name: str) -> str:
    return next((_text(each, "id") for each in said.rows("channels") if each.get("name") == name), "")


def _ts_of(said: Said, *, key: str) -> str:
    return next((_text(each, "ts") for each in said.rows("messages") if key_of(each) == key), "")


def _text(row: Mapping[str, object], name: str) -> str:
    found = row.get(name)
    return found if isinstance(found, str) else ""
