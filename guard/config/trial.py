"""A rule file tried out against made-up answers, so that no rule of it fails later; pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from guard.config.things import Config
from guard.fields import FIELDS, Kind
from guard.model import Snapshot
from guard.rules.evaluate import Facts, evaluate

_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NUMBERS: Final = (0.0, 1.0, 1e6)


def trial(config: Config) -> None:
    """Evaluates every rule of every account, and writes its texts; raises whatever they raise."""
    tried = set[int]()
    for account in config.patterns:
        for rule in account.rules:
            if id(rule) in tried:  # accounts that do not differ in a rule share it
                continue
            tried.add(id(rule))
            for snapshot in _snapshots(account.name):
                facts = Facts.of(snapshot, budgets=account.budgets)
                evaluate(rule, facts)
                for text in (rule.summary, rule.description):
                    text.render(facts.values, facts.windows, at=_AT, tz=rule.tz)


def _snapshots(account: str) -> Iterator[Snapshot]:
    """An answer without anything in it, and some in which every listed field has the same number."""
    yield Snapshot(account, _AT, {})
    for number in _NUMBERS:
        yield Snapshot(account, _AT, {each.name: _value(each.kind, number) for each in FIELDS.values()})


def _value(kind: Kind, number: float) -> float | str:
    return "growth" if kind is Kind.TEXT else number
