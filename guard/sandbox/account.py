"""An account: the ledgers that tell a story's numbers, and the statement that they make at any moment; pure."""

from collections.abc import Mapping
from typing import Final
from zlib import crc32

from guard.sandbox.fields import CALLS, MESSAGES, NUMBERS, WEBHOOKS
from guard.sandbox.ledger import Grown, Ledger, Rate, Rolling, can_roll
from guard.sandbox.script import Script
from guard.sandbox.statement import Ledgers, Statement, phone_numbers, statement

MASTER: Final = ""
"""The id of the account whose key it is."""

# What the master account has by the start of a story, and what it has in a day. A sub-account has a part of that.
_MESSAGES: Final = Rate(81_240, 620)
_CALLS: Final = Rate(4_120, 61)
_SUCCESSFUL: Final = Rate(84_490, 670)
_FAILED: Final = Rate(612, 7)
_LEAST_PERCENT: Final = 40

USUALLY_FAILED: Final = _FAILED.total
"""Failed webhook deliveries at the start of a story that does not say otherwise."""


class Account:
    """One account from before the story's start on; the same id, script and start give the same numbers, always."""

    def __init__(self, account: str, *, script: Script, start_s: int) -> None:
        """Takes an id (MASTER, or a sub-account's), and the second of Unix time at which the story starts."""
        percent = 100 if account == MASTER else _LEAST_PERCENT + crc32(account.encode()) % (101 - _LEAST_PERCENT)
        self.id = account
        self._busy_numbers = max(1, phone_numbers(script.extreme_numbers())[NUMBERS[0]])
        self._ledgers = Ledgers(
            messages=_windowed(MESSAGES, script, rate=_part(_MESSAGES, percent), start_s=start_s),
            calls=_windowed(CALLS, script, rate=_part(_CALLS, percent), start_s=start_s),
            successful=_counted(WEBHOOKS[0], script, rate=_part(_SUCCESSFUL, percent), start_s=start_s),
            failed=_counted(WEBHOOKS[1], script, rate=_part(_FAILED, percent), start_s=start_s),
        )

    def statement(self, scripted: Mapping[str, int], *, at_s: int) -> Statement:
        """All its numbers at a second of Unix time, of which those in `scripted` are given."""
        return statement(scripted, account=self.id, at_s=at_s, ledgers=self._ledgers, busy_numbers=self._busy_numbers)


def _part(rate: Rate, percent: int) -> Rate:
    return Rate(rate.total * percent // 100, rate.a_day * percent // 100)


def _counted(name: str, script: Script, *, rate: Rate, start_s: int) -> Ledger:
    """The ledger of a counter that has no windows."""
    growth = script.steps(name)
    total = rate.total if growth is None else growth.values[0]
    return Grown(rate, start_s, total, growth, as_usual=growth is None)


def _windowed(names: tuple[str, str, str, str], script: Script, *, rate: Rate, start_s: int) -> Ledger:
    """The ledger behind three windows and the whole life: the script's counter, or the narrowest window it has."""
    *windows, total = names
    if script.steps(total) is not None:
        return _counted(total, script, rate=rate, start_s=start_s)
    growth = next((steps for name in windows if (steps := script.steps(name))), None)
    if growth is not None and growth is script.steps(windows[0]) and can_roll(growth):
        older = max(rate.total - rate.a_day, script.peak(windows[1:]))  # so that the whole life holds every window
        return Rolling(rate, start_s, older, growth)
    return Grown(rate, start_s, max(rate.total, script.peak(windows)), growth)
