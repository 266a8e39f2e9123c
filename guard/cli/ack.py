"""`guard ack`: says that somebody has seen what fires, so that nobody is reminded of it."""

import os
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Final

import typer

from guard.cli.moment import read_duration
from guard.cli.output import say
from guard.cli.person import ByOption, ReasonOption, named, read_line
from guard.cli.rule_file import if_readable, zones
from guard.clock import Clock
from guard.errors import UsageError
from guard.lifecycle.mutes import acked, unacked
from guard.message import listed
from guard.model import Ack, Incident, Level
from guard.settings import Settings
from guard.units import counted, instant_text

if TYPE_CHECKING:
    from guard.store import Unit

_NAMED: Final = 5  # in a list of what fires


def ack(
    *,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="ACCOUNT/RULE, or ACCOUNT/RULE/SUBJECT.")],
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="For how long: 90m, 4h, 2d; at most 90d.", show_default=False),
    ] = None,
    reason: ReasonOption = "",
    by: ByOption = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: reminders go on.")] = False,
) -> None:
    """Acknowledge what fires: nobody is reminded of it.

    It holds until the alert gets worse, or ends, or the time of --for is over.
    Messages say who acknowledged it. The end is told all the same, and so is a
    higher level.
    """
    from guard.store.outside import write_outside

    if undo and (for_ is not None or reason):
        raise UsageError("--undo takes an ack back; leave out --for and --reason")
    settings = Settings.from_environ(os.environ)
    now, who = Clock().now(), named(by)
    until_at = None if for_ is None else now + read_duration(for_)
    why = read_line(reason, "--reason")

    def work(unit: "Unit") -> tuple[Incident, int]:
        incident = _firing(unit, alert)
        if undo:
            return incident, _take_back(unit, incident, by=who, now=now)
        done = Ack(incident.id, incident.peak, now, who, why, until_at)
        unit.add_events([acked(incident, done)])
        return incident, unit.add_ack(done)

    incident, number = write_outside(settings.database, work)
    if undo:
        say(f"{incident.key}: {counted(number, 'ack')} taken back; reminders go on.")
    else:
        zone = zones(if_readable(settings.rules))(incident.key.account)
        say(f"{incident.key} is acknowledged{f' by {who}' if who else ''}.\n{_holds(incident, until_at, zone=zone)}")


def _take_back(unit: "Unit", incident: Incident, *, by: str, now: datetime) -> int:
    """Ends the incident's acks, and gives how many there were; raises UsageError where there is none."""
    number = unit.end_acks(incident.id, now=now)
    if not number:
        raise UsageError(f"{incident.key} is not acknowledged")
    unit.add_events([unacked(incident, by=by, at=now)])
    return number


def _holds(incident: Incident, until_at: datetime | None, *, zone: tzinfo) -> str:
    rise = "" if incident.peak is max(Level) else f"gets worse than {incident.peak.word}, or "
    time = f", or at the latest until {instant_text(until_at, zone)}" if until_at else ""
    return f"Nobody is reminded of it until it {rise}ends{time}; that is told all the same."


# --- what fires -----------------------------------------------------------------------------------------------------


def _firing(unit: "Unit", name: str) -> Incident:
    """The incident of the alert that is meant. Raises UsageError where it does not fire, or is not known."""
    incidents = {str(key): each.incident for key, each in unit.alerts().items()}
    if (found := incidents.get(name)) is not None:
        return found
    firing = [each for each, incident in incidents.items() if incident is not None]
    if name in incidents:
        raise UsageError(f"{name} does not fire{_what(firing)}")
    subjects = [each for each in firing if each.startswith(f"{name}/")]
    raise UsageError(f"there is no alert {name!r}{_what(subjects) if subjects else _near(name, firing)}")


def _near(name: str, firing: list[str]) -> str:
    from guard.rules.complaint import hint

    return hint(name, firing) or _what(firing)


def _what(firing: list[str]) -> str:
    """What can be acknowledged."""
    return f"; what fires is {listed(firing, at_most=_NAMED)}" if firing else "; no alert fires now"
