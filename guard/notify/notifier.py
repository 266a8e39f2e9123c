"""What every channel can do: take one call, and say what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, runtime_checkable

from guard.message import Message


@dataclass(frozen=True, slots=True)
class Post:
    """A new message; `recipient` is empty where the channel has only one."""

    message: Message
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A new message in the thread of the one that the receipt names; a loud one is shown outside the thread too."""

    message: Message
    receipt: str
    recipient: str = ""
    is_loud: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """The message that the receipt names says this from now on; nobody is pinged."""

    message: Message
    receipt: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver accepted it."""

    # What the receiver calls the message that can be edited or replied to by that: of a reply, its thread's first one,
    # or its own where it turned out to stand alone.
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """The receiver did not take it and may take it later; it was not shown to anyone."""

    why: str
    after: timedelta | None = None  # how long the receiver asked to be left alone


@dataclass(frozen=True, slots=True)
class Unsure:
    """The request went out and no answer came: it may have been shown."""

    why: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The receiver will never take it as things are: a bad token, no such channel."""

    why: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The message that the call would edit or reply to is no longer there; nothing was shown."""

    why: str


Call = Post | Reply | Edit
Outcome = Sent | Retry | Unsure | Rejected | Gone


class Notifier(Protocol):
    """One channel. No outcome's text holds a secret, and no fault of the receiver is raised."""

    threads: ClassVar[bool]  # whether it takes Reply, to the receipts that it gave for Post
    edits: ClassVar[bool]  # whether it takes Edit, of the same
    finds: ClassVar[bool]  # whether it can look for a message by its key

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Makes one call, once, within the notifier's own deadline; the key goes along if the receiver can keep it.

        A Reply or an Edit that the channel does not take is Gone.
        """
        ...

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:
        """Looks for the message of an attempt: Sent if it has arrived, None if it has not or if nobody can tell.

        `thread` is the receipt that a Reply went to, empty for a Post. Retry where the receiver could not be asked just
        now. Edits are not looked for: made twice they do no harm.
        """
        ...

    async def close(self) -> None:
        """Lets go of connections; afterwards nothing is delivered."""
        ...


@runtime_checkable
class Paced(Protocol):
    """What a notifier is too if its receiver takes one message a second at most."""

    @property
    def place(self) -> str:
        """Where its messages stand: the same for channels that share a pace."""
        ...
