"""The built-in alert guard.store_failing: what cannot be written down is told straight to every channel."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from guard.clock import Clock
from guard.errors import StorageError
from guard.logs import log
from guard.message import Message, store_failing
from guard.notify.notifier import Notifier, Post, Retry, Sent

TELL_AFTER: Final = 3  # failed commits in a row
TELL_EVERY: Final = timedelta(hours=1)


@dataclass(slots=True)
class StoreFailing:
    """Counts commits that failed; from the third in a row on it tells every channel, each at most once an hour."""

    notifiers: Mapping[str, Notifier]
    clock: Clock
    _failures: int = 0
    _told_at: dict[str, datetime] = field(default_factory=dict)  # by channel

    def worked(self) -> None:
        """Notes a commit that succeeded."""
        if self._failures:
            log.info("store.recovered", "the database takes writes again", failures=self._failures)
        self._failures = 0

    async def failed(self, fault: StorageError) -> None:
        """Notes a commit that failed, and tells the channels when it is time."""
        self._failures += 1
        log.error("store.failed", str(fault), in_a_row=self._failures)
        if self._failures < TELL_AFTER:
            return
        now = self.clock.now()
        message = store_failing(str(fault), now=now)
        due = [channel for channel in self.notifiers if self._is_due(channel, now=now)]
        await asyncio.gather(*(self._tell(channel, message, now=now) for channel in due))

    def _is_due(self, channel: str, *, now: datetime) -> bool:
        """Whether an hour has passed since it was told, or nobody knows, since the clock went back."""
        told_at = self._told_at.get(channel)
        return told_at is None or not timedelta() <= now - told_at < TELL_EVERY

    async def _tell(self, channel: str, message: Message, *, now: datetime) -> None:
        self._told_at[channel] = now  # not only when it was: meanwhile another account's commit may fail
        try:
            outcome = await self.notifiers[channel].deliver(Post(message), key=f"guard.store_failing:{now.isoformat()}")
        except Exception as fault:  # noqa: BLE001 - a defect in one notifier must not stop the others
            log.error("delivery.unplanned", "the notifier failed", exc=fault, channel=channel)
            return
        if isinstance(outcome, Retry):
            del self._told_at[channel]  # it was shown to nobody, so the next failure tells it
        if not isinstance(outcome, Sent):
            log.warning("store.untold", outcome.why, channel=channel)
