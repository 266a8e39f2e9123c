"""A rule file tried out against made-up answers, so that no rule of it fails later; pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from guard.config.things import AccountConfig, Config
from guard.fields import FIELDS, Kind
from guard.model import Each, Endpoint, Fields, Snapshot
from guard.rules.evaluate import Facts, evaluate
from guard.rules.history import History, needs
from guard.rules.rule import Rule

_AT: Final = datetime(2026, 1, 20, 12, tzinfo=UTC)
_NUMBERS: Final = (0.0, 1.0, 1e6)
_SUBJECT: Final = "tried"
_AGO: Final = sorted(
    {timedelta(minutes=1.1**power) for power in range(105)} | {timedelta(days=day) for day in range(1, 15)},
    reverse=True,
)
"""Up to 14 days back, so close that each window has an answer at its beginning, and each day at this time of day."""


def trial(config: Config) -> None:
    """Evaluates every rule with and without a past, and writes its texts; raises whatever they raise."""
    tried = set[int]()
    for account in config.patterns:
        for rule in account.rules:
            if id(rule) not in tried:  # accounts that do not differ in a rule share it
                tried.add(id(rule))
                for snapshots in _pasts(account.name, _AGO if rule.looks_back else ()):
                    _try(rule, account, snapshots)


def _try(rule: Rule, account: AccountConfig, snapshots: Iterable[Snapshot]) -> None:
    history = History(needs([rule]))
    for snapshot in snapshots:
        history.add(snapshot)
    subject = (rule.each, _SUBJECT) if rule.each else None
    windows = history.windows(every=account.every, tz=account.tz, subject=subject)
    facts = Facts.of(snapshot, budgets=account.budgets, windows=windows)
    if subject:
        facts = facts.about(*subject, windows=windows)
    evaluate(rule, facts)
    for text in (rule.summary, rule.description):
        text.render(facts.values, facts.windows, at=_AT, tz=rule.tz)


def _pasts(account: str, ago: Sequence[timedelta]) -> Iterator[list[Snapshot]]:
    """One answer without anything in it; and answers in which every listed field grows up to the same number."""
    yield [_snapshot(account, _AT, {})]
    for number in _NUMBERS:
        grows = [(_AT - each, number * place / len(ago)) for place, each in enumerate(ago)]
        yield [_snapshot(account, at, _fields(value)) for at, value in [*grows, (_AT, number)]]


def _snapshot(account: str, at: datetime, values: Fields) -> Snapshot:
    own = {each: {name: value for name, value in values.items() if name.startswith(f"{each}.")} for each in Each}
    subjects = {each: {_SUBJECT: fields} for each, fields in own.items()}
    return Snapshot(account, at, values, subjects=subjects, fresh=frozenset(Endpoint))


def _fields(number: float) -> Fields:
    return {each.name: "growth" if each.kind is Kind.TEXT else number for each in FIELDS.values()}
