"""`guard status`: how the asking goes, what fires, and what each channel still has to be told."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guard.cli.alerts import alert_document, is_busy, print_alerts
from guard.cli.options import FormatOption, RulesOption
from guard.cli.output import Format, ago, iso, print_json, print_table, say
from guard.cli.rule_file import contents, counted, if_readable, zones
from guard.clock import Clock
from guard.fields import FIELDS
from guard.lifecycle.asking import may_ask
from guard.model import Account, Alert, Delivery, DeliveryState, Snapshot
from guard.settings import Settings
from guard.units import duration_text, value_text

if TYPE_CHECKING:
    from guard.config import AccountConfig, Config
    from guard.store import Reader

_OPEN = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class _Status:
    """What there is to show, of the accounts and channels of the rule file; of all that are stored without one."""

    now: datetime
    path: Path
    config: "Config | None"
    accounts: tuple[Account, ...]
    snapshots: Mapping[str, Snapshot]  # the last good answer, by account; absent before the first
    alerts: tuple[Alert, ...]
    waiting: Mapping[str, int]  # alerts of which a channel has yet to be told, by channel
    deliveries: tuple[Delivery, ...]  # pending, being sent, dead; oldest first

    def account_config(self, name: str) -> "AccountConfig | None":
        """What the rule file says of an account."""
        accounts = self.config.accounts if self.config else ()
        return next((each for each in accounts if each.name == name), None)


def status(
    rules: RulesOption = None,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Show how things stand, from the database.

    For each account the last poll and its numbers, then the alerts that are
    not at rest, then what each channel still has to be told, and what it
    refused for good. Works whether or not the service runs.
    """
    from guard.store import Reader

    settings = Settings.from_environ(os.environ)
    path = rules or settings.rules
    config = if_readable(path)
    with Reader.open(settings.database) as reader:
        seen = _read(reader, path=path, config=config)
    if format is Format.JSON:
        print_json(_document(seen))
    else:
        _print(seen)


def _read(reader: "Reader", *, path: Path, config: "Config | None") -> _Status:
    stored = reader.accounts()
    names = [each.name for each in config.accounts] if config else list(stored)
    alerts = reader.alerts()
    channels = list(config.channels) if config else sorted({each.channel for each in reader.notifications()})
    return _Status(
        now=Clock().now(),
        path=path,
        config=config,
        accounts=tuple(stored.get(name) or Account(name) for name in names),
        snapshots={name: found for name in names if (found := _last_snapshot(reader, name))},
        alerts=tuple(each for key, each in alerts.items() if key.account in names),
        waiting={channel: len(reader.waiting(channel)) for channel in channels},
        deliveries=tuple(each for each in reader.deliveries(states=_OPEN) if each.channel in channels),
    )


def _last_snapshot(reader: "Reader", account: str) -> Snapshot | None:
    from guard.payload import snapshot

    answers = reader.recent_answers(account, count=1)
    return snapshot(answers[0][1], account=account, at=answers[0][0]) if answers else None


# --- for people ----------------------------------------------------------------------------------------------------


def _print(seen: _Status) -> None:
    say(
        f"{seen.path}: {contents(seen.config)}"
        if seen.config
        else f"{seen.path}: cannot be used; `guard check` says why"
    )
    for account in seen.accounts:
        say("")
        for line in _account_lines(seen, account):
            say(line)
    say("")
    _print_alerts(seen)
    say("")
    _print_channels(seen)


def _account_lines(seen: _Status, account: Account) -> Iterator[str]:
    yield account.name
    yield f"  {_asked(account, now=seen.now)}"
    config = seen.account_config(account.name)
    if config and account.cycled_at and seen.now - account.cycled_at > 3 * config.every:
        yield f"  last asked {ago(account.cycled_at, now=seen.now)}: is the service running?"
    if account.lost:
        yield "  DATA IS LOST: nothing is watched until it answers again"
    if (snapshot := seen.snapshots.get(account.name)) is not None:
        reads = {name for rule in config.rules for name in rule.reads} if config else set(snapshot.values)
        for name in sorted(reads & snapshot.values.keys()):
            yield f"  {name} {_value_text(name, snapshot.values[name])}"


