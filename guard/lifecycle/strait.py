"""A strait: how far a channel has come with its messages, and what stands in its way, as its deliveries show; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from guard.model import CallKind, Delivery, DeliveryState

BEHIND_AFTER: Final = timedelta(minutes=15)
GIVE_UP_AFTER: Final = timedelta(hours=24)
GIVEN_UP: Final = f"; given up after {GIVE_UP_AFTER.days} day"
"""What the reason of a message ends with that nobody refused: it was tried in vain for too long."""


@dataclass(frozen=True, slots=True)
class Strait:
    """What one channel has still to take. Edits do not count, for they tell nobody anything.

    `refused` and `late` hold recipients, whose name is empty where the channel has only one. What was tried before and
    is due now is neither: its answer is not known. So a probe of what was refused neither ends a trouble nor begins
    one, and a start after a long stop finds nobody late who was not asked.
    """

    channel: str
    refused: tuple[str, ...] = ()  # who refused something for good, or took nothing for a day, in order of name
    late: tuple[str, ...] = ()  # for whom something waits for 15 minutes or more, after it was tried
    tried: frozenset[str] = frozenset()  # all for whom something was tried in vain, those above among them
    unreached: frozenset[str] = frozenset()  # those of them for whom something waits that was not refused
    alerts: int = 0  # that are waited with, or were refused
    dead: int = 0  # messages that were refused
    is_clear: bool = True  # whether nothing is left to be sent, or refused
    oldest_at: datetime | None = None  # since when the oldest message waits that is not refused
    why: str = ""  # the last answer that stands for the trouble; holds no secret
    failed_at: datetime | None = None  # when that was tried; None where it is not failing

    @property
    def is_failing(self) -> bool:
        """Whether it refuses something for good, or is behind."""
        return bool(self.refused or self.late)

    @property
    def is_given_up(self) -> bool:
        """Whether what stands for `refused` is a message that nobody refused, but that was tried in vain for a day."""
        return bool(self.refused) and self.why.endswith(GIVEN_UP)


def strait(channel: str, deliveries: Iterable[Delivery], *, now: datetime) -> Strait:
    """How a channel does; `deliveries` are those of it that are pending, being sent or dead."""
    open_ones = [each for each in deliveries if each.call is not CallKind.EDIT]
    dead = [each for each in open_ones if each.state is DeliveryState.DEAD]
    pending = [each for each in open_ones if each.state is not DeliveryState.DEAD]
    late = [each for each in pending if _is_late(each, now=now)]
    unreached = list(filter(_is_tried, pending))
    last = max(dead or late, key=_tried_at, default=None)
    return Strait(
        channel=channel,
        refused=_recipients(dead),
        late=_recipients(late),
        tried=frozenset(_recipients([*dead, *unreached])),
        unreached=frozenset(_recipients(unreached)),
        alerts=len({cover.key for each in open_ones for cover in each.covers}),
        dead=len(dead),
        is_clear=not open_ones,
        oldest_at=min((each.created_at for each in pending), default=None),
        why=last.why if last else "",
        failed_at=_tried_at(last) if last else None,
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
