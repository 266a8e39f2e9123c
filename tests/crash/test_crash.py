"""The promise under kill -9: nothing is lost, and there are no more copies than kills.

Each test is a process of the harness, which must fork before any thread exists; the test runner has threads.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.crash.child import POINTS


def harness(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Runs the harness and gives its exit code and its count."""
    command = [sys.executable, "-m", "tests.crash.harness", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)


def test_200_random_kills_lose_nothing_and_make_no_more_copies_than_kills() -> None:
    code, count = harness("--kills", "200")
    assert (code, count["broken"]) == (0, []), count
    assert count["kills"] > 150
    assert count["incidents"] > 4
    assert count["accepted"] > 4


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_each_durability_point(point: str) -> None:
    code, count = harness("--point", point)
    assert (code, count["broken"]) == (0, []), count
    assert count["incidents"] == 2
    assert count["accepted"] - count["copies"] == 4
    assert count["copies"] == (1 if point in {"send.after", "settle.inside"} else 0)


def test_five_kills_of_cold_processes() -> None:
    code, count = harness("--cold", "5")
    assert (code, count["broken"]) == (0, []), count
    assert count["kills"] == 5
    assert count["incidents"] > 0


def test_the_harness_notices_when_the_order_is_turned_round() -> None:
    code, count = harness("--kills", "60", "--mark-first")
    assert code == 1
    assert any("never arrived" in each for each in count["lost"])
