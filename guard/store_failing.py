"""The built-in alert guard.store_failing: what cannot be written down is told straight to every channel."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from guard.clock import Clock
from guard.errors import StorageError
from guard.logs import log
from guard.message import Message, store_failing, store_recovered
from guard.model import is_sub_account
from guard.notify.notifier import Notifier, Outcome, Post, Retry, Sent, Unsure

TELL_AFTER: Final = 3  # failed commits of one account in a row
TELL_EVERY: Final = timedelta(hours=1)


@dataclass(slots=True)
class StoreFailing:
    """Counts each account's cycles that could not commit; from the third in a row on it tells every channel.

    Each channel is told at most once an hour, and once when a master account's commit succeeds again: it is asked at
    each interval whatever happens, while a sub-account may have to wait for its turn. All this is in memory alone, for
    nothing can be written down.
    """

    notifiers: Mapping[str, Notifier]
    recipients: Mapping[str, Sequence[str]]  # by channel
    clock: Clock
    _failures: Counter[str] = field(default_factory=Counter)  # by account
    _told_at: dict[str, datetime] = field(default_factory=dict)  # by channel
    _firing: set[str] = field(default_factory=set)  # channels that were told of it and not yet of its end

    @property
    def is_failing(self) -> bool:
        """Whether some master account's commits have failed for so long that it is told."""
        return any(number >= TELL_AFTER for name, number in self._failures.items() if not is_sub_account(name))

    def forget(self, account: str) -> None:
        """Counts no longer what failed of an account that is watched no more: none of its commits will ever work."""
        self._failures.pop(account, None)

    async def worked(self, account: str) -> None:
        """Notes a cycle that was committed, and tells those who were told of the failing."""
        if self._failures.pop(account, 0):
            log.info("store.recovered", "the database takes writes again", account=account)
        if is_sub_account(account) or self.is_failing:
            return
        told, self._firing = self._firing & self.notifiers.keys(), set()
        if told:
            now = self.clock.now()
            await asyncio.gather(*(self._tell(channel, store_recovered(now=now), now=now) for channel in told))

    async def failed(self, account: str, fault: StorageError) -> None:
        """Notes a cycle that could not commit, and tells the channels when it is time."""
        self._failures[account] += 1
        log.error("store.failed", str(fault), account=account, in_a_row=self._failures[account])
        if self._failures[account] < TELL_AFTER:
            return
        now = self.clock.now()
        message = store_failing(str(fault), now=now)
        for channel in (due := [channel for channel in self.notifiers if self._is_due(channel, now=now)]):
            self._told_at[channel] = now  # before it is: meanwhile another account's commit may fail
        outcomes = await asyncio.gather(*(self._tell(channel, message, now=now) for channel in due))
        for channel, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, Retry):
                del self._told_at[channel]  # it was shown to nobody, so the next failure tells it
            if isinstance(outcome, Sent | Unsure):
                self._firing.add(channel)

    def _is_due(self, channel: str, *, now: datetime) -> bool:
        """Whether an hour has passed since it was told, or nobody knows, since the clock went back."""
        told_at = self._told_at.get(channel)
        return told_at is None or not timedelta() <= now - told_at < TELL_EVERY

    async def _tell(self, channel: str, message: Message, *, now: datetime) -> Outcome:
        """Tells all recipients of a channel; what is given back is the first outcome that is not the best, if any."""
        to = (self._send(channel, Post(message, recipient), now=now) for recipient in self.recipients[channel])
        outcomes = await asyncio.gather(*to)
        return next((each for each in outcomes if not isinstance(each, Sent)), Sent())

    async def _send(self, channel: str, call: Post, *, now: datetime) -> Outcome:
        key = f"store-{call.message.mark}-{now.timestamp():.6f}"
        try:
            outcome = await self.notifiers[channel].deliver(call, key=key)
        except Exception as fault:  # noqa: BLE001 - a defect in one notifier must not stop the others
            log.error("delivery.unplanned", "the notifier failed", exc=fault, channel=channel)
            return Unsure("the notifier failed")
        if not isinstance(outcome, Sent):
            log.warning("store.untold", outcome.why, channel=channel)
        return outcome
