"""A sandbox that serves until it is ended, and says where it is and what it can be asked."""

import asyncio
import shlex
from collections.abc import Callable
from typing import Final

from guard.sandbox.routes import EXAMPLES
from guard.sandbox.server import Sandbox

_NAMED: Final = 5  # sub-accounts


async def serve(
    *, scenario: str, key: str, host: str, port: int, speed: float, announce: Callable[[str], None]
) -> None:
    """Runs a sandbox until cancelled, after announcing line by line where it is and how to ask it.

    Raises SandboxError when something is wrong with what it is given.
    """
    async with Sandbox(scenario=scenario, key=key, host=host, port=port, speed=speed) as sandbox:
        for line in _announcement(sandbox, key=key, speed=speed):
            announce(line)
        await asyncio.Event().wait()


def _announcement(sandbox: Sandbox, *, key: str, speed: float) -> list[str]:
    story = sandbox.scenario
    header = shlex.quote(f"Authorization: Bearer {key}")
    first, *others = EXAMPLES
    return [
        f"A pretend AgentPhone is on {sandbox.base_url} until Ctrl-C.",
        f"API key:  {key}",
        f"Scenario: {story.name}" + (f": {story.about}" if story.about else ""),
        f"Speed:    {speed:g}" + ("" if speed == 1 else f" (a minute of the story takes {60 / speed:g} s)"),
        *([f"Starts:   {story.start:%Y-%m-%d %H:%M:%S} UTC"] if story.start else []),
        f"Accounts: {_accounts(list(sandbox.sub_accounts))}",
        f"Try:      curl -H {header} {sandbox.base_url}{first}",
        *(f"{'Also:' if path is others[0] else '':9} {path}" for path in others),
    ]


def _accounts(subs: list[str]) -> str:
    if not subs:
        return "the master"
    named = ", ".join(subs[:_NAMED]) + (f" and {len(subs) - _NAMED:,} more" if len(subs) > _NAMED else "")
    return f"the master, and with the header X-Sub-Account-Id: {named}"
