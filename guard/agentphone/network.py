"""Why no whole answer came, in words: names, TLS, refused, reset, cut short."""

import os
import socket
import ssl
from collections.abc import Iterator
from itertools import islice
from typing import Final

import httpx

from guard.model import Failure, FailureKind

_DEEPEST: Final = 20


def no_answer(error: Exception, *, host: str) -> Failure:
    """The failure in words for people, with `host` as the one that was asked.

    The error's own text is never used: httpx and h11 put into it what was sent, and what was sent holds the key.
    """
    words = (_words(cause, host=host) for cause in islice(_causes(error), _DEEPEST))
    text = next(filter(None, words), f"the connection to {host} failed ({type(error).__name__})")
    return Failure(FailureKind.UNREACHABLE, text)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it: several, where a name has several addresses."""
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop()
        if cause is not None:
            yield cause
            waiting.append(cause.__cause__ or cause.__context__)
            waiting += cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()


def _words(cause: BaseException, *, host: str) -> str:
    match cause:
        case socket.gaierror() | UnicodeError():  # the latter for a name that no name may be
            return f"the name {host} could not be resolved"
        case ssl.SSLError():
            return _tls_words(cause, host=host)
        case OSError():
            return _os_words(cause, host=host)
        case httpx.ProxyError():
            return f"the proxy of the environment does not let through to {host}"
        case httpx.RemoteProtocolError():
            return _protocol_words(str(cause), host=host)
        case _:
            return ""


def _tls_words(error: ssl.SSLError, *, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: certificate verify failed for {host}: {error.verify_message}"
    return f"TLS: {(error.reason or 'failed').replace('_', ' ').lower()}, at {host}"


def _os_words(error: OSError, *, host: str) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused by {host}"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return f"the connection was reset by {host}"
    return f"the connection to {host} failed: {os.strerror(error.errno)}" if error.errno else ""


def _protocol_words(text: str, *, host: str) -> str:
    """The texts are httpcore's and h11's; one that they do not use any more reads as the last line."""
    if "without sending complete message body" in text:
        return "the answer was cut short"
    if "without sending a response" in text:
        return f"{host} closed the connection without an answer"
    return f"what {host} answered is not HTTP"
