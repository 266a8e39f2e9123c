"""The line of a rule's value: what it shows of a long time, and in few columns."""

from datetime import timedelta

from guard.cli.sparkline import COLUMNS, SUBJECTS, Curve, Curves
from guard.model import Each
from guard.replay import Replay
from tests.builders import MINUTE, NOW, at, snapshot
from tests.wiring import NUMBERS, config, only

AGENTS = """
[rules.talk]
each = "agent"
value = "agent.totalSeconds"
when = "agent.calls > 0"
warning = "> 100s"
"""


def curves_of(*left: float | None, rules: str = NUMBERS) -> Curves:
    """One poll a minute."""
    replay = Replay(only(config(rules=rules)))
    curves = Curves(replay, NOW, at(len(left)))
    for minute, each in enumerate(left):
        fields = {"numbers.limit": 12} if each is None else {"numbers.remaining": each}
        curves.note(replay.cycle(snapshot(fields, at=at(minute)), now=at(minute)))
    return curves


def curve_of(*left: float | None, rules: str = NUMBERS) -> Curve:
    (curve,) = curves_of(*left, rules=rules)
    return curve


def test_the_range_is_of_all_values_also_of_those_that_no_block_shows() -> None:
    curve = curve_of(*[9, 5] * 480)
    assert set(curve.values()) == {5}
    assert curve.legend == "5 to 9; warning < 3, critical < 2"


def test_fewer_columns_have_equal_parts_and_the_worst_value_of_each() -> None:
    curve = curve_of(*range(240, 0, -1))
    for columns in (20, 24, 40, COLUMNS):
        assert curve.values(columns) == [240 - 240 // columns * (part + 1) + 1 for part in range(columns)]
        assert len(curve.drawn(columns)) == columns
    assert len(curve.values(1_000)) == 240


def test_a_poll_that_failed_and_a_bound_that_is_unknown_leave_no_mark() -> None:
    rules = NUMBERS.replace('"< 2"', '"< numbers.used"')
    curves = curves_of(5, rules=rules)
    curves.note(curves.replay.cycle(None, now=at(1)))
    assert [curve.legend for curve in curves] == ["5; warning < 3"]


def test_there_are_no_more_blocks_than_polls() -> None:
    assert curve_of(5, None, 1).drawn() == "█·▁"


def test_what_is_never_reached_leaves_the_others_their_places() -> None:
    curve = Curve(curve_of(5).rule, [10, 1e15, 20])
    assert curve.drawn() == "▁██"


def test_a_value_that_is_unknown_all_the_time_says_why() -> None:
    assert curve_of(None, None).legend == "unknown all the time: numbers.remaining is missing"


def test_of_many_subjects_those_stand_first_that_came_nearest() -> None:
    replay = Replay(only(config(rules=AGENTS)))
    curves = Curves(replay, NOW, NOW + timedelta(minutes=5))
    agents = {f"agt_{number}": {"agent.totalSeconds": 10.0 * number, "agent.calls": 1.0} for number in range(6)}
    agents["agt_9"] = {"agent.totalSeconds": 99.0, "agent.calls": 0.0}  # to which the rule does not apply
    curves.note(replay.cycle(snapshot({}, subjects={Each.AGENT: agents}), now=NOW))
    assert [curve.name for curve in curves] == ["talk/agt_5", "talk/agt_4", "talk/agt_3"]
    assert curves.left_out == {"talk": len(agents) - SUBJECTS}


def test_a_rule_without_subjects_has_an_empty_line() -> None:
    (curve,) = curves_of(5, rules=AGENTS)
    assert (curve.name, curve.drawn(), curve.legend) == ("talk", "·", "unknown all the time: no agent was listed")


def test_a_short_time_is_shared_out_too() -> None:
    curves = curves_of(5, 5)
    assert [curves.share(NOW + minutes * MINUTE) for minutes in (-1, 1, 3)] == [0, 0.5, 1]
