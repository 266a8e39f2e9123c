"""What can be read within one transaction, by the service and by commands alike."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Executable, Row, Select, Table, and_, bindparam, case, select

from guard.model import (
    Account,
    Alert,
    AlertKey,
    Answer,
    Delivery,
    DeliveryState,
    Endpoint,
    Event,
    Incident,
    Level,
    Notification,
    SubAccount,
)
from guard.store import rows
from guard.store.poll import Poll
from guard.store.prepared import Prepared
from guard.store.rule_file import RuleFile
from guard.store.tables import (
    ACCOUNT,
    ALERT,
    ANSWER,
    CHANNEL,
    DELIVERY,
    EVENT,
    INCIDENT,
    NOTIFICATION,
    POLL,
    RULE_FILE,
    SUB_ACCOUNT,
)

_AT_ONCE: Final = 500  # values in one statement; SQLite takes 32,766


def _in_order(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key.columns)


def _of_account(query: Select[Any], table: Table) -> Select[Any]:
    return query.where(table.c.account == bindparam("account"))


# Built once: building a query costs SQLAlchemy more than SQLite needs to answer it.
_ACCOUNTS: Final = _in_order(ACCOUNT)
_ACCOUNT: Final = select(ACCOUNT).where(ACCOUNT.c.name == bindparam("name"))
_ALERTS: Final = _in_order(ALERT)
_ALERTS_OF: Final = _of_account(_ALERTS, ALERT)
_OPEN: Final = select(INCIDENT).join(ALERT, ALERT.c.incident_id == INCIDENT.c.id)
_OPEN_OF: Final = _of_account(_OPEN, ALERT)
_INCIDENTS: Final = select(INCIDENT).where(INCIDENT.c.id.in_(bindparam("ids", expanding=True)))
_NOTIFICATIONS: Final = _in_order(NOTIFICATION)
_NOTIFICATIONS_OF: Final = _of_account(_NOTIFICATIONS, NOTIFICATION)
_WAITING: Final = _NOTIFICATIONS.where(NOTIFICATION.c.waiting.is_(True), NOTIFICATION.c.channel == bindparam("channel"))
# Where the message of an incident shows another state than that of its alert; `present` is null where that is over.
_PRESENT: Final = case((ALERT.c.incident_id == NOTIFICATION.c.root_incident_id, ALERT.c.level)).label("present")
_OUTDATED: Final = (
    _NOTIFICATIONS.add_columns(_PRESENT)
    .outerjoin(ALERT, and_(*(ALERT.c[name] == NOTIFICATION.c[name] for name in ("account", "rule", "subject"))))
    .where(NOTIFICATION.c.root_ended.is_(False), NOTIFICATION.c.channel == bindparam("channel"))
    .where(_PRESENT.element.is_distinct_from(NOTIFICATION.c.root_level))
)
_SUB_ACCOUNTS: Final = _in_order(SUB_ACCOUNT).where(SUB_ACCOUNT.c.master == bindparam("master"))
_DELIVERIES: Final = (
    select(DELIVERY)
    .where(DELIVERY.c.state.in_(bindparam("states", expanding=True)))
    .order_by(DELIVERY.c.created_at, DELIVERY.c.key)
)
_DELIVERIES_TO: Final = _DELIVERIES.where(DELIVERY.c.channel == bindparam("channel"))
_CHANNELS: Final = _in_order(CHANNEL)
_RULE_FILES: Final = select(RULE_FILE).order_by(RULE_FILE.c.id.desc()).limit(bindparam("count"))
_POLLS: Final = (
    _of_account(select(POLL, ANSWER.c.payload).outerjoin(ANSWER, ANSWER.c.id == POLL.c.answer_id), POLL)
    .where(POLL.c.endpoint == bindparam("endpoint"))
    .order_by(POLL.c.at.desc(), POLL.c.id.desc())
    .limit(bindparam("count"))
)
_ANSWERS: Final = (
    _of_account(select(POLL, ANSWER.c.payload).join(ANSWER, ANSWER.c.id == POLL.c.answer_id), POLL)
    .where(POLL.c.endpoint == bindparam("endpoint"), POLL.c.at >= bindparam("since"))
    .order_by(POLL.c.at, POLL.c.id)
)
_RECORDED: Final = Prepared(
    select(*(POLL.c[name] for name in rows.RECORDED), ANSWER.c.payload)
    .outerjoin(ANSWER, ANSWER.c.id == POLL.c.answer_id)
    .where(POLL.c.account == bindparam("account"), POLL.c.endpoint == bindparam("endpoint"))
    .where(POLL.c.at >= bindparam("since", type_=POLL.c.at.type))
    .order_by(POLL.c.at, POLL.c.id)
)
_GOOD_POLLS: Final = _POLLS.where(POLL.c.answer_id.is_not(None))


class View:
    """The database as it stands in one transaction. Instants come back in UTC."""

    def __init__(self, connection: Connection) -> None:
        """Reads through `connection`, whose transaction is its owner's business."""
        self._connection = connection

    def account(self, name: str) -> Account | None:
        """How the asking goes for one account; None before its first cycle."""
        found = self._rows(_ACCOUNT, name=name)
        return rows.account_of(found[0]) if found else None

    def accounts(self) -> dict[str, Account]:
        """All accounts that ever had a cycle, by name, in order of name."""
        return {row.name: rows.account_of(row) for row in self._rows(_ACCOUNTS)}

    def polls(self, account: str, *, count: int, endpoint: Endpoint = Endpoint.USAGE) -> list[Poll]:
        """The last `count` polls, good or failed, newest first."""
        return [rows.poll_of(row) for row in self._rows(_POLLS, account=account, endpoint=endpoint, count=count)]

    def recent_answers(
        self, account: str, *, count: int, endpoint: Endpoint = Endpoint.USAGE
    ) -> list[tuple[datetime, Answer]]:
        """The last `count` good answers and when each was given, newest first."""
        found = self._rows(_GOOD_POLLS, account=account, endpoint=endpoint, count=count)
        return [(row.at, rows.answer_of(row)) for row in found]

    def answers(
        self, account: str, *, since: datetime, endpoint: Endpoint = Endpoint.USAGE
    ) -> Iterator[tuple[datetime, Answer]]:
        """The good answers since an instant (inclusive) and when each was given, oldest first."""
        found = self._rows(_ANSWERS, account=account, endpoint=endpoint, since=since)
        return ((row.at, rows.answer_of(row)) for row in found)

    def recorded(self, account: str, *, since: datetime, endpoint: Endpoint = Endpoint.USAGE) -> Iterator[Poll]:
        """All polls since an instant (inclusive), good or failed, oldest first; they are read as they are asked for.

        Polls whose answers are equal share one object of it if they lie near each other.
        """
        named = {"account": account, "endpoint": endpoint, "since": since}
        answers = rows.RecentAnswers(account, endpoint)
        return map(answers.poll_of, _RECORDED.execute(self._connection, named))

    def alerts(self, account: str | None = None) -> dict[AlertKey, Alert]:
        """All alerts, or one account's, with their open incidents, in order of key."""
        incidents = {row.id: rows.incident_of(row) for row in self._rows_of(account, _OPEN, _OPEN_OF)}
        return {rows.key_of(row): rows.alert_of(row, incidents) for row in self._rows_of(account, _ALERTS, _ALERTS_OF)}

    def incident(self, incident_id: str) -> Incident | None:
        """One incident, open or ended; None if there is none by that id."""
        return self.incidents([incident_id]).get(incident_id)

    def incidents(self, ids: Iterable[str]) -> dict[str, Incident]:
        """Those of the incidents that exist, open or ended, by id."""
        wanted = sorted(set(ids))
        chunks = (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))
        return {row.id: rows.incident_of(row) for chunk in chunks for row in self._rows(_INCIDENTS, ids=chunk)}

    def sub_accounts(self, master: str) -> list[SubAccount]:
        """The sub-accounts of a master account that listings showed and did not yet take away, in order of id."""
        return [rows.sub_account_of(row) for row in self._rows(_SUB_ACCOUNTS, master=master)]

    def events(
        self, *, limit: int, since: datetime | None = None, key: AlertKey | None = None, account: str | None = None
    ) -> list[Event]:
        """The last `limit` events, newest first: since an instant (inclusive), of one alert or of one account."""
        query = select(EVENT).order_by(EVENT.c.at.desc(), EVENT.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(EVENT.c.at >= since)
        if account is not None:
            query = query.where(EVENT.c.account == account)
        if key is not None:
            query = query.where(*(EVENT.c[name] == value for name, value in rows.key_row(key).items()))
        return [rows.event_of(row) for row in self._rows(query)]

    def notifications(self, account: str | None = None) -> list[Notification]:
        """What each channel should know and was notified of, for all alerts or one account's, in order of key."""
        found = self._rows_of(account, _NOTIFICATIONS, _NOTIFICATIONS_OF)
        return [rows.notification_of(row) for row in found]

    def waiting(self, channel: str) -> list[Notification]:
        """What a channel should know and was not yet notified of, in order of key."""
        return [rows.notification_of(row) for row in self._rows(_WAITING, channel=channel)]

    def outdated(self, channel: str) -> list[tuple[Notification, Level | None]]:
        """Those of a channel whose incident stands in a message that shows another state, in order of key.

        With each comes its alert's level in that very incident, None where that is over.
        """
        found = self._rows(_OUTDATED, channel=channel)
        return [(rows.notification_of(row), None if row.present is None else Level(row.present)) for row in found]

    def deliveries(
        self, *, channel: str | None = None, states: Collection[DeliveryState] = tuple(DeliveryState)
    ) -> list[Delivery]:
        """Deliveries to one channel or all, in these states, oldest first."""
        words = [state.value for state in states]
        if channel is None:
            return [rows.delivery_of(row) for row in self._rows(_DELIVERIES, states=words)]
        return [rows.delivery_of(row) for row in self._rows(_DELIVERIES_TO, states=words, channel=channel)]

    def channel_fingerprints(self) -> dict[str, str]:
        """How each channel was configured when that was last saved, by name."""
        return {row.name: row.fingerprint for row in self._rows(_CHANNELS)}

    def rule_files(self, *, count: int) -> list[RuleFile]:
        """The last `count` versions of the rule file that took effect, newest first."""
        return [rows.rule_file_of(row) for row in self._rows(_RULE_FILES, count=count)]

    def _rows(self, query: Executable, **values: object) -> list[Row[Any]]:
        return list(self._connection.execute(query, values))

    def _rows_of(self, account: str | None, every: Executable, of_account: Executable) -> list[Row[Any]]:
        return self._rows(every) if account is None else self._rows(of_account, account=account)
