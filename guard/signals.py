"""The service as a process: SIGTERM and SIGINT end it, SIGHUP has it look at its rule file."""

import asyncio
import os
import signal
from functools import partial
from typing import Final

from guard.errors import ExitCode
from guard.logs import log
from guard.parts import Parts
from guard.reload import Reload
from guard.rule_watch import RuleWatch
from guard.service import Service
from guard.settings import Listen
from guard.systemd import Systemd

END_S: Final = 7.9  # of the 8 s that a stop may take


async def run_until_signalled(
    parts: Parts, *, listen: Listen | None, systemd: Systemd, watch: RuleWatch | None = None
) -> ExitCode:
    """Runs the service until SIGTERM or SIGINT, and then to its clean end; a second signal ends the process at once.

    So does the watchdog when it gives up, with 70. `listen` is where the console answers. Edits of the rule file that
    `watch` reads take effect meanwhile, on SIGHUP without delay.
    """
    service = Service(parts, listen, systemd, Reload(parts, watch) if watch else None)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, partial(_stop, stop, number))
    loop.add_signal_handler(signal.SIGHUP, service.look_at_rules)
    log.info(
        "service.started",
        "watching",
        accounts=",".join(family.name for family in parts.families),
        channels=",".join(parts.notifiers),
    )
    try:
        code = await service.run(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)
    log.info("service.stopped", "the end", exit_code=int(code))
    if code is ExitCode.UNPLANNED:
        os._exit(code)  # what hangs would hold up every orderly end; what was committed has reached the disk
    return code


def _stop(stop: asyncio.Event, number: signal.Signals) -> None:
    if stop.is_set():
        os._exit(128 + number)  # what a shell reports for a process that a signal ended
    asyncio.get_running_loop().call_later(END_S, os._exit, ExitCode.UNPLANNED)  # whatever hangs, a disk perhaps
    log.info("service.stopping", "ending; a second signal ends at once", signal=number.name)
    stop.set()
