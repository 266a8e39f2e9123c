"""A strait: how far a channel has come with its messages, and what stands in its way, as its deliveries show; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from guard.model import CallKind, Delivery, DeliveryState

BEHIND_AFTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Strait:
    """What one channel has still to take. Edits do not count, for they tell nobody anything.

    `refused` and `late` hold recipients, whose name is empty where the channel has only one. What was tried before and
    is due now is neither: its answer is not known. So a probe of what was refused neither ends a trouble nor begins
    one, and a start after a long stop finds nobody late who was not asked.
    """

    channel: str
    refused: tuple[str, ...] = ()  # who refused something for good, in order of name
    late: tuple[str, ...] = ()  # for whom something waits for 15 minutes or more, after it was tried
    tried: frozenset[str] = frozenset()  # all for whom something was tried in vain, those above among them
    alerts: int = 0  # that are waited with, or were refused
    dead: int = 0  # messages that were refused
    is_clear: bool = True  # whether nothing is left to be sent, or refused
    oldest_at: datetime | None = None  # since when the oldest message waits that is not refused
    why: str = ""  # the last answer that stands for the trouble; holds no secret

    @property
    def is_failing(self) -> bool:
        """Whether it refuses something for good, or is behind."""
        return bool(self.refused or self.late)


def strait(channel: str, deliveries: Iterable[Delivery], *, now: datetime) -> Strait:
    """How a channel does; `deliveries` are those of it that are pending, being sent or dead."""
    open_ones = [each for each in deliveries if each.call is not CallKind.EDIT]
    dead = [each for each in open_ones if each.state is DeliveryState.DEAD]
    pending = [each for each in open_ones if each.state is not DeliveryState.DEAD]
    late = [each for each in pending if _is_late(each, now=now)]
    tried = [*dead, *(each for each in pending if _is_tried(each))]
    return Strait(
        channel=channel,
        refused=_recipients(dead),
        late=_recipients(late),
        tried=frozenset(_recipients(tried)),
        alerts=len({cover.key for each in open_ones for cover in each.covers}),
        dead=len(dead),
        is_clear=not open_ones,
        oldest_at=min((each.created_at for each in pending), default=None),
        why=max(dead or late, key=_tried_at).why if dead or late else "",
    )


def _is_late(delivery: Delivery, *, now: datetime) -> bool:
    return now - delivery.created_at >= BEHIND_AFTER and _is_tried(delivery) and delivery.due_at > now


def _is_tried(delivery: Delivery) -> bool:
    """Whether an attempt at it, or at what it replaces, has failed."""
    return delivery.attempts > (delivery.state is DeliveryState.SENDING)


def _recipients(deliveries: Iterable[Delivery]) -> tuple[str, ...]:
    return tuple(sorted({each.recipient for each in deliveries}))


def _tried_at(delivery: Delivery) -> datetime:
    return delivery.attempted_at or delivery.created_at
