"""Why no whole answer came, in words: names, TLS, refused, reset, cut short."""

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from itertools import islice
from typing import Final

import aiohttp

from guard.model import Failure, FailureKind

_DEEPEST: Final = 20
_RESET: Final = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}


def no_answer(error: Exception, *, host: str) -> Failure:
    """The failure in words for people, with `host` as the one that was asked.

    The error's own text is never used: it may hold what was sent or what came, and both may hold the key.
    """
    words = (_words(cause, host=host) for cause in islice(_causes(error), _DEEPEST))
    text = next(filter(None, words), f"the connection to {host} failed ({type(error).__name__})")
    return Failure(FailureKind.UNREACHABLE, text)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _words(cause: BaseException, *, host: str) -> str:
    match cause:
        case aiohttp.ClientError():  # first: some of them are OSErrors too
            return _client_words(cause, host=host)
        case socket.gaierror() | UnicodeError():  # the latter for a name that no name may be
            return f"the name {host} could not be resolved"
        case ssl.SSLError():
            return _tls_words(cause, host=host)
        case OSError():
            return _os_words(cause, host=host)
        case _:
            return ""


def _client_words(error: aiohttp.ClientError, *, host: str) -> str:
    """Empty where only what lies beneath the error says why."""
    match error:
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return f"the proxy of the environment does not let through to {host}"
        case aiohttp.ServerDisconnectedError():
            return f"{host} closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return "the answer was cut short"
        case aiohttp.ClientResponseError():
            return f"what {host} answered is not HTTP"
        case _:
            return ""


def _tls_words(error: ssl.SSLError, *, host: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: certificate verify failed for {host}: {error.verify_message}"
    return f"TLS: {(error.reason or 'failed').replace('_', ' ').lower()}, at {host}"


def _os_words(error: OSError, *, host: str) -> str:
    if error.errno == errno.ECONNREFUSED:
        return f"connection refused by {host}"
    if error.errno in _RESET:
        return f"the connection was reset by {host}"
    return f"the connection to {host} failed: {os.strerror(error.errno)}" if error.errno else ""
