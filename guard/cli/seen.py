"""What the rules of one account see outside a cycle: its last answers and, where there is a database, its history."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from guard.lifecycle.asking import in_period
from guard.model import Account, Each, Snapshot
from guard.payload import Part, joined, part, snapshot
from guard.rules.evaluate import Facts
from guard.rules.history import History
from guard.rules.rule import Rule
from guard.rules.trace import Trace, trace

if TYPE_CHECKING:
    from guard.config import AccountConfig
    from guard.store import View


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot of one account, and its history up to that."""

    config: "AccountConfig"
    snapshot: Snapshot
    history: History

    def subjects(self, rule: Rule) -> Collection[str]:
        """The ids that a rule has an alert for each of; one empty id for a rule on the account as a whole."""
        return self.snapshot.subjects.get(rule.each, {}) if rule.each else ("",)

    def traced(self, rule: Rule, subject: str = "") -> Trace | None:
        """What a rule makes of it; None for a subject that the last listing does not show."""
        if rule.each is not None and subject not in self.subjects(rule):
            return None
        facts = self._about(rule.each, subject, self._facts()) if rule.each else self._facts()
        return trace(rule, facts.values, facts.windows)

    def facts_of_all(self, rule: Rule) -> Iterator[Facts]:
        """What is known of each subject of a rule with `each`, in the order of the listing."""
        assert rule.each is not None  # noqa: S101 - the caller's branch
        of_account = self._facts()
        for subject in self.subjects(rule):
            yield self._about(rule.each, subject, of_account)

    def _facts(self) -> Facts:
        windows = self.history.windows(every=self.config.every, tz=self.config.tz)
        return Facts.of(self.snapshot, budgets=self.config.budgets, windows=windows)

    def _about(self, each: Each, subject: str, of_account: Facts) -> Facts:
        every, tz = self.config.every, self.config.tz
        return of_account.about(
            each, subject, windows=self.history.windows(every=every, tz=tz, subject=(each, subject))
        )


def stored(view: "View", config: "AccountConfig") -> Seen | None:
    """By the last good answers that are stored; None where there is none."""
    for at, answer in view.recent_answers(config.name, count=1):
        usage = snapshot(answer, account=config.name, at=at)
        last = joined(usage, _parts(view, config), stale_after=config.stale_after)
        account = view.account(config.name) or Account(config.name)
        return Seen(config, in_period(account, last), read_history(view, config, until=at))
    return None


def _parts(view: "View", config: "AccountConfig") -> Iterator[Part]:
    from guard.siblings import needed

    for endpoint in needed(config.rules):
        for at, answer in view.recent_answers(config.name, count=1, endpoint=endpoint):
            yield part(endpoint, answer, at=at)


def read_history(view: "View", config: "AccountConfig", *, until: datetime) -> History:
    """What an account's rules look back on at an instant, by the answers that are stored."""
    from guard.siblings import past

    return past(view, config, until=until)
