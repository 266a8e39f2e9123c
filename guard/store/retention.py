"""What is forgotten, and when: polls after 14 days but for one an hour, all history after 400 days.

An open incident with its events, and a delivery that is not sent, stay however old they are.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, or_, select, true
from sqlalchemy.dialects.sqlite import insert

from guard.model import DeliveryState
from guard.store.tables import ACK, ALERT, ANSWER, DELIVERY, EVENT, INCIDENT, META, NOTIFICATION, POLL, SILENCE

WHOLE: Final = timedelta(days=14)
KEPT: Final = timedelta(days=400)
SENT: Final = timedelta(days=30)

_THINNED: Final = "polls_thinned_until"

_DELETE_ORPHAN: Final = delete(ANSWER).where(
    ANSWER.c.id == bindparam("orphan"), ~select(POLL.c.id).where(POLL.c.answer_id == bindparam("orphan")).exists()
)


def prune(connection: Connection, now: datetime) -> None:
    """Forgets what `now` (aware) makes too old. The work is that of the hours that passed since the last time."""
    _prune_polls(connection, now)
    _prune_deliveries(connection, now - SENT)
    _prune_history(connection, now - KEPT)


def _prune_polls(connection: Connection, now: datetime) -> None:
    whole_since = (now - WHOLE).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    _delete_polls(connection, POLL.c.at < now - KEPT)
    _delete_polls(connection, _beyond_one_an_hour(_thinned_until(connection), whole_since))
    thinned = insert(META).values(name=_THINNED, value=whole_since.isoformat())
    connection.execute(thinned.on_conflict_do_update(index_elements=["name"], set_={"value": thinned.excluded.value}))


def _thinned_until(connection: Connection) -> datetime:
    text = connection.execute(select(META.c.value).where(META.c.name == _THINNED)).scalar()
    return datetime.min.replace(tzinfo=UTC) if text is None else datetime.fromisoformat(text)


def _beyond_one_an_hour(since: datetime, until: datetime) -> ColumnElement[bool]:
    # What stays is the first good poll of the hour, or the first one if all of them failed.
    hour = func.strftime("%Y-%m-%d %H", POLL.c.at)
    place = func.row_number().over(
        partition_by=(POLL.c.account, POLL.c.endpoint, hour),
        order_by=(POLL.c.answer_id.is_(None), POLL.c.at, POLL.c.id),
    )
    placed = select(POLL.c.id, place.label("place")).where(POLL.c.at >= since, POLL.c.at < until).subquery()
    return POLL.c.id.in_(select(placed.c.id).where(placed.c.place > 1))


def _delete_polls(connection: Connection, doomed: ColumnElement[bool]) -> None:
    answers = set(connection.execute(delete(POLL).where(doomed).returning(POLL.c.answer_id)).scalars())
    if orphans := [{"orphan": answer} for answer in answers - {None}]:
        connection.execute(_DELETE_ORPHAN, orphans)


def _prune_deliveries(connection: Connection, before: datetime) -> None:
    sent = DELIVERY.c.state == DeliveryState.SENT.value
    connection.execute(delete(DELIVERY).where(sent, DELIVERY.c.settled_at < before))


def _prune_history(connection: Connection, before: datetime) -> None:
    still_open = select(INCIDENT.c.id).where(INCIDENT.c.ended_at.is_(None))
    connection.execute(delete(EVENT).where(EVENT.c.at < before, EVENT.c.incident_id.not_in(still_open)))
    ended = INCIDENT.c.ended_at < before
    told = func.coalesce(NOTIFICATION.c.desired_incident_id, NOTIFICATION.c.notified_incident_id)
    at_rest = NOTIFICATION.c.waiting.is_(False)
    connection.execute(delete(NOTIFICATION).where(at_rest, told.in_(select(INCIDENT.c.id).where(ended))))
    connection.execute(delete(SILENCE).where(SILENCE.c.ends_at < before))
    connection.execute(delete(ACK).where(ACK.c.incident_id.in_(select(INCIDENT.c.id).where(ended))))
    connection.execute(delete(INCIDENT).where(ended, ~_referred_to(), INCIDENT.c.id.not_in(_missed())))


def _referred_to() -> ColumnElement[bool]:
    columns = (
        ALERT.c.incident_id,
        NOTIFICATION.c.desired_incident_id,
        NOTIFICATION.c.notified_incident_id,
        NOTIFICATION.c.root_incident_id,
    )
    return or_(*(select(column).where(column == INCIDENT.c.id).exists() for column in columns))


def _missed() -> Select[Any]:
    # The end of one that a channel missed is told together with a later one, in its own words.
    missed = func.json_each(NOTIFICATION.c.desired_missed).table_valued("value")
    return select(missed.c.value).select_from(NOTIFICATION).join(missed, true())
