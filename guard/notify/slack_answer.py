"""What a Slack webhook's answer means for the delivery; pure.

Slack answers a webhook with a status and a word in plain text: 200 `ok`, 400 `invalid_payload`, 404 `no_service`, …
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from guard.notify.notifier import Outcome, Rejected, Retry, Sent

_WORD: Final = re.compile(r"[a-z][a-z_]{2,59}")
_TEMPORARY: Final = frozenset(
    {
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "rollup_error",
        "service_unavailable",
    }
)
_TEMPORARY_STATUS: Final = frozenset({HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.REQUEST_TIMEOUT})
_ABOUT_THE_PAYLOAD: Final = frozenset(
    {
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_payload",
        "missing_text_or_fallback_or_attachments",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)
_ABOUT_THE_ADDRESS: Final = frozenset(
    {
        "channel_not_found",
        "invalid_token",
        "no_service",
        "no_team",
        "user_not_found",
    }
)
_JSON_MOST: Final = 4096  # characters; Slack's own words are far shorter
_SHORTEST_SECRET: Final = 6  # parts of the address shorter than this say nothing by themselves
_PATIENCE: Final = timedelta(seconds=60)  # where 429 comes without a number of seconds
_SHORTEST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Refused:
    """The payload, not the address, was refused: a shorter one may be taken; if not, `outcome` stands."""

    outcome: Rejected


def verdict(status: int, body: str, headers: Mapping[str, str], *, url: str) -> Outcome | Refused:
    """What became of a post that was answered so; `headers` are looked up as `Retry-After`.

    No outcome's text holds anything of the body but one word in lower case, and not even that where it is part of
    `url`, which is a secret, or holds a part of it.
    """
    answer = _object(body)
    word = _word(answer.get("error", body), url)
    why = f"Slack answered {status}" + (f" {word}" if word else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Retry(why, _wait(headers.get("Retry-After", "")))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TEMPORARY_STATUS or word in _TEMPORARY:
        return Retry(why, _wait(headers["Retry-After"]) if "Retry-After" in headers else None)
    if status < HTTPStatus.MULTIPLE_CHOICES and answer.get("ok") is not False:
        return _accepted(body, why)
    return Refused(Rejected(why)) if _is_about_the_payload(status, word) else Rejected(why)


def _accepted(body: str, why: str) -> Outcome:
    """A success by its status, unless it is a page of some proxy, which contradicts it.

    Receivers that imitate Slack answer 204, nothing, `{"ok": true}` or words of their own: repeating the message to
    them for a day would be worse than believing the status.
    """
    if body.lstrip().startswith("<"):
        return Retry(f"{why} with a page: something stands between here and Slack")
    return Sent()


def _is_about_the_payload(status: int, word: str) -> bool:
    return (
        word in _ABOUT_THE_PAYLOAD
        or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        or (status == HTTPStatus.BAD_REQUEST and word not in _ABOUT_THE_ADDRESS)
    )


def _object(body: str) -> Mapping[str, object]:
    """The body as a JSON object; empty if it is none."""
    if not body.lstrip().startswith("{") or len(body) > _JSON_MOST:
        return {}
    try:
        found: Mapping[str, object] = json.loads(body)
    except (ValueError, RecursionError):  # what many brackets give is the second
        return {}
    return found


def _word(said: object, url: str) -> str:
    """The answer if it is one word that gives nothing of the address away; else empty."""
    word = said.strip() if isinstance(said, str) else ""
    if not _WORD.fullmatch(word):
        return ""
    address = url.lower()
    parts = (part for part in re.split(r"\W+", address) if len(part) >= _SHORTEST_SECRET)
    return "" if word in address or any(part in word for part in parts) else word


def _wait(retry_after: str) -> timedelta:
    """How long to wait: seconds, within a second and an hour; a minute for what is no number of seconds."""
    if not re.fullmatch(r"\s*[0-9]{1,9}(\.[0-9]*)?\s*", retry_after):
        return _PATIENCE
    return min(max(timedelta(seconds=float(retry_after)), _SHORTEST_WAIT), _LONGEST_WAIT)
