"""A rule test's outcome on one timeline: what was expected beside what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from guard.cli.expectation import Expectation, happened
from guard.cli.rule_test_file import RuleTest
from guard.model import AlertKey, Event
from guard.replay import Cycle

_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Moment:
    """One alert in one poll."""

    at: timedelta | None  # since the start; None: in any poll
    key: AlertKey
    expected: str
    seen: str
    good: bool
    line: int | None  # of the expectation; of the test where nothing was expected

    def as_dict(self) -> dict[str, Any]:
        """For JSON: `at` in seconds."""
        return {
            "at": None if self.at is None else self.at.total_seconds(),
            "alert": self.key.rule,
            "subject": self.key.subject,
            "expected": self.expected,
            "seen": self.seen,
            "good": self.good,
            "line": self.line,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test that was played."""

    test: RuleTest
    moments: tuple[Moment, ...]  # in order of time

    @property
    def passed(self) -> bool:
        """Whether all came as it was expected."""
        return all(moment.good for moment in self.moments)


@dataclass(frozen=True, slots=True)
class _Seen:
    at: timedelta
    event: Event
    cycle: Cycle


def judged(test: RuleTest, cycles: Iterable[Cycle]) -> Outcome:
    """Plays a test: `cycles` are those of its scenario, from the start on."""
    watched = {each.key for each in test.expected}
    seen = [
        _Seen(number * test.scenario.interval, event, cycle)
        for number, cycle in enumerate(cycles)
        for event in cycle.events
        if event.key in watched
    ]
    moments = [_taken(expected, seen) for expected in test.expected if expected.kind is not None]
    for expected in (each for each in test.expected if each.kind is None):
        moments += _quiet(expected, seen)
    if test.strict:
        moments += [Moment(each.at, each.event.key, "", happened(each.event), False, test.line) for each in seen]
    # Where several things come in one poll they stand as they were expected, and what nobody expected behind them.
    return Outcome(test, tuple(sorted(moments, key=lambda moment: moment.at or timedelta())))


def _taken(expected: Expectation, seen: list[_Seen]) -> Moment:
    """The moment of one expectation; what it is about is taken from what was seen."""
    there = [each for each in seen if each.at == expected.at and each.event.key == expected.key]
    met = next((each for each in there if expected.is_met_by(each.event, each.cycle)), None)
    nearest = met or next((each for each in there if each.event.kind is expected.kind), None)
    if nearest is not None:
        seen.remove(nearest)
    text = _NOTHING if nearest is None else expected.seen(nearest.event, nearest.cycle)
    return Moment(expected.at, expected.key, str(expected), text, met is not None, expected.line)


def _quiet(expected: Expectation, seen: list[_Seen]) -> list[Moment]:
    """The moments of an expectation that nothing happens."""
    there = [each for each in seen if each.event.key == expected.key and expected.at in {None, each.at}]
    for each in there:
        seen.remove(each)
    if not there:
        return [Moment(expected.at, expected.key, _NOTHING, _NOTHING, True, expected.line)]
    return [Moment(each.at, expected.key, _NOTHING, happened(each.event), False, expected.line) for each in there]
