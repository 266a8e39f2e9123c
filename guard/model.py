"""The nouns, from accounts and snapshots to silences and deliveries; frozen, no I/O.

Every instant is an aware UTC `datetime` whose name ends in `_at`; durations are `timedelta`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

NO_DATA: Final = "guard.no_data"
"""The built-in rule that fires when an account gives no good answer, or a rule cannot be evaluated."""

CHANNEL_FAILING: Final = "guard.channel_failing"
"""The built-in rule that fires while a channel refuses for good, or is far behind; its subject is the channel."""

CONFIG_INVALID: Final = "guard.config_invalid"
"""The built-in rule that fires while the rule file is another one than that in force, and cannot be used."""

STORE_FAILING: Final = "guard.store_failing"
"""The built-in rule for a database that takes no writes, so that no alert of it can be stored either."""

REPORT: Final = "guard.report"
"""What stands in the place of a rule where `[report]` is told: no rule fires there, it is only time."""


class Level(IntEnum):
    """How bad it is; a higher level compares greater."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """The level as rule files and messages write it: `info`, `warning`, `critical`."""
        return self.name.lower()


def sub_account_name(master: str, sub_id: str) -> str:
    """The name of a sub-account: `main:acme`."""
    return f"{master}:{sub_id}"


def master_name(account: str) -> str:
    """The name of an account's master account, which may be its own.

    >>> master_name("main:acme"), master_name("main")
    ('main', 'main')
    """
    return account.partition(":")[0]


def is_sub_account(account: str) -> bool:
    """Whether an account is another's sub-account, by its name."""
    return ":" in account


# --- what the API said ---------------------------------------------------------------------------------------------


class FailureKind(StrEnum):
    """Why a poll gave no good answer; a stable word for logs, tables and tests."""

    UNREACHABLE = "unreachable"  # refused, DNS, TLS, reset, cut short
    TIMEOUT = "timeout"  # the total deadline passed
    UNAUTHORIZED = "unauthorized"  # 401: the key is refused
    FORBIDDEN = "forbidden"  # 403: the key is good, but not for this account
    RATE_LIMITED = "rate_limited"  # 429
    SERVER = "server"  # 5xx
    REFUSED = "refused"  # 404, 422, a redirect and every other status that is no answer
    NOT_USAGE = "not_usage"  # 200, but not what the usage API says
    TOO_LARGE = "too_large"  # more than 1 MiB, or a number or nesting that no usage answer has
    STALE = "stale"  # a report older than the account's stale_after


@dataclass(frozen=True, slots=True)
class Failure:
    """A poll that gave no good answer; `text` is clean, for people, and holds no secret."""

    kind: FailureKind
    text: str
    retry_after: timedelta | None = None  # how long the API asked to be left alone, already within bounds


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer of one endpoint: its JSON object, and the same as text for the store."""

    payload: Mapping[str, object]
    text: str
    server_at: datetime | None = None  # the answer's own Date header, against which report ages are measured


class Endpoint(StrEnum):
    """One path of the usage API; the value is how the store and logs name it."""

    USAGE = "usage"  # /v1/usage, in every cycle; the others only where a rule reads what they say
    DAILY = "daily"  # /v1/usage/daily
    BY_NUMBER = "by-number"  # /v1/usage/by-number
    BY_AGENT = "by-agent"  # /v1/usage/by-agent of the month
    WEBHOOKS = "webhooks"  # /v1/webhooks/deliveries/stats of the last hour


class Each(StrEnum):
    """What a rule can have one alert for each of; the value is the first part of its fields' names."""

    NUMBER = "number"
    AGENT = "agent"


Fields = Mapping[str, float | str]
"""By dotted names, e.g. "numbers.remaining"; numbers are finite."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one account had used at one moment. A field that is missing or makes no sense is absent from `values`."""

    account: str
    at: datetime
    values: Fields
    age: timedelta = timedelta()  # how old the report was when it was answered
    period_start_at: datetime | None = None
    subjects: Mapping[Each, Mapping[str, Fields]] = field(default_factory=dict)
    """By id, all that the last good listing showed, with `number.*` or `agent.*`; a kind is absent where none is."""
    fresh: frozenset[Endpoint] = frozenset({Endpoint.USAGE})  # whose answer is of this very cycle


