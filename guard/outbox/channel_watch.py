"""Channel watch: looks from time to time whether some channel refuses messages or is behind, and logs it once."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from guard.clock import Clock
from guard.config import Config
from guard.logs import log
from guard.model import Event, EventKind
from guard.outbox.failing import Noted, note_failing
from guard.store import Store

LOOK_EVERY_S: Final = 5.0
_FAILS: Final = (EventKind.FIRED, EventKind.REFIRED, EventKind.ESCALATED)


@dataclass(slots=True)
class ChannelWatch:
    """Watches the channels of one database; moments are the monotonic clock's."""

    store: Store
    clock: Clock
    _looked_s: float | None = None

    def is_due(self) -> bool:
        """Whether to look again."""
        return self._looked_s is None or self.clock.monotonic_s() - self._looked_s >= LOOK_EVERY_S

    async def look(self, config: Config) -> Noted:
        """Looks once, and writes what is to be told of it; raises StorageError where that cannot be."""
        self._looked_s = self.clock.monotonic_s()
        noted = await self.store.run(partial(note_failing, config=config, now=self.clock.now()))
        for decision in noted.decisions:
            summaries = {alert.key: alert.reading.summary for alert in decision.alerts if alert.reading}
            for event in decision.events:
                _log(event, summaries.get(event.key, event.text))
        return noted


def _log(event: Event, summary: str) -> None:
    if event.kind in _FAILS and event.level is not None:
        log.error("channel.failing", summary, channel=event.key.subject, alert_level=event.level.word)
    elif event.kind is EventKind.RESOLVED:
        log.info("channel.recovered", summary, channel=event.key.subject)
