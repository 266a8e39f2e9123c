"""Channels without a wire, which fail as they are told to and keep what reached them: a bot, mail and a webhook."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import ClassVar, Final

from guard.clock import Clock
from guard.message import Message
from guard.model import CallKind, Delivery
from guard.notify.notifier import Call, Edit, Gone, Outcome, Post, Rejected, Reply, Retry, Sent, Unsure
from guard.notify.slack_bot_answer import Said, verdict
from guard.notify.slack_payload import request_of
from tests.stand_ins.workspace_state import OPS, TOKEN, Posted, WorkspaceState

EDITS: Final = "edits"  # in place of a recipient, for troubles that edits alone meet
LEFT_ALONE: Final = timedelta(minutes=2)  # what a receiver asks for that wants to be left alone


class CrashError(BaseException):
    """The process ends here; nothing that catches faults catches this."""


class Trouble(Enum):
    """What one call meets in place of its answer."""

    RETRY = auto()
    LEAVE_ALONE = auto()
    ARRIVED = auto()  # taken, and nobody hears of it
    LOST = auto()  # not taken, and nobody hears of it
    REJECTED = auto()
    DEFECT = auto()  # the notifier raises
    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()


IN_DOUBT: Final = frozenset({Trouble.ARRIVED, Trouble.LOST, Trouble.DEFECT, Trouble.CRASH_BEFORE, Trouble.CRASH_AFTER})
TAKEN: Final = frozenset({Trouble.ARRIVED, Trouble.CRASH_AFTER})


@dataclass(frozen=True)
class Arrived:
    """One message that people see, or one edit of it."""

    channel: str
    delivery: Delivery  # as it stood when the call was made
    message: Message
    receipt: str  # of the message that it is, or that it edited
    thread: str = ""  # the receipt of the message that it stands under
    is_loud: bool = False  # whether it is shown outside its thread too

    @property
    def is_edit(self) -> bool:
        return self.delivery.call is CallKind.EDIT

    @property
    def is_digest(self) -> bool:
        return len(self.delivery.covers) > 1

    @property
    def incident_id(self) -> str:
        """Of a message about one alert."""
        return self.delivery.covers[0].knowledge.incident_id


@dataclass
class Receiver:
    """What all three have in common; `known` gives a delivery by its key, as it is stored."""

    threads: ClassVar[bool] = False
    edits: ClassVar[bool] = False
    finds: ClassVar[bool] = False

    name: str
    clock: Clock
    known: Callable[[str], Delivery]
    # By recipient, or EDITS.
    troubles: defaultdict[str, deque[Trouble]] = field(default_factory=lambda: defaultdict(deque))
    complaints: list[Exception] = field(default_factory=list)  # about calls that should not have come
    arrived: list[Arrived] = field(default_factory=list)
    in_doubt: Counter[str] = field(default_factory=Counter)  # by key: attempts whose outcome nobody heard
    left_alone_until: dict[tuple[str, bool], datetime] = field(default_factory=dict)  # by recipient; in edits, or else
    meanwhile: Callable[[], None] | None = None  # what happens while the next call is under way

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        delivery = self.known(key)
        try:
            self._mind(delivery)
            return self._answer(call, delivery)
        except (AssertionError, LookupError) as fault:  # which the outbox would take for a defect of the notifier
            self.complaints.append(fault)
            raise

    def _answer(self, call: Call, delivery: Delivery) -> Outcome:  # noqa: C901 - a case for each trouble
        key, queue = delivery.key, self.troubles[EDITS if isinstance(call, Edit) else delivery.recipient]
        trouble = queue.popleft() if queue else None
        if trouble in IN_DOUBT:
            self.in_doubt[key] += 1
        if trouble is None or trouble in TAKEN:
            outcome = self.take(call, delivery)
        if (happens := self.meanwhile) is not None:
            self.meanwhile = None
            happens()
        match trouble:
            case None:
                return outcome
            case Trouble.RETRY:
                return Retry("busy")
            case Trouble.LEAVE_ALONE:
                place = (delivery.recipient, isinstance(call, Edit))
                self.left_alone_until[place] = self.clock.now() + LEFT_ALONE
                return Retry("leave me alone", LEFT_ALONE)
            case Trouble.REJECTED:
                return Rejected("not like this")
            case Trouble.ARRIVED | Trouble.LOST:
                return Unsure("no answer")
            case Trouble.DEFECT:
                raise RuntimeError("a defect")
            case Trouble.CRASH_BEFORE | Trouble.CRASH_AFTER:
                raise CrashError

    def _mind(self, delivery: Delivery) -> None:
        """Whoever wants to be left alone with messages is so with edits too, but edits hold up no message."""
        for is_edit in (False, True) if delivery.call is CallKind.EDIT else (False,):
            until = self.left_alone_until.get((delivery.recipient, is_edit))
            assert until is None or until <= self.clock.now(), f"{self.name} wanted to be left alone until {until}"

    def take(self, call: Call, delivery: Delivery) -> Outcome:
        assert isinstance(call, Post | Reply)
        assert call.recipient == delivery.recipient
        thread = call.receipt if isinstance(call, Reply) else ""
        receipt = f"<{delivery.key}@example.com>"
        self.arrived.append(Arrived(self.name, delivery, call.message, receipt, thread))
        return Sent((thread or receipt) if self.threads else "")

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:
        raise AssertionError("it cannot look")

    async def close(self) -> None: ...

    def mend(self) -> None:
        """From now on all works."""
        self.troubles.clear()

    def forget(self, recipient: str) -> None:
        """Whoever is told again some day begins anew."""
        self.arrived = [each for each in self.arrived if each.delivery.recipient != recipient]

    @property
    def messages(self) -> list[Arrived]:
        """All that people were told, in the order of arrival."""
        return [each for each in self.arrived if not each.is_edit]


class WebhookReceiver(Receiver):
    """Posts, and nothing else."""


class MailReceiver(Receiver):
    """Some recipients, and threads."""

    threads: ClassVar[bool] = True


@dataclass
class BotReceiver(Receiver):
    """A Slack workspace: what is made of a call, and of an answer, is what the real notifier makes of it."""

    threads: ClassVar[bool] = True
    edits: ClassVar[bool] = True
    finds: ClassVar[bool] = True

    state: WorkspaceState = field(init=False)
    looks: deque[bool] = field(default_factory=deque)  # of the next looks: whether they fail
    is_blind: bool = False  # whether all looks fail
    overlooked: set[str] = field(default_factory=set)  # keys that arrived, were looked for and could not be seen
    deleted: set[str] = field(default_factory=set)  # receipts of messages that a person deleted

    def __post_init__(self) -> None:
        self.state = WorkspaceState(now=self.clock.now)

    def take(self, call: Call, delivery: Delivery) -> Outcome:
        request = request_of(call, key=delivery.key, mentions={}, channel=OPS)
        body = self.state.answer(request.method, request.full, token=TOKEN)
        outcome = verdict(Said(200, body, str(body.get("error", ""))), call=call, channel="#ops")
        assert isinstance(outcome, Sent | Gone)
        if isinstance(outcome, Sent):
            posted = None if isinstance(call, Edit) else self.state.channels[OPS].messages[-1]
            thread = f"{OPS}:{posted.thread_ts}" if posted and posted.thread_ts else ""
            receipt = f"{OPS}:{posted.ts}" if posted else outcome.receipt
            is_loud = isinstance(call, Reply) and call.is_loud
            self.arrived.append(Arrived(self.name, delivery, call.message, receipt, thread, is_loud))
        return outcome

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:
        there = [each for each in self.state.channels[OPS].messages if each.key == key]
        if self.is_blind or (self.looks and self.looks.popleft()):
            self.overlooked.update(each.key for each in there)
            return Retry("cannot look")
        self.overlooked.discard(key)
        among = [each for each in there if not thread or thread == f"{OPS}:{each.thread_ts}"]
        return Sent(thread or f"{OPS}:{among[0].ts}") if among else None

    def mend(self) -> None:
        super().mend()
        self.looks.clear()
        self.is_blind = False

    @property
    def roots(self) -> list[tuple[Posted, Arrived]]:
        """The messages that stand by themselves, as they are now and as they arrived."""
        by_receipt = {each.receipt: each for each in self.messages}
        return [(each, by_receipt[f"{OPS}:{each.ts}"]) for each in self.state.channels[OPS].roots]

    def delete(self, posted: Posted, *, replied: bool) -> None:
        """A person deletes a message, perhaps one that somebody has answered."""
        if replied:
            self.state.say("what is this?", thread_ts=posted.ts)
        self.deleted.add(f"{OPS}:{posted.ts}")
        self.state.channels[OPS].delete(posted)
