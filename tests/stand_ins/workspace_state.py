"""A Slack workspace without its wire: channels, messages and threads, and the API's methods over them.

It keeps to what Slack does with a bot: a deleted root with replies stays as a tombstone, one without is gone; a reply
to what is gone becomes a message of its own, without a word; an edit without metadata keeps the metadata.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from guard.clock import Clock

OPS: Final = "C0OPS"
BOT: Final = "U0BOT"
PERSON: Final = "U0PERSON"
TOKEN: Final = "xoxb-1112223334-s3cretTokenOfTheBot"  # what nobody else may see
APP_TOKEN: Final = "xapp-1-A0QUOTAGUARD-4445556667-s3cretTokenOfTheApp"  # nor this one
SLACKBOT: Final = "USLACKBOT"
CLOCK: Final = Clock()
_LONGEST_TEXT: Final = 40_000
_MOST_BLOCKS: Final = 50

Args = Mapping[str, Any]


class RefusedError(Exception):
    """What Slack answers as `ok: false`, with this word."""


@dataclass
class Posted:
    """One message; `texts` is what it has said over time, the last one what it says now."""

    ts: str
    user: str
    texts: list[str]
    blocks: list[list[dict[str, Any]]]  # over time too
    metadata: dict[str, Any] = field(default_factory=dict)
    thread_ts: str = ""  # of the root that it is a reply to
    is_broadcast: bool = False  # a reply that is shown in the channel too
    is_tombstone: bool = False

    @property
    def text(self) -> str:
        return self.texts[-1]

    @property
    def mark(self) -> str:
        """What stands in the brackets at the beginning."""
        return self.text[1 : self.text.index("]")]

    @property
    def key(self) -> str:
        return str(self.metadata.get("event_payload", {}).get("key", ""))

    def described(self, *, replies: Sequence["Posted"] = (), with_metadata: bool = False) -> dict[str, Any]:
        """The message as the API describes it."""
        found: dict[str, Any] = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        if self.blocks[-1]:
            found["blocks"] = self.blocks[-1]
        if self.is_tombstone:
            found |= {"subtype": "tombstone", "hidden": True}
        if self.is_broadcast:
            found["subtype"] = "thread_broadcast"
        if self.thread_ts or replies:
            found["thread_ts"] = self.thread_ts or self.ts
        if replies:
            found["reply_count"] = len(replies)
        if with_metadata and self.metadata:
            found["metadata"] = self.metadata
        return found


@dataclass
class Channel:
    """One channel; `messages` are in the order of their posting, the deleted ones no longer among them."""

    id: str
    name: str
    is_private: bool = False
    is_member: bool = True  # whether the bot was invited
    is_archived: bool = False
    messages: list[Posted] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # of all that was ever posted, deleted or not

    @property
    def roots(self) -> list[Posted]:
        """The messages that stand by themselves, oldest first."""
        return [each for each in self.messages if not each.thread_ts and not each.is_tombstone]

    @property
    def shown(self) -> list[Posted]:
        """What people see without opening a thread, tombstones and shown replies among it."""
        return [each for each in self.messages if not each.thread_ts or each.is_broadcast]

    def thread(self, root: Posted) -> list[Posted]:
        """The replies to a message, oldest first."""
        return [each for each in self.messages if each.thread_ts == root.ts]

    def named(self, ts: str) -> Posted | None:
        return next((each for each in self.messages if each.ts == ts), None)

    def delete(self, posted: Posted) -> None:
        """Deletes a message as a person would; its replies stay."""
        if self.thread(posted):
            posted.is_tombstone, posted.user, posted.metadata = True, SLACKBOT, {}
            posted.texts.append("This message was deleted.")
            posted.blocks.append([])
        else:
            self.messages.remove(posted)


class WorkspaceState:
    """The whole of it; `answer` is the API. A page never holds more than `page_most` rows."""

    def __init__(self, *channels: Channel, now: Callable[[], datetime] = CLOCK.now, page_most: int = 1000) -> None:
        self.channels = {each.id: each for each in channels or (Channel(OPS, "ops"),)}
        self.page_most = page_most
        self.ticket: Callable[[], str] | None = None  # gives the address of a `SocketStandIn`, with Socket Mode on
        self._now = now
        self._last_us = 0
        self._methods: dict[str, Callable[[Args], dict[str, Any]]] = {
            "auth.test": lambda _: {"user_id": BOT, "team": "Stand-in"},
            "chat.delete": self._delete,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.list": self._list,
            "conversations.replies": self._replies,
        }

    def answer(self, method: str, args: Args, *, token: str) -> dict[str, Any]:
        """What Slack says to one call, `ok` or not."""
        if method == "apps.connections.open" and token == APP_TOKEN and self.ticket is not None:
            return {"ok": True, "url": self.ticket()}
        if token != TOKEN:
            return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        if method not in self._methods:
            return {"ok": False, "error": "unknown_method"}
        try:
            return {"ok": True, **self._methods[method](args)}
        except RefusedError as refusal:
            return {"ok": False, "error": str(refusal)}

    def say(self, text: str, *, channel: str = OPS, thread_ts: str = "") -> Posted:
        """A person writes something."""
        return self._add(self.channels[channel], Posted(self._next_ts(), PERSON, [text], [[]], thread_ts=thread_ts))

    # --- methods ---------------------------------------------------------------------------------------------------

    def _post(self, args: Args) -> dict[str, Any]:
        channel = self._writable(str(args.get("channel", "")))
        text, blocks = _content(args)
        root = channel.named(str(args["thread_ts"])) if args.get("thread_ts") else None
        posted = Posted(self._next_ts(), BOT, [text], [blocks], dict(args.get("metadata") or {}))
        if root is not None:
            posted.thread_ts, posted.is_broadcast = root.thread_ts or root.ts, _is_true(args.get("reply_broadcast"))
        self._add(channel, posted)
        return {"channel": channel.id, "ts": posted.ts, "message": posted.described(with_metadata=True)}

    def _update(self, args: Args) -> dict[str, Any]:
        channel, posted = self._own(args)
        text, blocks = _content(args)
        posted.texts.append(text)
        posted.blocks.append(blocks)
        if "metadata" in args:
            posted.metadata = dict(args["metadata"])
        return {"channel": channel.id, "ts": posted.ts, "text": text, "message": posted.described()}

    def _delete(self, args: Args) -> dict[str, Any]:
        channel, posted = self._own(args)
        channel.delete(posted)
        return {"channel": channel.id, "ts": posted.ts}

    def _history(self, args: Args) -> dict[str, Any]:
        channel = self._readable(args)
        with_metadata = _is_true(args.get("include_all_metadata"))
        within = [each for each in reversed(channel.shown) if _is_within(each, args)]
        rows = [each.described(replies=channel.thread(each), with_metadata=with_metadata) for each in within]
        return self._page("messages", rows, args)

    def _replies(self, args: Args) -> dict[str, Any]:
        channel = self._readable(args)
        root = channel.named(str(args.get("ts", "")))
        if root is None:
            raise RefusedError("thread_not_found")
        with_metadata, replies = _is_true(args.get("include_all_metadata")), channel.thread(root)
        rows = [each.described(with_metadata=with_metadata) for each in replies if _is_within(each, args)]
        return self._page("messages", [root.described(replies=replies, with_metadata=with_metadata), *rows], args)

    def _list(self, args: Args) -> dict[str, Any]:
        types = str(args.get("types", "public_channel")).split(",")
        rows = [
            {"id": each.id, "name": each.name, "is_member": each.is_member, "is_archived": each.is_archived}
            for each in self.channels.values()
            if ("private_channel" in types and each.is_member if each.is_private else "public_channel" in types)
            and not (each.is_archived and _is_true(args.get("exclude_archived")))
        ]
        return self._page("channels", rows, args)

    # --- what they share -------------------------------------------------------------------------------------------

    def _add(self, channel: Channel, posted: Posted) -> Posted:
        channel.messages.append(posted)
        channel.keys += [posted.key] if posted.key else []
        return posted

    def _next_ts(self) -> str:
        """A timestamp that no message had before."""
        self._last_us = max(self._last_us + 1, int(self._now().timestamp() * 1e6))
        return f"{self._last_us // 10**6}.{self._last_us % 10**6:06}"

    def _writable(self, name: str) -> Channel:
        """A channel by its id or, for posting, by its name."""
        named = {each.name: each for each in self.channels.values() if each.is_member or not each.is_private}
        channel = self.channels.get(name) or named.get(name.removeprefix("#"))
        if channel is None:
            raise RefusedError("channel_not_found")
        if channel.is_archived:
            raise RefusedError("is_archived")
        if not channel.is_member:
            raise RefusedError("channel_not_found" if channel.is_private else "not_in_channel")
        return channel

    def _readable(self, args: Args) -> Channel:
        channel = self.channels.get(str(args.get("channel", "")))
        if channel is None:
            raise RefusedError("channel_not_found")
        if not channel.is_member:
            raise RefusedError("not_in_channel")
        return channel

    def _own(self, args: Args) -> tuple[Channel, Posted]:
        """A message of the bot's, by the channel's id and its timestamp."""
        channel = self._readable(args)
        posted = channel.named(str(args.get("ts", "")))
        if posted is None or posted.is_tombstone:
            raise RefusedError("message_not_found")
        if posted.user != BOT:
            raise RefusedError("cant_update_message")
        return channel, posted

    def _page(self, name: str, rows: list[dict[str, Any]], args: Args) -> dict[str, Any]:
        start = int(str(args.get("cursor") or "page:0").removeprefix("page:"))
        end = start + min(int(args.get("limit") or 100), self.page_most)
        following = f"page:{end}" if end < len(rows) else ""
        page = {name: rows[start:end], "response_metadata": {"next_cursor": following}}
        return page | {"has_more": bool(following)}


def _content(args: Args) -> tuple[str, list[dict[str, Any]]]:
    """Text and blocks; an edit that brings text alone takes the blocks away."""
    text, blocks = str(args.get("text") or ""), list(args.get("blocks") or [])
    if not text and not blocks:
        raise RefusedError("no_text")
    if len(text) > _LONGEST_TEXT:
        raise RefusedError("msg_too_long")
    if len(blocks) > _MOST_BLOCKS or not all("type" in each for each in blocks):
        raise RefusedError("invalid_blocks")
    return text, blocks


def _is_within(posted: Posted, args: Args) -> bool:
    at = float(posted.ts)
    return float(args.get("oldest") or 0) < at < float(args.get("latest") or "inf")


def _is_true(value: object) -> bool:
    return str(value).lower() in {"1", "true"}
