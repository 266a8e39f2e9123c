"""`guard report`: what the last report said, or what the next one would say by now."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guard.cli.options import FormatOption, RulesOption
from guard.cli.output import Format, print_json, say
from guard.cli.rule_file import usable
from guard.clock import Clock
from guard.settings import Settings
from guard.units import iso

if TYPE_CHECKING:
    from guard.config import Config, ReportConfig
    from guard.message.report import Limit, Report
    from guard.model import Alert


def report(
    rules: RulesOption = None,
    now: Annotated[bool, typer.Option("--now", help="The period that goes on, as far as it is over.")] = False,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option's name
) -> None:
    """Show the last report, or the one that is due next.

    Nothing is sent. Where the rule file asks for no report it is that of a
    day, from 9 o'clock to 9 o'clock. Limits, and what fires, are those of now.
    """
    from guard.message.report import report_message
    from guard.notify.mail_text import plain_text
    from guard.reporting import last_period, read_report, running_period
    from guard.store import Reader

    settings = Settings.from_environ(os.environ)
    config = usable(rules or settings.rules)
    wanted = _wanted(config)
    period = (running_period if now else last_period)(wanted, now=Clock().now())
    with Reader.open(settings.database) as reader:
        found = read_report(reader, config, period)
    if format is Format.JSON:
        print_json(_document(found, wanted))
    else:
        say(plain_text(report_message(found, zone=wanted.tz)).rstrip())


def _wanted(config: "Config") -> "ReportConfig":
    from guard.config.report import USUAL

    return config.report or replace(USUAL, tz=config.accounts[0].tz)


def _document(found: "Report", wanted: "ReportConfig") -> dict[str, Any]:
    return {
        "every": wanted.every.value,
        "start_at": iso(found.start_at),
        "end_at": iso(found.end_at),
        "accounts": list(found.accounts),
        "quiet": found.is_quiet,
        "fired": found.fired,
        "resolved": found.resolved,
        "firing": [_alert(each) for each in found.firing],
        "longest": found.longest and {"alert": str(found.longest.key), "incident": found.longest.id},
        "limits": [_limit(each) for each in found.limits],
        "pace": [
            {"account": each.account, "of": each.what, "limit": each.limit}
            | {"projected": each.middle, "low": each.low, "high": each.high}
            for each in found.paces
        ],
        "grew": [
            {"account": each.account, "field": each.field, "by": each.grown, "before": each.before}
            for each in found.movers
        ],
        "untold": [{"alert": str(each.key), "channel": each.channel, "why": each.why} for each in found.untold],
        "data": {
            "polls": found.quality.polls,
            "failed": found.quality.failed,
            "longest_gap_s": found.quality.longest.total_seconds(),
            "longest_gap_account": found.quality.longest_of or None,
        },
    }


def _alert(alert: "Alert") -> dict[str, Any]:
    return {
        "alert": str(alert.key),
        "level": alert.level.word if alert.level else None,
        "since": iso(alert.incident.started_at) if alert.incident else None,
    }


def _limit(limit: "Limit") -> dict[str, Any]:
    return {
        "alert": str(limit.key),
        "value": limit.value,
        "unit": limit.unit,
        "level": limit.level.word,
        "operator": limit.bound.operator,
        "bound": limit.bound.number,
        "left": limit.left,
    }
