"""`guard explain` of a rule with `each` as a whole: its subjects, each with level and value."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot as shown

from guard.clock import Clock
from guard.model import Alert, AlertKey, Answer, Endpoint, Level, Reading, State
from guard.store import Poll, RuleFile, Unit
from tests.builders import NOW, account, alert, at, incident
from tests.cli.conftest import RULES, Fill, Run
from tests.cli.explaining import Explain

AGENTS = """
[rules.agent-minutes]
each = "agent"
value = "agent.totalSeconds / 60"
warning = "> 80"
critical = "> 100"
"""
WHOLE = "main/agent-minutes"


@pytest.fixture(autouse=True)
def _clock(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(1))
    rules.write_text(RULES.replace('every = "1s"', 'every = "1m"') + AGENTS)


def answered(unit: Unit, *rows: dict[str, Any]) -> None:
    unit.save_account(account(cycled_at=at(1)))
    for endpoint, payload in ((Endpoint.USAGE, {"numbers": {"remaining": 4}}), (Endpoint.BY_AGENT, {"data": rows})):
        unit.record_poll(Poll("main", NOW, Answer(payload, json.dumps(payload)), endpoint=endpoint))


def stands(subject: str, state: State = State.FIRING, level: Level | None = Level.CRITICAL) -> Alert:
    key = AlertKey("main", "agent-minutes", subject)
    found = replace(alert(key=key, state=state, level=level), reading=Reading(NOW, "busy", 150, subject="Sales"))
    return replace(found, incident=incident(key=key) if level else None)


def three(unit: Unit) -> None:
    """Three agents and one that the listing no longer shows; two of these fire."""
    answered(
        unit,
        {"agentId": "agt_1", "agentName": "Support", "totalSeconds": 1800},
        {"agentId": "agt_2", "agentName": "agt_2", "totalSeconds": 5400},
        {"agentId": "agt_3"},
    )
    unit.save_alerts([stands("agt_2", level=Level.WARNING), stands("agt_9"), stands("agt_8", State.OK, None)])


def test_the_worst_comes_first_and_the_unknown_say_so(explain: Explain, fill: Fill) -> None:
    fill(three)
    assert explain(WHOLE) == shown("""\
main/agent-minutes: one alert for each agent; 4 agents by the answer of 2026-11-23 14:05 UTC, 1 min ago

SUBJECT  STATE      LEVEL     VALUE  NAME
agt_9    firing     critical  150    Sales (unknown: not in the last listing)
agt_2    firing     warning   90
agt_1    ok                   30     Support
agt_3    not known                   (unknown: agent.totalSeconds is missing)

Why one of them is told of, or not: `guard explain main/agent-minutes/agt_9`.
""")


def test_the_page_shows_this_table(explain: Explain, fill: Fill) -> None:
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text()
    fill(three)
    assert f"```console\n$ guard explain {WHOLE}\n{explain(WHOLE)}```" in page


def test_for_machines(guard: Run, fill: Fill) -> None:
    fill(three)
    document = json.loads(guard("explain", WHOLE, "--format", "json").out)
    assert document.pop("rule_file")["broken"] is False
    assert document == shown(
        {
            "at": "2026-11-23T14:06:00Z",
            "alert": "main/agent-minutes",
            "each": "agent",
            "answer_at": "2026-11-23T14:05:00Z",
            "subjects": [
                {
                    "alert": "main/agent-minutes/agt_9",
                    "subject": "agt_9",
                    "name": "Sales",
                    "state": "firing",
                    "level": "critical",
                    "value": 150,
                    "unit": "",
                    "unknown": "not in the last listing",
                },
                {
                    "alert": "main/agent-minutes/agt_2",
                    "subject": "agt_2",
                    "name": None,
                    "state": "firing",
                    "level": "warning",
                    "value": 90.0,
                    "unit": "",
                    "unknown": None,
                },
                {
                    "alert": "main/agent-minutes/agt_1",
                    "subject": "agt_1",
                    "name": "Support",
                    "state": "ok",
                    "level": None,
                    "value": 30.0,
                    "unit": "",
                    "unknown": None,
                },
                {
                    "alert": "main/agent-minutes/agt_3",
                    "subject": "agt_3",
                    "name": None,
                    "state": "ok",
                    "level": None,
                    "value": None,
                    "unit": "",
                    "unknown": "agent.totalSeconds is missing",
                },
            ],
        }
    )


def test_before_any_answer_there_are_none(explain: Explain, fill: Fill) -> None:
    fill(lambda unit: unit.save_account(account(cycled_at=at(1))))
    assert explain(WHOLE) == shown("main/agent-minutes: one alert for each agent; no answer showed one yet\n")


def test_by_the_version_in_force_while_the_file_is_broken(explain: Explain, fill: Fill, rules: Path) -> None:
    version = RuleFile(NOW, "digest", rules.read_text())
    fill(three)
    fill(lambda unit: unit.add_rule_file(version))
    rules.write_text("[rules")
    assert explain(WHOLE).splitlines()[1] == shown(
        "rules.toml is broken; the version of 2026-11-23 14:05 UTC is in force. `guard check` says what to mend."
    )


def test_a_rule_that_is_unknown_as_a_whole_is_explained_as_one_alert(explain: Explain, fill: Fill) -> None:
    unknown = Alert(AlertKey("main", "agent-minutes"), unknown_why="no good listing of agents")
    fill(answered)
    fill(lambda unit: unit.save_alerts([unknown]))
    assert explain(WHOLE) == shown("""\
main/agent-minutes: not known
Nothing is sent now: it is unknown: no good listing of agents; time mends that.

CHANNEL  SHOULD KNOW  KNOWS    TOLD   NEXT
ops      nothing      nothing  never  is told of warning and critical
""")
