"""The accounts of a scenario: the master and its sub-accounts, each with its story; made when they are asked for."""

from collections.abc import Iterator
from typing import Final

from guard.sandbox.account import MASTER, USUALLY_FAILED, Account
from guard.sandbox.scenario import Scenario
from guard.sandbox.script import Script

_QUIET: Final = Scenario("quiet")
_LEAST_DIGITS: Final = 4


class Accounts:
    """Every account of a scenario that starts at one second of Unix time; `names` by id, in the listing's order."""

    def __init__(self, scenario: Scenario, *, start_s: int) -> None:
        """Makes none yet, so that a thousand cost nothing until they are asked for."""
        self.names = {name: sub.name for name, sub in scenario.subs.items()} | {
            name: label for name, label in _more(scenario.more_subs) if name not in scenario.subs
        }
        self._scenario = scenario
        self._start_s = start_s
        self._scripts: dict[str, Script] = {}
        self._made: dict[str, Account] = {}

    def __contains__(self, account: str) -> bool:
        """Whether there is an account of that id, MASTER among them."""
        return account == MASTER or account in self.names

    def story(self, account: str) -> Scenario:
        """What an account that is there plays."""
        if account in self._scenario.subs:
            return self._scenario.subs[account].story
        return _QUIET if account != MASTER and self._scenario.more_subs_rest else self._scenario

    def account(self, account: str) -> Account:
        """The account of that id, which must be there."""
        if account not in self._made:
            script = self._script(account)
            self._made[account] = Account(account, script=script, start_s=self._start_s)
        return self._made[account]

    def _script(self, account: str) -> Script:
        """The story's script; those who play the same story share it."""
        owner = account if account in self._scenario.subs else MASTER
        story = self.story(account)
        key = "quiet " if story is _QUIET else owner  # no id ends in a space
        if key not in self._scripts:
            self._scripts[key] = Script(story, failed=USUALLY_FAILED)
        return self._scripts[key]


def _more(count: int) -> Iterator[tuple[str, str]]:
    """Ids and names of so many sub-accounts that have no tables of their own."""
    digits = max(_LEAST_DIGITS, len(str(count)))
    return ((f"sub_{number:0{digits}}", f"Sub-account {number}") for number in range(1, count + 1))