# --- what a rule makes of it ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """A level's condition as it stood: `< 2`."""

    operator: str
    number: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a known evaluation says to people; kept with the alert, so a message needs neither rule nor snapshot."""

    at: datetime  # when the snapshot was taken
    summary: str
    value: float | None = None
    unit: str = ""
    bounds: Mapping[Level, Bound] = field(default_factory=dict)
    description: str = ""
    runbook: str = ""
    age: timedelta = timedelta()  # the report's own age at `at`
    subject: str = ""  # what people call the alert's subject; empty where there is none, or no name beside its id
    labels: Mapping[str, str] = field(default_factory=dict)  # the rule's
    wording: str = ""  # a hash of what the rule's texts are made of: tells other words from another value


@dataclass(frozen=True, slots=True, order=True)
class AlertKey:
    """An alert's identity: account, rule and subject, and never threshold, text, level, channel or period."""

    account: str
    rule: str
    subject: str = ""

    def __str__(self) -> str:
        """`main/numbers-remaining`, with a third part where there is a subject."""
        return "/".join(part for part in (self.account, self.rule, self.subject) if part)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One rule against one snapshot, three-valued: None is unknown, which never fires and never resolves.

    `holds` has one entry for each level of the rule and is cumulative: a level holds while it or a higher one holds.
    `clear` is whether it is over. `applies` is the rule's `when`; where it is False the rest was not looked at.
    `unknown` is the first reason why a part is unknown, empty when all is known; `is_young` says that there is no other
    reason than too short a history, which time mends by itself. `limits` are the limits that stand
    behind the fields the rule reads, by field name: they tell a recovery from a limit that was raised.
    """

    key: AlertKey
    holds: Mapping[Level, bool | None]
    clear: bool | None
    reading: Reading | None  # None when the value is unknown or was not looked at
    applies: bool | None = True
    unknown: str = ""
    is_young: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    period_start_at: datetime | None = None  # set only when the rule reads a field of the reporting period


# --- the life of an alert ------------------------------------------------------------------------------------------


class State(StrEnum):
    """Where an alert stands."""

    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"


class Reason(StrEnum):
    """Why an incident ended, as people read it."""

    RECOVERED = "recovered"
    NEW_PERIOD = "new period"
    LIMIT_CHANGED = "limit changed"
    NO_LONGER_APPLIES = "no longer applies"
    RULE_CHANGED = "rule changed"
    RULE_DISABLED = "rule disabled"
    RULE_REMOVED = "rule removed"
    ACCOUNT_REMOVED = "account removed"
    SUBJECT_GONE = "subject gone"


@dataclass(frozen=True, slots=True)
class Timer:
    """How long a condition has held, over known evaluations only; it exists while the last known one was true."""

    total: timedelta
    at: datetime  # the last known evaluation

    def known(self, now: datetime, *, every: timedelta) -> "Timer":
        """The timer after one more true evaluation: the gap counts in full up to 3 × every, else not at all."""
        gap = now - self.at
        counted = gap if timedelta() <= gap <= 3 * every else timedelta()
        return Timer(self.total + counted, now)


@dataclass(frozen=True, slots=True)
class Incident:
    """One firing, from fired to resolved."""

    id: str
    key: AlertKey
    started_at: datetime
    peak: Level
    peak_value: float | None = None  # the value furthest towards the bad side, as far as known
    ended_at: datetime | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Flapping:
    """An alert that fires and ends time and again."""

    level: Level  # that it had when it was found to; a higher one breaks it
    stable: Timer  # since when nothing changed
    incident_id: str  # the last one that began


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule's present state on one account (and subject). The default is one that was never evaluated."""

    key: AlertKey
    state: State = State.OK
    level: Level | None = None  # the present level; set in firing and recovering only
    timers: Mapping[Level, Timer] = field(default_factory=dict)
    clear: Timer | None = None
    unknown: Timer | None = None  # since when it cannot be evaluated although answers are good
    unknown_why: str = ""
    incident: Incident | None = None  # the open one; set in firing and recovering only
    reading: Reading | None = None  # of the last known evaluation
    limits: Mapping[str, float] = field(default_factory=dict)
    period_start_at: datetime | None = None
    fingerprint: str = ""  # of the rule that was last evaluated: tells a changed rule from a changed value
    absent: int = 0  # good listings in a row that did not show its subject
    fired: tuple[datetime, ...] = ()  # when its last incidents began, oldest first; as many as tell of flapping
    flapping: Flapping | None = None


