"""One rule against the facts of one account: which levels hold, whether it is over, what to tell people; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from guard.model import AlertKey, Bound, Evaluation, Level, Reading, Snapshot
from guard.rules.names import BUDGETS
from guard.rules.rule import Rule
from guard.rules.values import NO_WINDOWS, Unknown, Values, Windows, both, either, negated, reason
from guard.units import value_text

Truth = bool | Unknown


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one account at one moment; made once for all its rules."""

    snapshot: Snapshot
    values: Values  # the snapshot's fields, and the account's budgets
    windows: Windows  # up to this snapshot

    @classmethod
    def of(cls, snapshot: Snapshot, *, budgets: Mapping[str, float], windows: Windows = NO_WINDOWS) -> "Facts":
        """Takes the account's budgets by name without prefix, and its history up to this snapshot."""
        values = {**snapshot.values, **{BUDGETS + name: number for name, number in budgets.items()}}
        return cls(snapshot, values, windows)


def evaluate(rule: Rule, facts: Facts, *, at_rest: bool = False) -> Evaluation:
    """Evaluates a rule. Never raises for a rule that was read.

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
        return Evaluation(AlertKey(facts.snapshot.account, rule.name), dict.fromkeys(holds, False), clear, None)
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
    limits = {name: snapshot.values.get(name) for name in rule.limits}
    return Evaluation(
        key=AlertKey(snapshot.account, rule.name),
        holds={level: _known(truth) for level, truth in holds.items()},
        clear=_known(clear),
        reading=reading,
        applies=applies,
        unknown=unknown.why if unknown else "",
        is_young=unknown.is_young if unknown else False,
        limits={name: limit for name, limit in limits.items() if isinstance(limit, float | int) and limit > 0},
        period_start_at=snapshot.period_start_at if rule.reads_period else None,
    )


def _known(truth: Truth) -> bool | None:
    return None if isinstance(truth, Unknown) else truth
