"""Reporter: looks whether a report is due, and has it told through the outbox; composes it when it is sent."""

from dataclasses import dataclass
from functools import partial

from guard.clock import Clock
from guard.config import Config, ReportConfig, recipients_of
from guard.errors import StorageError
from guard.logs import log
from guard.message import Message
from guard.message.report import report_message
from guard.model import Incident
from guard.reporting.period import Period, due_period, period_of
from guard.reporting.reading import read_report
from guard.reporting.wish import wish
from guard.store import Store, View


@dataclass(slots=True)
class Reporter:
    """Remembers in memory what it has looked after, so that the database is asked once for each report."""

    store: Store
    clock: Clock
    _done: tuple[ReportConfig, Period] | None = None
    _failing: bool = False

    def due(self, config: Config) -> Period | None:
        """The period whose report is to be looked after; None where there is none, or it was already."""
        if config.report is None:
            return None
        period = due_period(config.report, now=self.clock.now())
        return None if period is None or self._done == (config.report, period) else period

    async def look(self, config: Config) -> bool:
        """Has the report told that is due, if one is; True where somebody is to be told now.

        Never raises for a database that fails: that is logged once, and the next look tries again.
        """
        report, period = config.report, self.due(config)
        if report is None or period is None:
            return False
        recipients = {name: recipients_of(config.channels[name]) for name in report.notify}
        try:
            is_wanted = await self.store.run(partial(wish, period=period, recipients=recipients))
        except StorageError as fault:
            if not self._failing:
                log.error("report.storage", str(fault))
            self._failing = True
            return False
        self._done, self._failing = (report, period), False
        return is_wanted


def compose_report(view: View, incident: Incident, *, config: Config) -> Message:
    """The message about the period that an incident stands for, as the database has it at this moment."""
    zone = config.report.tz if config.report else config.accounts[0].tz
    return report_message(read_report(view, config, period_of(incident)), zone=zone)
