"""The client of /v1/usage: one attempt under one deadline, whatever the network and the server do."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Final, cast

import httpx

from guard import __version__
from guard.agentphone.network import no_answer
from guard.agentphone.reply import read_answer, read_refusal, redirected
from guard.errors import ConfigError
from guard.model import Answer, Failure, FailureKind
from guard.units import duration_text

DEADLINE: Final = timedelta(seconds=20)

_PATH: Final = "/v1/usage"
_MOST_BYTES: Final = 1024 * 1024
_REFUSAL_BYTES: Final = 64 * 1024
_REFUSAL_WAIT_S: Final = 2.0
_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")  # RFC 6750 allows fewer; beyond these no header can be sent
_LOCATION: Final = "quota_guard_location"
_HIGHEST_PORT: Final = 65535
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # 200 KiB of gzip can be 200 MiB of answer
    "Connection": "close",
    "User-Agent": f"quota-guard/{__version__}",
}


class UsageClient:
    """Asks one account's usage with one key.

    Every request has a connection of its own: a minute later the old one is gone anyway, and after a suspend or a
    moved name a kept one fails once for nothing. No cookie is kept, no redirect followed, and the key goes to the
    origin of `base_url` alone. Proxies and certificate stores are those of the environment (HTTPS_PROXY, NO_PROXY,
    SSL_CERT_FILE), but loopback is never asked through a proxy.
    """

    def __init__(
        self, *, base_url: str, key: str, read_key: Callable[[], str | None], deadline: timedelta = DEADLINE
    ) -> None:
        """Opens nothing yet.

        `read_key` reads the key's source again, and gives None where it cannot; it must not raise. `deadline` is for
        one `usage()` as a whole, from the name's resolution to the last byte.

        Raises ConfigError if `base_url` is no https URL, or http to another host than loopback, or if the environment
        names a proxy that cannot be used.
        """
        self._url = _usage_url(base_url)
        self._host = self._url.netloc.decode()
        self._key = key
        self._refused: str | None = None
        self._read_key = read_key
        self._deadline = deadline
        self._http = _http_client(self._url)

    async def usage(self, *, now: datetime) -> Answer | Failure:
        """Asks /v1/usage once. Never raises for anything that the network or the server does.

        Where the key is refused, its source is read again, and if that gives another key the request is made once
        more, and the new key kept.
        """
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                answer = await self._ask(now=now)
                if _is_unauthorized(answer) and self._has_new_key():
                    answer = await self._ask(now=now)
                if _is_unauthorized(answer):
                    self._refused = self._key
                return answer
        except TimeoutError:
            within = duration_text(self._deadline)
            return Failure(FailureKind.TIMEOUT, f"{self._host} gave no whole answer within {within}")

    def has_untried_key(self) -> bool:
        """Whether the key is another than the one refused last; its source is read again for that.

        True for a client to which no key was refused yet: what another process tried may have been mended since.
        """
        if self._refused == self._key:
            self._has_new_key()
        return self._refused != self._key

    async def close(self) -> None:
        """Lets go of all connections; afterwards nothing is asked."""
        await self._http.aclose()

    def _has_new_key(self) -> bool:
        """Reads the key's source again; True if it holds another key, which is used from now on."""
        key = self._read_key()
        if not key or key == self._key:
            return False
        self._key = key
        return True

    async def _ask(self, *, now: datetime) -> Answer | Failure:
        if not _SENDABLE.fullmatch(self._key):  # h11 would refuse it with an error whose text is the key
            text = "the API key is empty or holds a space, a line break or a letter beyond ASCII; nothing was asked"
            return Failure(FailureKind.UNAUTHORIZED, text)
        authorization = {"Authorization": f"Bearer {self._key}"}
        try:
            async with self._http.stream("GET", self._url, headers=authorization) as response:
                return await self._read(response, now=now)
        except (httpx.HTTPError, OSError, UnicodeError) as error:
            return no_answer(error, host=self._host)

    async def _read(self, response: httpx.Response, *, now: datetime) -> Answer | Failure:
        status, headers = response.status_code, response.headers
        if response.is_redirect and _LOCATION in response.extensions:
            return redirected(status, _origin(response), key=self._key)
        if status != httpx.codes.OK:
            return read_refusal(status, headers, await _glimpse(response), key=self._key, now=now)
        if headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}:
            return Failure(FailureKind.NOT_USAGE, "not the usage API: a compressed answer, which was not asked for")
        body = await _whole(response)
        if body is None:
            return Failure(FailureKind.TOO_LARGE, "the answer is larger than 1 MiB")
        return read_answer(headers, body, key=self._key)


def _usage_url(base_url: str) -> httpx.URL:
    """The address to ask; raises ConfigError where the key must not go or nothing can be asked."""
    try:
        url = httpx.URL(base_url.rstrip("/") + _PATH)
    except (httpx.InvalidURL, ValueError):
        raise ConfigError("base_url is not a URL; write it as https://api.agentphone.ai") from None
    if url.userinfo or url.query or url.fragment:
        raise ConfigError("base_url holds a name, a password, a query or a fragment; write scheme, host and path only")
    if not url.host or url.scheme not in {"http", "https"} or (url.port or 0) > _HIGHEST_PORT:
        raise ConfigError(f"base_url {base_url!r} is no https:// URL; write it as https://api.agentphone.ai")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ConfigError(f"base_url {base_url!r} would send the key in the clear; http:// is for loopback only")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _http_client(url: httpx.URL) -> httpx.AsyncClient:
    direct = {f"all://{url.netloc.decode()}": None} if _is_loopback(url.host) else None
    try:
        return httpx.AsyncClient(
            headers=_HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a jar that takes nothing
            follow_redirects=False,
            timeout=None,  # noqa: S113 -- httpx has none for the whole; asyncio.timeout stands around each request
            limits=httpx.Limits(max_keepalive_connections=0),
            mounts=direct,
            event_hooks={"response": [_keep_location]},
        )
    except (ImportError, ValueError):  # SOCKS without its package, a scheme that nobody knows
        raise ConfigError("the environment's proxy cannot be used; HTTP and HTTPS proxies can (HTTPS_PROXY)") from None


def _is_unauthorized(answer: Answer | Failure) -> bool:
    return isinstance(answer, Failure) and answer.kind is FailureKind.UNAUTHORIZED


async def _keep_location(response: httpx.Response) -> None:
    """Puts a Location aside: httpx makes the next request of it even to leave it be, and raises where it cannot."""
    if "Location" in response.headers:
        response.extensions[_LOCATION] = response.headers.pop("Location")


def _origin(response: httpx.Response) -> str:
    """Scheme, host and port that a redirect points to; its path and query may hold anything and are left out."""
    try:
        target = response.url.join(response.extensions[_LOCATION])
    except httpx.InvalidURL:
        return ""
    return f"{target.scheme}://{target.netloc.decode()}" if target.host else ""


async def _whole(response: httpx.Response) -> bytes | None:
    """The body as it came over the wire; None as soon as it is larger than 1 MiB."""
    body = bytearray()
    await _fill(body, response, at_most=_MOST_BYTES)
    return bytes(body) if len(body) <= _MOST_BYTES else None


async def _glimpse(response: httpx.Response) -> bytes:
    """What comes of a refusal's body in good order and soon; its status says enough without."""
    body = bytearray()
    with suppress(httpx.HTTPError, TimeoutError):
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
