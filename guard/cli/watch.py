"""`guard run` and `guard once`: the service, and one pass of it."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from guard.cli.loop import end_of
from guard.cli.options import RulesOption
from guard.cli.rule_file import complete, secret, unknown_settings
from guard.errors import ExitCode
from guard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from guard.parts import Parts
    from guard.rule_watch import RuleWatch


def run(rules: RulesOption = None) -> ExitCode:
    """Watch the accounts and tell the channels, until stopped.

    Asks each account's usage at its interval, and tells each channel once of
    what begins, gets worse and ends. SIGTERM and Ctrl-C end it within 8 s;
    started again, it goes on where it was. An edit of the rule file takes effect
    within seconds, and one with errors not at all.
    """
    from guard.signals import run_until_signalled
    from guard.systemd import Systemd

    async def serve(parts: "Parts", settings: Settings, watch: "RuleWatch") -> ExitCode:
        systemd = Systemd.from_environ(os.environ)
        return await run_until_signalled(parts, listen=settings.listen, systemd=systemd, watch=watch)

    return end_of(_with_parts(serve, rules=rules))


def once(rules: RulesOption = None) -> ExitCode:
    """Do one pass, for cron; the exit code says how things stand.

    0: nothing fires. 1: warning or info fires. 2: critical fires. 3: there is
    no data. Channels are told for 20 s, and an attempt that has begun by then
    is finished; the rest is left for the next pass.
    """
    from guard.once import run_once

    return end_of(_with_parts(lambda parts, *_: run_once(parts), rules=rules))


async def _with_parts(
    work: "Callable[[Parts, Settings, RuleWatch], Awaitable[ExitCode]]", *, rules: Path | None
) -> ExitCode:
    from guard.clock import Clock
    from guard.logs import log, setup
    from guard.parts import open_parts
    from guard.rule_watch import RuleWatch

    settings = Settings.from_environ(os.environ)
    clock = Clock()
    token = settings.listen.token if settings.listen else None
    own = [each for each in (settings.heartbeat_url, token) if each]
    setup(settings.log_format, stream=sys.stderr, secrets=own, now=clock.now)
    path = rules or settings.rules
    config, content = complete(path, warn=partial(log.warning, "rules.warning"))
    for text in unknown_settings(config):
        log.warning("settings.unknown", text)
    parts = open_parts(
        config,
        database=settings.database,
        read_secret=secret,
        clock=clock,
        heartbeat_url=settings.heartbeat_url,
        console_url=settings.console_url,
        text=content.text,
    )
    async with parts as opened:
        return await work(opened, settings, RuleWatch(path, secret, content))