class EventKind(StrEnum):
    """What an event records."""

    PENDING = "alert.pending"
    CALMED = "alert.calmed"  # pending → ok, of which nobody is told
    FIRED = "alert.fired"
    ESCALATED = "alert.escalated"
    LOWERED = "alert.lowered"
    RECOVERING = "alert.recovering"
    REFIRED = "alert.refired"  # true again before keep_firing_for had passed: the same incident goes on
    RESOLVED = "alert.resolved"
    REMINDER_DUE = "alert.reminder_due"
    FLAPPING = "alert.flapping"
    STABLE = "alert.stable"  # it flaps no longer
    ACKED = "alert.acked"  # somebody has seen it, and reminders wait
    UNACKED = "alert.unacked"  # which was taken back
    UNKNOWN = "alert.unknown"
    KNOWN = "alert.known"
    DELIVERED = "delivery.sent"
    RETRIED = "delivery.retry"
    UNSURE = "delivery.unsure"
    DIED = "delivery.dead"
    SUPERSEDED = "delivery.superseded"
    GONE = "delivery.gone"  # the message that it would have edited or replied to is no longer there
    HELD = "notification.held"  # a silence or a quiet window keeps it from being told
    RELEASED = "notification.released"
    DROPPED = "notification.dropped"  # its channel is gone from the rule file


@dataclass(frozen=True, slots=True)
class Event:
    """One transition or decision; never changed once written."""

    at: datetime
    key: AlertKey
    kind: EventKind
    incident_id: str = ""
    level: Level | None = None
    value: float | None = None
    channel: str = ""
    text: str = ""  # the reason, for people; holds no secret


@dataclass(frozen=True, slots=True)
class Account:
    """How the asking goes for one account; what polling needs to remember from one cycle to the next."""

    name: str
    cycled_at: datetime | None = None  # the last cycle, asked or not
    good_at: datetime | None = None  # the last good answer
    silence: timedelta = timedelta()  # time without a good answer, counted as timers are
    lost: bool = False  # no good answer for too long, or the key was refused; until two good answers in a row
    good_streak: int = 0
    failures: int = 0  # failed polls in a row
    failure: Failure | None = None  # the last one, while `failures` > 0
    ask_at: datetime | None = None  # not to be asked before
    period_start_at: datetime | None = None  # of the reporting period in force
    period_lag: int = 0  # answers in a row that spoke of an earlier period
    listed_at: datetime | None = None  # of a master account: when its sub-accounts were last listed, or it was tried


@dataclass(frozen=True, slots=True)
class SubAccount:
    """A sub-account of a master account, as its listings know it."""

    master: str
    id: str  # what the API calls it
    absent: int = 0  # complete, good and not empty listings in a row without it


