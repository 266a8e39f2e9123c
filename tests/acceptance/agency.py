"""An AgentPhone with sub-accounts: a listing in pages, and figures for each."""

import json
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.acceptance.agentphone import usage
from tests.acceptance.exchange import Answer, Handler, document, reply
from tests.acceptance.home import KEY
from tests.acceptance.server import Server

MASTER: Final = ""
REFUSAL: Final = reply(401, b'{"error": {"message": "Invalid API key", "type": "authentication_error"}}')
UNKNOWN: Final = reply(404, b'{"error": {"message": "No such sub-account"}}')
LISTING: Final = "/v1/sub-accounts"


class Agency(Server):
    """The API for one key; `listed` are its sub-accounts. Who is not among the figures has plenty left."""

    def __init__(self, *listed: str, key: str = KEY) -> None:
        super().__init__(self.route)
        self.key = key
        self.listed = list(listed)
        self.remaining: dict[str, int] = {}  # by id; the master account's is empty
        self.answers: dict[str, Answer] = {}  # instead of a usage, by id
        self.listing: Answer | None = None  # instead of the true one

    def route(self, handler: Handler) -> None:
        url, sub = urlsplit(handler.path), handler.headers.get("X-Sub-Account-Id", MASTER)
        if handler.headers.get("Authorization") != f"Bearer {self.key}":
            REFUSAL(handler)
        elif url.path == LISTING:
            (self.listing or document(self._page(parse_qs(url.query))))(handler)
        else:
            (self.answers.get(sub) or document(usage(self.remaining.get(sub, 5))))(handler)

    def _page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        limit, offset = int(query.get("limit", ["20"])[0]), int(query.get("offset", ["0"])[0])
        return {"data": [{"id": each, "name": f"Client {each}"} for each in self.listed[offset : offset + limit]]}

    def asked_for(self, sub: str) -> int:
        """How often one account's usage was asked for."""
        return sum(
            each.path == "/v1/usage" and each.headers.get("x-sub-account-id", MASTER) == sub for each in self.requests
        )

    @property
    def listings(self) -> int:
        """How many pages of the listing were asked for."""
        return sum(each.path.startswith(LISTING) for each in self.requests)


def short(*ids: str, total: int) -> Answer:
    """A page that says of itself that it is not all."""
    return reply(200, json.dumps({"data": [{"id": each} for each in ids], "total": total}).encode())
