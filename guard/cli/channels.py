"""Channels in `guard status`: what each still has to be told, what is tried again, and what it refused for good."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from guard.lifecycle.desired import gap
from guard.lifecycle.strait import strait
from guard.model import AlertKey, CallKind, Cover, Delivery, DeliveryState, Notification
from guard.units import counted, duration_text, iso

if TYPE_CHECKING:
    from guard.config import ChannelConfig, Config
    from guard.store import Reader

COLUMNS: Final = ("CHANNEL", "STATE", "NEXT ATTEMPT", "WHY")
Row = tuple[str, str, str, str]

_OPEN: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD)
_ROWS: Final = 10  # of deliveries to one recipient: who takes nothing may have refused any number of them


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, and what is left to do for it."""

    name: str
    recipients: tuple[str, ...]  # one without a name where it has only one; empty where nobody knows
    finds: bool  # whether it is asked for what may have arrived
    waiting: tuple[Notification, ...]  # of what it is yet to be told
    deliveries: tuple[Delivery, ...]  # pending, being sent, dead; oldest first
    config: "ChannelConfig | None" = None  # None where nobody knows

    @property
    def busy(self) -> set[str]:
        """The recipients for whom something is left to do."""
        return {each.recipient for each in self.waiting} | {each.recipient for each in self.deliveries}


def read_channels(reader: "Reader", config: "Config | None", *, accounts: Collection[str] | None) -> list[Channel]:
    """The channels of the rule file, without one those that were ever told; as to these accounts, None being all."""
    from guard.config import SlackBotConfig, recipients_of

    def matters(key: AlertKey) -> bool:
        return accounts is None or key.account in accounts

    configs = dict(config.channels) if config else {}
    names = list(configs) if config else sorted({each.channel for each in reader.notifications()})
    deliveries = [each for each in reader.deliveries(states=_OPEN) if any(matters(cover.key) for cover in each.covers)]
    return [
        Channel(
            name=name,
            recipients=recipients_of(configs[name]) if config else (),
            finds=isinstance(configs.get(name), SlackBotConfig),
            waiting=tuple(
                each for each in reader.waiting(name) if matters(each.key) and gap(each.desired, each.notified)
            ),
            deliveries=tuple(each for each in deliveries if each.channel == name),
            config=configs.get(name),
        )
        for name in names
    ]


# --- for people ----------------------------------------------------------------------------------------------------


def channel_rows(channel: Channel, *, now: datetime) -> Iterator[Row]:
    """What is left to do, recipient by recipient; those who know all are counted together."""
    busy = sorted(channel.busy)
    others = len(set(channel.recipients) - set(busy))
    for recipient in busy:
        name = f"{channel.name} ({recipient})" if recipient and len(channel.recipients) != 1 else channel.name
        yield from ((name, *cells) for cells in _cells(channel, recipient, now=now))
    if others:
        yield (f"{channel.name} ({counted(others, 'other')})" if busy else channel.name, "knows all", "", "")


def _cells(channel: Channel, recipient: str, *, now: datetime) -> Iterator[tuple[str, str, str]]:
    """State, next attempt and reason of what is left to do for one recipient; what is refused comes first."""
    deliveries = [each for each in channel.deliveries if each.recipient == recipient]
    tellings = sorted((each for each in deliveries if not _is_edit(each)), key=lambda each: not _is_dead(each))
    covered = {cover for each in tellings for cover in each.covers}
    waiting = (
        Cover(each.key, each.desired) for each in channel.waiting if each.recipient == recipient and each.desired
    )
    if untold := sum(cover not in covered for cover in waiting):
        yield f"{untold:,} to be told of", "", ""
    advice = _advice(channel, now=now)
    for each in tellings[:_ROWS]:
        why = ". ".join(filter(None, (each.why, advice if each is tellings[0] and _is_dead(each) else "")))
        yield f"{_state(each, finds=channel.finds, now=now)}: {_alerts(each)}", _next_attempt([each], now=now), why
    if len(tellings) > _ROWS:
        yield f"and {len(tellings) - _ROWS:,} more", "", ""
    edits = [each for each in deliveries if _is_edit(each)]
    for what, some in (
        ("to be edited", [each for each in edits if not _is_dead(each)]),
        ("cannot be edited", [each for each in edits if _is_dead(each)]),
    ):
        if some:
            yield f"{counted(len(some), 'message')} {what}", _next_attempt(some, now=now), some[0].why


def _is_edit(delivery: Delivery) -> bool:
    return delivery.call is CallKind.EDIT


def _is_dead(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.DEAD


def _state(delivery: Delivery, *, finds: bool, now: datetime) -> str:
    """How it stands and, unless it is done with, for how long it has waited."""
    if delivery.state is not DeliveryState.PENDING:
        return delivery.state.value
    doubted = "looked for" if finds else "in doubt"
    word = doubted if delivery.may_have_arrived else delivery.state.value
    return f"{word}, {duration_text(now - delivery.created_at)} old"


def _alerts(delivery: Delivery) -> str:
    first, *others = (str(cover.key) for cover in delivery.covers)
    return f"{first} and {len(others):,} more" if others else first


def _next_attempt(deliveries: list[Delivery], *, now: datetime) -> str:
    """When the first of them is tried, which are all of one state."""
    first = min(deliveries, key=lambda each: each.due_at)
    match first.state:
        case DeliveryState.PENDING:
            return f"in {duration_text(first.due_at - now)}" if first.due_at > now else "now"
        case DeliveryState.DEAD:
            return "within the hour, or after `guard send-test`"
        case _:
            return "under way"


def _advice(channel: Channel, *, now: datetime) -> str:
    """What to do about a channel that refused something, or took nothing for too long; empty where nobody knows."""
    from guard.config.failing import failing_advice

    found = strait(channel.name, channel.deliveries, now=now)
    return failing_advice(channel.config, found) if channel.config and found.refused else ""


# --- for machines --------------------------------------------------------------------------------------------------


def channel_document(channel: Channel) -> dict[str, Any]:
    """A channel as JSON has it; only one whose recipients have names has `recipients`."""
    named = sorted({*channel.recipients, *channel.busy} - {""})
    waiting = [each.recipient for each in channel.waiting]
    counts = [{"recipient": each, "waiting": waiting.count(each)} for each in named]
    tellings = [each for each in channel.deliveries if not _is_edit(each)]
    return {
        "channel": channel.name,
        "waiting": len(waiting),
        "oldest_pending_at": iso(min((each.created_at for each in tellings if not _is_dead(each)), default=None)),
        "dead": sum(map(_is_dead, tellings)),
        **({"recipients": counts} if named else {}),
        "deliveries": [delivery_document(each) for each in channel.deliveries],
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """A delivery as JSON has it."""
    return {
        "key": delivery.key,
        "call": delivery.call.value,
        "recipient": delivery.recipient or None,
        "state": delivery.state.value,
        "may_have_arrived": delivery.may_have_arrived,
        "alerts": [str(cover.key) for cover in delivery.covers],
        "created_at": iso(delivery.created_at),
        "due_at": iso(delivery.due_at) if delivery.state is DeliveryState.PENDING else None,
        "attempts": delivery.attempts,
        "why": delivery.why or None,
    }
