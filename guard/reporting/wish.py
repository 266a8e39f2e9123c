"""What channels should know of a report: the desired half, as for alerts, with a period in an incident's place."""

from collections.abc import Mapping, Sequence
from typing import Final

from guard.model import REPORT, AlertKey, Incident, Knowledge, Level, Notification
from guard.reporting.period import Period
from guard.store import Unit

REPORT_KEY: Final = AlertKey("", REPORT)
"""It is about no account: all reports stand here, one after the other."""


def wish(unit: Unit, period: Period, recipients: Mapping[str, Sequence[str]]) -> bool:
    """Has the recipients of these channels told of a period, and gives whether somebody will be.

    Nobody is told of a period twice, nor of one before the last. Where nothing was watched yet when it ended there is
    nothing to tell.
    """
    if not unit.has_polls_before(period.end_at):
        return False
    wanted = [
        Notification(REPORT_KEY, channel, recipient, desired=Knowledge(period.id, Level.INFO, ended=True))
        for channel, names in recipients.items()
        for recipient in names
    ]
    desired = {
        (each.channel, each.recipient): each.desired.incident_id
        for each in unit.notifications(REPORT_KEY.account)
        if each.key == REPORT_KEY and each.desired is not None
    }
    before = unit.incidents(desired.values())
    new = [each for each in wanted if _is_new(period, before.get(desired.get((each.channel, each.recipient), "")))]
    if new:
        # It is over when it is told, so that no message of it is ever brought to say something else.
        incident = Incident(period.id, REPORT_KEY, period.start_at, Level.INFO, ended_at=period.end_at)
        unit.save_incidents([before.get(period.id, incident)])
        unit.save_desired(new)
    return bool(new)


def _is_new(period: Period, before: Incident | None) -> bool:
    if before is None or before.ended_at is None:
        return True
    return before.id != period.id and before.ended_at < period.end_at
