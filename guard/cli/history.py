"""`guard history`: what happened, event by event."""

import os
from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from guard.cli.options import FormatOption, since_at
from guard.cli.output import Format, print_json, print_table, say, warn
from guard.cli.rule_file import if_readable, zones
from guard.clock import Clock
from guard.errors import UsageError
from guard.model import AlertKey, Event, EventKind
from guard.settings import Settings
from guard.units import exact_instant_text, iso, value_text

_WORDS: Final = {
    EventKind.RELEASED: "no longer held back",
    EventKind.FLAPPING: "fires and ends time and again: told once, until it is stable or gets worse",
    EventKind.STABLE: "flaps no longer",
}
"""What there is to say of events that come without a reason."""

if TYPE_CHECKING:
    from guard.store import Reader


def history(
    *,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back: 90m, 24h, 7d.")] = "24h",
    alert: Annotated[
        str | None, typer.Option("--alert", metavar="ACCOUNT/RULE", help="Only of this alert.", show_default=False)
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ACCOUNT", help="Only of this account.", show_default=False)
    ] = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="The versions of the rule file that took effect, newest first.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Show the last N at most.")] = 100,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Show what happened, newest last.

    Events are the transitions of alerts, and what became of each attempt to
    tell a channel. With --rules, each version of the rule file that took
    effect, and what it changed.
    """
    from guard.store import Reader

    settings = Settings.from_environ(os.environ)
    if rules:
        _show_rules(settings.database, alone=(alert, account) == (None, None), limit=limit, format=format)
        return
    begins_at = since_at(since, now=Clock().now())
    key = _key(alert) if alert else None
    with Reader.open(settings.database) as reader:
        found = reader.events(limit=limit + 1, since=begins_at, key=key, account=account)
        unheard_of = "" if found else _unheard_of(reader, key, account)
    shown, is_cut = found[:limit][::-1], len(found) > limit
    if format is Format.JSON:
        print_json({"since": iso(begins_at), "cut": is_cut, "events": [_document(each) for each in shown]})
        return
    if is_cut:
        warn(f"there is more than --limit {limit} shows; a higher one shows it")
    if shown:
        _print(shown, zone_of=zones(if_readable(settings.rules)))
    else:
        whom = f" to {alert or account}" if alert or account else ""
        say(f"Nothing happened{whom} in the last {since}{unheard_of}.")


def _show_rules(database: str, *, alone: bool, limit: int, format: Format) -> None:  # noqa: A002 - the option's name
    from guard.cli.versions import show_versions
    from guard.store import Reader

    if not alone:
        raise UsageError("--rules shows versions of the whole file; leave out --alert and --account")
    with Reader.open(database) as reader:
        show_versions(reader, limit=limit, as_json=format is Format.JSON)


def _unheard_of(reader: "Reader", key: AlertKey | None, account: str | None) -> str:
    """What there is to say of a name that is perhaps misspelled."""
    if key is not None and key not in reader.alerts(key.account):
        return "; no alert of that name was evaluated yet"
    if account is not None and reader.account(account) is None:
        return "; no account of that name was asked yet"
    return ""


def _key(text: str) -> AlertKey:
    account, _, rest = text.partition("/")
    rule, _, subject = rest.partition("/")
    if not (account and rule):
        raise UsageError(f"--alert {text!r} is no alert; write ACCOUNT/RULE, as in main/numbers-remaining")
    return AlertKey(account, rule, subject)


def _print(events: list[Event], *, zone_of: Callable[[str], tzinfo]) -> None:
    columns = ("AT", "EVENT", "ALERT", "LEVEL", "VALUE", "CHANNEL", "WHY")
    print_table(columns, [_row(each, zone=zone_of(each.key.account)) for each in events])


def _row(event: Event, *, zone: tzinfo) -> tuple[str, ...]:
    return (
        exact_instant_text(event.at, zone),
        event.kind.value,
        str(event.key),
        event.level.word if event.level else "",
        "" if event.value is None else value_text(event.value, ""),
        event.channel,
        "; ".join(filter(None, (_WORDS.get(event.kind, ""), event.text))),
    )


def _document(event: Event) -> dict[str, Any]:
    return {
        "at": iso(event.at),
        "event": event.kind.value,
        "alert": str(event.key),
        "account": event.key.account,
        "rule": event.key.rule,
        "subject": event.key.subject,
        "incident": event.incident_id or None,
        "level": event.level.word if event.level else None,
        "value": event.value,
        "channel": event.channel or None,
        "text": event.text,
    }
