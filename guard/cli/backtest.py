"""`guard backtest`: what a rule file would have told of what was recorded."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guard.cli.options import AccountOption, FormatOption, RulesOption, since_at
from guard.cli.output import Format, iso, print_json, print_table, say
from guard.cli.rule_file import counted, secret, usable, zones
from guard.clock import Clock
from guard.errors import ExitCode, UsageError
from guard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from guard.cli.past import Backtested
    from guard.cli.would_be import Differing
    from guard.config import Config
    from guard.model import Event
    from guard.store import Reader


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
    from guard.store import Reader

    now = Clock().now()
    begins_at = since_at(since, now=now)
    with Reader.open(database) as reader:
        running = _running(reader, path)
        return Past(reader, begins_at, now).backtested(config, running, pattern=pattern, progress=_progress)


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
        say(f"{each.account}: {counted(each.new.polls, 'poll')}")
        if not each.new.polls:
            say("Nothing is stored of that time. A story shows what the rules do: --series numbers\n")
            continue
        print_table(
            ("RULE", "VALUE", "RANGE"), [(curve.rule.name, curve.drawn, curve.legend) for curve in each.new.curves]
        )
        say("")
        rows = [_row(differing, zone) for differing in each.differing]
        rows += [_sent_row(event, zone) for event in each.sent]
        if rows:
            print_table(("", "AT", "MESSAGE", "ALERT", "TO", "SUMMARY"), sorted(rows, key=lambda row: row[1]))
        say(f"{_verdict(each)}\n")


def _row(differing: "Differing", zone: "tzinfo") -> tuple[str, ...]:
    message = differing.message
    at = f"{message.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    return (differing.sign, at, f"[{message.mark}]", str(message.key), message.to, message.summary)


def _sent_row(event: "Event", zone: "tzinfo") -> tuple[str, ...]:
    at = f"{event.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    level = event.level.word if event.level else ""
    return ("sent", at, level, str(event.key), event.channel, event.text)


def _verdict(each: "Backtested") -> str:
    signs = [differing.sign for differing in each.differing]
    parts = [f"{counted(len(each.new.messages), 'message')} would have been sent"]
    if each.running is not None:
        parts.append(f"+ {signs.count('+')} and - {signs.count('-')} against the rules that run")
    if each.sent:
        parts.append(f"{len(each.sent):,} sent in that time")
    return "; ".join(parts)


def _document(each: "Backtested") -> dict[str, Any]:
    return {
        "account": each.account,
        "polls": each.new.polls,
        "curves": [curve.as_dict() for curve in each.new.curves],
        "messages": [{"sign": found.sign, **found.message.as_dict()} for found in each.differing],
        "sent": [
            {"at": iso(event.at), "alert": str(event.key), "channel": event.channel, "text": event.text}
            for event in each.sent
        ],
    }
