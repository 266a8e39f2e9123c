"""The tables. Their rows never leave the store, which takes and gives the nouns of `guard.model`."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Dialect,
    ForeignKeyConstraint,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

MICROSECOND: Final = timedelta(microseconds=1)

WAITING: Final = (
    "desired_incident_id IS NOT NULL AND NOT (desired_held AND desired_incident_id IS NOT notified_incident_id"
    " AND notified_flapping IS NOT 1) AND (desired_incident_id IS NOT notified_incident_id"
    " OR desired_level IS NOT notified_level OR desired_reminders IS NOT notified_reminders"
    " OR desired_ended IS NOT notified_ended OR desired_missed IS NOT notified_missed"
    " OR desired_flapping IS NOT notified_flapping)"
)


class Duration(TypeDecorator[timedelta]):
    """A length of time, kept as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy passes it
        """Exact: a timedelta counts whole microseconds itself."""
        return None if value is None else value // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:  # noqa: ARG002 - the same
        """The same length again."""
        return None if value is None else timedelta(microseconds=value)


class Row(SQLModel):
    """What all tables share: one set of tables, apart from any other library's."""

    metadata: ClassVar[MetaData] = MetaData()


def _incident_key(column: str, *, table: str) -> ForeignKeyConstraint:
    # Deferred to the commit, so that what belongs together may be written in any order.
    return ForeignKeyConstraint(
        [column], ["incident.id"], name=f"{table}_{column}_fk", deferrable=True, initially="DEFERRED"
    )


class MetaRow(Row, table=True):
    """One fact about the database itself."""

    __tablename__ = "meta"

    name: str = Field(primary_key=True)
    value: str


class AccountRow(Row, table=True):
    """How the asking goes for one account."""

    __tablename__ = "account"

    name: str = Field(primary_key=True)
    cycled_at: datetime | None
    good_at: datetime | None
    silence: timedelta = Field(sa_type=Duration)  # the model's `outage`, under the name that databases have it by
    lost: bool
    good_streak: int
    failures: int
    failure_kind: str | None
    failure_text: str | None
    failure_retry_after: timedelta | None = Field(sa_type=Duration)
    ask_at: datetime | None
    period_start_at: datetime | None
    period_lag: int
    listed_at: datetime | None


class SubAccountRow(Row, table=True):
    """A sub-account of a master account."""

    __tablename__ = "sub_account"

    master: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    absent: int


class AnswerRow(Row, table=True):
    """What an endpoint answered; an equal answer is stored once."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("account", "endpoint", "digest", name="answer_once"),)

    id: int | None = Field(primary_key=True)
    account: str
    endpoint: str
    digest: str
    payload: str = Field(sa_type=Text)


class PollRow(Row, table=True):
    """One time that an endpoint was asked: its answer, or its failure."""

    __tablename__ = "poll"
    __table_args__ = (
        ForeignKeyConstraint(["answer_id"], ["answer.id"], name="poll_answer_id_fk"),
        Index("poll_by_account", "account", "endpoint", "at"),
        Index("poll_by_time", "at"),
        Index("poll_by_answer", "answer_id"),
    )

    id: int | None = Field(primary_key=True)
    account: str
    endpoint: str
    at: datetime
    answer_id: int | None
    server_at: datetime | None
    failure_kind: str | None
    failure_text: str | None
    failure_retry_after: timedelta | None = Field(sa_type=Duration)
    age: timedelta = Field(sa_type=Duration)


class IncidentRow(Row, table=True):
    """One firing."""

    __tablename__ = "incident"
    __table_args__ = (Index("incident_by_end", "ended_at"),)

    id: str = Field(primary_key=True)
    account: str
    rule: str
    subject: str
    started_at: datetime
    peak: int = Field(sa_type=SmallInteger)
    peak_value: float | None
    ended_at: datetime | None
    reason: str | None


class AlertRow(Row, table=True):
    """One alert's present state."""

    __tablename__ = "alert"
    __table_args__ = (_incident_key("incident_id", table="alert"), Index("alert_by_incident", "incident_id"))

    account: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    state: str
    level: int | None = Field(sa_type=SmallInteger)
    timers: str = Field(sa_type=Text)
    clear_total: timedelta | None = Field(sa_type=Duration)
    clear_at: datetime | None
    unknown_total: timedelta | None = Field(sa_type=Duration)
    unknown_at: datetime | None
    unknown_why: str
    incident_id: str | None
    reading: str | None = Field(sa_type=Text)
    limits: str = Field(sa_type=Text)
    period_start_at: datetime | None
    fingerprint: str
    absent: int
    fired: str = Field(sa_type=Text)
    flapping: str | None = Field(sa_type=Text)
    wording: str  # the reading's, apart from the rest of it, so that it can be compared


