"""The client of AgentPhone's API: usage, siblings, sub-accounts, under deadlines, whatever network and server do."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import httpx

from guard.agentphone.address import api_url
from guard.agentphone.exchange import BROKEN, Reply, exchange
from guard.agentphone.listing import LIMIT, Listing, Pages, read_page
from guard.agentphone.network import no_answer
from guard.agentphone.reply import read_answer, read_refusal, read_rows, read_stats, redirected
from guard.agentphone.transport import open_transport
from guard.agentphone.turns import Turns
from guard.model import Answer, Endpoint, Failure, FailureKind
from guard.units import duration_text

DEADLINE: Final = timedelta(seconds=20)
SIBLING_DEADLINE: Final = timedelta(seconds=10)
"""No longer: what /v1/usage said before them waits so long to be decided on."""
LISTING_DEADLINE: Final = timedelta(minutes=3)
MOST_AT_ONCE: Final = 8
"""So many sub-accounts are asked at once."""

_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")  # RFC 6750 allows fewer; beyond these no header can be sent

_Read = TypeVar("_Read")
_Read_co = TypeVar("_Read_co", covariant=True)


class _Reader(Protocol[_Read_co]):
    """Reads the headers and the body of a 200."""

    def __call__(self, headers: Mapping[str, str], body: bytes, /, *, key: str) -> _Read_co | Failure: ...


_SIBLINGS: Final[Mapping[Endpoint, tuple[str, str, _Reader[Answer]]]] = {
    Endpoint.DAILY: ("v1/usage/daily", "?days=60", read_rows),
    Endpoint.BY_NUMBER: ("v1/usage/by-number", "", read_rows),
    Endpoint.BY_AGENT: ("v1/usage/by-agent", "?period=month", read_rows),
    Endpoint.WEBHOOKS: ("v1/webhooks/deliveries/stats", "?hours=1", read_stats),
}


class UsageClient:
    """Asks with one key: for the usage of its account and of that account's sub-accounts, and which those are.

    At most eight sub-accounts are asked at once, and eight siblings, and others wait; the account itself and the
    listing do not wait for them. What the connections do and do not is said at `open_transport`. The key goes to the
    origin of `base_url` alone.
    """

    def __init__(
        self, *, base_url: str, key: str, read_key: Callable[[], str | None], deadline: timedelta = DEADLINE
    ) -> None:
        """Opens nothing yet.

        `read_key` reads the key's source again, and gives None where it cannot; it must not raise. `deadline` is for
        one answer as a whole, from the moment when its turn has come: from the name's resolution to the last byte.

        Raises ConfigError if `base_url` is no https URL, or http to another host than loopback, or if the environment
        names a proxy that cannot be used.
        """
        self._url = api_url(base_url)
        self._usage_url = self._url.join("v1/usage")
        self._host = self._url.netloc.decode()
        self._key = key
        self._refused: str | None = None
        self._read_key = read_key
        self._transport = open_transport(self._url)
        self._own_turns = Turns(at_once=2, deadline=deadline)  # one for usage, one for the listing
        self._sub_turns = Turns(at_once=MOST_AT_ONCE, deadline=deadline)
        self._sibling_turns = Turns(at_once=MOST_AT_ONCE, deadline=min(deadline, SIBLING_DEADLINE))

    async def usage(self, *, now: datetime, sub_id: str = "") -> Answer | Failure:
        """Asks /v1/usage once, of a sub-account if its id is given. Never raises for anything outside.

        Where the key is refused, its source is read again, and if that gives another key the request is made once
        more, and the new key kept.
        """
        of = f"sub-account {sub_id}" if sub_id else ""
        turns = self._sub_turns if sub_id else self._own_turns
        return await self._get(self._usage_url, read_answer, turns, now=now, of=of, sub_id=sub_id)

    async def sibling(self, endpoint: Endpoint, *, now: datetime, sub_id: str = "") -> Answer | Failure:
        """Asks one of the other endpoints once, of a sub-account if its id is given; `endpoint` is any but USAGE.

        The daily rows are those of the last 60 days, so that the month and 28 full days before it are among them. A
        bare list comes as `{"data": [...]}`. Never raises for anything outside; a refused key is read again as in
        `usage`.
        """
        path, query, read = _SIBLINGS[endpoint]
        of = f"/{path} of sub-account {sub_id}" if sub_id else f"/{path}"
        url = self._url.join(path + query)
        return await self._get(url, read, self._sibling_turns, now=now, of=of, sub_id=sub_id)

    async def sub_accounts(self, *, now: datetime) -> Listing | Failure:
        """Lists the sub-accounts, page by page, within three minutes. A page that fails is the failure of all.

        Never raises for anything outside; a refused key is read again as in `usage`.
        """
        pages = Pages()
        try:
            async with asyncio.timeout(LISTING_DEADLINE.total_seconds()):
                while pages.wants_more:
                    url = self._url.join(f"v1/sub-accounts?limit={LIMIT}&offset={pages.entries}")
                    page = await self._get(url, read_page, self._own_turns, now=now, of="the list of sub-accounts")
                    if isinstance(page, Failure):
                        return replace(page, text=f"sub-accounts, page {pages.count + 1}: {page.text}")
                    pages.add(page)
        except TimeoutError:
            within = duration_text(LISTING_DEADLINE)
            return Failure(FailureKind.TIMEOUT, f"{self._host} gave no whole list of sub-accounts within {within}")
        return pages.listing()

    def has_untried_key(self) -> bool:
        """Whether the key is another than the one refused last; its source is read again for that.

        True for a client to which no key was refused yet: what another process tried may have been mended since.
        """
        return self._refused != self._key or self._has_other_key_than(self._key)

    async def close(self) -> None:
        """Ends what is under way, and lets go of all connections; afterwards every request fails unasked."""
        await asyncio.gather(*(turns.close() for turns in (self._own_turns, self._sub_turns, self._sibling_turns)))
        await self._transport.aclose()

    async def _get(
        self, url: httpx.URL, read: _Reader[_Read], turns: Turns, *, now: datetime, of: str, sub_id: str = ""
    ) -> _Read | Failure:
        """One answer in its turn, with the key that there is or, where that one is refused, a newer one."""
        try:
            async with turns.turn():
                key = self._key
                answer = await self._ask(url, read, key=key, now=now, of=of, sub_id=sub_id)
                if self._is_refused(answer, turns) and self._has_other_key_than(key):
                    key = self._key
                    answer = await self._ask(url, read, key=key, now=now, of=of, sub_id=sub_id)
                if self._is_refused(answer, turns):
                    self._refused = key
                return answer
        except TimeoutError:
            return self._given_up(turns)

    async def _ask(
        self, url: httpx.URL, read: _Reader[_Read], *, key: str, now: datetime, of: str, sub_id: str
    ) -> _Read | Failure:
        if not _SENDABLE.fullmatch(key):
            text = "the API key is empty or holds a space, a line break or a letter beyond ASCII; nothing was asked"
            return Failure(FailureKind.UNAUTHORIZED, text)
        whose = {"X-Sub-Account-Id": sub_id} if sub_id else {}
        try:
            reply = await exchange(self._transport, url, {"Authorization": f"Bearer {key}", **whose})
        except BROKEN as error:
            return no_answer(error, host=self._host)
        if reply.location is not None:
            return redirected(reply.status, _origin(url, reply.location), key=key)
        if reply.status != httpx.codes.OK:
            return read_refusal(reply.status, reply.headers, reply.body or b"", key=key, now=now, of=of)
        return _fault(reply) or read(reply.headers, reply.body or b"", key=key)

    def _is_refused(self, answer: object, turns: Turns) -> bool:
        """Whether it is the key that is refused: a 403 for one sub-account or sibling says nothing of the rest."""
        if not isinstance(answer, Failure):
            return False
        of_the_key = turns is self._own_turns
        return answer.kind is FailureKind.UNAUTHORIZED or (answer.kind is FailureKind.FORBIDDEN and of_the_key)

    def _has_other_key_than(self, key: str) -> bool:
        """Whether another key is to be tried: one that another request found, or that its source holds by now."""
        if self._key == key:
            self._key = self._read_key() or key
        return self._key != key

    def _given_up(self, turns: Turns) -> Failure:
        if turns.is_closed:
            return Failure(FailureKind.UNREACHABLE, f"the asking of {self._host} was ended from here")
        within = duration_text(turns.deadline)
        return Failure(FailureKind.TIMEOUT, f"{self._host} gave no whole answer within {within}")


def _fault(reply: Reply) -> Failure | None:
    """Why the body of a 200 is not even read."""
    if reply.body is None:
        return Failure(FailureKind.TOO_LARGE, "the answer is larger than 1 MiB")
    if reply.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}:
        return Failure(FailureKind.NOT_USAGE, "not the usage API: a compressed answer, which was not asked for")
    return None


def _origin(url: httpx.URL, location: str) -> str:
    """Scheme, host and port that a redirect points to; its path and query may hold anything and are left out."""
    try:
        target = url.join(location)
    except httpx.InvalidURL:
        return ""
    return f"{target.scheme}://{target.netloc.decode()}" if target.host else ""
