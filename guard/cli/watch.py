"""`guard run` and `guard once`: the service, and one pass of it."""

import asyncio
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from guard.cli.options import RulesOption
from guard.cli.rule_file import complete, secret, unknown_settings
from guard.errors import ExitCode
from guard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from guard.parts import Parts

_LOOK_UPS: Final = "look-up"
_MOMENT_S: Final = 0.1


def run(rules: RulesOption = None) -> ExitCode:
    """Watch the accounts and tell the channels, until stopped.

    Asks each account's usage at its interval, and tells each channel once of
    what begins, gets worse and ends. SIGTERM and Ctrl-C end it within 8 s;
    started again, it goes on where it was.
    """
    from guard.service import run_until_signalled
    from guard.systemd import Systemd

    async def serve(parts: "Parts", settings: Settings) -> ExitCode:
        return await run_until_signalled(parts, listen=settings.listen, systemd=Systemd.from_environ(os.environ))

    return _end_of(_with_parts(serve, rules=rules))


def once(rules: RulesOption = None) -> ExitCode:
    """Do one pass, for cron; the exit code says how things stand.

    0: nothing fires. 1: warning or info fires. 2: critical fires. 3: there is
    no data. What is due is sent for 30 s at most; the rest is left for the
    next pass.
    """
    from guard.once import run_once

    return _end_of(_with_parts(lambda parts, _: run_once(parts), rules=rules))


def _end_of(work: "Coroutine[Any, Any, ExitCode]") -> ExitCode:
    """Runs the work, and ends the process with it if a name is still being looked up.

    A look-up cannot be stopped, and its end may be minutes away; Python would wait for its thread.
    """
    threads = ThreadPoolExecutor(thread_name_prefix=_LOOK_UPS)
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(threads)
        code = runner.run(work)
        threads.shutdown(wait=False, cancel_futures=True)
        if _any_hangs():
            logging.shutdown()
            sys.stdout.flush()
            os._exit(code)
    return code


def _any_hangs() -> bool:
    """Whether a look-up goes on; threads at rest have a moment to end."""
    look_ups = [thread for thread in threading.enumerate() if thread.name.startswith(_LOOK_UPS)]
    for thread in look_ups:
        thread.join(_MOMENT_S)
    return any(thread.is_alive() for thread in look_ups)


async def _with_parts(work: "Callable[[Parts, Settings], Awaitable[ExitCode]]", *, rules: Path | None) -> ExitCode:
    from guard.clock import Clock
    from guard.logs import log, setup
    from guard.parts import open_parts

    settings = Settings.from_environ(os.environ)
    clock = Clock()
    token = settings.listen.token if settings.listen else None
    own = [each for each in (settings.heartbeat_url, token) if each]
    setup(settings.log_format, stream=sys.stderr, secrets=own, now=clock.now)
    config = complete(rules or settings.rules, warn=partial(log.warning, "rules.warning"))
    for text in unknown_settings(config):
        log.warning("settings.unknown", text)
    parts = open_parts(
        config,
        database=settings.database,
        read_secret=secret,
        clock=clock,
        heartbeat_url=settings.heartbeat_url,
    )
    async with parts as opened:
        return await work(opened, settings)
