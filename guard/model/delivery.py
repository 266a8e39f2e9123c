"""One attempt to bring a channel to what it should know."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from guard.model.notification import Cover


class CallKind(StrEnum):
    """What a delivery asks of its channel."""

    POST = "post"  # a new message
    REPLY = "reply"  # a new message in the thread of another
    EDIT = "edit"  # another message says something else now, and nobody is told


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt-worthy call: one message to one recipient of one channel, or one edit of a message."""

    key: str  # the same for the same states on the same channel, so that a receiver can tell a copy
    channel: str
    recipient: str
    covers: tuple[Cover, ...]  # one; more in a digest; never empty
    created_at: datetime
    due_at: datetime
    call: CallKind = CallKind.POST
    receipt: str = ""  # of the message that it edits or replies to; empty for a post
    state: DeliveryState = DeliveryState.PENDING
    may_have_arrived: bool = False  # an earlier attempt ended without an answer
    attempts: int = 0
    attempted_at: datetime | None = None
    settled_at: datetime | None = None
    why: str = ""  # the last attempt's outcome, for people; holds no secret
    wording: str = ""  # of the reading that it is written from; empty in a digest, which is never edited
