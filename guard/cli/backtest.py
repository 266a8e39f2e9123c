"""`guard backtest`: what a rule file would have told of what was recorded."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from guard.cli.options import AccountOption, FormatOption, RulesOption, since_at
from guard.cli.output import Format, print_json, print_table, say
from guard.cli.rule_file import secret, usable, zones
from guard.clock import Clock
from guard.errors import ExitCode, StorageError, UsageError
from guard.settings import Settings
from guard.units import counted, exact_instant_text, instant_text, iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from guard.cli.past import Backtested
    from guard.cli.sparkline import Curves
    from guard.cli.would_be import Differing
    from guard.config import Config
    from guard.model import Event
    from guard.store import Reader

_LEAST_COLUMNS: Final = 20  # of a line of values, below which it says little
_GAPS: Final = 4  # columns between the three of the table
_BY: Final = {"new": "+ only new", "running": "- only now", "both": "both"}


def backtest(
    rules: RulesOption = None,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back: 24h, 7d, 30d.")] = "30d",
    account: AccountOption = None,
    series: Annotated[
        str | None,
        typer.Option("--series", metavar="NAME|FILE", help="A story in place of the past.", show_default=False),
    ] = None,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> ExitCode:
    """Show what a rule file would have told of the past.

    Plays the polls in the database through the rule file, and shows each
    message that would have been sent, when and to whom, beside those that were
    sent: + only by this file, - only by the one that runs. Nothing is asked,
    sent or changed. Without a past, --series plays a story as the sandbox has.
    """
    settings = Settings.from_environ(os.environ)
    path = rules or settings.rules
    config = usable(path)
    if series is None:
        found = _of_the_past(config, path, database=settings.database, since=since, pattern=account)
    else:
        found = _of_a_story(config, series, pattern=account)
    if format is Format.JSON:
        print_json({"accounts": [_document(each) for each in found]})
    else:
        _print(found, config)
    return ExitCode.DONE


def _of_a_story(config: "Config", series: str, *, pattern: str | None) -> "list[Backtested]":
    from guard.cli.past import of_a_story
    from guard.sandbox.errors import SandboxError
    from guard.sandbox.scenario_file import load_scenario

    try:
        story = load_scenario(series)
    except SandboxError as error:
        raise UsageError(f"--series: {error}") from None
    return of_a_story(config, story, pattern=pattern, progress=_progress)


def _of_the_past(config: "Config", path: Path, *, database: str, since: str, pattern: str | None) -> "list[Backtested]":
    from guard.cli.past import Past

    now = Clock().now()
    begins_at = since_at(since, now=now)
    with _opened(database) as reader:
        running = _running(reader, path)
        return Past(reader, begins_at, now).backtested(config, running, pattern=pattern, progress=_progress)


@contextmanager
def _opened(database: str) -> "Iterator[Reader]":
    """The database; where there is none, the error also says what to do without a past."""
    from guard.store import Reader
    from guard.store.location import database_path

    if not database_path(database).exists():
        raise StorageError(
            f"{database_path(database)} does not exist, so there is no past; `guard run` records one, and "
            "GUARD_DATABASE says where. Without one, --series FILE plays a story of yours, --series numbers one that "
            "is built in, and `guard demo` shows alerts come and go"
        )
    with Reader.open(database) as reader:
        yield reader


def _running(reader: "Reader", path: Path) -> "Config | None":
    """The rule file that took effect last, unless it is the very one that is looked at."""
    from guard.config import load

    versions = reader.rule_files(count=1)
    if not versions or versions[0].text == path.read_text(encoding="utf-8-sig"):
        return None
    return load(versions[0].text, path="the running rules", secret=secret).config


@contextmanager
def _progress(account: str) -> Iterator[Callable[[float], None]]:
    """A bar on the terminal; nothing where stderr is none."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(account, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _print(found: "Iterable[Backtested]", config: "Config") -> None:
    zone_of = zones(config)
    for each in found:
        zone = zone_of(each.account)
        if not each.polls:
            say(f"{each.account}: no poll is stored since {instant_text(each.curves.begins_at, zone)}\n")
            continue
        begins_at, ends_at = (instant_text(at, zone) for at in (each.curves.begins_at, each.curves.ends_at))
        say(f"{each.account}: {counted(each.polls, 'poll')} from {begins_at} to {ends_at}")
        _print_curves(each.curves)
        _print_messages(each, zone)
        say(f"{_verdict(each)}\n")
    if not any(each.polls for each in found):
        say("`guard run` records polls, and --since 90d looks further back. Without a past, --series numbers")
        say("plays a story that is built in, and --series FILE one of yours.")


def _print_messages(each: "Backtested", zone: "tzinfo") -> None:
    """All in order of time; in the same second what was sent stands behind what would have been."""
    rows = [(found.message.at, _row(found, zone)) for found in each.differing]
    rows += [(event.at, _sent_row(event, zone)) for event in each.sent]
    if rows:
        in_order = sorted(rows, key=lambda row: row[0])
        print_table(("", "AT", "MESSAGE", "ALERT", "TO", "SUMMARY"), [row for _, row in in_order])


def _print_curves(curves: "Curves") -> None:
    """The line of each rule, as wide as its name and its range leave room for."""
    from guard.cli.sparkline import COLUMNS

    names, legends = [curve.name for curve in curves], [curve.legend for curve in curves]
    beside = max(map(len, names), default=0) + max(map(len, legends), default=0) + _GAPS
    columns = min(max(_terminal_columns() - beside, _LEAST_COLUMNS), COLUMNS)
    lines = [curve.drawn(columns) for curve in curves]
    print_table(("RULE", "VALUE", "RANGE"), zip(names, lines, legends, strict=True))
    for name, count in curves.left_out.items():
        say(f"{name}: {counted(count, 'more subject')}, none of which came nearer")
    say("")


def _terminal_columns() -> int:
    """How wide the terminal is; where stdout is none, as wide as anything needs."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else sys.maxsize


def _row(differing: "Differing", zone: "tzinfo") -> tuple[str, ...]:
    message = differing.message
    at = exact_instant_text(message.at, zone)
    by = _BY[differing.by] if differing.by else ""
    return (by, at, f"[{message.mark}]", str(message.key), message.to, message.summary)


def _sent_row(event: "Event", zone: "tzinfo") -> tuple[str, ...]:
    at = exact_instant_text(event.at, zone)
    level = event.level.word if event.level else ""
    return ("sent", at, level, str(event.key), event.channel, event.text)


def _verdict(each: "Backtested") -> str:
    parts = [f"{counted(len(each.new), 'message')} would have been sent"]
    if each.running is not None:
        by = [str(differing.by) for differing in each.differing]
        new, running, both = (by.count(word) for word in _BY)
        same = "the very same by the rules that run now"
        apart = f"{new:,} only by this file, {running:,} only by the rules that run now, {both:,} by both"
        parts.append(apart if new or running else same)
    if each.sent:
        parts.append(f"{len(each.sent):,} sent in that time")
    return "; ".join(parts)


def _document(each: "Backtested") -> dict[str, Any]:
    return {
        "account": each.account,
        "polls": each.polls,
        "from": iso(each.curves.begins_at) if each.polls else None,
        "to": iso(each.curves.ends_at) if each.polls else None,
        "compared": each.running is not None,
        "curves": [curve.as_dict() for curve in each.curves],
        "messages": [found.as_dict() for found in each.differing],
        "sent": [
            {"at": iso(event.at), "alert": str(event.key), "channel": event.channel, "text": event.text}
            for event in each.sent
        ],
    }
