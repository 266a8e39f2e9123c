"""What Slack's answers have in common, whichever way they come: one word, and what it says; pure."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from guard.notify.notifier import Rejected

RATE_LIMITED: Final = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})
NOT_TAKEN: Final = frozenset({"request_timeout", "service_unavailable"})
"""Words for what went wrong before Slack did anything."""
TROUBLE: Final = frozenset({"fatal_error", "internal_error", "rollup_error"})
"""Words for what went wrong meanwhile: "some aspect of the operation" may have succeeded, says Slack."""
NOT_TAKEN_STATUS: Final = frozenset({HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.REQUEST_TIMEOUT})
ABOUT_THE_PAYLOAD: Final = frozenset(
    {
        "block_mismatch",
        "invalid_arguments",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_payload",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "missing_text_or_fallback_or_attachments",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)

_WORD: Final = re.compile(r"[a-z][a-z_]{2,59}")
_SHORTEST_SECRET: Final = 6  # parts of a secret shorter than this say nothing by themselves


@dataclass(frozen=True, slots=True)
class Refused:
    """The payload, not the address, was refused: a shorter one may be taken; if not, `outcome` stands."""

    outcome: Rejected


def word_in(said: object, *, secret: str) -> str:
    """What an answer says if it is one word in lower case that gives nothing of `secret` away; else empty."""
    word = said.strip() if isinstance(said, str) else ""
    if not _WORD.fullmatch(word):
        return ""
    hidden = secret.lower()
    parts = (part for part in re.split(r"\W+", hidden) if len(part) >= _SHORTEST_SECRET)
    return "" if word in hidden or any(part in word for part in parts) else word
