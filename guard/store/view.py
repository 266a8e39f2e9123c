"""What can be read within one transaction, by the service and by commands alike."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Executable, Row, Select, Table, and_, bindparam, case, not_, or_, select

from guard.lifecycle.mutes import Mutes
from guard.model import (
    Account,
    Ack,
    Alert,
    AlertKey,
    Answer,
    Delivery,
    DeliveryState,
    Endpoint,
    Event,
    Incident,
    Notification,
    Outdated,
    Silence,
    SubAccount,
)
from guard.store import lookup, outbox_rows, rows
from guard.store.asking import Asking, asking
from guard.store.poll import Poll
from guard.store.prepared import Prepared
from guard.store.recent_answers import RECORDED, RecentAnswers
from guard.store.rule_file import RuleFile
from guard.store.tables import (
    ACCOUNT,
    ACK,
    ALERT,
    ANSWER,
    CHANNEL,
    DELIVERY,
    EVENT,
    INCIDENT,
    NOTIFICATION,
    POLL,
    RULE_FILE,
    SILENCE,
    SUB_ACCOUNT,
)

_AT_ONCE: Final = 500  # values in one statement; SQLite takes 32,766


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(ids))
    return (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))


def _in_order(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key.columns)


def _of_account(query: Select[Any], table: Table) -> Select[Any]:
    return query.where(table.c.account == bindparam("account"))


# Built once: building a query costs SQLAlchemy more than SQLite needs to answer it.
_ACCOUNTS: Final = _in_order(ACCOUNT)
_ACCOUNT: Final = select(ACCOUNT).where(ACCOUNT.c.name == bindparam("name"))
_ALERTS: Final = _in_order(ALERT)
_ALERTS_OF: Final = _of_account(_ALERTS, ALERT)
_ALERTS_BY: Final = _ALERTS.where(ALERT.c.rule == bindparam("rule"))
_OPEN: Final = select(INCIDENT).join(ALERT, ALERT.c.incident_id == INCIDENT.c.id)
_OPEN_OF: Final = _of_account(_OPEN, ALERT)
_OPEN_BY: Final = _OPEN.where(ALERT.c.rule == bindparam("rule"))
_INCIDENTS: Final = select(INCIDENT).where(INCIDENT.c.id.in_(bindparam("ids", expanding=True)))
_NOTIFICATIONS: Final = _in_order(NOTIFICATION)
_NOTIFICATIONS_OF: Final = _of_account(_NOTIFICATIONS, NOTIFICATION)
_NOTIFICATIONS_ON: Final = _NOTIFICATIONS.where(NOTIFICATION.c.channel == bindparam("channel"))
_WAITING: Final = _NOTIFICATIONS.where(NOTIFICATION.c.waiting.is_(True), NOTIFICATION.c.channel == bindparam("channel"))
# Where the message of an incident shows another state than that of its alert, or is in other words than its rule's;
# `present` is null where that is over.
_PRESENT: Final = case((ALERT.c.incident_id == NOTIFICATION.c.root_incident_id, ALERT.c.level)).label("present")
_OUTDATED: Final = (
    _NOTIFICATIONS.add_columns(_PRESENT, ALERT.c.wording)
    .outerjoin(ALERT, and_(*(ALERT.c[name] == NOTIFICATION.c[name] for name in ("account", "rule", "subject"))))
    .where(NOTIFICATION.c.root_ended.is_(False), NOTIFICATION.c.channel == bindparam("channel"))
    # One that says that its alert flaps says so until another message is to tell that it no longer does.
    .where(
        not_(
            and_(
                NOTIFICATION.c.notified_flapping.is_(True),
                NOTIFICATION.c.notified_incident_id == NOTIFICATION.c.root_incident_id,
                or_(
                    and_(
                        NOTIFICATION.c.desired_flapping.is_(True),
                        NOTIFICATION.c.desired_incident_id == NOTIFICATION.c.root_incident_id,
                    ),
                    and_(NOTIFICATION.c.desired_held.is_(True), NOTIFICATION.c.desired_ended.is_(False)),
                ),
            )
        )
    )
    .where(
        or_(
            _PRESENT.element.is_distinct_from(NOTIFICATION.c.root_level),
            ALERT.c.wording.is_distinct_from(NOTIFICATION.c.root_wording),
        )
    )
)
_SUB_ACCOUNTS: Final = _in_order(SUB_ACCOUNT).where(SUB_ACCOUNT.c.master == bindparam("master"))
_DELIVERIES: Final = (
    select(DELIVERY)
    .where(DELIVERY.c.state.in_(bindparam("states", expanding=True)))
    .order_by(DELIVERY.c.created_at, DELIVERY.c.key)
)
_DELIVERIES_TO: Final = _DELIVERIES.where(DELIVERY.c.channel == bindparam("channel"))
_CHANNELS: Final = _in_order(CHANNEL)
_SILENCES: Final = select(SILENCE).order_by(SILENCE.c.id)
_SILENCES_SINCE: Final = _SILENCES.where(SILENCE.c.ends_at > bindparam("since"))
_ACKS: Final = select(ACK).where(ACK.c.incident_id.in_(bindparam("incidents", expanding=True))).order_by(ACK.c.id)
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
    select(*(POLL.c[name] for name in RECORDED), ANSWER.c.payload)
    .outerjoin(ANSWER, ANSWER.c.id == POLL.c.answer_id)
    .where(POLL.c.account == bindparam("account"), POLL.c.endpoint == bindparam("endpoint"))
    .where(POLL.c.at >= bindparam("since", type_=POLL.c.at.type))
    .order_by(POLL.c.at, POLL.c.id)
)
_LAST_GOOD: Final = Prepared(
    select(*(POLL.c[name] for name in RECORDED), ANSWER.c.payload)
    .join(ANSWER, ANSWER.c.id == POLL.c.answer_id)
    .where(POLL.c.account == bindparam("account"), POLL.c.endpoint == bindparam("endpoint"))
    .where(POLL.c.at > bindparam("begin", type_=POLL.c.at.type), POLL.c.at <= bindparam("end", type_=POLL.c.at.type))
    .order_by(POLL.c.at.desc(), POLL.c.id.desc())
)
_GOOD_POLLS: Final = _POLLS.where(POLL.c.answer_id.is_not(None))
_INCIDENTS_WITHIN: Final = (
    select(INCIDENT)
    .where(INCIDENT.c.started_at < bindparam("end"))
    .where(or_(INCIDENT.c.ended_at.is_(None), INCIDENT.c.ended_at >= bindparam("begin")))
    .order_by(INCIDENT.c.started_at, INCIDENT.c.id)
)
_ANSWER_AT: Final = (
    _of_account(
        select(POLL.c.at, POLL.c.server_at, ANSWER.c.payload).join(ANSWER, ANSWER.c.id == POLL.c.answer_id), POLL
    )
    .where(POLL.c.endpoint == bindparam("endpoint"), POLL.c.at <= bindparam("at"))
    .order_by(POLL.c.at.desc(), POLL.c.id.desc())
    .limit(1)
)
_POLL_BEFORE: Final = select(POLL.c.id).where(POLL.c.at < bindparam("at")).limit(1)


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

    def answer_at(
        self, account: str, at: datetime, *, endpoint: Endpoint = Endpoint.USAGE
    ) -> tuple[datetime, Answer] | None:
        """The last good answer up to an instant, and when it was given; None where there is none that old."""
        found = self._rows(_ANSWER_AT, account=account, endpoint=endpoint, at=at)
        return (found[0].at, rows.answer_of(found[0])) if found else None

    def has_polls_before(self, at: datetime) -> bool:
        """Whether anything was asked before an instant, as far back as polls are kept."""
        return bool(self._rows(_POLL_BEFORE, at=at))

    def asking(self, account: str, *, begin: datetime, end: datetime) -> Asking:
        """How the asking for /v1/usage went from one instant (inclusive) to another."""
        return asking(self._connection, account, begin=begin, end=end)

    def recorded(self, account: str, *, since: datetime, endpoint: Endpoint = Endpoint.USAGE) -> Iterator[Poll]:
        """All polls since an instant (inclusive), good or failed, oldest first; they are read as they are asked for.

        Polls whose answers are equal share one object of it if they lie near each other.
        """
        named = {"account": account, "endpoint": endpoint, "since": since}
        answers = RecentAnswers(account, endpoint)
        return map(answers.poll_of, _RECORDED.execute(self._connection, named))

    def sampled(self, account: str, *, until: datetime, every: timedelta, count: int) -> Iterator[Poll]:
        """The last good poll of each of the last `count` spans that end at an instant, oldest first.

        A span without one is left out. Each is looked up by itself: how many polls there are makes no difference.
        """
        answers = RecentAnswers(account, Endpoint.USAGE)
        for number in range(count, 0, -1):
            begin = until - number * every
            named = {"account": account, "endpoint": Endpoint.USAGE, "begin": begin, "end": begin + every}
            if row := next(_LAST_GOOD.execute(self._connection, named), None):  # the others are not even read
                yield answers.poll_of(row)

    def alerts(self, account: str | None = None) -> dict[AlertKey, Alert]:
        """All alerts, or one account's, with their open incidents, in order of key."""
        incidents = {row.id: rows.incident_of(row) for row in self._rows_of(account, _OPEN, _OPEN_OF)}
        return {rows.key_of(row): rows.alert_of(row, incidents) for row in self._rows_of(account, _ALERTS, _ALERTS_OF)}

    def alerts_by_rule(self, rule: str) -> dict[AlertKey, Alert]:
        """All alerts of one rule, on whichever account, with their open incidents, in order of key."""
        incidents = {row.id: rows.incident_of(row) for row in self._rows(_OPEN_BY, rule=rule)}
        return {rows.key_of(row): rows.alert_of(row, incidents) for row in self._rows(_ALERTS_BY, rule=rule)}

    def alert(self, key: AlertKey) -> Alert | None:
        """One alert with its open incident; None before it was first anything but at rest."""
        return lookup.alert(self._connection, key)

    def busy_alerts(self, *, limit: int) -> tuple[list[Alert], int]:
        """The first of the alerts that fire, may soon, are unknown or flap, the worst first; and how many there are."""
        return lookup.busy_alerts(self._connection, limit=limit)

    def incidents_of(self, key: AlertKey, *, limit: int) -> list[Incident]:
        """The last incidents of one alert, open or ended, newest first."""
        return lookup.incidents_of(self._connection, key, limit=limit)

    def incident(self, incident_id: str) -> Incident | None:
        """One incident, open or ended; None if there is none by that id."""
        return self.incidents([incident_id]).get(incident_id)

    def incidents(self, ids: Iterable[str]) -> dict[str, Incident]:
        """Those of the incidents that exist, open or ended, by id."""
        return {row.id: rows.incident_of(row) for chunk in _chunks(ids) for row in self._rows(_INCIDENTS, ids=chunk)}

    def incidents_within(self, begin: datetime, end: datetime) -> list[Incident]:
        """The incidents of which some part lies between two instants, oldest first; those without an end go on."""
        return [rows.incident_of(row) for row in self._rows(_INCIDENTS_WITHIN, begin=begin, end=end)]

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
        return [outbox_rows.notification_of(row) for row in found]

    def notifications_of(self, key: AlertKey) -> list[Notification]:
        """What each channel should know and was notified of, for one alert, in order of channel and recipient."""
        return lookup.notifications_of(self._connection, key)

    def notifications_on(self, channel: str) -> list[Notification]:
        """What one channel should know and was notified of, for all alerts, in order of key."""
        return [outbox_rows.notification_of(row) for row in self._rows(_NOTIFICATIONS_ON, channel=channel)]

    def waiting(self, channel: str) -> list[Notification]:
        """What a channel should know and was not yet notified of, in order of key."""
        return [outbox_rows.notification_of(row) for row in self._rows(_WAITING, channel=channel)]

    def outdated(self, channel: str) -> list[Outdated]:
        """Those of a channel whose incident stands in a message that shows another state or words, in order of key."""
        return [outbox_rows.outdated_of(row) for row in self._rows(_OUTDATED, channel=channel)]

    def deliveries(
        self, *, channel: str | None = None, states: Collection[DeliveryState] = tuple(DeliveryState)
    ) -> list[Delivery]:
        """Deliveries to one channel or all, in these states, oldest first."""
        words = [state.value for state in states]
        if channel is None:
            return [outbox_rows.delivery_of(row) for row in self._rows(_DELIVERIES, states=words)]
        return [outbox_rows.delivery_of(row) for row in self._rows(_DELIVERIES_TO, states=words, channel=channel)]

    def channel_fingerprints(self) -> dict[str, str]:
        """How each channel was configured when that was last saved, by name."""
        return {row.name: row.fingerprint for row in self._rows(_CHANNELS)}

    def silences(self, *, since: datetime | None = None) -> list[Silence]:
        """All silences, or those whose time was not over at an instant, oldest first; also those not yet begun."""
        found = self._rows(_SILENCES) if since is None else self._rows(_SILENCES_SINCE, since=since)
        return [rows.silence_of(row) for row in found]

    def acks(self, incident_ids: Iterable[str]) -> list[Ack]:
        """The acks of incidents, oldest first; also those that were taken back or whose time is over."""
        chunks = _chunks(incident_ids)
        return [rows.ack_of(row) for chunk in chunks for row in self._rows(_ACKS, incidents=chunk)]

    def mutes(self, incident_ids: Iterable[str], *, now: datetime) -> Mutes:
        """The silences that are not over, and the acks of these incidents."""
        return Mutes.of(self.silences(since=now), self.acks(incident_ids))

    def rule_files(self, *, count: int) -> list[RuleFile]:
        """The last `count` versions of the rule file that took effect, newest first."""
        return [rows.rule_file_of(row) for row in self._rows(_RULE_FILES, count=count)]

    def _rows(self, query: Executable, **values: object) -> list[Row[Any]]:
        return list(self._connection.execute(query, values))

    def _rows_of(self, account: str | None, every: Executable, of_account: Executable) -> list[Row[Any]]:
        return self._rows(every) if account is None else self._rows(of_account, account=account)
