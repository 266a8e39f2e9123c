"""`guard alerts`: what fires, what may soon, and what is about to end."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any, Final

import typer

from guard.cli.hearing import NOTHING, Hearing, hearing_document, hearing_text, read_hearings
from guard.cli.options import AccountOption, FormatOption, chosen
from guard.cli.output import Format, ago, print_json, print_table, say
from guard.cli.rule_file import if_readable, zones
from guard.clock import Clock
from guard.model import Alert, AlertKey, State
from guard.settings import Settings
from guard.units import instant_text, iso, value_text

_WORST_FIRST: Final = (State.FIRING, State.RECOVERING, State.PENDING, State.OK)


def alerts(
    everything: Annotated[bool, typer.Option("--all", help="Also those at rest, once evaluated.")] = False,
    account: AccountOption = None,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Show the alerts that are not at rest, the worst first.

    An alert is pending while its condition has not yet held for long enough,
    then firing, and recovering while its end has not held for long enough.
    """
    from guard.store import Reader

    settings = Settings.from_environ(os.environ)
    now = Clock().now()
    with Reader.open(settings.database) as reader:
        names = chosen(reader.accounts(), account)
        stored = [each for key, each in reader.alerts().items() if account is None or key.account in names]
        shown = [each for each in stored if everything or is_busy(each)]
        hearings = read_hearings(reader, shown, now=now)
    if format is Format.JSON:
        documents = [alert_document(each, hearings.get(each.key, NOTHING)) for each in shown]
        print_json({"at": iso(now), "alerts": documents, "young": young_document(stored)})
        return
    if shown:
        ordered = sorted(shown, key=by_urgency)
        print_alerts(ordered, hearings, now=now, zone_of=zones(if_readable(settings.rules)))
    else:
        say("No alert is firing." if stored else "No alert is firing; none was evaluated yet.")
    if not everything:
        print_young(stored)


def is_busy(alert: Alert) -> bool:
    """Whether an alert is not at rest, or cannot be evaluated for another reason than too short a history."""
    return alert.state is not State.OK or alert.unknown is not None


def is_young(alert: Alert) -> bool:
    """Whether an alert cannot be evaluated for too short a history alone, which time mends by itself."""
    return bool(alert.unknown_why) and alert.unknown is None


def by_urgency(alert: Alert) -> tuple[int, int, AlertKey]:
    """Sorts the worst first."""
    return -(alert.level or 0), _WORST_FIRST.index(alert.state), alert.key


def print_alerts(
    shown: Iterable[Alert],
    hearings: Mapping[AlertKey, Hearing],
    *,
    now: datetime,
    zone_of: Callable[[str], tzinfo],
) -> None:
    """Prints a table, one alert a row."""
    print_table(
        ("ALERT", "STATE", "LEVEL", "VALUE", "SINCE", "SUMMARY"),
        [_row(each, hearings.get(each.key, NOTHING), now=now, zone=zone_of(each.key.account)) for each in shown],
    )


def print_young(stored: Iterable[Alert]) -> None:
    """Says which rules at rest are not known yet for too short a history, a line for each."""
    found = _young(stored)
    if found:
        say("")
    for (rule, why), accounts in found.items():
        where = accounts[0] if len(accounts) == 1 else f"{len(accounts):,} accounts"
        say(f"{rule} is not known yet on {where}: {why}.")


def young_document(stored: Iterable[Alert]) -> list[dict[str, Any]]:
    """The same as JSON has it."""
    return [{"rule": rule, "why": why, "accounts": accounts} for (rule, why), accounts in _young(stored).items()]


def _young(stored: Iterable[Alert]) -> dict[tuple[str, str], list[str]]:
    """The accounts on which a rule is at rest and not known yet, by rule and reason; each once for all its subjects."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for each in stored:
        if is_young(each) and not is_busy(each):
            found.setdefault((each.key.rule, each.unknown_why), {})[each.key.account] = None
    return {young: list(accounts) for young, accounts in found.items()}


def _row(alert: Alert, hearing: Hearing, *, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    since = _since(alert)
    reading, less = alert.reading, hearing_text(hearing, alert, zone=zone)
    return (
        str(alert.key),
        alert.state.value,
        alert.level.word if alert.level else "",
        value_text(reading.value, reading.unit) if reading and reading.value is not None else "",
        f"{instant_text(since, zone)}, {ago(since, now=now)}" if since else "",
        " ".join(filter(None, (reading.summary if reading else "", _unknown_text(alert), f"({less})" if less else ""))),
    )


def _unknown_text(alert: Alert) -> str:
    if is_young(alert):
        return f"({alert.unknown_why})"
    return f"(unknown now: {alert.unknown_why})" if alert.unknown else ""


def alert_document(alert: Alert, hearing: Hearing = NOTHING) -> dict[str, Any]:
    """An alert as JSON has it."""
    reading, incident = alert.reading, alert.incident
    return {
        "alert": str(alert.key),
        "account": alert.key.account,
        "rule": alert.key.rule,
        "subject": alert.key.subject,
        "state": alert.state.value,
        "level": alert.level.word if alert.level else None,
        "since": iso(_since(alert)),
        "value": reading.value if reading else None,
        "unit": reading.unit if reading else None,
        "summary": reading.summary if reading else None,
        "evaluated_at": iso(reading.at) if reading else None,
        "unknown": alert.unknown_why if alert.unknown else None,
        "young": alert.unknown_why if is_young(alert) else None,
        "incident": incident.id if incident else None,
        "peak": incident.peak.word if incident else None,
        **hearing_document(hearing, alert),
    }


def _since(alert: Alert) -> datetime | None:
    """When the incident began, or the condition of a pending alert; None at rest."""
    if alert.incident is not None:
        return alert.incident.started_at
    longest = max(alert.timers.values(), key=lambda timer: timer.total, default=None)
    return longest.at - longest.total if longest else None
