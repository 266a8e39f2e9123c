"""A thread of mails: by what its first mail is known, and what all its subjects say; pure."""

from dataclasses import dataclass
from typing import Final, Self

from guard.message import Message, one_line, shortened

_TOPIC: Final = 120  # characters; phones show some 40 of a subject


@dataclass(frozen=True, slots=True)
class Thread:
    """The Message-ID of its first mail, in angle brackets, and that mail's subject without the state in brackets.

    `topic` is empty where it is not known: receipts once held the id alone.
    """

    root: str
    topic: str = ""

    @classmethod
    def of(cls, receipt: str) -> Self:
        """Reads what `receipt` gave; never raises, whatever it holds."""
        root, _, topic = one_line(receipt).partition(" ")
        return cls(root, topic)

    @property
    def receipt(self) -> str:
        """Both in one text, to be kept by who wants to reply."""
        return f"{self.root} {self.topic}".rstrip()


def topic(message: Message) -> str:
    """What a mail is about, in a line that is cut where it is long: title and summary, without the state.

    >>> topic(Message(mark="critical", title="main / spend", summary="$412.00 this month"))
    'main / spend: $412.00 this month'
    """
    return shortened(f"{one_line(message.title)}: {one_line(message.summary)}", at_most=_TOPIC)
