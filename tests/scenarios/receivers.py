"""Receivers of three kinds that keep what people would have seen: posts only, a bot's threads, and mail."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar

from guard.message import Message
from guard.notify.notifier import Call, Edit, Gone, Outcome, Post, Rejected, Reply, Retry, Sent, Unsure

MINUTE = timedelta(minutes=1)


class Mood(Enum):
    """What a receiver does with a call."""

    OK = "takes it"
    DOWN = "cannot be reached, and says to come again in a minute"
    REFUSES = "never takes it"
    SWALLOWS = "shows it and gives no answer"
    LOSES = "neither shows it nor answers"


@dataclass
class Receiver:
    """One that takes new messages only; a step's number stands before what was shown in it."""

    threads: ClassVar[bool] = False
    edits: ClassVar[bool] = False
    finds: ClassVar[bool] = False

    step: Callable[[], int]
    mood: Mood = Mood.OK
    refuses: set[str] = field(default_factory=set)  # recipients
    shown: list[tuple[str, str]] = field(default_factory=list)  # recipient, what
    edited: list[str] = field(default_factory=list)
    receipts: dict[str, str] = field(default_factory=dict)  # by key
    deleted: set[str] = field(default_factory=set)  # receipts of messages that people took away
    meanwhile: Callable[[], Awaitable[object]] | None = None  # what happens while the next call is under way

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        if self.mood is Mood.DOWN:
            return Retry("nobody answers", MINUTE)
        if self.mood is Mood.REFUSES or (not isinstance(call, Edit) and call.recipient in self.refuses):
            return Rejected("no such channel")
        if self.mood is Mood.LOSES:
            return Unsure("no answer came")
        if not isinstance(call, Post) and call.receipt in self.deleted:
            return Gone("it was deleted")
        receipt = self._show(call, key)
        return Unsure("no answer came") if self.mood is Mood.SWALLOWS else Sent(receipt)

    def _show(self, call: Call, key: str) -> str:
        if isinstance(call, Edit):
            self.edited.append(f"{self.step()} {said(call.message)}")
            return call.receipt
        thread = call.receipt if isinstance(call, Reply) else ""
        sign = ">" if thread else ""
        loud = "!" if isinstance(call, Reply) and call.is_loud and self.edits else ""
        self.shown.append((call.recipient, f"{self.step()} {sign}{said(call.message)}{loud}"))
        self.receipts[key] = thread or f"m{len(self.receipts)}"
        return self.receipts[key]

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:
        receipt = self.receipts.get(key)
        return Sent(receipt) if receipt else None

    async def close(self) -> None: ...


class Bot(Receiver):
    """Threads, edits, and a history that can be looked through."""

    threads: ClassVar[bool] = True
    edits: ClassVar[bool] = True
    finds: ClassVar[bool] = True


class Mail(Receiver):
    """Threads, and a mailbox for each recipient."""

    threads: ClassVar[bool] = True


def said(message: Message) -> str:
    """The bracket of a message, with why it is over, how late it came, and of which alert where that is not `it`."""
    return " ".join(_parts(message))


def _parts(message: Message) -> Iterator[str]:
    facts = {fact.name: fact.text for fact in message.facts}
    yield message.mark
    if "Why" in facts:
        yield facts["Why"]
    if message.lines:
        yield f"of {len(message.lines) + message.more}"
    else:
        account, *rest = message.title.split(" / ")
        yield from [] if (account, rest) == ("main", ["it"]) else ["/".join(rest if account == "main" else [account])]
    if "Delivery" in facts:
        yield "late"
    if "Earlier" in facts:
        yield "after others"
