"""A Slack of our own behind its Web API: one channel, #ops, in which a bot's messages stand."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.acceptance.exchange import Handler, document, hang
from tests.acceptance.server import LONG_S, Server
from tests.stand_ins.workspace_state import APP_TOKEN

TOKEN: Final = "xoxb-canary0123456789-canarybottoken"
CHANNEL: Final = "C0CANARY1"
NAME: Final = "#ops"


@dataclass
class Message:
    """One message; `texts` is what it has said over time."""

    ts: str
    texts: list[str]
    whole: str  # all that people read of it now
    metadata: dict[str, Any]
    thread: str = ""  # the ts of the message that it replies to
    is_shown: bool = True  # outside the thread

    @property
    def mark(self) -> str:
        """What stands in the brackets at the beginning now."""
        return self.texts[-1][1 : self.texts[-1].index("]")]

    @property
    def key(self) -> str:
        return str(self.metadata["event_payload"]["key"])


class Workspace(Server):
    """The API; it does what it is asked until told otherwise.

    Slack takes a channel's name for posting and its id for all else. Where channels cannot be listed, as in much that
    imitates Slack, the name will do.
    """

    def __init__(self) -> None:
        super().__init__(self.good)
        self.lists_channels = True
        self.ticket: Callable[[], str] | None = None  # gives the address of a `SocketStandIn`, with Socket Mode on
        self.messages: list[Message] = []
        self.calls: list[str] = []  # the methods that were called
        self._ts = (f"1795500000.{number:06}" for number in count(1))

    # --- what a test sees ------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def roots(self) -> list[Message]:
        return [each for each in self.messages if not each.thread]

    @property
    def story(self) -> list[tuple[str, list[str]]]:
        """The mark of each root now, and those of its replies; with a `*` those that are shown in the channel too."""
        return [
            (root.mark, ["*" * each.is_shown + each.mark for each in self.messages if each.thread == root.ts])
            for root in self.roots
        ]

    def until_story(self, *story: tuple[str, list[str]], within_s: float = LONG_S) -> None:
        """Waits until the channel reads so."""
        assert self.until(lambda: self.story == list(story), within_s), self.story

    # --- what a test sets as its answer ----------------------------------------------------------------------------

    def good(self, handler: Handler) -> None:
        """Does it, and says so."""
        document(self._done(handler))(handler)

    def silent(self, handler: Handler) -> None:
        """Does it, and never says so."""
        with self._changing():
            self._done(handler)
        hang(handler)

    def silent_on(self, method: str) -> None:
        """Does what it is asked, and never says so where that is `method`."""

        def answer(handler: Handler) -> None:
            (self.silent if _method(handler) == method else self.good)(handler)

        self.answer = answer

    # --- the API ---------------------------------------------------------------------------------------------------

    def _done(self, handler: Handler) -> dict[str, Any]:
        method, args = _method(handler), _args(handler)
        with self._changed:
            self.calls.append(method)
            if (
                method == "apps.connections.open"
                and self.ticket
                and handler.headers["Authorization"] == f"Bearer {APP_TOKEN}"
            ):
                return {"ok": True, "url": self.ticket()}
            if handler.headers["Authorization"] != f"Bearer {TOKEN}":
                return {"ok": False, "error": "invalid_auth"}
            known = {
                "chat.postMessage": self._posted,
                "chat.update": self._updated,
                "conversations.history": self._history,
                "conversations.list": lambda _: {"ok": True, "channels": [{"id": CHANNEL, "name": NAME[1:]}]},
                "conversations.replies": self._replies,
            }
            if not self.lists_channels:
                del known["conversations.list"]
            if method not in known:
                return {"ok": False, "error": "unknown_method"}
            by_name = {NAME} if method == "chat.postMessage" or not self.lists_channels else set()
            if args.get("channel", CHANNEL) not in {CHANNEL, *by_name}:
                return {"ok": False, "error": "channel_not_found"}
            return known[method](args)

    def _history(self, args: dict[str, Any]) -> dict[str, Any]:
        return _listed(each for each in reversed(self.messages) if each.is_shown and _is_since(each, args))

    def _replies(self, args: dict[str, Any]) -> dict[str, Any]:
        thread = [each for each in self.messages if args["ts"] in {each.ts, each.thread}]
        return _listed(each for each in thread if not each.thread or _is_since(each, args))

    def _posted(self, args: dict[str, Any]) -> dict[str, Any]:
        thread = args.get("thread_ts", "")
        shown = not thread or bool(args.get("reply_broadcast"))
        posted = Message(next(self._ts), [args["text"]], _whole(args), args.get("metadata", {}), thread, shown)
        self.messages.append(posted)
        return {"ok": True, "channel": CHANNEL, "ts": posted.ts, "message": _described(posted)}

    def _updated(self, args: dict[str, Any]) -> dict[str, Any]:
        found = next((each for each in self.messages if each.ts == args["ts"]), None)
        if found is None:
            return {"ok": False, "error": "message_not_found"}
        found.texts.append(args["text"])
        found.whole = _whole(args)
        return {"ok": True, "channel": CHANNEL, "ts": found.ts, "text": args["text"]}


def _method(handler: Handler) -> str:
    return urlsplit(handler.path).path.rpartition("/")[2]


def _args(handler: Handler) -> dict[str, Any]:
    if handler.headers.get("Content-Type", "").startswith("application/json"):
        found: dict[str, Any] = json.loads(handler.body)
        return found
    return dict(parse_qsl(urlsplit(handler.path).query or handler.body.decode()))


def _whole(args: dict[str, Any]) -> str:
    return json.dumps([args["text"], args.get("blocks")], ensure_ascii=False)


def _described(message: Message) -> dict[str, Any]:
    found = {"type": "message", "ts": message.ts, "text": message.texts[-1], "metadata": message.metadata}
    return found | ({"thread_ts": message.thread} if message.thread else {})


def _is_since(message: Message, args: dict[str, Any]) -> bool:
    return float(message.ts) > float(args.get("oldest", 0))


def _listed(messages: Iterable[Message]) -> dict[str, Any]:
    return {"ok": True, "messages": [_described(each) for each in messages], "has_more": False}
