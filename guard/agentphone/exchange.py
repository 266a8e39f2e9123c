"""One request and what comes back for it: a status, headers, and as much of a body as is wanted."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final, cast

import httpx
from aiohttp import ClientError

from guard import __version__

BROKEN: Final = (httpx.HTTPError, ClientError, OSError, UnicodeError)
"""What `exchange` raises where no whole answer comes: httpx's errors, and those that the transport lets through."""

_MOST_BYTES: Final = 1024 * 1024
_REFUSAL_BYTES: Final = 64 * 1024
_REFUSAL_WAIT_S: Final = 2.0
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # 200 KiB of gzip can be 200 MiB of answer
    "User-Agent": f"quota-guard/{__version__}",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names are looked up in any case.

    The body of a 200 is whole, or None if it is larger than 1 MiB; of another status it is what came of it in good
    order and soon, and empty for a redirect.
    """

    status: int
    headers: httpx.Headers
    body: bytes | None

    @property
    def location(self) -> str | None:
        """Where a redirect points to; None for every other answer."""
        is_redirect = self.status in {301, 302, 303, 307, 308}
        return self.headers.get("Location") if is_redirect else None


async def exchange(transport: httpx.AsyncBaseTransport, url: httpx.URL, headers: Mapping[str, str]) -> Reply:
    """Gets an address once, with these headers beside the client's own; raises BROKEN."""
    request = httpx.Request("GET", url, headers={**_HEADERS, **headers})
    response = await transport.handle_async_request(request)
    async with aclosing(response):
        body = await _whole(response) if response.status_code == httpx.codes.OK else await _glimpse(response)
    return Reply(response.status_code, response.headers, body)


async def _whole(response: httpx.Response) -> bytes | None:
    """The body as it came over the wire; None as soon as it is larger than 1 MiB."""
    body = bytearray()
    await _fill(body, response, at_most=_MOST_BYTES)
    return bytes(body) if len(body) <= _MOST_BYTES else None


async def _glimpse(response: httpx.Response) -> bytes:
    """What comes of a refusal's body in good order and soon; its status says enough without."""
    body = bytearray()
    with suppress(*BROKEN, TimeoutError):
        async with asyncio.timeout(_REFUSAL_WAIT_S):
            await _fill(body, response, at_most=_REFUSAL_BYTES)
    return bytes(body)


async def _fill(body: bytearray, response: httpx.Response, *, at_most: int) -> None:
    """Appends what comes over the wire, unpacked by nobody, until it ends or is more than `at_most`."""
    chunks = cast("AsyncGenerator[bytes]", response.aiter_raw())  # which it is; left open, it would be closed by chance
    async with aclosing(chunks):
        async for chunk in chunks:
            body += chunk
            if len(body) > at_most:
                return
