"""Whether a rule at rest stays at rest, without the words and the bookkeeping of an evaluation; pure."""

from guard.rules.evaluate import Facts
from guard.rules.rule import Rule
from guard.rules.values import Unknown


def is_quiet(rule: Rule, facts: Facts) -> bool:
    """Whether `evaluate` would find all known and no level holding: then an alert at rest stays as it is.

    Only for a rule without `each`. It says False where it cannot tell at once.
    """
    values, windows = facts.values, facts.windows
    if rule.when is not None:
        applies = rule.when.run(values, windows)
        if applies is False:
            return True
        if applies is not True:
            return False
    value = rule.value.number(values, windows)
    if isinstance(value, Unknown):
        return False
    conditions = rule.conditions.values() if rule.clear is None else (*rule.conditions.values(), rule.clear)
    for condition in conditions:
        holds = condition.holds(value, condition.bound.number(values, windows))
        if isinstance(holds, Unknown) or (holds and condition is not rule.clear):
            return False
    return True
