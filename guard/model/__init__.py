"""The nouns, from accounts and snapshots to silences and deliveries; frozen, no I/O.

Every instant is an aware UTC `datetime` whose name ends in `_at`; durations are `timedelta`.
"""

from guard.model.account import Account, SubAccount, is_sub_account, master_name, sub_account_name
from guard.model.alert import Alert, Flapping, Incident, Reason, State, Timer
from guard.model.alert_key import AlertKey
from guard.model.answer import Answer, Each, Endpoint, Failure, FailureKind, Fields, Snapshot
from guard.model.built_in import CHANNEL_FAILING, CONFIG_INVALID, NO_DATA, REPORT, STORE_FAILING
from guard.model.delivery import CallKind, Delivery, DeliveryState
from guard.model.evaluation import Bound, Evaluation, Reading
from guard.model.event import Event, EventKind
from guard.model.level import Level
from guard.model.mute import Ack, Silence
from guard.model.notification import Cover, Knowledge, Notification, Outdated, Root
from guard.model.telling import Occasion, Telling

__all__ = [
    "CHANNEL_FAILING",
    "CONFIG_INVALID",
    "NO_DATA",
    "REPORT",
    "STORE_FAILING",
    "Account",
    "Ack",
    "Alert",
    "AlertKey",
    "Answer",
    "Bound",
    "CallKind",
    "Cover",
    "Delivery",
    "DeliveryState",
    "Each",
    "Endpoint",
    "Evaluation",
    "Event",
    "EventKind",
    "Failure",
    "FailureKind",
    "Fields",
    "Flapping",
    "Incident",
    "Knowledge",
    "Level",
    "Notification",
    "Occasion",
    "Outdated",
    "Reading",
    "Reason",
    "Root",
    "Silence",
    "Snapshot",
    "State",
    "SubAccount",
    "Telling",
    "Timer",
    "is_sub_account",
    "master_name",
    "sub_account_name",
]
