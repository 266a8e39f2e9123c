import errno

import httpx
import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError

from guard.agentphone.network import no_answer
from guard.model import Failure, FailureKind


def caused(by: BaseException) -> httpx.ConnectError:
    error = httpx.ConnectError("Bearer sk_live_4f9b2c81d07e")
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (OSError(errno.EMFILE, "x"), "the connection to api.example failed: Too many open files"),
        (OSError(errno.ENETUNREACH, "x"), "the connection to api.example failed: Network is unreachable"),
        (OSError(errno.EPIPE, "x"), "the connection was reset by api.example"),
        (OSError(errno.ECONNREFUSED, "x"), "connection refused by api.example"),
        (OSError("Multiple exceptions: one, two"), "the connection to api.example failed (ConnectError)"),
        (ServerDisconnectedError(), "api.example closed the connection without an answer"),
        (ClientPayloadError(), "the answer was cut short"),
    ],
)
def test_the_cause_behind_an_error_is_what_people_read(cause: Exception, text: str) -> None:
    assert no_answer(caused(cause), host="api.example") == Failure(FailureKind.UNREACHABLE, text)


def test_an_error_without_a_known_cause_shows_its_kind_and_never_its_text() -> None:
    error = httpx.LocalProtocolError("Illegal header value b'Bearer sk_live_4f9b2c81d07e'")
    assert no_answer(error, host="api.example").text == "the connection to api.example failed (LocalProtocolError)"


def test_causes_that_go_in_a_circle_end() -> None:
    error = caused(OSError("x"))
    assert error.__cause__ is not None
    error.__cause__.__cause__ = error
    assert no_answer(error, host="api.example").text == "the connection to api.example failed (ConnectError)"
