"""A rule that is called quiet is one that an evaluation would find at rest."""

from itertools import product

import pytest

from guard.lifecycle.step import is_at_rest, step
from guard.model import Alert
from guard.rules.evaluate import Facts, evaluate
from guard.rules.names import BUDGETS
from guard.rules.quiet import quiet
from guard.rules.values import NO_WINDOWS
from tests.builders import KEY, MINUTE, NOW, snapshot
from tests.wiring import config, only

RULES = {
    "plain": 'value = "numbers.remaining"\nwarning = "< 3"\ncritical = "< 2"',
    "clear": 'value = "numbers.remaining"\nwarning = "< 3"\nclear = "> numbers.used"',
    "when": 'value = "numbers.remaining"\nwhen = "numbers.limit > 10"\nwarning = "< 3"',
    "clear at": 'value = "numbers.remaining"\nwarning = "< 3"\nclear = "> 4"',
    "budget": 'value = "numbers.remaining"\nwarning = "< budgets.least"\ncritical = "< numbers.used"',
    "bound": 'value = "numbers.remaining"\nwarning = "< 20% * numbers.limit"',
}
VALUES = (None, 1, 5, 20)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_quiet_just_when_an_alert_at_rest_stays_so(name: str) -> None:
    (rule,) = only(config(rules=f"[budgets]\nleast = 3\n[rules.{KEY.rule}]\n{RULES[name]}\n")).rules
    is_quiet = quiet(rule, constants={BUDGETS + "least": 3})
    found = set()
    for remaining, used, limit in product(VALUES, repeat=3):
        fields = {"numbers.remaining": remaining, "numbers.used": used, "numbers.limit": limit, "other": 1}
        seen = snapshot({name: value for name, value in fields.items() if value is not None})
        facts = Facts.of(seen, budgets={"least": 3})
        after = step(Alert(KEY), evaluate(rule, facts), rule.policy, now=NOW, every=MINUTE)
        stays = is_at_rest(after.alert) and not after.events
        assert is_quiet(facts.values, facts.windows) == stays, (remaining, used, limit)
        found.add(stays)
    assert found == {True, False}


def test_a_rule_with_a_subject_for_each_alert_is_never_quiet() -> None:
    text = f'[rules.{KEY.rule}]\neach = "agent"\nvalue = "agent.messages"\nwarning = "> 3"\n'
    (rule,) = only(config(rules=text)).rules
    assert not quiet(rule, constants={})({}, NO_WINDOWS)


def test_a_text_where_a_number_is_wanted_is_not_quiet() -> None:
    (rule,) = only(config(rules=f'[rules.{KEY.rule}]\nvalue = "stats.odd"\nwarning = "> 3"\n')).rules
    is_quiet = quiet(rule, constants={})
    assert [is_quiet({"stats.odd": value}, NO_WINDOWS) for value in ("many", 3.0, 4.0)] == [False, True, False]
