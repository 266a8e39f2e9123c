"""`guard status`: how the asking goes, what fires, and what each channel still has to be told."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from guard.cli.alerts import alert_document, by_urgency, is_busy, print_alerts, print_young, young_document
from guard.cli.buttons import Buttons, buttons_lines, read_buttons
from guard.cli.channels import COLUMNS, Channel, channel_document, channel_rows, read_channels
from guard.cli.families import FamilyStatus, Member, member_document, member_lines, read_families
from guard.cli.hearing import NOTHING, Hearing, read_hearings
from guard.cli.options import AccountOption, FormatOption, RulesOption, chosen
from guard.cli.output import Format, print_json, print_table, say
from guard.cli.rule_file import contents, if_readable, zones
from guard.clock import Clock
from guard.lifecycle.mutes import is_in_force
from guard.model import Alert, AlertKey, Snapshot
from guard.settings import Listen, Settings
from guard.units import counted, iso

if TYPE_CHECKING:
    from guard.config import Config
    from guard.store import Reader

_ALERTS: Final = 20  # shown; `guard alerts` shows all


@dataclass(frozen=True, slots=True)
class _Status:
    """What there is to show, of the accounts and channels of the rule file; of all that are stored without one."""

    now: datetime
    path: Path
    config: "Config | None"
    pattern: str | None  # what the accounts are chosen by
    accounts: tuple[tuple[FamilyStatus, Member], ...]  # those that are shown one by one
    snapshots: Mapping[str, Snapshot]  # the last good answer of those, by account; absent before the first
    watched: frozenset[str]  # names of all that were chosen
    alerts: tuple[Alert, ...]  # of all that were chosen
    hearings: Mapping[AlertKey, Hearing]
    silences: tuple[int, ...]  # the numbers of those in force, whatever they are about
    channels: tuple[Channel, ...]
    buttons: Buttons | None  # None where no channel has any


def status(
    rules: RulesOption = None,
    account: AccountOption = None,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Show how things stand, from the database.

    For each account the last poll and its numbers, and its sub-accounts
    together if there are many; then the alerts that are not at rest, then what
    each channel still has to be told, and what it refused for good. Works
    whether or not the service runs.
    """
    from guard.store import Reader

    settings = Settings.from_environ(os.environ)
    path = rules or settings.rules
    config = if_readable(path)
    with Reader.open(settings.database) as reader:
        seen = _read(reader, path=path, config=config, pattern=account, listen=settings.listen)
    if format is Format.JSON:
        print_json(_document(seen))
    else:
        _print(seen)


def _read(
    reader: "Reader", *, path: Path, config: "Config | None", pattern: str | None, listen: Listen | None
) -> _Status:
    families = read_families(reader, config)
    names = chosen((name for family in families for name in family.names), pattern)
    accounts = [(family, each) for family in families for each in family.shown(names, by_name=pattern is not None)]
    now = Clock().now()
    alerts = tuple(each for key, each in reader.alerts().items() if key.account in names)
    return _Status(
        now=now,
        path=path,
        config=config,
        pattern=pattern,
        accounts=tuple(accounts),
        snapshots=dict(_last_snapshots(reader, (each.account.name for _, each in accounts))),
        watched=names,
        alerts=alerts,
        hearings=read_hearings(reader, alerts, now=now),
        silences=tuple(each.id for each in reader.silences(since=now) if is_in_force(each, now=now)),
        channels=tuple(read_channels(reader, config, accounts=None if pattern is None else names)),
        buttons=read_buttons(config, listen),
    )


def _last_snapshots(reader: "Reader", names: Iterable[str]) -> Iterator[tuple[str, Snapshot]]:
    from guard.payload import snapshot

    for name in names:
        for at, answer in reader.recent_answers(name, count=1):
            yield name, snapshot(answer, account=name, at=at)


# --- for people ----------------------------------------------------------------------------------------------------


def _print(seen: _Status) -> None:
    say(
        f"{seen.path}: {contents(seen.config)}"
        if seen.config
        else f"{seen.path}: cannot be used; `guard check` says why"
    )
    for family, member in seen.accounts:
        say("")
        for line in member_lines(family, member, seen.snapshots.get(member.account.name), now=seen.now):
            say(line)
    say("")
    _print_alerts(seen)
    say("")
    _print_channels(seen)


def _print_alerts(seen: _Status) -> None:
    busy = sorted(filter(is_busy, seen.alerts), key=by_urgency)
    if busy:
        print_alerts(busy[:_ALERTS], seen.hearings, now=seen.now, zone_of=zones(seen.config))
        if len(busy) > _ALERTS:
            only = f" --account {shlex.quote(seen.pattern)}" if seen.pattern else ""
            say(f"and {len(busy) - _ALERTS:,} more; `guard alerts{only}` shows all")
    else:
        say(f"No alert is firing{_watched(seen)}.")
    print_young(seen.alerts)
    if seen.silences:
        are = "is" if len(seen.silences) == 1 else "are"
        say(f"{counted(len(seen.silences), 'silence')} {are} in force; `guard silence list` shows which.")


def _watched(seen: _Status) -> str:
    if seen.config is None:
        return ""
    rules = counted(len(seen.config.rule_names), "rule")
    return f"; {rules} watched" + (f" on {len(seen.watched):,} accounts" if len(seen.watched) > 1 else "")


def _print_channels(seen: _Status) -> None:
    if not any(each.busy for each in seen.channels):
        names = ", ".join(each.name for each in seen.channels)
        say(f"Every channel knows all there is to know: {names}." if names else "No channel.")
    else:
        print_table(COLUMNS, [row for each in seen.channels for row in channel_rows(each, now=seen.now)])
    for line in buttons_lines(seen.buttons) if seen.buttons else ():
        say(line)


# --- for machines --------------------------------------------------------------------------------------------------


def _document(seen: _Status) -> dict[str, Any]:
    return {
        "at": iso(seen.now),
        "rules": str(seen.path),
        "rules_usable": seen.config is not None,
        "accounts": [
            member_document(family, member, seen.snapshots.get(member.account.name), now=seen.now)
            for family, member in seen.accounts
        ],
        "alerts": [alert_document(each, seen.hearings.get(each.key, NOTHING)) for each in seen.alerts if is_busy(each)],
        "young": young_document(seen.alerts),
        "silences": list(seen.silences),
        "channels": [channel_document(each) for each in seen.channels],
        **({"buttons": dict(seen.buttons.heard)} if seen.buttons else {}),
    }
