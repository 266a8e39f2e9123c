"""Answers that a server gives over plain HTTP: whole ones, and every kind of broken one."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Final

Answer = Callable[["Handler"], None]
"""Answers one request, whose body was read already."""

_ABORT: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends a reset


class Handler(BaseHTTPRequestHandler):
    """One request as a server of this package sees it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are written one after the other
    over: threading.Event  # set when the server closes, so that what hangs lets go
    body: bytes

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stays silent: stderr belongs to the tests."""


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """A whole answer; its length and nothing else goes along with the given headers."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def page(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """A page for people, as a proxy or a load balancer shows it."""
    body = b"<!doctype html><html><head><title>Error</title></head><body><h1>Something is wrong</h1></body></html>"
    return reply(status, body, {"Content-Type": "text/html", **(headers or {})})


def document(value: object) -> Answer:
    """A value as JSON, with status 200."""
    return reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def hang(handler: Handler) -> None:
    """Reads the request and never answers."""
    handler.close_connection = True
    handler.over.wait()


def drop(handler: Handler) -> None:
    """Reads the request and closes the connection in good order, without an answer."""
    handler.close_connection = True


def reset(handler: Handler) -> None:
    """Reads the request and tears the connection down."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    handler.connection.close()


def cut_short(body: bytes) -> Answer:
    """Promises the whole body and sends the half of it."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return answer


def drip(body: bytes, *, pause_s: float) -> Answer:
    """Sends a byte at a time, with pauses."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.close_connection = True
        with suppress(OSError):  # the other side has had enough
            for octet in body:
                handler.wfile.write(bytes([octet]))
                if handler.over.wait(pause_s):
                    return

    return answer