# --- what people ask to hear less of ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which alerts are not told; what was told already is told as ended all the same."""

    pattern: str  # over `account/rule/subject`, with * and ?; one that names a rule goes for all its subjects
    starts_at: datetime
    ends_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)  # the rule has to have all of them
    below: Level | None = None  # only levels below it are held back; None: all
    reason: str = ""  # for people
    by: str = ""  # who asked for it, for people
    id: int = 0  # 0 until it is stored
    ended_at: datetime | None = None  # when somebody ended it before its time


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody has seen an incident: nobody is reminded of it until it gets worse, ends, or the time is over."""

    incident_id: str
    level: Level  # the incident's peak at that time; a higher one breaks the ack
    at: datetime
    by: str = ""  # who, for people
    reason: str = ""  # for people
    until_at: datetime | None = None
    id: int = 0  # 0 until it is stored
    ended_at: datetime | None = None  # when somebody took it back


# --- who knows what ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a channel knows, or should know, of one alert: never the text, only the state."""

    incident_id: str
    level: Level
    reminders: int = 0
    ended: bool = False
    missed: tuple[str, ...] = ()  # earlier incidents, oldest first, of whose end the channel had not heard yet
    flapping: bool = False  # the incident is one of many, and none of them is told for itself
    held: bool = False  # only desired: not to be told for now, unless as the end of what is known


@dataclass(frozen=True, slots=True)
class Root:
    """The message that an incident stands in, where a channel has threads: later ones reply to it, or edit it."""

    incident_id: str
    receipt: str  # what the receiver calls it; never empty
    level: Level  # what it shows
    ended: bool = False
    wording: str = ""  # of the reading that it was last written from


@dataclass(frozen=True, slots=True)
class Notification:
    """Desired (the cycle writes it) against notified (the outbox does), for one alert, channel and recipient."""

    key: AlertKey
    channel: str
    recipient: str = ""  # empty where the channel has only one
    desired: Knowledge | None = None
    notified: Knowledge | None = None
    notified_at: datetime | None = None  # of the last message that was accepted
    root: Root | None = None  # of the incident that was last told by a message of its own


@dataclass(frozen=True, slots=True)
class Outdated:
    """A notification whose root shows another state than its alert has, or other words than its rule."""

    notification: Notification
    level: Level | None  # of the alert in the root's very incident; None where that is over
    wording: str  # of the alert's reading; empty where the alert is gone


@dataclass(frozen=True, slots=True)
class Cover:
    """One alert's state that a delivery brings a channel to."""

    key: AlertKey
    knowledge: Knowledge


class CallKind(StrEnum):
    """What a delivery asks of its channel."""

    POST = "post"  # a new message
    REPLY = "reply"  # a new message in the thread of another
    EDIT = "edit"  # another message says something else now, and nobody is told


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt-worthy call: one message to one recipient of one channel, or one edit of a message."""

    key: str  # the same for the same states on the same channel, so that a receiver can tell a copy
    channel: str
    recipient: str
    covers: tuple[Cover, ...]  # one; more in a digest; never empty
    created_at: datetime
    due_at: datetime
    call: CallKind = CallKind.POST
    receipt: str = ""  # of the message that it edits or replies to; empty for a post
    state: DeliveryState = DeliveryState.PENDING
    may_have_arrived: bool = False  # an earlier attempt ended without an answer
    attempts: int = 0
    attempted_at: datetime | None = None
    settled_at: datetime | None = None
    why: str = ""  # the last attempt's outcome, for people; holds no secret
    wording: str = ""  # of the reading that it is written from; empty in a digest, which is never edited


class Occasion(StrEnum):
    """What a channel is told, or would be: the step from what it knows to what it should know."""

    FIRED = "fired"
    ESCALATED = "escalated"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    FLAPPING = "flapping"
    STANDING = "standing"  # nothing new: how it stands now, for a message that is edited


@dataclass(frozen=True, slots=True)
class Telling:
    """One alert's part of a message: the incident that it speaks of, and what the channel knew before."""

    occasion: Occasion
    alert: Alert  # as it stands now; its own incident may already be another one
    incident: Incident
    desired: Knowledge
    notified: Knowledge | None = None
    missed: tuple[Incident, ...] = ()  # earlier ones, oldest first, of whose end the channel had not heard yet
    ack: Ack | None = None  # of this incident, in force
    silence: Silence | None = None  # that holds for this alert now; of more the one that ends last
    past: tuple[tuple[datetime, float], ...] = ()  # the value of late, oldest first; may be empty
