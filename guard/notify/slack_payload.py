"""What goes to Slack for a call: blocks, text, mention, place, and the key by which it can be found again; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from guard.message import Message
from guard.model import Level
from guard.notify.notifier import Call, Edit, Post, Reply
from guard.notify.slack_blocks import blocks, fallback

Payload = dict[str, object]

_EVENT_TYPE: Final = "quota_guard_delivery"
_POSTED_AS_IT_STANDS: Final = {"link_names": False, "unfurl_links": False, "unfurl_media": False}
_EDITED_AS_IT_STANDS: Final = {"link_names": False, "parse": "none"}  # unlike a post, an edit is parsed if not told


@dataclass(frozen=True, slots=True)
class Request:
    """One call as Slack's API takes it: the method, what goes to it, and what goes to it if that is refused."""

    method: str
    full: Payload
    short: Payload


def request_of(
    call: Call, *, key: str, mentions: Mapping[Level, str], channel: str, has_buttons: bool = False
) -> Request:
    """The request for a call; `channel`, an id or a name, is where posts go. Quiet replies and edits mention nobody.

    Buttons stand under what is read in the channel while its incident goes on: roots and loud replies.
    An edit brings no metadata, and so the message keeps the key that it was posted with.
    https://docs.slack.dev/reference/methods/chat.update
    """
    match call:
        case Post(message):
            place: Payload = {"channel": channel}
            mention = mention_of(message, mentions)
            full, short = post_payloads(message, key=key, mention=mention, has_buttons=has_buttons)
        case Reply(message, receipt, is_loud=is_loud):
            home, root = place_of(receipt)
            place = {"channel": home, "thread_ts": root, "reply_broadcast": is_loud}
            mention = mention_of(message, mentions) if is_loud else ""
            full, short = post_payloads(message, key=key, mention=mention, has_buttons=has_buttons and is_loud)
        case Edit(message, receipt):
            home, ts = place_of(receipt)
            place = {"channel": home, "ts": ts}
            short = {**_EDITED_AS_IT_STANDS, "text": fallback(message)}
            full = {**short, "blocks": blocks(message, has_buttons=has_buttons)}
        case _ as never:
            assert_never(never)
    method = "chat.update" if isinstance(call, Edit) else "chat.postMessage"
    return Request(method, {**place, **full}, {**place, **short})


def post_payloads(message: Message, *, key: str, mention: str, has_buttons: bool = False) -> tuple[Payload, Payload]:
    """What is posted first, with blocks and the key, and what is posted if that is refused: short text."""
    short: Payload = {**_POSTED_AS_IT_STANDS, "text": fallback(message, mention=mention)}
    metadata = {"event_type": _EVENT_TYPE, "event_payload": {"key": key}}
    return {**short, "blocks": blocks(message, mention=mention, has_buttons=has_buttons), "metadata": metadata}, short


def mention_of(message: Message, by_level: Mapping[Level, str]) -> str:
    """Whom a message of this level mentions, as Slack markup (`<!here>`); nobody when it tells of an end."""
    return "" if message.ended or message.level is None else by_level.get(message.level, "")


def key_of(posted: Mapping[str, object]) -> str:
    """The key that one of our messages was posted with, from Slack's description of it; empty if it is none of ours."""
    match posted.get("metadata"):
        case {"event_type": str(kind), "event_payload": {"key": str(key)}} if kind == _EVENT_TYPE:
            return key
        case _:
            return ""


def place_of(receipt: str) -> tuple[str, str]:
    """The channel and the timestamp of a message, from its receipt.

    >>> place_of("C012ABCDE:1795442700.000100")
    ('C012ABCDE', '1795442700.000100')
    """
    channel, _, ts = receipt.rpartition(":")
    return channel, ts
