"""`guard demo` and `guard sandbox`: to try things out, without a key."""

import asyncio
import logging
import sys
from typing import Annotated, Final

import typer

from guard.cli.example import example_text
from guard.errors import ExitCode, UsageError

_HOST: Final = "127.0.0.1"
_PORT: Final = 8765
_LAST_PORT: Final = 65_535


def demo(
    speed: Annotated[
        float, typer.Option("--speed", min=1, max=3600, metavar="N", help="N times as fast as real time.")
    ] = 60,
) -> ExitCode:
    """Show alerts fire, escalate and resolve, in about a minute.

    Runs the real service against a pretend AgentPhone on this machine, with
    the rules of the example rule file and the time sped up. It needs no key,
    reads none of your files, sends nothing anywhere and leaves nothing behind.
    """
    from guard.clock import Clock
    from guard.demo import run_demo
    from guard.logs import setup

    setup("text", stream=sys.stderr, now=Clock().now)
    logging.getLogger("guard").setLevel(logging.WARNING)  # what goes well is seen without the log
    return asyncio.run(run_demo(example_text(), speed=speed, stream=sys.stdout))


def sandbox(
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")
    ] = f"{_HOST}:{_PORT}",
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="The API key that is good.")] = "sandbox-key",
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME|FILE", help="A built-in story, or a file with your own.")
    ] = "steady",
    speed: Annotated[float, typer.Option("--speed", metavar="N", help="N times as fast as real time.")] = 1,
) -> ExitCode:
    """Run a pretend AgentPhone, to try rules against.

    It answers every usage path as the real one does, for a master account and
    its sub-accounts, and plays a story. Built in are agency, demo, messages,
    month-end, numbers, outage, steady, unauthorized and webhooks. For the
    account in your rule file set base_url to the address that is shown. Ends
    with Ctrl-C.
    """
    from guard.sandbox.errors import SandboxError
    from guard.sandbox.serving import serve

    host, port = _address(listen)
    try:
        asyncio.run(serve(scenario=scenario, key=key, host=host, port=port, speed=speed, announce=_announce))
    except SandboxError as error:
        raise UsageError(str(error)) from None
    except KeyboardInterrupt:
        print()  # below the ^C
    return ExitCode.DONE


def _announce(line: str) -> None:
    print(line, flush=True)


def _address(listen: str) -> tuple[str, int]:
    """HOST:PORT, [HOST]:PORT for IPv6, :PORT or PORT; raises UsageError for anything else."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
        raise UsageError(f"--listen {listen!r} names no port; write it as {_HOST}:{_PORT}")
    return host.removeprefix("[").removesuffix("]") or _HOST, int(port)