class EventRow(Row, table=True):
    """One transition or decision; only ever added."""

    __tablename__ = "event"
    __table_args__ = (
        Index("event_by_alert", "account", "rule", "subject", "at"),
        Index("event_by_time", "at"),
    )

    id: int | None = Field(primary_key=True)
    at: datetime
    account: str
    rule: str
    subject: str
    kind: str
    incident_id: str
    level: int | None = Field(sa_type=SmallInteger)
    value: float | None
    channel: str
    text: str


class NotificationRow(Row, table=True):
    """What a channel should know of an alert, and what it was last notified of."""

    __tablename__ = "notification"
    __table_args__ = (
        _incident_key("desired_incident_id", table="notification"),
        _incident_key("notified_incident_id", table="notification"),
        _incident_key("root_incident_id", table="notification"),
        Index("notification_waiting", "waiting", "channel"),
        Index("notification_rooted", "root_ended", "channel"),
        Index("notification_by_desired", "desired_incident_id"),
        Index("notification_by_notified", "notified_incident_id"),
        Index("notification_by_root", "root_incident_id"),
    )

    account: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    recipient: str = Field(primary_key=True)
    desired_incident_id: str | None
    desired_level: int | None = Field(sa_type=SmallInteger)
    desired_reminders: int | None
    desired_ended: bool | None
    desired_missed: str | None = Field(sa_type=Text)
    desired_flapping: bool | None
    desired_held: bool | None
    notified_incident_id: str | None
    notified_level: int | None = Field(sa_type=SmallInteger)
    notified_reminders: int | None
    notified_ended: bool | None
    notified_missed: str | None = Field(sa_type=Text)
    notified_flapping: bool | None
    notified_at: datetime | None
    root_incident_id: str | None
    root_receipt: str | None
    root_level: int | None = Field(sa_type=SmallInteger)
    root_ended: bool | None
    root_wording: str | None
    # Computed by the database, so that neither half's writer has to know of the other.
    waiting: bool = Field(sa_column=Column("waiting", Boolean, Computed(WAITING, persisted=False)))


class DeliveryRow(Row, table=True):
    """One message to one recipient, or one edit of a message."""

    __tablename__ = "delivery"
    __table_args__ = (Index("delivery_by_state", "state", "channel"),)

    key: str = Field(primary_key=True)
    channel: str
    recipient: str
    covers: str = Field(sa_type=Text)
    created_at: datetime
    due_at: datetime
    call: str
    receipt: str
    state: str
    may_have_arrived: bool
    attempts: int
    attempted_at: datetime | None
    settled_at: datetime | None
    why: str
    wording: str


class RuleFileRow(Row, table=True):
    """One version of the rule file that took effect; only ever added."""

    __tablename__ = "rule_file"

    id: int | None = Field(primary_key=True)
    at: datetime
    digest: str
    text: str = Field(sa_type=Text)
    changes: str = Field(sa_type=Text)


class SilenceRow(Row, table=True):
    """A time in which alerts are not told."""

    __tablename__ = "silence"
    __table_args__ = (Index("silence_by_end", "ends_at"),)

    id: int | None = Field(primary_key=True)
    pattern: str
    labels: str = Field(sa_type=Text)
    below: int | None = Field(sa_type=SmallInteger)
    starts_at: datetime
    ends_at: datetime
    reason: str
    by: str
    ended_at: datetime | None


class AckRow(Row, table=True):
    """Somebody has seen an incident."""

    __tablename__ = "ack"
    __table_args__ = (_incident_key("incident_id", table="ack"), Index("ack_by_incident", "incident_id"))

    id: int | None = Field(primary_key=True)
    incident_id: str
    level: int = Field(sa_type=SmallInteger)
    at: datetime
    by: str
    reason: str
    until_at: datetime | None
    ended_at: datetime | None


class ChannelRow(Row, table=True):
    """How a channel was configured when it was last looked at."""

    __tablename__ = "channel"

    name: str = Field(primary_key=True)
    fingerprint: str


def _table(row: type[Row]) -> Table:
    return Row.metadata.tables[str(row.__tablename__)]


META: Final = _table(MetaRow)
ACCOUNT: Final = _table(AccountRow)
SUB_ACCOUNT: Final = _table(SubAccountRow)
ANSWER: Final = _table(AnswerRow)
POLL: Final = _table(PollRow)
INCIDENT: Final = _table(IncidentRow)
ALERT: Final = _table(AlertRow)
EVENT: Final = _table(EventRow)
NOTIFICATION: Final = _table(NotificationRow)
DELIVERY: Final = _table(DeliveryRow)
CHANNEL: Final = _table(ChannelRow)
RULE_FILE: Final = _table(RuleFileRow)
SILENCE: Final = _table(SilenceRow)
ACK: Final = _table(AckRow)