def _asked(account: Account, *, now: datetime) -> str:
    if account.cycled_at is None:
        return "was never asked; `guard run` does"
    if account.failure is None:
        return f"answered {ago(account.good_at, now=now)}"
    since = f"last good answer {ago(account.good_at, now=now)}"
    text = f"failed {counted(account.failures, 'time')}: {account.failure.text}; {since}"
    if account.ask_at is None or may_ask(account, now=now):
        return text
    return f"{text}; asked again in {duration_text(account.ask_at - now)}"


def _value_text(name: str, value: float | str) -> str:
    return value if isinstance(value, str) else value_text(value, FIELDS[name].unit if name in FIELDS else "")


def _print_alerts(seen: _Status) -> None:
    busy = [each for each in seen.alerts if is_busy(each)]
    if not busy:
        watched = sum(len(account.rules) for account in seen.config.accounts) if seen.config else 0
        say("No alert is firing" + (f"; {counted(watched, 'rule')} watched." if seen.config else "."))
        return
    print_alerts(busy, now=seen.now, zone_of=zones(seen.config))


def _print_channels(seen: _Status) -> None:
    if not any(seen.waiting.values()) and not seen.deliveries:
        say(f"Every channel knows all there is to know: {', '.join(seen.waiting)}." if seen.waiting else "No channel.")
        return
    rows = [(name, f"{count} to be told of" if count else "knows all", "", "") for name, count in seen.waiting.items()]
    rows += [_delivery_row(each, now=seen.now) for each in seen.deliveries]
    print_table(("CHANNEL", "STATE", "NEXT ATTEMPT", "WHY"), sorted(rows))


def _delivery_row(delivery: Delivery, *, now: datetime) -> tuple[str, str, str, str]:
    alerts = ", ".join(str(cover.key) for cover in delivery.covers)
    return delivery.channel, f"{delivery.state}: {alerts}", _next_attempt(delivery, now=now), delivery.why


def _next_attempt(delivery: Delivery, *, now: datetime) -> str:
    match delivery.state:
        case DeliveryState.PENDING:
            return f"in {duration_text(delivery.due_at - now)}" if delivery.due_at > now else "now"
        case DeliveryState.DEAD:
            return "within the hour, or after `guard send-test`"
        case _:
            return "under way"


# --- for machines --------------------------------------------------------------------------------------------------


def _document(seen: _Status) -> dict[str, Any]:
    return {
        "at": iso(seen.now),
        "rules": str(seen.path),
        "rules_usable": seen.config is not None,
        "accounts": [_account_document(seen, each) for each in seen.accounts],
        "alerts": [alert_document(each) for each in seen.alerts if is_busy(each)],
        "channels": [
            {
                "channel": name,
                "waiting": count,
                "deliveries": [_delivery_document(each) for each in seen.deliveries if each.channel == name],
            }
            for name, count in seen.waiting.items()
        ],
    }


def _account_document(seen: _Status, account: Account) -> dict[str, Any]:
    snapshot, failure = seen.snapshots.get(account.name), account.failure
    return {
        "account": account.name,
        "cycled_at": iso(account.cycled_at),
        "good_at": iso(account.good_at),
        "data_lost": account.lost,
        "failures": account.failures,
        "failure": {"kind": failure.kind.value, "text": failure.text} if failure else None,
        "not_asked_before": iso(account.ask_at),
        "values": dict(snapshot.values) if snapshot else {},
    }


def _delivery_document(delivery: Delivery) -> dict[str, Any]:
    return {
        "key": delivery.key,
        "state": delivery.state.value,
        "alerts": [str(cover.key) for cover in delivery.covers],
        "created_at": iso(delivery.created_at),
        "due_at": iso(delivery.due_at) if delivery.state is DeliveryState.PENDING else None,
        "attempts": delivery.attempts,
        "why": delivery.why or None,
    }
