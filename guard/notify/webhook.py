"""A webhook of anybody's: each message as signed JSON, by Standard Webhooks."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import ClassVar, Final

import aiohttp

from guard import __version__
from guard.notify.answer import wait_of
from guard.notify.exchange import DEADLINE, exchange
from guard.notify.notifier import Call, Gone, Outcome, Post, Rejected, Retry, Sent
from guard.notify.webhook_body import body_of
from guard.notify.webhook_signature import signed_headers

_UNUSABLE: Final = "the webhook's address or its secret is unusable"
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_ABOUT_US: Final = {"Content-Type": "application/json", "User-Agent": f"quota-guard/{__version__}"}


class WebhookNotifier:
    """One receiver of webhooks.

    `url` may hold a secret, so it goes into no text; `secrets` is one that messages are signed with, or several with
    spaces between. `now` tells the time of an attempt, which is signed. Proxies are not used, redirects not followed.
    """

    threads: ClassVar = False
    edits: ClassVar = False
    finds: ClassVar = False

    def __init__(self, url: str, *, secrets: str, now: Callable[[], datetime], deadline: timedelta = DEADLINE) -> None:
        """Connects to nothing yet."""
        self._url = url
        self._secrets = secrets
        self._now = now
        self._deadline = deadline

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Posts the message once; the key is its `webhook-id`, by which the receiver knows a copy."""
        if not isinstance(call, Post):
            return Gone("a webhook cannot edit or answer what it posted")
        now = self._now()
        body = body_of(call.message, now=now)
        post = partial(self._post, key=key, at=now, body=body)
        return await exchange(post, deadline=self._deadline, unusable=_UNUSABLE, who="the receiver")

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:  # noqa: ARG002 - a webhook shows nothing
        """Finds nothing: nobody can ask a receiver what it took."""
        return None

    async def close(self) -> None:
        """Does nothing: a delivery keeps no connection."""

    async def _post(self, session: aiohttp.ClientSession, *, key: str, at: datetime, body: bytes) -> Outcome:
        headers = {**_ABOUT_US, **signed_headers(self._secrets, key=key, at=at, body=body)}
        async with session.post(self._url, data=body, headers=headers) as answer:
            return verdict(answer.status, answer.headers)


def verdict(status: int, headers: Mapping[str, str]) -> Outcome:
    """What became of a post that was answered so; the answer's body is neither read nor shown."""
    why = f"the receiver answered {status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent()
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retry(why, wait_of(headers["Retry-After"]) if "Retry-After" in headers else None)
    if status == HTTPStatus.GONE:
        return Rejected(f"{why}: it wants no more webhooks at this address")
    return Rejected(why)
