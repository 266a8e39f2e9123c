"""What a page shows of alerts: the worst of those that are not at rest, or all about one; each read is bounded."""

from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, case, func, or_, select

from guard.model import Alert, AlertKey, EventKind, Incident, Notification, State
from guard.store import outbox_rows, rows
from guard.store.tables import ALERT, EVENT, INCIDENT, NOTIFICATION

_WORST_FIRST: Final = (State.FIRING, State.RECOVERING, State.PENDING, State.OK)


def _of_one(query: Select[Any], table: Table) -> Select[Any]:
    return query.where(*(table.c[name] == bindparam(name) for name in ("account", "rule", "subject")))


_ALERT: Final = _of_one(select(ALERT), ALERT)
_OPEN: Final = select(INCIDENT).where(INCIDENT.c.id.in_(bindparam("ids", expanding=True)))
_IS_BUSY: Final = or_(ALERT.c.state != State.OK.value, ALERT.c.unknown_at.is_not(None), ALERT.c.flapping.is_not(None))
_BUSY: Final = (
    select(ALERT)
    .where(_IS_BUSY)
    .order_by(
        func.coalesce(ALERT.c.level, 0).desc(),
        case({state.value: place for place, state in enumerate(_WORST_FIRST)}, value=ALERT.c.state),
        *ALERT.primary_key.columns,
    )
    .limit(bindparam("limit"))
)
_BUSY_COUNT: Final = select(func.count()).select_from(ALERT).where(_IS_BUSY)
_NOTIFICATIONS: Final = _of_one(select(NOTIFICATION), NOTIFICATION).order_by(*NOTIFICATION.primary_key.columns)
# By the events, which have an index by alert; all incidents are kept for a year.
_FIRED: Final = _of_one(select(EVENT.c.incident_id), EVENT).where(EVENT.c.kind == EventKind.FIRED.value)
_INCIDENTS: Final = (
    select(INCIDENT)
    .where(INCIDENT.c.id.in_(_FIRED))
    .order_by(INCIDENT.c.started_at.desc(), INCIDENT.c.id.desc())
    .limit(bindparam("limit"))
)


def alert(connection: Connection, key: AlertKey) -> Alert | None:
    """One alert with its open incident; None before it was first anything but at rest."""
    return next(iter(_alerts(connection, _ALERT, rows.key_row(key))), None)


def busy_alerts(connection: Connection, *, limit: int) -> tuple[list[Alert], int]:
    """The first of the alerts that fire, may soon, are unknown or flap, the worst first; and how many there are."""
    count: int = connection.execute(_BUSY_COUNT).scalar_one()
    return _alerts(connection, _BUSY, {"limit": limit}), count


def _alerts(connection: Connection, query: Select[Any], values: rows.Values) -> list[Alert]:
    found = connection.execute(query, values).all()
    ids = [row.incident_id for row in found if row.incident_id is not None]
    incidents = {row.id: rows.incident_of(row) for row in connection.execute(_OPEN, {"ids": ids})}
    return [rows.alert_of(row, incidents) for row in found]


def notifications_of(connection: Connection, key: AlertKey) -> list[Notification]:
    """What each channel should know and was notified of, for one alert, in order of channel and recipient."""
    return [outbox_rows.notification_of(row) for row in connection.execute(_NOTIFICATIONS, rows.key_row(key))]


def incidents_of(connection: Connection, key: AlertKey, *, limit: int) -> list[Incident]:
    """The last incidents of one alert, open or ended, newest first."""
    values = {**rows.key_row(key), "limit": limit}
    return [rows.incident_of(row) for row in connection.execute(_INCIDENTS, values)]
