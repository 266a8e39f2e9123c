"""One transaction: what can be read in it, and what can be written."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Delete, Executable, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from guard.model import (
    Account,
    Ack,
    Alert,
    AlertKey,
    Answer,
    Delivery,
    Event,
    Incident,
    Notification,
    Silence,
    SubAccount,
)
from guard.store import outbox_rows, retention, rows
from guard.store.poll import Poll
from guard.store.prepared import Prepared
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
from guard.store.view import View

if TYPE_CHECKING:
    from guard.lifecycle.decide import Decision


def _upsert(table: Table, *, only: str = "") -> Insert:
    # Columns of another prefix than `only` stay as they are.
    statement = insert_or_update(table)
    keys = table.primary_key.columns
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name.startswith(only) and not column.primary_key and column.computed is None
    }
    return statement.on_conflict_do_update(index_elements=list(keys), set_=changed)


def _insert(table: Table) -> Insert:
    # All columns but the number that SQLite gives to each row.
    return insert_or_update(table).values(
        {column: bindparam(column.name) for column in table.columns if column.name != "id"}
    )


def _delete(table: Table) -> Delete:
    return delete(table).where(*(column == bindparam(f"old_{column.name}") for column in table.primary_key.columns))


# Built once, so that SQLAlchemy finds their SQL in its cache; its `merge` would cost forty times as much.
_SAVE_ACCOUNT: Final = Prepared(_upsert(ACCOUNT))
_SAVE_ALERT: Final = _upsert(ALERT)
_SAVE_INCIDENT: Final = _upsert(INCIDENT)
_SAVE_DESIRED: Final = _upsert(NOTIFICATION, only="desired_")
_SAVE_NOTIFIED: Final = _upsert(NOTIFICATION, only="notified_")
_SAVE_ROOT: Final = _upsert(NOTIFICATION, only="root_")
_SAVE_SUB_ACCOUNT: Final = _upsert(SUB_ACCOUNT)
_DELETE_SUB_ACCOUNT: Final = _delete(SUB_ACCOUNT)
_SAVE_DELIVERY: Final = _upsert(DELIVERY)
_SAVE_CHANNEL: Final = _upsert(CHANNEL)
_ADD_ANSWER: Final = Prepared(_insert(ANSWER).on_conflict_do_nothing())
_ADD_POLL: Final = Prepared(_insert(POLL))
_ADD_EVENT: Final = insert(EVENT)
_ADD_RULE_FILE: Final = insert(RULE_FILE)
_ADD_SILENCE: Final = insert(SILENCE)
_END_SILENCE: Final = (
    update(SILENCE)
    .where(SILENCE.c.id == bindparam("number"), SILENCE.c.ended_at.is_(None), SILENCE.c.ends_at > bindparam("now"))
    .values(ended_at=bindparam("now"))
)
_ADD_ACK: Final = insert(ACK)
_END_ACKS: Final = (
    update(ACK)
    .where(ACK.c.incident_id == bindparam("incident"), ACK.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
_DELETE_ACCOUNT: Final = _delete(ACCOUNT)
_DELETE_ALERT: Final = _delete(ALERT)
_DELETE_NOTIFICATION: Final = _delete(NOTIFICATION)
_DELETE_DELIVERY: Final = _delete(DELIVERY)
_FIND_ANSWER: Final = Prepared(
    select(ANSWER.c.id).where(
        ANSWER.c.account == bindparam("account"),
        ANSWER.c.endpoint == bindparam("endpoint"),
        ANSWER.c.digest == bindparam("digest"),
    )
)


class Unit(View):
    """What one transaction does: it is committed whole when the work ends, and not at all when the work raises.

    Naive instants raise StatementError or ValueError. The order of writing does not matter within a transaction, except
    that the later of two writes of the same thing stands.
    """

    def save_account(self, account: Account) -> None:
        """Writes how the asking goes for an account."""
        _SAVE_ACCOUNT.execute(self._connection, rows.account_row(account))

    def delete_account(self, name: str) -> None:
        """Forgets how the asking went for an account; its polls and alerts stay."""
        self._connection.execute(_DELETE_ACCOUNT, {"old_name": name})

    def save_sub_accounts(self, sub_accounts: Iterable[SubAccount]) -> None:
        """Writes sub-accounts of master accounts."""
        self._execute_each(_SAVE_SUB_ACCOUNT, map(rows.sub_account_row, sub_accounts))

    def delete_sub_accounts(self, sub_accounts: Iterable[SubAccount]) -> None:
        """Forgets sub-accounts; what their own names stand for is `delete_account`'s part."""
        self._execute_each(
            _DELETE_SUB_ACCOUNT, ({"old_master": each.master, "old_id": each.id} for each in sub_accounts)
        )

    def save_alerts(self, alerts: Iterable[Alert]) -> None:
        """Writes alerts, and with each its open incident. An incident that has just ended is `save_incidents`' part."""
        alerts = list(alerts)
        self.save_incidents(alert.incident for alert in alerts if alert.incident is not None)
        self._execute_each(_SAVE_ALERT, map(rows.alert_row, alerts))

    def delete_alerts(self, keys: Iterable[AlertKey]) -> None:
        """Forgets alerts; their incidents, events and notifications stay."""
        self._execute_each(_DELETE_ALERT, (_old(rows.key_row(key)) for key in keys))

    def save_incidents(self, incidents: Iterable[Incident]) -> None:
        """Writes incidents, open or ended."""
        self._execute_each(_SAVE_INCIDENT, map(rows.incident_row, incidents))

    def save_changes(self, decision: "Decision") -> None:
        """Writes what a decision changes of alerts; how the asking goes is `save_account`'s part."""
        self.save_incidents(decision.incidents)
        self.save_alerts(decision.alerts)
        self.add_events(decision.events)
        self.save_desired(decision.notifications)

    def add_events(self, events: Iterable[Event]) -> None:
        """Adds events; those of one instant keep their order."""
        self._execute_each(_ADD_EVENT, map(rows.event_row, events))

    def record_poll(self, poll: Poll) -> None:
        """Adds a poll. An answer that says the same as an earlier one of its account and endpoint is stored once."""
        answer_id = self._answer_id(poll, poll.outcome.text) if isinstance(poll.outcome, Answer) else None
        _ADD_POLL.execute(self._connection, rows.poll_row(poll, answer_id))

    def _answer_id(self, poll: Poll, text: str) -> int:
        digest = blake2b(text.encode(), digest_size=16).hexdigest()
        identity = {"account": poll.account, "endpoint": poll.endpoint, "digest": digest}
        added = _ADD_ANSWER.execute(self._connection, {**identity, "payload": text})
        if added.rowcount:
            return int(added.lastrowid)
        return int(_FIND_ANSWER.execute(self._connection, identity).fetchone()[0])

    def save_desired(self, notifications: Iterable[Notification]) -> None:
        """Writes what channels should know; what they were notified of stays as it is."""
        self._execute_each(_SAVE_DESIRED, map(outbox_rows.desired_row, notifications))

    def save_notified(self, notifications: Iterable[Notification]) -> None:
        """Writes what channels were notified of, and when; what they should know stays as it is."""
        self._execute_each(_SAVE_NOTIFIED, map(outbox_rows.notified_row, notifications))

    def save_roots(self, notifications: Iterable[Notification]) -> None:
        """Writes the messages that incidents stand in, or that there is none; both halves stay as they are."""
        self._execute_each(_SAVE_ROOT, map(outbox_rows.root_row, notifications))

    def delete_notifications(self, notifications: Iterable[Notification]) -> None:
        """Forgets both halves of what these channels know of these alerts."""
        self._execute_each(_DELETE_NOTIFICATION, (_old(outbox_rows.recipient_row(each)) for each in notifications))

    def save_delivery(self, delivery: Delivery) -> None:
        """Writes a delivery."""
        self._connection.execute(_SAVE_DELIVERY, outbox_rows.delivery_row(delivery))

    def delete_delivery(self, key: str) -> None:
        """Forgets a delivery; one that is not there is no error."""
        self._connection.execute(_DELETE_DELIVERY, {"old_key": key})

    def add_rule_file(self, rule_file: RuleFile) -> None:
        """Adds a version of the rule file that takes effect."""
        self._connection.execute(_ADD_RULE_FILE, rows.rule_file_row(rule_file))

    def add_silence(self, silence: Silence) -> int:
        """Adds a silence and gives its number."""
        return self._number(_ADD_SILENCE, rows.silence_row(silence))

    def end_silence(self, number: int, *, now: datetime) -> bool:
        """Ends a silence before its time; False where there is none by that number that could be ended."""
        return bool(self._connection.execute(_END_SILENCE, {"number": number, "now": now}).rowcount)

    def add_ack(self, ack: Ack) -> int:
        """Adds an ack and gives its number."""
        return self._number(_ADD_ACK, rows.ack_row(ack))

    def end_acks(self, incident_id: str, *, now: datetime) -> int:
        """Takes the acks of an incident back, and gives how many there were."""
        return self._connection.execute(_END_ACKS, {"incident": incident_id, "now": now}).rowcount

    def _number(self, statement: Executable, row: rows.Values) -> int:
        return int(self._connection.execute(statement, row).lastrowid)

    def save_channel_fingerprint(self, channel: str, fingerprint: str) -> None:
        """Writes how a channel is configured now."""
        self._connection.execute(_SAVE_CHANNEL, {"name": channel, "fingerprint": fingerprint})

    def prune(self, now: datetime) -> None:
        """Forgets what has been kept long enough, as `guard.store.retention` says."""
        retention.prune(self._connection, now)

    def _execute_each(self, statement: Executable, values: Iterable[rows.Values]) -> None:
        if every := list(values):  # an empty list would be taken for one row of defaults
            self._connection.execute(statement, every)


def _old(key: rows.Values) -> dict[str, Any]:
    return {f"old_{name}": value for name, value in key.items()}
