"""The door that every request goes through: which methods, which Host, which token; and the headers of every answer."""

import hmac
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.settings import Listen

METHODS: Final = ("GET", "HEAD")  # nothing can be changed from here
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


class Door:
    """Stands around an application: what it refuses, the application never sees.

    On loopback the Host header must name this machine: a page whose name was made to lead here names itself in it
    (DNS rebinding). Beyond loopback the service has names that it does not know, but always a token, which no such
    page has.
    """

    def __init__(self, app: ASGIApp, listen: Listen) -> None:
        """Takes the application, and the token and address by which it is reached."""
        self._app = app
        self._hosts = {*_LOOPBACK, str(listen).rpartition(":")[0]} if listen.is_loopback else None
        self._token = listen.token.encode() if listen.token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request itself, or lets it in."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} does not come through this door")

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._refusal(scope["method"], Headers(scope=scope)) or self._app
        await answer(scope, receive, guarded_send)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        if method not in METHODS:
            return PlainTextResponse("only GET and HEAD\n", 405, {"Allow": ", ".join(METHODS)})
        if self._hosts is not None and _name(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("the Host header names another machine; use localhost\n", 421)
        if self._token is not None and not _holds(headers, self._token):
            text = "it needs the header Authorization: Bearer, with GUARD_CONSOLE_TOKEN\n"
            return PlainTextResponse(text, 401, {"WWW-Authenticate": 'Bearer realm="quota-guard"'})
        return None


def _name(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _holds(headers: Headers, token: bytes) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # Bytes, for text that is not ASCII would raise; headers are read as Latin-1.
    return hmac.compare_digest(given.strip().encode("latin-1"), token) and scheme.lower() == "bearer"
