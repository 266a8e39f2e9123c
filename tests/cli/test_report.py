"""`guard report`: what was told, or would be, without telling it."""

import json
from functools import partial
from pathlib import Path

import pytest

from guard.clock import Clock
from guard.errors import ExitCode
from guard.store import Unit
from tests.builders import at
from tests.cli.conftest import RULES, Fill, Run
from tests.reporting.test_reading import busy_day, daily, usage

pytestmark = pytest.mark.usefixtures("rules")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "now", lambda _: at(12))


def test_the_last_report_is_shown_as_it_is_told(guard: Run, fill: Fill) -> None:
    fill(busy_day)
    done = guard("report")
    assert (done.code, done.err) == (ExitCode.DONE, "")
    assert done.out.startswith("[report] main\n1 alert fired, 1 resolved, 1 firing now, 3 not told\n")
    assert "Period: 2026-11-22 09:00 UTC to 2026-11-23 09:00 UTC\n" in done.out


def test_the_next_one_is_shown_as_far_as_it_is_known(guard: Run, fill: Fill) -> None:
    fill(lambda unit: unit.record_poll(usage(1, total=3)))
    done = guard("report", "--now")
    assert "all quiet, nothing fired" in done.out
    assert "Period: 2026-11-23 09:00 UTC to 2026-11-23 14:17 UTC\n" in done.out


def test_machines_get_all_of_it(guard: Run, fill: Fill) -> None:
    fill(busy_day)
    found = json.loads(guard("report", "--format", "json").out)
    assert (found["every"], found["start_at"], found["end_at"]) == (
        "daily",
        "2026-11-22T09:00:00Z",
        "2026-11-23T09:00:00Z",
    )
    assert (found["quiet"], found["fired"], found["resolved"]) == (False, 1, 1)
    assert found["firing"] == [
        {"alert": "main/numbers-remaining", "level": "critical", "since": "2026-11-23T07:00:00Z"}
    ]
    assert found["longest"] == {"alert": "main/numbers-remaining", "incident": "i1"}
    assert found["grew"] == [{"account": "main", "field": "stats.totalMessages", "by": 1500.0, "before": 300.0}]
    assert found["untold"][-1] == {"alert": "main/calls", "channel": "ops", "why": "given up: no such channel"}
    assert found["data"]["polls"] == 3


def test_machines_are_told_of_limits_and_pace(guard: Run, fill: Fill, rules: Path) -> None:
    rules.write_text(
        f'{RULES}[rules.month]\nvalue = "month.projectedMessages"\nwarning = "> 10_000_000"\n[report]\nat = "06:00"\n'
    )
    for poll in (usage(-1, total=3), daily()):
        fill(partial(Unit.record_poll, poll=poll))
    found = json.loads(guard("report", "--format", "json").out)
    assert found["end_at"] == "2026-11-23T06:00:00Z"
    assert found["limits"][0] == {
        "alert": "main/numbers-remaining",
        "value": 5.0,
        "unit": "count",
        "level": "warning",
        "operator": "<",
        "bound": 3.0,
        "left": 2.0,
    }
    assert [each["of"] for each in found["pace"]] == ["messages", "calls"]
    assert found["longest"] is None


def test_without_a_database_it_says_so(guard: Run) -> None:
    assert guard("report").code == ExitCode.STORAGE


def test_a_rule_file_with_mistakes_is_said_to_have_them(guard: Run, rules: Path) -> None:
    rules.write_text("nonsense")
    assert guard("report").code == ExitCode.CONFIG
