"""One rule against one snapshot: which levels hold, whether it is over, and what to tell people; pure."""

from collections.abc import Mapping

from guard.model import AlertKey, Bound, Evaluation, Level, Reading, Snapshot
from guard.rules.names import BUDGETS
from guard.rules.rule import Rule
from guard.rules.values import Unknown, Values, both, either, negated
from guard.units import value_text

Truth = bool | Unknown


def evaluate(rule: Rule, snapshot: Snapshot, *, budgets: Mapping[str, float]) -> Evaluation:
    """Evaluates a rule; `budgets` are the account's, by name without prefix. Never raises for a rule that was read."""
    values = {**snapshot.values, **{BUDGETS + name: number for name, number in budgets.items()}}
    applies = True if rule.when is None else rule.when.run(values)
    if isinstance(applies, Unknown):
        return _all_unknown(rule, snapshot, applies, applies=None)
    if not applies:
        return _evaluation(rule, snapshot, holds=dict.fromkeys(rule.conditions, False), clear=True, applies=False)
    value = rule.value.number(values)
    if isinstance(value, Unknown):
        return _all_unknown(rule, snapshot, value, applies=True)
    bounds = {level: condition.bound.number(values) for level, condition in rule.conditions.items()}
    holds = _holds(rule, value, bounds)
    return _evaluation(
        rule,
        snapshot,
        holds=holds,
        clear=_clear(rule, value, holds, values),
        reading=_reading(rule, snapshot, value, bounds, values),
    )


def _holds(rule: Rule, value: float, bounds: Mapping[Level, float | Unknown]) -> dict[Level, Truth]:
    """Whether each level holds, ascending; a level holds while it or a higher one does."""
    holds: dict[Level, Truth] = {}
    higher: Truth = False
    for level in sorted(rule.conditions, reverse=True):
        higher = either(rule.conditions[level].holds(value, bounds[level]), higher)
        holds[level] = higher
    return dict(sorted(holds.items()))


def _clear(rule: Rule, value: float, holds: Mapping[Level, Truth], values: Values) -> Truth:
    """Whether it is over: no level holds, and the rule's own `clear`, where it has one, is true."""
    calm = negated(holds[min(holds)])
    if rule.clear is None:
        return calm
    return both(calm, rule.clear.holds(value, rule.clear.bound.number(values)))


def _reading(
    rule: Rule, snapshot: Snapshot, value: float, bounds: Mapping[Level, float | Unknown], values: Values
) -> Reading:
    unit = rule.value_unit
    summary = rule.summary.render(values, at=snapshot.at, tz=rule.tz)
    return Reading(
        at=snapshot.at,
        summary=summary or f"{rule.value} is {value_text(value, unit)}",
        value=value,
        unit=unit,
        bounds={
            level: Bound(condition.operator, bound)
            for level, condition in rule.conditions.items()
            if not isinstance(bound := bounds[level], Unknown)
        },
        description=rule.description.render(values, at=snapshot.at, tz=rule.tz),
        runbook=rule.runbook,
        age=snapshot.age,
    )


def _all_unknown(rule: Rule, snapshot: Snapshot, unknown: Unknown, *, applies: bool | None) -> Evaluation:
    holds: Mapping[Level, Truth] = dict.fromkeys(rule.conditions, unknown)
    return _evaluation(rule, snapshot, holds=holds, clear=unknown, applies=applies)


def _evaluation(
    rule: Rule,
    snapshot: Snapshot,
    *,
    holds: Mapping[Level, Truth],
    clear: Truth,
    reading: Reading | None = None,
    applies: bool | None = True,
) -> Evaluation:
    parts = (*holds.values(), clear)
    limits = {name: snapshot.values.get(name) for name in rule.limits}
    return Evaluation(
        key=AlertKey(snapshot.account, rule.name),
        holds={level: _known(truth) for level, truth in holds.items()},
        clear=_known(clear),
        reading=reading,
        applies=applies,
        unknown=next((part.why for part in parts if isinstance(part, Unknown)), ""),
        limits={name: limit for name, limit in limits.items() if isinstance(limit, float | int) and limit > 0},
        period_start_at=snapshot.period_start_at if rule.reads_period else None,
    )


def _known(truth: Truth) -> bool | None:
    return None if isinstance(truth, Unknown) else truth
