"""The past of accounts under a rule file: from the database with what was sent, or from a story."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from guard.cli.options import chosen
from guard.cli.sparkline import Curves
from guard.cli.would_be import Differing, WouldBe, differences
from guard.config import AccountConfig, Config
from guard.model import Event, EventKind, Snapshot
from guard.replay import Cycle, Replay, Seen, recorded, together
from guard.rules.rule import Rule
from guard.siblings import needed
from guard.store import Reader

if TYPE_CHECKING:
    from guard.sandbox.scenario import Scenario

_MOST_SENT: Final = 100_000
_EACH: Final = 5_000  # polls from one look of the progress bar to the next

Progress = Callable[[str], AbstractContextManager[Callable[[float], None]]]
"""Shows how far an account is: within, it is told the share that is done."""


@dataclass(frozen=True, slots=True)
class Backtested:
    """One account's past under the new rules, under the running ones, and as it was."""

    account: str
    polls: int
    curves: Curves
    new: tuple[WouldBe, ...]
    running: tuple[WouldBe, ...] | None = None  # None where there are none, or the same
    sent: tuple[Event, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)  # the running rules' names, with what they are now

    @property
    def differing(self) -> list[Differing]:
        """All messages, each with whose it is."""
        if self.running is None:
            return [Differing(None, each) for each in self.new]
        return differences(self.running, self.new, renamed=self.renamed)


def of_a_story(config: Config, story: "Scenario", *, pattern: str | None, progress: Progress) -> list[Backtested]:
    """What becomes of a story, for each of the file's accounts that fit the pattern.

    Raises UsageError where none does.
    """
    from guard.cli.scripted import START, at_pace, scripted

    accounts = {each.name: each for each in config.accounts}
    begins_at, polls = story.start or START, max(1, story.length // story.interval)
    found = []
    for name in sorted(chosen(accounts, pattern)):
        replay = Replay(at_pace(accounts[name], story))
        tally = _Tally(replay, Curves(replay, begins_at, begins_at + polls * story.interval))
        with progress(name) as show:
            for number, cycle in enumerate(scripted(replay, story, cycles=polls)):
                tally.note(cycle)
                if number % _EACH == 0:
                    show(tally.curves.share(cycle.at))
        found.append(Backtested(name, tally.polls, tally.curves, tuple(tally.messages)))
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
        names = sorted(chosen(accounts, pattern))
        return [self._backtested(accounts[name], before.get(name), progress) for name in names]

    def _backtested(self, new: AccountConfig, running: AccountConfig | None, progress: Progress) -> Backtested:
        if running is None:
            (after,) = self._played([new], progress)
            before = None
        elif _see_the_same(new, running):
            after, before = self._played([new, running], progress)
        else:
            (after,), (before,) = self._played([new], progress), self._played([running], progress)
        return Backtested(
            new.name,
            after.polls,
            after.curves,
            tuple(after.messages),
            None if before is None else tuple(before.messages),
            self._sent(new.name),
            _renamed(new.rules),
        )

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

    def _played(self, configs: Sequence[AccountConfig], progress: Progress) -> "list[_Tally]":
        """What becomes of an account under rule files that see the same: each answer is read once for all of them."""
        replays = together(*configs)
        seen = self._seen(configs, replays[0])
        first = next(seen, None)
        begins_at = self.begins_at if first is None else first[0]
        ends_at = max(self.ends_at, begins_at + configs[0].every)  # the clock may have gone back since
        tallies = [_Tally(replay, Curves(replay, begins_at, ends_at)) for replay in replays]
        with progress(configs[0].name) as show:
            for number, (at, what) in enumerate(chain([first] if first else [], seen)):
                for tally in tallies:
                    for cycle in tally.replay.polled(what, at=at):
                        tally.note(cycle)
                if number % _EACH == 0:
                    show(tallies[0].curves.share(at))
        return tallies

    def _seen(self, configs: Sequence[AccountConfig], replay: Replay) -> Iterator[tuple[datetime, Seen]]:
        """What was seen, after what was seen before has been remembered."""
        rules = tuple(chain.from_iterable(each.rules for each in configs))
        config, filled_at = replace(configs[0], rules=rules), self.begins_at - replay.looks_back
        said_at = filled_at - config.stale_after  # what a sibling said so long ago may still hold
        others = [self.reader.recorded(config.name, since=said_at, endpoint=each) for each in needed(rules)]
        usage = self.reader.recorded(config.name, since=filled_at)
        for at, seen in recorded(config, usage, merge(*others, key=attrgetter("at"))):
            if at >= self.begins_at:
                yield at, seen
            elif isinstance(seen, Snapshot):
                replay.remember(seen)


def _see_the_same(one: AccountConfig, other: AccountConfig) -> bool:
    """Whether an answer says the same under both, whatever their rules are."""
    return (one.every, one.tz, one.stale_after) == (other.every, other.tz, other.stale_after)


def _renamed(rules: Iterable[Rule]) -> dict[str, str]:
    """The names under which rules say they ran before, each with what it is now; not one that is a rule's still."""
    taken = {rule.name for rule in rules}
    return {rule.renamed_from: rule.name for rule in rules if rule.renamed_from and rule.renamed_from not in taken}


@dataclass(slots=True)
class _Tally:
    """What came of one replay so far."""

    replay: Replay
    curves: Curves
    polls: int = 0
    messages: list[WouldBe] = field(default_factory=list)

    def note(self, cycle: Cycle) -> None:
        self.polls += cycle.seen is not None
        self.curves.note(cycle)
        if cycle.told:
            self.messages += map(WouldBe.of, cycle.told)
