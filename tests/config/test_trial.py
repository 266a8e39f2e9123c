"""A rule file tried out: every function over a past, every kind of subject, every text."""

import pytest

from guard.config import trial as trial_module
from guard.config.trial import trial
from guard.model import Evaluation
from guard.rules.evaluate import Facts, evaluate
from guard.rules.functions import FUNCTIONS
from guard.rules.rule import Rule
from tests.wiring import config


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Evaluation]:
    """What each evaluation of a trial came to."""
    found: list[Evaluation] = []

    def noted(rule: Rule, facts: Facts) -> Evaluation:
        found.append(evaluate(rule, facts))
        return found[-1]

    monkeypatch.setattr(trial_module, "evaluate", noted)
    return found


def rule(value: str, more: str = "", *, warning: str = "> 1") -> str:
    text = f"[rules.tried]\nvalue = '{value}'\nwarning = '{warning}'\nsummary = '{{{value}}}'\n{more}\n"
    return text + "[budgets]\nmessages_per_day = 5000\n"


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_function_comes_to_something(name: str, tried: list[Evaluation]) -> None:
    function = FUNCTIONS[name]
    trial(config(rules=rule(function.example, warning="< 1h" if function.is_seconds else "> 1")))
    assert any(not each.unknown for each in tried), {each.unknown for each in tried}


@pytest.mark.parametrize("window", ["1m", "7m", "1h", "90m", "1d", "5d", "13d"])
def test_every_window_has_a_beginning(window: str, tried: list[Evaluation]) -> None:
    both = rule(f"increase(stats.totalMessages, {window}) + increase(stats.totalMessages, 13d)")
    trial(config(rules=both))
    assert [each.unknown for each in tried][1:] == ["", "", ""]


@pytest.mark.parametrize("each", ["number", "agent"])
def test_a_rule_with_each_is_tried_on_a_subject(each: str, tried: list[Evaluation]) -> None:
    trial(config(rules=rule(f"{each}.messages", f'each = "{each}"')))
    assert {evaluation.key.subject for evaluation in tried} == {"tried"}
    assert [evaluation.unknown for evaluation in tried][1:] == ["", "", ""]


def test_a_subject_has_a_past_of_its_own(tried: list[Evaluation]) -> None:
    trial(config(rules=rule("increase(number.messages, 1h)", 'each = "number"')))
    assert [evaluation.unknown for evaluation in tried][1:] == ["", "", ""]


def test_a_rule_that_fails_over_a_past_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> float:
        raise ZeroDivisionError

    monkeypatch.setattr("guard.rules.history.RecentWindows.increase", fails)
    with pytest.raises(ZeroDivisionError):
        trial(config(rules=rule("increase(stats.totalMessages, 1h)")))


def test_what_accounts_share_is_tried_once(tried: list[Evaluation]) -> None:
    other = '[accounts.other]\napi_key = "${API_KEY}"\n'
    trial(config(account=other, rules=rule("numbers.used")))
    assert len(tried) == 4
