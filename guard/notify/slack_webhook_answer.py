"""What a Slack webhook's answer means for the delivery; pure.

Slack answers a webhook with a status and a word in plain text: 200 `ok`, 400 `invalid_payload`, 404 `no_service`, …
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from guard.notify.answer import json_object, wait_of
from guard.notify.notifier import Outcome, Rejected, Retry, Sent
from guard.notify.slack_answer import (
    ABOUT_THE_PAYLOAD,
    NOT_TAKEN,
    NOT_TAKEN_STATUS,
    RATE_LIMITED,
    TROUBLE,
    Refused,
    word_in,
)

_TEMPORARY: Final = RATE_LIMITED | NOT_TAKEN | TROUBLE
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


def verdict(status: int, body: str, headers: Mapping[str, str], *, url: str) -> Outcome | Refused:
    """What became of a post that was answered so; `headers` are looked up as `Retry-After`.

    No outcome's text holds anything of the body but one word in lower case, and not even that where it is part of
    `url`, which is a secret, or holds a part of it.
    """
    answer = json_object(body) if len(body) <= _JSON_MOST else {}
    word = word_in(answer.get("error", body), secret=url)
    why = f"Slack answered {status}" + (f" {word}" if word else "")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Retry(why, wait_of(headers.get("Retry-After", "")))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in NOT_TAKEN_STATUS or word in _TEMPORARY:
        return Retry(why, wait_of(headers["Retry-After"]) if "Retry-After" in headers else None)
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
        word in ABOUT_THE_PAYLOAD
        or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        or (status == HTTPStatus.BAD_REQUEST and word not in _ABOUT_THE_ADDRESS)
    )
