"""The connections to one API: opened by aiohttp beneath httpx's interface, and kept for a few seconds."""

import os
import ssl
from functools import cache, partial
from typing import Final

import httpx
from aiohttp import ClientRequest, ClientResponse, ClientSession, DummyCookieJar, ServerDisconnectedError, TCPConnector
from aiohttp.connector import Connection
from httpx_aiohttp import AiohttpTransport

from guard.agentphone.address import proxy_for

_KEPT_S: Final = 5.0  # as long as the usual servers keep one; an account asked once a minute would gain nothing


def open_transport(url: httpx.URL) -> httpx.AsyncBaseTransport:
    """The way to one origin, over as many connections as there are requests at once.

    It opens nothing yet, and must be closed.

    A request goes out as it is: no cookie is kept, no redirect followed, nothing unpacked and no password looked for
    in ~/.netrc. A connection that is dropped before a whole head of the answer has come is replaced by another, once a
    request. Names are resolved anew for each connection, which is closed after five idle seconds, so that a moved name
    is followed; a proxy and certificates are those of the environment (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE), which
    are read once for all accounts.

    Raises ConfigError for a proxy that cannot be used.
    """
    context = _trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    return AiohttpTransport(verify=context, proxy=proxy_for(url), client=partial(_session, context))


@cache
def _trust(*_places: str | None) -> ssl.SSLContext:
    """Whom connections trust, for the places that the environment names: 20 ms and a mebibyte that all share."""
    return httpx.create_ssl_context()


def _session(context: ssl.SSLContext) -> ClientSession:
    connector = TCPConnector(limit=0, ssl=context, keepalive_timeout=_KEPT_S, use_dns_cache=False)
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar(), request_class=_Request)


class _Request(ClientRequest):
    """A request that goes out on no connection where an answer already waits.

    What came while nobody asked answers something else, and aiohttp would hand it to whoever asks next: the numbers of
    one sub-account would pass for another's. It takes the error for a dropped connection, and opens another.
    """

    async def send(self, conn: Connection) -> ClientResponse:
        if conn.protocol is not None and len(conn.protocol) > 0:
            raise ServerDisconnectedError
        return await super().send(conn)
