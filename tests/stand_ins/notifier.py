"""Notifiers that no channel has."""

from datetime import datetime
from typing import ClassVar

from guard.notify.notifier import Call, Outcome, Retry, Sent


class Broken:
    """One with a defect: whatever it is asked for, it raises."""

    threads: ClassVar[bool] = False
    edits: ClassVar[bool] = False
    finds: ClassVar[bool] = False

    async def deliver(self, call: Call, *, key: str) -> Outcome:
        raise RuntimeError("a defect")

    async def find(self, *, key: str, thread: str, attempted_at: datetime) -> Sent | Retry | None:
        raise RuntimeError("a defect")

    async def close(self) -> None: ...
