"""The built-in alert guard.store_failing: what cannot be written down is told straight to every channel."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from guard.clock import Clock
from guard.errors import StorageError
from guard.logs import log
from guard.message import store_failing
from guard.notify.notifier import Notifier, Post

TELL_AFTER: Final = 3  # failed commits in a row
TELL_EVERY: Final = timedelta(hours=1)


@dataclass(slots=True)
class StoreFailing:
    """Counts commits that failed; from the third in a row on it tells every channel, at most once an hour."""

    notifiers: Mapping[str, Notifier]
    clock: Clock
    _failures: int = 0
    _told_at: datetime | None = None

    def worked(self) -> None:
        """Notes a commit that succeeded."""
        if self._failures:
            log.info("store.recovered", "the database takes writes again", failures=self._failures)
        self._failures = 0

    async def failed(self, fault: StorageError) -> None:
        """Notes a commit that failed, and tells the channels when it is time."""
        self._failures += 1
        log.error("store.failed", str(fault), in_a_row=self._failures)
        now = self.clock.now()
        if self._failures < TELL_AFTER or (self._told_at is not None and now - self._told_at < TELL_EVERY):
            return
        self._told_at = now
        message = store_failing(str(fault), now=now)
        key = f"guard.store_failing:{now.isoformat()}"
        await asyncio.gather(
            *(each.deliver(Post(message), key=key) for each in self.notifiers.values()), return_exceptions=True
        )
