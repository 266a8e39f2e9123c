"""What an answer of Slack's Web API means for the delivery; pure.

Slack answers 200 and a JSON object, `{"ok": false, "error": "not_in_channel"}`, and 429 or 5xx around that.
https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final, assert_never

from guard.notify.answer import wait_of
from guard.notify.notifier import Call, Edit, Gone, Outcome, Post, Rejected, Reply, Retry, Sent, Unsure
from guard.notify.slack_answer import (
    ABOUT_THE_PAYLOAD,
    NOT_TAKEN,
    NOT_TAKEN_STATUS,
    RATE_LIMITED,
    TROUBLE,
    Refused,
)

_MOVING: Final = frozenset({"external_channel_migrating", "org_login_required", "team_added_to_org", "update_failed"})
"""Words for what Slack is busy with itself, and will be through with."""
_MESSAGE_GONE: Final = frozenset(
    {
        "cannot_reply_to_message",
        "cant_broadcast_message",
        "cant_update_message",  # also of a message that another app posted, whose token was here before
        "edit_window_closed",
        "invalid_thread_ts",
        "invalid_ts",
        "message_not_found",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
"""Words for a message that takes no edit, or no reply."""
_CHANNEL_GONE: Final = frozenset({"channel_not_found", "is_archived", "is_inactive", "not_in_channel"})
_ANEW: Final = "install the app in the workspace anew and set its bot token"
_ADVICE: Final[Mapping[str, str]] = {
    "account_inactive": _ANEW,
    "channel_not_found": "there is no {channel}, or it is private: then write /invite and the bot's name there",
    "invalid_auth": _ANEW,
    "is_archived": "unarchive {channel}, or name another channel",
    "missing_scope": "the app needs the scope chat:write; add it and install the app anew",
    "not_allowed_token_type": "a bot token is needed, xoxb-…",
    "not_authed": _ANEW,
    "not_in_channel": "invite the bot: write /invite and its name in {channel}",
    "restricted_action": "an administrator must let the bot post in {channel}",
    "token_expired": _ANEW,
    "token_revoked": _ANEW,
}
_CHANNEL: Final = re.compile(r"[#\w-]{1,80}")
_TS: Final = re.compile(r"[0-9]{1,16}\.[0-9]{1,16}")
_CURSOR_MOST: Final = 500  # characters


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: `body` is empty where it was no JSON object, `word` is its error, cleaned."""

    status: int
    body: Mapping[str, object]
    word: str = ""
    retry_after: str | None = None  # the header as it came

    @property
    def ok(self) -> bool:
        """Whether Slack did what it was asked."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES and self.body.get("ok") is True

    @property
    def why(self) -> str:
        """The answer for people."""
        if self._is_foreign:
            return f"Slack answered {self.status} with what is not JSON: something stands between here and Slack"
        status = "" if self.status == HTTPStatus.OK and self.word else str(self.status)
        return " ".join(filter(None, ("Slack answered", status, self.word)))

    @property
    def later(self) -> Retry | None:
        """Set if the request was surely not taken, and may be taken later."""
        if self.status == HTTPStatus.TOO_MANY_REQUESTS or self.word in RATE_LIMITED:
            return Retry(self.why, wait_of(self.retry_after or ""))
        if self.status in NOT_TAKEN_STATUS or self.word in NOT_TAKEN | _MOVING:
            return Retry(self.why, self._wait)
        return None

    @property
    def in_doubt(self) -> bool:
        """Whether it is no word of Slack on the request: it may have been taken nevertheless."""
        return self._is_foreign or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR or self.word in TROUBLE

    @property
    def unread(self) -> Retry | None:
        """For what was only to be read: set if it was not, and may be later."""
        return self.later or (Retry(self.why, self._wait) if self.in_doubt else None)

    @property
    def cursor(self) -> str:
        """Where the next page begins; empty if there is none."""
        match self.body.get("response_metadata"):
            case {"next_cursor": str(cursor)} if len(cursor) <= _CURSOR_MOST:
                return cursor
            case _:
                return ""

    def rows(self, name: str) -> Iterator[Mapping[str, object]]:
        """The objects of a list in the answer."""
        found = self.body.get(name)
        yield from (each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()

    @property
    def _is_foreign(self) -> bool:
        return self.status < HTTPStatus.MULTIPLE_CHOICES and "ok" not in self.body

    @property
    def _wait(self) -> timedelta | None:
        return None if self.retry_after is None else wait_of(self.retry_after)


def verdict(said: Said, *, call: Call, channel: str) -> Outcome | Refused:
    """What became of a call that was answered so; `channel` is its name for people.

    An answer that is none, a 5xx among them, leaves open whether the message is shown: it is to be looked for.
    """
    if said.ok:
        return Sent(_receipt(said.body, call))
    if said.later is not None:
        return said.later
    if said.in_doubt:
        return Unsure(said.why)
    if not isinstance(call, Post) and said.word in _MESSAGE_GONE | _CHANNEL_GONE:
        return Gone(said.why)  # if the whole channel is gone, the post that follows says so
    advice = _ADVICE.get(said.word, "").format(channel=channel)
    rejected = Rejected(f"{said.why}: {advice}" if advice else said.why)
    is_about_payload = said.word in ABOUT_THE_PAYLOAD or said.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Refused(rejected) if is_about_payload else rejected


def receipt_of(channel: str, ts: object) -> str:
    """A message's name for later calls: its channel and its own timestamp; empty if Slack named none."""
    return f"{channel}:{ts}" if _CHANNEL.fullmatch(channel) and isinstance(ts, str) and _TS.fullmatch(ts) else ""


def _receipt(body: Mapping[str, object], call: Call) -> str:
    """The message to which later calls are to go: the new one of a post, and of a reply the root that it stands under.

    Where that root is gone without a trace, Slack shows a reply as a message of its own and says so by leaving
    `thread_ts` out. Then the reply is the root from now on.
    https://github.com/slack-go/slack/issues/1571
    """
    match call:
        case Edit(receipt=receipt):
            return receipt
        case Reply(receipt=receipt) if not _stands_alone(body):
            return receipt
        case Post() | Reply():
            return receipt_of(str(body.get("channel")), body.get("ts"))
        case _ as never:
            assert_never(never)


def _stands_alone(body: Mapping[str, object]) -> bool:
    message = body.get("message")  # what imitates Slack may tell less of it, and that says nothing
    return isinstance(message, dict) and message.get("ts") == body.get("ts") and not message.get("thread_ts")
