"""Every answer that is not simply good: refusals in the API's two shapes, and faults played out."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, assert_never

from aiohttp import hdrs, web

from guard.sandbox.scenario import Body, Fault, Kind

_ERRORS: Final = {
    400: ("The request is not valid.", "VALIDATION_ERROR", "validation_error"),
    401: ("Missing or invalid API key.", "UNAUTHORIZED", "authentication_error"),
    403: ("This key has no access.", "FORBIDDEN", "permission_error"),
    429: ("Too many requests.", "RATE_LIMIT_EXCEEDED", "rate_limit_error"),
}
_DETAILED: Final = frozenset({404, 405, 422})  # these come as {"detail": …}, the others as {"error": {…}}
_PAGE: Final = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_RST: Final = struct.pack("ii", 1, 0)  # linger on, for 0 s: closing then tears the connection down


def document(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON document as the answer."""
    return web.Response(text=json.dumps(body), status=status, headers=headers, content_type="application/json")


def refusal(status: int, *, detail: object = None, retry_after: str = "") -> web.Response:
    """The API's error body for a status; `detail` is only for those that carry one (404, 405, 422)."""
    body: dict[str, object]
    if status in _DETAILED:
        body = {"detail": detail or _phrase(status)}
    else:
        text, code, kind = _ERRORS.get(status, (f"{_phrase(status)}.", "INTERNAL_ERROR", "api_error"))
        body = {"error": {"message": text, "code": code, "type": kind, "details": []}}
    return document(body, status=status, headers=_headers(retry_after))


async def play(
    fault: Fault, request: web.Request, *, whole: Callable[[], Mapping[str, object]], closing: asyncio.Event
) -> web.StreamResponse:
    """Answers as the fault asks, or tears the connection down; a hang lasts until the caller leaves or `closing`.

    `whole` makes the good answer, for the faults that spoil it.
    """
    match fault.kind:
        case Kind.ANSWER:
            return await _answer(fault, request, whole=whole)
        case Kind.HANG:
            await closing.wait()
            return _torn(request)
        case Kind.RESET:
            return _torn(request)
        case _ as never:  # pragma: no cover - every kind has its case
            assert_never(never)


async def _answer(
    fault: Fault, request: web.Request, *, whole: Callable[[], Mapping[str, object]]
) -> web.StreamResponse:
    if fault.body is Body.TRUNCATED:
        return await _truncated(fault, request, whole=json.dumps(whole()).encode())
    return faulty(fault, whole=whole)


def faulty(fault: Fault, *, whole: Callable[[], Mapping[str, object]]) -> web.Response:
    """What a fault that answers says, as it would come in one piece; a truncated body is all that arrives of it."""
    headers = _headers(fault.retry_after)
    match fault.body:
        case Body.ERROR:
            return refusal(fault.status, retry_after=fault.retry_after)
        case Body.HTML:
            page = _PAGE.format(f"{fault.status} {_phrase(fault.status)}")
            return web.Response(status=fault.status, headers=headers, text=page, content_type="text/html")
        case Body.EMPTY:
            return web.Response(status=fault.status, headers=headers, content_type="application/json")
        case Body.LIST:
            return document([], status=fault.status, headers=headers)
        case Body.TRUNCATED:
            octets = json.dumps(whole()).encode()
            return web.Response(body=octets[: len(octets) // 2], status=fault.status, headers=headers)
        case Body.SHORT | Body.NONE | Body.BARE:
            return document(_spoiled(fault.body, whole()), status=fault.status, headers=headers)
        case _ as never:  # pragma: no cover - every body has its case
            assert_never(never)


def _spoiled(body: Body, whole: Mapping[str, object]) -> object:
    """A good answer that holds a list under `data`, with something wrong about that list."""
    rows = whole["data"]
    if body is Body.BARE or not isinstance(rows, list):
        return rows
    return {**whole, "data": rows[: len(rows) // 2] if body is Body.SHORT else []}


async def _truncated(fault: Fault, request: web.Request, *, whole: bytes) -> web.StreamResponse:
    response = web.StreamResponse(status=fault.status, headers=_headers(fault.retry_after))
    response.content_type = "application/json"
    response.content_length = len(whole)
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    if request.transport is not None:  # pragma: no branch - without one nobody is there, and this was cancelled
        request.transport.close()  # what was written still goes out
    return response


def _torn(request: web.Request) -> web.Response:
    """Tears the connection down; the response, which the server wants to have, reaches nobody."""
    if request.transport is not None:  # pragma: no branch - without one nobody is there, and this was cancelled
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        request.transport.abort()
    return web.Response()


def _headers(retry_after: str) -> dict[str, str]:
    return {hdrs.RETRY_AFTER: retry_after} if retry_after else {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
