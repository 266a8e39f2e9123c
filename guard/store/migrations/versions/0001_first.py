"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_WAITING = (
    "desired_incident_id IS NOT NULL AND NOT (desired_held AND desired_incident_id IS NOT notified_incident_id"
    " AND notified_flapping IS NOT 1) AND (desired_incident_id IS NOT notified_incident_id"
    " OR desired_level IS NOT notified_level OR desired_reminders IS NOT notified_reminders"
    " OR desired_ended IS NOT notified_ended OR desired_missed IS NOT notified_missed"
    " OR desired_flapping IS NOT notified_flapping)"
)


def upgrade() -> None:
    """Makes all tables."""
    _create_meta()
    _create_account()
    _create_answer()
    _create_poll()
    _create_incident()
    _create_alert()
    _create_event()
    _create_notification()
    _create_delivery()
    _create_rule_file()
    _create_mutes()


def _text(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _incident_key(column: str, table: str) -> sa.ForeignKeyConstraint:
    name = f"{table}_{column}_fk"
    return sa.ForeignKeyConstraint([column], ["incident.id"], name=name, deferrable=True, initially="DEFERRED")


def _create_meta() -> None:
    op.create_table("meta", *_text("name", "value"), sa.PrimaryKeyConstraint("name"))
    op.create_table("channel", *_text("name", "fingerprint"), sa.PrimaryKeyConstraint("name"))


def _create_account() -> None:
    op.create_table(
        "account",
        *_text("name"),
        sa.Column("cycled_at", sa.DateTime()),
        sa.Column("good_at", sa.DateTime()),
        sa.Column("silence", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.Column("good_streak", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure_kind", sa.String()),
        sa.Column("failure_text", sa.String()),
        sa.Column("failure_retry_after", sa.BigInteger()),
        sa.Column("ask_at", sa.DateTime()),
        sa.Column("period_start_at", sa.DateTime()),
        sa.Column("period_lag", sa.Integer(), nullable=False),
        sa.Column("listed_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "sub_account",
        *_text("master", "id"),
        sa.Column("absent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("master", "id"),
    )


def _create_answer() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_text("account", "endpoint", "digest"),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.UniqueConstraint("account", "endpoint", "digest", name="answer_once"),
    )


def _create_poll() -> None:
    op.create_table(
        "poll",
        sa.Column("id", sa.Integer(), primary_key=True),
        *_text("account", "endpoint"),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("answer_id", sa.Integer()),
        sa.Column("server_at", sa.DateTime()),
        sa.Column("failure_kind", sa.String()),
        sa.Column("failure_text", sa.String()),
        sa.Column("failure_retry_after", sa.BigInteger()),
        sa.Column("age", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name="poll_answer_id_fk"),
    )
    op.create_index("poll_by_account", "poll", ["account", "endpoint", "at"])
    op.create_index("poll_by_time", "poll", ["at"])
    op.create_index("poll_by_answer", "poll", ["answer_id"])


def _create_incident() -> None:
    op.create_table(
        "incident",
        *_text("id", "account", "rule", "subject"),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("peak", sa.SmallInteger(), nullable=False),
        sa.Column("peak_value", sa.Float()),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("reason", sa.String()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incident_by_end", "incident", ["ended_at"])


def _create_alert() -> None:
    op.create_table(
        "alert",
        *_text("account", "rule", "subject", "state"),
        sa.Column("level", sa.SmallInteger()),
        sa.Column("timers", sa.Text(), nullable=False),
        sa.Column("clear_total", sa.BigInteger()),
        sa.Column("clear_at", sa.DateTime()),
        sa.Column("unknown_total", sa.BigInteger()),
        sa.Column("unknown_at", sa.DateTime()),
        *_text("unknown_why"),
        sa.Column("incident_id", sa.String()),
        sa.Column("reading", sa.Text()),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("period_start_at", sa.DateTime()),
        *_text("fingerprint"),
        sa.Column("absent", sa.Integer(), nullable=False),
        sa.Column("fired", sa.Text(), nullable=False),
        sa.Column("flapping", sa.Text()),
        *_text("wording"),
        sa.PrimaryKeyConstraint("account", "rule", "subject"),
        _incident_key("incident_id", "alert"),
    )
    op.create_index("alert_by_incident", "alert", ["incident_id"])


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        *_text("account", "rule", "subject", "kind", "incident_id"),
        sa.Column("level", sa.SmallInteger()),
        sa.Column("value", sa.Float()),
        *_text("channel", "text"),
    )
    op.create_index("event_by_alert", "event", ["account", "rule", "subject", "at"])
    op.create_index("event_by_time", "event", ["at"])


def _create_notification() -> None:
    op.create_table(
        "notification",
        *_text("account", "rule", "subject", "channel", "recipient"),
        sa.Column("desired_incident_id", sa.String()),
        sa.Column("desired_level", sa.SmallInteger()),
        sa.Column("desired_reminders", sa.Integer()),
        sa.Column("desired_ended", sa.Boolean()),
        sa.Column("desired_missed", sa.Text()),
        sa.Column("desired_flapping", sa.Boolean()),
        sa.Column("desired_held", sa.Boolean()),
        sa.Column("notified_incident_id", sa.String()),
        sa.Column("notified_level", sa.SmallInteger()),
        sa.Column("notified_reminders", sa.Integer()),
        sa.Column("notified_ended", sa.Boolean()),
        sa.Column("notified_missed", sa.Text()),
        sa.Column("notified_flapping", sa.Boolean()),
        sa.Column("notified_at", sa.DateTime()),
        sa.Column("root_incident_id", sa.String()),
        sa.Column("root_receipt", sa.String()),
        sa.Column("root_level", sa.SmallInteger()),
        sa.Column("root_ended", sa.Boolean()),
        sa.Column("root_wording", sa.String()),
        sa.Column("waiting", sa.Boolean(), sa.Computed(_WAITING, persisted=False)),
        sa.PrimaryKeyConstraint("account", "rule", "subject", "channel", "recipient"),
        _incident_key("desired_incident_id", "notification"),
        _incident_key("notified_incident_id", "notification"),
        _incident_key("root_incident_id", "notification"),
    )
    op.create_index("notification_waiting", "notification", ["waiting", "channel"])
    op.create_index("notification_rooted", "notification", ["root_ended", "channel"])
    op.create_index("notification_by_desired", "notification", ["desired_incident_id"])
    op.create_index("notification_by_notified", "notification", ["notified_incident_id"])
    op.create_index("notification_by_root", "notification", ["root_incident_id"])


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        *_text("key", "channel", "recipient"),
        sa.Column("covers", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        *_text("call", "receipt", "state"),
        sa.Column("may_have_arrived", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.DateTime()),
        sa.Column("settled_at", sa.DateTime()),
        *_text("why", "wording"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("delivery_by_state", "delivery", ["state", "channel"])


def _create_rule_file() -> None:
    op.create_table(
        "rule_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        *_text("digest"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_mutes() -> None:
    op.create_table(
        "silence",
        sa.Column("id", sa.Integer(), nullable=False),
        *_text("pattern"),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("below", sa.SmallInteger()),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        *_text("reason", "by"),
        sa.Column("ended_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("silence_by_end", "silence", ["ends_at"])
    op.create_table(
        "ack",
        sa.Column("id", sa.Integer(), nullable=False),
        *_text("incident_id"),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        *_text("by", "reason"),
        sa.Column("until_at", sa.DateTime()),
        sa.Column("ended_at", sa.DateTime()),
        _incident_key("incident_id", "ack"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ack_by_incident", "ack", ["incident_id"])
