"""What every channel can do: take one call, and say what became of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from guard.message import Message


@dataclass(frozen=True, slots=True)
class Post:
    """A new message."""

    message: Message


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver accepted it."""

    receipt: str = ""  # what the receiver calls it, where it says


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


Call = Post
Outcome = Sent | Retry | Unsure | Rejected


class Notifier(Protocol):
    """One channel. No outcome's text holds a secret, and no fault of the receiver is raised."""

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        """Makes one call, once, within the notifier's own deadline; the key goes along if the receiver can keep it."""
        ...

    async def close(self) -> None:
        """Lets go of connections; afterwards nothing is delivered."""
        ...
