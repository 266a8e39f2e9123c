"""The door that every request goes through: which methods, which Host, which token; and the headers of every answer."""

import hmac
from binascii import Error, a2b_base64
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from guard.settings import Listen

METHODS: Final = ("GET", "HEAD")  # nothing can be changed from here
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
CHALLENGES: Final = ('Basic realm="quota-guard", charset="UTF-8"', 'Bearer realm="quota-guard"')
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


class Door:
    """Stands around an application: what it refuses, the application never sees.

    On loopback the Host header must name this machine, or what GUARD_CONSOLE_URL calls it: a page whose name was made
    to lead here names itself in it (DNS rebinding). Beyond loopback the service has names that it does not know, but
    always a token, which no such page has.
    """

    def __init__(self, app: ASGIApp, listen: Listen) -> None:
        """Takes the application, and the token and address by which it is reached."""
        self._app = app
        own = {str(listen).rpartition(":")[0], *filter(None, (listen.known_as,))}
        self._hosts = {*_LOOPBACK, *own} if listen.is_loopback else None
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
            return PlainTextResponse(
                "the Host header names another machine; use localhost, or GUARD_CONSOLE_URL\n", 421
            )
        if self._token is not None and not _holds(headers, self._token):
            text = "it needs GUARD_CONSOLE_TOKEN: as the password, or in the header Authorization: Bearer\n"
            return _unauthorized(text)
        return None


def _unauthorized(text: str) -> Response:
    answer = PlainTextResponse(text, 401)
    for challenge in CHALLENGES:  # in a header of its own each: Chromium asks for no password behind a Bearer
        answer.headers.append("WWW-Authenticate", challenge)
    return answer


def _name(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _holds(headers: Headers, token: bytes) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # Bytes, for text that is not ASCII would raise; headers are read as Latin-1.
    return hmac.compare_digest(_secret(scheme.lower(), given.strip().encode("latin-1")), token)


def _secret(scheme: str, credentials: bytes) -> bytes:
    """What stands for the token in a header: all of it, or the password of any user, as a browser sends it.

    Empty, which no token is, where there is nothing of the kind.
    """
    match scheme:
        case "bearer":
            return credentials
        case "basic":
            try:
                return a2b_base64(credentials, strict_mode=True).partition(b":")[2]
            except Error:
                return b""
        case _:
            return b""
