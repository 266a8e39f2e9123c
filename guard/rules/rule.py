"""A rule as it is evaluated: everything read, checked and compiled, for one account."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from fnmatch import fnmatchcase
from hashlib import sha256

from guard.fields import Kind, field_named
from guard.model import Each, Level
from guard.rules.dimensions import is_percent, is_quotient
from guard.rules.expression import Condition, Expression
from guard.rules.policy import Policy
from guard.rules.template import Template


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule on one account."""

    policy: Policy
    value: Expression
    conditions: Mapping[Level, Condition]  # the levels of the policy, ascending
    clear: Condition | None = None  # when it is over; None: when no level holds
    when: Expression | None = None  # looked at first; None: always
    unit: str = ""  # of the value, for people; empty: the field's own
    summary: Template = field(default_factory=Template)  # empty: the value's expression and what it is
    description: Template = field(default_factory=Template)
    runbook: str = ""
    tz: tzinfo = UTC  # of the account, for instants in texts
    each: Each | None = None  # one alert for each number, or each agent; None: one for the account
    accounts: tuple[str, ...] = ()  # globs over the names of the accounts that it is laid over; empty: all
    renamed_from: str = ""  # the name under which its alerts are stored from before
    reads: frozenset[str] = field(init=False)  # the names that decide; those in texts are not among them
    limits: tuple[str, ...] = field(init=False)  # the limits behind those, in alphabetical order
    reads_period: bool = field(init=False)  # whether one of them depends on the reporting period
    calendar: Kind | None = field(init=False)  # DAY or MONTH: what one of them begins anew with; the shorter of the two
    looks_back: Mapping[str, timedelta] = field(init=False)  # how far it reads the past of a field, in texts too
    wording: str = field(init=False)  # a short hash of what its texts are made of, whatever the values are

    def __post_init__(self) -> None:
        """Works out once what evaluations ask each time."""
        reads = frozenset().union(*(each.reads for each in self._deciding()))
        fields = [each for each in map(field_named, reads) if each is not None]
        object.__setattr__(self, "reads", reads)
        object.__setattr__(self, "limits", tuple(sorted({each.limit for each in fields if each.limit})))
        kinds = {each.kind for each in fields}
        object.__setattr__(self, "reads_period", Kind.PERIOD in kinds)
        object.__setattr__(self, "calendar", next((kind for kind in (Kind.DAY, Kind.MONTH) if kind in kinds), None))
        object.__setattr__(self, "looks_back", longest(self._looks_back()))
        object.__setattr__(self, "wording", _hash(self._worded()))

    @property
    def name(self) -> str:
        """The name under `[rules]`."""
        return self.policy.rule

    def covers(self, account: str) -> bool:
        """Whether it is laid over the account, or the sub-account, of this name."""
        return not self.accounts or any(fnmatchcase(account, glob) for glob in self.accounts)

    @property
    def value_unit(self) -> str:
        """The unit that the value is written in: the rule's, else the value's own, else what its levels say."""
        return self.unit or self.value.unit or ("share" if self._is_share else "")

    @property
    def _is_share(self) -> bool:
        """Whether the value is a quotient that all levels compare with a percentage."""
        return is_quotient(self.value.tree) and all(is_percent(each.bound.tree) for each in self.conditions.values())

    def _deciding(self) -> Iterator[Expression]:
        yield self.value
        for condition in self.conditions.values():
            yield condition.bound
        if self.clear is not None:
            yield self.clear.bound
        if self.when is not None:
            yield self.when

    def _worded(self) -> Iterator[str]:
        yield f"name {self.name}"  # a message begins with it
        yield f"summary {self.summary}"
        yield f"description {self.description}"
        yield f"runbook {self.runbook}"
        yield f"unit {self.value_unit}"
        yield from (f"label {name} {value}" for name, value in sorted(self.policy.labels.items()))

    def _looks_back(self) -> Iterator[tuple[str, timedelta]]:
        for expression in (*self._deciding(), *self.summary.expressions, *self.description.expressions):
            yield from expression.looks_back


def longest(windows: Iterable[tuple[str, timedelta]]) -> dict[str, timedelta]:
    """The longest window of each field, where some are named more than once."""
    found: dict[str, timedelta] = {}
    for name, window in windows:
        found[name] = max(window, found.get(name, window))
    return found


def fingerprint(rule: Rule, *, budgets: Mapping[str, float]) -> str:
    """A short hash of all that says what holds: expressions in canonical form, and the budgets that are read.

    The same for rules that differ in spacing, texts, labels, accounts, routes or reminders only, and in `for` or
    `keep_firing_for`: how long something has held does not change with how long it has to.
    """
    parts = [
        f"value {rule.value}",
        *(f"{level.word} {condition}" for level, condition in sorted(rule.conditions.items())),
        f"clear {rule.clear}",
        f"when {rule.when}",
        *([f"each {rule.each}"] if rule.each else ()),
        *(f"{name} {value!r}" for name, value in sorted(budgets.items()) if f"budgets.{name}" in rule.reads),
    ]
    return _hash(parts)


def _hash(parts: Iterable[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
