"""Past: how the value of an alert's rule moved in the last day, from the answers that are stored."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from guard.config import AccountConfig, Config
from guard.fields import field_named
from guard.model import AlertKey, Answer, Endpoint
from guard.payload import snapshot
from guard.rules.evaluate import Facts
from guard.rules.rule import Rule
from guard.rules.values import NO_WINDOWS, Unknown
from guard.store import Unit

Points = tuple[tuple[datetime, float], ...]
"""A value at each of some instants, oldest first; may be empty."""

_EVERY: Final = timedelta(hours=1)
_COUNT: Final = 24


def value_past(unit: Unit, key: AlertKey, *, config: Config, now: datetime) -> Points:
    """The value of an alert's rule at the end of each of the last 24 hours, as far as answers are stored.

    Empty for a rule that reads more than one answer of /v1/usage says: the past of a field, or another endpoint. It is
    the rule's value as it reads now, whatever it was called or compared with then.
    """
    account = config.account(key.account)
    rule = next((each for each in account.rules if each.name == key.rule), None) if account else None
    if account is None or rule is None or not _is_of_one_answer(rule):
        return ()
    return tuple(_points(unit, rule, account, now=now))


def _is_of_one_answer(rule: Rule) -> bool:
    fields = map(field_named, rule.value.reads)
    is_usage = all(each is None or each.endpoint is Endpoint.USAGE for each in fields)
    return rule.each is None and is_usage and not rule.value.looks_back


def _points(unit: Unit, rule: Rule, account: AccountConfig, *, now: datetime) -> Iterator[tuple[datetime, float]]:
    for poll in unit.sampled(account.name, until=now, every=_EVERY, count=_COUNT):
        assert isinstance(poll.outcome, Answer)  # noqa: S101 - a good poll
        seen = snapshot(poll.outcome, account=account.name, at=poll.at)
        value = rule.value.number(Facts.of(seen, budgets=account.budgets).values, NO_WINDOWS)
        if not isinstance(value, Unknown):
            yield poll.at, value
