"""`guard silence add`, `list` and `end`: times in which alerts are not told."""

import os
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guard.cli.moment import LONGEST, ZONE_HELP, local_text, read_end, read_instant
from guard.cli.options import FormatOption
from guard.cli.output import Format, print_json, print_table, say, warn
from guard.cli.person import ByOption, ReasonOption, named, read_line
from guard.cli.rule_file import if_readable
from guard.clock import Clock
from guard.errors import UsageError
from guard.lifecycle.mutes import is_in_force
from guard.model import Level, Silence
from guard.settings import Settings
from guard.units import iso

if TYPE_CHECKING:
    from guard.cli.reaching import Reach
    from guard.store import Unit

_LONGEST_PATTERN = 400


class Below(StrEnum):
    """What `--below` takes."""

    WARNING = "warning"
    CRITICAL = "critical"


PatternArgument = Annotated[
    str, typer.Argument(metavar="PATTERN", help="ACCOUNT/RULE or ACCOUNT/RULE/SUBJECT; * and ? stand for others.")
]
ForOption = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="For how long: 90m, 2h, 3d; at most 90d.", show_default=False),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help=f"Until when, {ZONE_HELP}.", show_default=False)
]
StartOption = Annotated[
    str | None, typer.Option("--start", metavar="TIME", help="From when on; now, if left out.", show_default=False)
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="NAME=TEXT", help="Only rules with this label.", show_default=False),
]
BelowOption = Annotated[Below | None, typer.Option("--below", help="Only levels below this one.", show_default=False)]


def add(
    *,
    pattern: PatternArgument,
    for_: ForOption = None,
    until: UntilOption = None,
    start: StartOption = None,
    label: LabelOption = None,
    below: BelowOption = None,
    reason: ReasonOption = "",
    by: ByOption = None,
) -> None:
    """Silence alerts for a while.

    What fires meanwhile, and still does when the time is over, is told then.
    What was told before is told as ended also meanwhile. A pattern that names
    a rule goes for all its subjects.
    """
    settings = Settings.from_environ(os.environ)
    now = Clock().now()
    starts_at = _start(start, now=now)
    silence = Silence(
        pattern=_pattern(pattern),
        starts_at=starts_at,
        ends_at=read_end(for_, until, starts_at=starts_at, now=now),
        labels=_labels(label or []),
        below=None if below is None else Level[below.name],
        reason=read_line(reason, "--reason"),
        by=named(by),
    )
    number, reach, why = _stored(silence, settings)
    begin = f"from {local_text(starts_at)} " if starts_at > now else ""
    say(f"Silence {number}: {_about(silence)}, {begin}until {local_text(silence.ends_at)}.")
    if reach.keys:
        say(reach.text)
    else:
        warn(f"it matches nothing that is known{why or ';'} `guard silence end {number}` takes it back")


def _stored(silence: Silence, settings: Settings) -> "tuple[int, Reach, str]":
    """Adds it, and gives its number, what it is about, and why, where that is nothing."""
    from guard.cli.reaching import reach_of, why_nothing
    from guard.store.outside import write_outside

    config = if_readable(settings.rules)

    def work(unit: "Unit") -> "tuple[int, Reach, str]":
        reach = reach_of(silence, unit, config)
        return unit.add_silence(silence), reach, "" if reach.keys else why_nothing(silence, unit, config)

    return write_outside(settings.database, work)


def list_silences(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """List the silences that are in force, and those to come."""
    from guard.store import Reader

    settings = Settings.from_environ(os.environ)
    now = Clock().now()
    with Reader.open(settings.database) as reader:
        stored = reader.silences() if everything else reader.silences(since=now)
    shown = [each for each in stored if everything or each.ended_at is None]
    if format is Format.JSON:
        print_json({"at": iso(now), "silences": [silence_document(each, now=now) for each in shown]})
    elif shown:
        _print(shown, now=now)
    else:
        say("There was no silence yet." if everything else "Nothing is silenced.")


def end(number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `guard silence list` shows it.")]) -> None:
    """End a silence before its time.

    What it held back and still fires is told within the next cycle.
    """
    from guard.store.outside import write_outside

    settings = Settings.from_environ(os.environ)
    now = Clock().now()

    def work(unit: "Unit") -> None:
        if not unit.end_silence(number, now=now):
            found = next((each for each in unit.silences() if each.id == number), None)
            why = f"silence {number} is over already" if found else f"there is no silence {number}"
            raise UsageError(f"{why}; `guard silence list` shows those that can be ended")

    write_outside(settings.database, work)
    say(f"Silence {number} is ended; what still fires is told in the next cycle.")


# --- what is typed --------------------------------------------------------------------------------------------------


def _start(text: str | None, *, now: datetime) -> datetime:
    if text is None:
        return now
    starts_at = read_instant(text, "--start")
    if starts_at - now > LONGEST:
        raise UsageError(f"--start is within the next {LONGEST.days} days, not {local_text(starts_at)}")
    return starts_at


def _pattern(text: str) -> str:
    if not text.isprintable() or not 0 < len(text) <= _LONGEST_PATTERN:
        raise UsageError(f"a pattern has 1 to {_LONGEST_PATTERN} characters that can be seen")
    if "/" not in text and "*" not in text:
        raise UsageError(f"{text!r} is no alert; write ACCOUNT/RULE, as in '{text}/*' or '*/{text}'")
    return text


def _labels(texts: Iterable[str]) -> dict[str, str]:
    labels = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--label {text!r} is no label; write it as in --label team=support")
        labels[name] = value
    return labels


# --- what is shown --------------------------------------------------------------------------------------------------


def _print(shown: Iterable[Silence], *, now: datetime) -> None:
    rows = [
        (
            str(each.id),
            _state(each, now=now),
            local_text(each.starts_at),
            local_text(_end(each)),
            _about(each),
            _why(each),
        )
        for each in shown
    ]
    print_table(("NUMBER", "STATE", "FROM", "UNTIL", "ALERTS", "WHY"), rows)


def _about(silence: Silence) -> str:
    labels = "".join(f" {name}={text}" for name, text in silence.labels.items())
    return f"{silence.pattern}{labels}" + (f" below {silence.below.word}" if silence.below else "")


def _why(silence: Silence) -> str:
    return ": ".join(filter(None, (f"by {silence.by}" if silence.by else "", silence.reason)))


def _end(silence: Silence) -> datetime:
    return silence.ended_at or silence.ends_at


def _state(silence: Silence, *, now: datetime) -> str:
    if is_in_force(silence, now=now):
        return "in force"
    return "to come" if silence.ended_at is None and now < silence.starts_at else "over"


def silence_document(silence: Silence, *, now: datetime) -> dict[str, Any]:
    """A silence as JSON has it."""
    return {
        "number": silence.id,
        "state": _state(silence, now=now),
        "pattern": silence.pattern,
        "labels": dict(silence.labels),
        "below": silence.below.word if silence.below else None,
        "starts_at": iso(silence.starts_at),
        "ends_at": iso(silence.ends_at),
        "ended_at": iso(silence.ended_at),
        "by": silence.by or None,
        "reason": silence.reason or None,
    }
