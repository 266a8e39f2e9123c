"""What an answer of the usage API means: its status, headers and body → Answer or Failure; pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final, cast

from guard.agentphone.body import message, not_usage, quote, read_json, read_object
from guard.agentphone.headers import http_date, retry_after
from guard.model import Answer, Failure, FailureKind

_PARTS: Final = ("numbers", "stats", "plan")  # what the reference says that an answer is made of; each may be missing
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def read_answer(headers: Mapping[str, str], body: bytes, *, key: str) -> Answer | Failure:
    """Reads the body of a 200; header names are looked up in any case. Never raises.

    It is the usage API's if it is a JSON object in which one of `numbers`, `stats` and `plan` is an object: all else
    may be missing, but a proxy's page or an error with status 200 must never pass for an account without usage.
    """
    payload = read_object(body, key=key)
    if isinstance(payload, Failure):
        return payload
    if not any(isinstance(payload.get(part), dict) for part in _PARTS):
        return not_usage(body, key=key, what="an object without numbers, stats and plan")
    return _answer(headers, payload)


def read_rows(headers: Mapping[str, str], body: bytes, *, key: str) -> Answer | Failure:
    """Reads the body of a 200 as `{"data": [...]}` with whatever is beside it, or as the bare list. Never raises."""
    match read_json(body, key=key):
        case Failure() as failure:
            return failure
        case [*rows]:
            return _answer(headers, {"data": rows})
        case {"data": [*_]} as payload:
            return _answer(headers, cast("Mapping[str, object]", payload))
        case _:
            return not_usage(body, key=key, what="no list under data")


def read_stats(headers: Mapping[str, str], body: bytes, *, key: str) -> Answer | Failure:
    """Reads the body of a 200 as an object with a `total` or `failed`. Never raises."""
    payload = read_object(body, key=key)
    if isinstance(payload, Failure):
        return payload
    if not payload.keys() & {"total", "failed"}:
        return not_usage(body, key=key, what="an object without total and failed")
    return _answer(headers, payload)


def _answer(headers: Mapping[str, str], payload: Mapping[str, object]) -> Answer:
    return Answer(payload=payload, text=_CANONICAL.encode(payload), server_at=http_date(headers.get("Date", "")))


def read_refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, key: str, now: datetime, of: str = ""
) -> Failure:
    """Reads an answer that is neither a 200 nor a redirect; header names are looked up in any case. Never raises.

    `of` is what was asked for beyond the key's own account: `sub-account acme`. A wait is given with every 429, and
    with a 408 or 5xx that asks for one.
    """
    kind = _kind(status)
    text = f"the API {_verb(status, of)} {_words(status)}"
    said = message(body, key=key).removesuffix(".")  # more words may follow
    wait = None
    if kind is FailureKind.RATE_LIMITED or (kind is FailureKind.SERVER and "Retry-After" in headers):
        seen_from = http_date(headers.get("Date", "")) or now  # one clock for both dates, if the answer names it
        wait = retry_after(headers.get("Retry-After", ""), now=seen_from)
    return Failure(kind, f"{text}: {said}" if said else text, retry_after=wait)


def redirected(status: int, origin: str, *, key: str) -> Failure:
    """The failure for a redirect, which is never followed: the key goes to no origin but its own."""
    where = quote(origin, key=key) or "nowhere that can be read"
    return Failure(
        FailureKind.REFUSED,
        f"the API answered {_words(status)} with a redirect to {where}, where the key is not sent; "
        "if the API has moved, change base_url",
    )


def _kind(status: int) -> FailureKind:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return FailureKind.UNAUTHORIZED
        case HTTPStatus.FORBIDDEN:
            return FailureKind.FORBIDDEN
        case HTTPStatus.TOO_MANY_REQUESTS:
            return FailureKind.RATE_LIMITED
        case HTTPStatus.REQUEST_TIMEOUT:
            return FailureKind.SERVER
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return FailureKind.SERVER
        case _:
            return FailureKind.REFUSED


def _verb(status: int, of: str) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return "refused the key:"
        case HTTPStatus.FORBIDDEN:
            return f"does not let this key see {of or 'its account'}:"
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED if of:
            return f"does not know {of}:"
        case _:
            return "answered"


def _words(status: int) -> str:
    """`404 Not Found`: the phrase of the standard, and not the one that the server sends."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
