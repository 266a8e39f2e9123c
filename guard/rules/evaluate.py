"""One rule against the facts of one account: which levels hold, whether it is over, what to tell people; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from guard.fields import Kind
from guard.model import AlertKey, Bound, Each, Evaluation, Level, Reading, Snapshot
from guard.payload.months import midnight, month_start
from guard.rules.names import BUDGETS
from guard.rules.rule import Rule
from guard.rules.values import NO_WINDOWS, Unknown, Values, Windows, both, either, negated, reason
from guard.units import value_text

Truth = bool | Unknown

_NAMES: Final = {Each.NUMBER: "number.phoneNumber", Each.AGENT: "agent.agentName"}
"""The field that says what people call a subject, whose id stays the same when that changes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one account, or of one subject of it, at one moment; made once for all rules about it."""

    snapshot: Snapshot
    values: Values  # the snapshot's fields, the account's budgets, and the subject's own fields
    windows: Windows  # up to this snapshot
    subject: str = ""  # its id; empty for the account as a whole
    subject_name: str = ""  # what people call it; empty where that is not known

    @classmethod
    def of(cls, snapshot: Snapshot, *, budgets: Mapping[str, float], windows: Windows = NO_WINDOWS) -> "Facts":
        """Takes the account's budgets by name without prefix, and its history up to this snapshot."""
        values = {**snapshot.values, **{BUDGETS + name: number for name, number in budgets.items()}}
        return cls(snapshot, values, windows)

    def about(self, each: Each, subject: str, *, windows: Windows) -> "Facts":
        """The same with the fields of a subject that the snapshot lists, and with that subject's own history."""
        fields = self.snapshot.subjects[each][subject]
        name = str(fields.get(_NAMES[each], ""))
        return Facts(self.snapshot, {**self.values, **fields}, windows, subject, name if name != subject else "")

    def key(self, rule: Rule) -> AlertKey:
        """The alert that a rule has on what these facts are about."""
        return AlertKey(self.snapshot.account, rule.name, self.subject)


def evaluate(rule: Rule, facts: Facts, *, at_rest: bool = False) -> Evaluation:
    """Evaluates a rule, one with `each` against the facts about one subject. Never raises for a rule that was read.

    An alert `at_rest` keeps nothing of an evaluation in which all is known and no level holds; such a one then comes
    without reading, limits and period, which nobody would look at.
    """
    applies = True if rule.when is None else rule.when.run(facts.values, facts.windows)
    if isinstance(applies, Unknown):
        return _all_unknown(rule, facts, applies, applies=None)
    if not applies:
        return _evaluation(rule, facts, holds=dict.fromkeys(rule.conditions, False), clear=True, applies=False)
    value = rule.value.number(facts.values, facts.windows)
    if isinstance(value, Unknown):
        return _all_unknown(rule, facts, value, applies=True)
    holds = _holds(rule, value, facts)
    clear = _clear(rule, value, holds, facts)
    if at_rest and holds[min(holds)] is False and not isinstance(clear, Unknown):  # so no higher level holds either
        return Evaluation(facts.key(rule), dict.fromkeys(holds, False), clear, None)
    return _evaluation(rule, facts, holds=holds, clear=clear, reading=_reading(rule, value, facts))


def _holds(rule: Rule, value: float, facts: Facts) -> dict[Level, Truth]:
    """Whether each level holds, ascending; a level holds while it or a higher one does."""
    holds: dict[Level, Truth] = dict.fromkeys(rule.conditions, False)
    higher: Truth = False
    for level in reversed(holds):
        condition = rule.conditions[level]
        higher = either(condition.holds(value, condition.bound.number(facts.values, facts.windows)), higher)
        holds[level] = higher
    return holds


def _clear(rule: Rule, value: float, holds: Mapping[Level, Truth], facts: Facts) -> Truth:
    """Whether it is over: no level holds, and the rule's own `clear`, where it has one, is true."""
    calm = negated(holds[min(holds)])
    if rule.clear is None:
        return calm
    return both(calm, rule.clear.holds(value, rule.clear.bound.number(facts.values, facts.windows)))


def _reading(rule: Rule, value: float, facts: Facts) -> Reading:
    unit, at = rule.value_unit, facts.snapshot.at
    bounds = {level: each.bound.number(facts.values, facts.windows) for level, each in rule.conditions.items()}
    summary = rule.summary.render(facts.values, facts.windows, at=at, tz=rule.tz)
    return Reading(
        at=at,
        summary=summary or f"{rule.value} is {value_text(value, unit)}",
        value=value,
        unit=unit,
        bounds={
            level: Bound(rule.conditions[level].operator, bound)
            for level, bound in bounds.items()
            if not isinstance(bound, Unknown)
        },
        description=rule.description.render(facts.values, facts.windows, at=at, tz=rule.tz),
        runbook=rule.runbook,
        age=facts.snapshot.age,
        subject=facts.subject_name,
        labels=rule.policy.labels,
        wording=rule.wording,
    )


def _all_unknown(rule: Rule, facts: Facts, unknown: Unknown, *, applies: bool | None) -> Evaluation:
    holds: Mapping[Level, Truth] = dict.fromkeys(rule.conditions, unknown)
    return _evaluation(rule, facts, holds=holds, clear=unknown, applies=applies)


def _evaluation(
    rule: Rule,
    facts: Facts,
    *,
    holds: Mapping[Level, Truth],
    clear: Truth,
    reading: Reading | None = None,
    applies: bool | None = True,
) -> Evaluation:
    snapshot, parts = facts.snapshot, (*holds.values(), clear)
    unknown = reason(*parts) if any(isinstance(part, Unknown) for part in parts) else None
    limits = {name: facts.values.get(name) for name in rule.limits}
    return Evaluation(
        key=facts.key(rule),
        holds={level: _known(truth) for level, truth in holds.items()},
        clear=_known(clear),
        reading=reading,
        applies=applies,
        unknown=unknown.why if unknown else "",
        is_young=unknown.is_young if unknown else False,
        limits={name: limit for name, limit in limits.items() if isinstance(limit, float | int) and limit > 0},
        period_start_at=_period_start_at(rule, snapshot),
    )


def _period_start_at(rule: Rule, snapshot: Snapshot) -> datetime | None:
    """When that began with which what the rule reads begins anew: the reporting period, or the day or month of UTC."""
    if rule.reads_period:
        return snapshot.period_start_at
    match rule.calendar:
        case Kind.DAY:
            return midnight(snapshot.at)
        case Kind.MONTH:
            return month_start(snapshot.at)
        case _:
            return None


def _known(truth: Truth) -> bool | None:
    return None if isinstance(truth, Unknown) else truth
