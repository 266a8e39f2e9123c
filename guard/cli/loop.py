"""The loop of a command that talks to others, and the end of its process whatever still hangs."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from guard.errors import ExitCode

_LOOK_UPS: Final = "look-up"
_MOMENT_S: Final = 0.1


def end_of(work: Coroutine[Any, Any, ExitCode]) -> ExitCode:
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
