"""A Slack of our own behind an incoming webhook."""

import json
from dataclasses import dataclass
from typing import Any, Final

from tests.acceptance.exchange import reply
from tests.acceptance.server import LONG_S, Request, Server

TAKEN: Final = reply(200, b"ok", {"Content-Type": "text/html"})
PATH: Final = "/services/T0CANARY1/B0CANARY2/canarywebhookpath3canary"


@dataclass(frozen=True)
class Post:
    """One post as it came."""

    request: Request

    @property
    def payload(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.request.body)
        return found

    @property
    def text(self) -> str:
        return str(self.payload["text"])

    @property
    def mark(self) -> str:
        """What stands in the brackets at the beginning."""
        return self.text[1 : self.text.index("]")]

    @property
    def at_s(self) -> float:
        return self.request.at_s

    @property
    def whole(self) -> str:
        """All that people read of it."""
        return json.dumps(self.payload, ensure_ascii=False)


class Slack(Server):
    """One channel; it takes every post until told otherwise."""

    def __init__(self) -> None:
        super().__init__(TAKEN)

    @property
    def webhook_url(self) -> str:
        return self.url + PATH

    @property
    def tried(self) -> list[Post]:
        """Every post that was answered, or not answered to the end."""
        return [Post(each) for each in self.requests]

    @property
    def shown(self) -> list[Post]:
        """The posts that it took."""
        return [each for each in self.tried if each.request.answer is TAKEN]

    @property
    def marks(self) -> list[str]:
        """The marks of what is shown, in order."""
        return [each.mark for each in self.shown]

    @property
    def keys(self) -> list[str]:
        """The keys of all posts that arrived, answered or not, in order."""
        return [json.loads(body)["metadata"]["event_payload"]["key"] for body in self.arrived]

    def until_shown(self, *marks: str, within_s: float = LONG_S) -> list[Post]:
        """Waits until these marks are shown, and no others."""
        self.until(lambda: len(self.marks) >= len(marks), within_s)
        assert self.marks == list(marks), [each.text for each in self.shown]
        return self.shown
