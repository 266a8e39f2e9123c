"""The promise under kill -9: nothing is lost, there are no more copies than kills, and from a bot at most one.

Each test is a process of the harness, which must fork before any thread exists; the test runner has threads. What is
told by all channels at once is short here; `make drill` does it a thousand times. All points of a bot and of a mail are
met by `make acceptance`.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

import pytest

from tests.crash.channels import Kind
from tests.crash.child import POINTS
from tests.crash.power import can_be_cut

COPIED = ("send.after", "settle.inside")  # it arrived, and the service did not get to write that down


def harness(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Runs the harness and gives its exit code and its counts."""
    command = [sys.executable, "-m", "tests.crash.harness", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("on", "kills"), [("webhook", 16), ("bot,mail", 16)])
def test_random_kills_lose_nothing_and_make_few_copies(on: str, kills: int) -> None:
    code, (count,) = harness("--on", on, "--kills", str(kills))
    assert (code, count["broken"]) == (0, []), count
    assert count["kills"] > kills * 3 / 4
    assert count["incidents"] > 0
    assert min(count["accepted"].values()) > 0


NEW_WITH_A_BOT: Final = [point for point in POINTS[Kind.BOT] if "+" in point or point.startswith("send.after")]
"""What follows an attempt whose answer is lost; at the other points a bot is served as a webhook is."""


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        pytest.param(Kind.WEBHOOK, POINTS[Kind.WEBHOOK], id="webhook"),
        pytest.param(Kind.BOT, NEW_WITH_A_BOT, id="bot"),
        pytest.param(Kind.BOT, POINTS[Kind.BOT], id="bot at all", marks=pytest.mark.acceptance),
        pytest.param(Kind.MAIL, POINTS[Kind.MAIL], id="mail", marks=pytest.mark.acceptance),
    ],
)
def test_a_kill_at_each_durability_point(kind: Kind, points: Sequence[str]) -> None:
    code, counts = harness("--on", kind, "--point", ",".join(points))
    assert [each["run"] for each in counts] == list(points)
    told = 8 if kind is Kind.MAIL else 4  # two alerts that fire and end, and by mail to two people
    for count in counts:
        copied = kind is not Kind.BOT and count["run"].partition(":")[0] in COPIED
        assert (count["incidents"], count["accepted"][kind]) == (2, told + copied), count
        assert (count["copies"][kind], count["broken"]) == (copied, []), count
    assert code == 0


@pytest.mark.parametrize(
    ("act", "point"), [("raise", "all"), ("hang", "settle.inside:post"), ("hang", "send.after:post")]
)
def test_a_defect_or_a_hang_at_a_durability_point(act: str, point: str) -> None:
    code, counts = harness("--on", "webhook", "--point", point, "--act", act)
    assert counts
    for count in counts:
        # What a defect keeps from being written down is known to the process, which goes on.
        copied = count["run"] == "send.after:post" or (act == "hang" and count["run"] == "settle.inside:post")
        assert (count["incidents"], count["accepted"]["webhook"]) == (2, 4 + copied), count
        assert (count["copies"]["webhook"], count["broken"]) == (copied, []), count
    assert code == 0


@pytest.mark.acceptance
def test_kills_of_cold_processes() -> None:
    code, (count,) = harness("--cold", "3")
    assert (code, count["broken"]) == (0, []), count
    assert count["kills"] == 3
    assert count["incidents"] > 0


def test_the_harness_notices_when_the_order_is_turned_round() -> None:
    code, (count,) = harness("--on", "webhook", "--point", "settle.after:post", "--mark-first")
    assert code == 1
    assert any("never arrived" in each for each in count["wrong"])


def test_the_harness_notices_when_a_bot_looks_for_nothing() -> None:
    _, (count,) = harness("--on", "bot", "--point", "send.after:post", "--no-find")
    assert count["copies"] == {"bot": 1}


@pytest.mark.skipif(not can_be_cut(), reason="this Python has an SQLite of its own, whose syncs cannot be watched")
@pytest.mark.parametrize(("setting", "lost"), [([], False), (["--normal"], True)])
def test_a_power_cut_loses_nothing_that_was_acknowledged_and_would_if_syncing_were_normal(
    setting: list[str], lost: bool
) -> None:
    _, (count,) = harness("--on", "webhook", "--power", "4", *setting)
    assert any("acknowledged rows were lost" in each for each in count["wrong"]) == lost, count
    assert lost or count["broken"] == []
