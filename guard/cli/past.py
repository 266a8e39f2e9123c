"""The past of accounts under a rule file: from the database with what was sent, or from a story."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import Final

from guard.cli.options import chosen
from guard.cli.scripted import START, at_pace, scripted
from guard.cli.sparkline import Curves
from guard.cli.would_be import Differing, WouldBe, differences
from guard.config import AccountConfig, Config
from guard.model import Event, EventKind, Snapshot
from guard.replay import Cycle, Replay, Seen, recorded, replayed
from guard.sandbox.scenario import Scenario
from guard.siblings import needed
from guard.store import Reader

_MOST_SENT: Final = 100_000
_EACH: Final = 5_000  # polls from one look of the progress bar to the next

Progress = Callable[[str], AbstractContextManager[Callable[[float], None]]]
"""Shows how far an account is: within, it is told the share that is done."""


@dataclass(frozen=True, slots=True)
class Played:
    """What one rule file makes of one account's past."""

    polls: int
    messages: tuple[WouldBe, ...]
    curves: Curves


@dataclass(frozen=True, slots=True)
class Backtested:
    """One account's past under the new rules, under the running ones, and as it was."""

    account: str
    new: Played
    running: Played | None  # None where there are none, or the same
    sent: tuple[Event, ...] = ()

    @property
    def differing(self) -> list[Differing]:
        """All messages; with a sign where only one of the rule files would have sent it."""
        if self.running is None:
            return [Differing("", each) for each in self.new.messages]
        return differences(self.running.messages, self.new.messages)


def of_a_story(config: Config, story: Scenario, *, pattern: str | None, progress: Progress) -> list[Backtested]:
    """What becomes of a story, for each of the file's accounts that fit the pattern.

    Raises UsageError where none does.
    """
    accounts = {each.name: each for each in config.accounts}
    begins_at, polls = story.start or START, max(1, story.length // story.interval)
    found = []
    for name in sorted(chosen(accounts, pattern)):
        replay = Replay(at_pace(accounts[name], story))
        cycles = scripted(replay, story, cycles=polls)
        curves = Curves(replay, begins_at, begins_at + polls * story.interval)
        found.append(Backtested(name, _played(cycles, curves, name, progress), None))
    return found


@dataclass(frozen=True, slots=True)
class Past:
    """What is stored from one instant to another."""

    reader: Reader
    begins_at: datetime
    ends_at: datetime

    def backtested(
        self, new: Config, running: Config | None, *, pattern: str | None, progress: Progress
    ) -> list[Backtested]:
        """What the new rule file makes of it, beside the running one, for each account that fits the pattern.

        Raises UsageError where none does.
        """
        accounts, before = self._accounts(new), self._accounts(running) if running else {}
        return [
            Backtested(
                name,
                self._played(accounts[name], progress),
                self._played(before[name], progress) if name in before else None,
                self._sent(name),
            )
            for name in sorted(chosen(accounts, pattern))
        ]

    def _accounts(self, config: Config) -> dict[str, AccountConfig]:
        """All accounts of a file by name, and their sub-accounts as far as listings showed them."""
        found = {account.name: account for account in config.accounts}
        for account in config.accounts:
            if account.subs is not None:
                ids = account.subs.ids or [each.id for each in self.reader.sub_accounts(account.name)]
                found |= {each.name: each for each in map(account.subs.config, ids)}
        return found

    def _sent(self, account: str) -> tuple[Event, ...]:
        events = self.reader.events(limit=_MOST_SENT, since=self.begins_at, account=account)
        return tuple(each for each in reversed(events) if each.kind is EventKind.DELIVERED)

    def _played(self, account: AccountConfig, progress: Progress) -> Played:
        replay = Replay(account)
        cycles = replayed(replay, self._seen(replay))
        return _played(cycles, Curves(replay, self.begins_at, self.ends_at), account.name, progress)

    def _seen(self, replay: Replay) -> Iterator[tuple[datetime, Seen]]:
        """What was seen, after what was seen before has been remembered."""
        config, filled_at = replay.config, self.begins_at - replay.looks_back
        said_at = filled_at - config.stale_after  # what a sibling said so long ago may still hold
        others = [self.reader.recorded(config.name, since=said_at, endpoint=each) for each in needed(config.rules)]
        usage = self.reader.recorded(config.name, since=filled_at)
        for at, seen in recorded(config, usage, merge(*others, key=attrgetter("at"))):
            if at >= self.begins_at:
                yield at, seen
            elif isinstance(seen, Snapshot):
                replay.remember(seen)


def _played(cycles: Iterable[Cycle], curves: Curves, account: str, progress: Progress) -> Played:
    messages: list[WouldBe] = []
    polls = 0
    with progress(account) as show:
        for cycle in cycles:
            polls += cycle.seen is not None
            curves.note(cycle)
            messages += (WouldBe.of(told) for told in cycle.told)
            if polls % _EACH == 0:
                show(curves.share(cycle.at))
    return Played(polls, tuple(messages), curves)
