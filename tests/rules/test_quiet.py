"""A rule that is called quiet is one that an evaluation would find at rest."""

from itertools import product

import pytest

from guard.lifecycle.step import is_at_rest, step
from guard.model import Alert
from guard.rules.evaluate import Facts, evaluate
from guard.rules.quiet import is_quiet
from tests.builders import KEY, MINUTE, NOW, snapshot
from tests.wiring import config, only

RULES = {
    "plain": 'value = "numbers.remaining"\nwarning = "< 3"\ncritical = "< 2"',
    "clear": 'value = "numbers.remaining"\nwarning = "< 3"\nclear = "> numbers.used"',
    "when": 'value = "numbers.remaining"\nwhen = "numbers.limit > 10"\nwarning = "< 3"',
    "bound": 'value = "numbers.remaining"\nwarning = "< 20% * numbers.limit"',
}
VALUES = (None, 1, 5, 20)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_quiet_just_when_an_alert_at_rest_stays_so(name: str) -> None:
    (rule,) = only(config(rules=f"[rules.{KEY.rule}]\n{RULES[name]}\n")).rules
    found = set()
    for remaining, used, limit in product(VALUES, repeat=3):
        fields = {"numbers.remaining": remaining, "numbers.used": used, "numbers.limit": limit, "other": 1}
        seen = snapshot({name: value for name, value in fields.items() if value is not None})
        facts = Facts.of(seen, budgets={})
        after = step(Alert(KEY), evaluate(rule, facts), rule.policy, now=NOW, every=MINUTE)
        stays = is_at_rest(after.alert) and not after.events
        assert is_quiet(rule, facts) == stays, (remaining, used, limit)
        found.add(stays)
    assert found == {True, False}
