"""A rule test's outcome on one timeline: what was expected beside what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from guard.cli.expectation import Expectation, happened
from guard.cli.rule_test_file import RuleTest
from guard.model import AlertKey, Event
from guard.replay import Cycle
from guard.units import duration_text

_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Moment:
    """One alert in one poll."""

    at: timedelta | None  # since the start; None: in any poll
    key: AlertKey
    expected: str
    seen: str
    miss: str  # empty where it is as expected, else by what it is not: `late`, `level`, `missing`, `extra`, …
    line: int | None  # of the expectation; of the test where nothing was expected

    @property
    def good(self) -> bool:
        """Whether it is as expected."""
        return not self.miss

    def as_dict(self) -> dict[str, Any]:
        """For JSON: `at` in seconds."""
        return {
            "at": None if self.at is None else self.at.total_seconds(),
            "alert": self.key.rule,
            "subject": self.key.subject,
            "expected": self.expected,
            "seen": self.seen,
            "good": self.good,
            "miss": self.miss,
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
        for event in _of_alerts(cycle.events)
        if event.key in watched
    ]
    moments = _moments([each for each in test.expected if each.kind is not None], seen)
    for expected in (each for each in test.expected if each.kind is None):
        moments += _quiet(expected, seen)
    if test.strict:
        moments += [Moment(each.at, each.event.key, "", happened(each.event), "extra", test.line) for each in seen]
    # Where several things come in one poll they stand as they were expected, and what nobody expected behind them.
    return Outcome(test, tuple(sorted(moments, key=lambda moment: moment.at or timedelta())))


def _of_alerts(events: Iterable[Event]) -> Iterable[Event]:
    """Those of one poll, each once for its alert: what is held back from many channels is held back once."""
    return {(each.key, each.kind): each for each in events}.values()


def _moments(expected: Iterable[Expectation], seen: list[_Seen]) -> list[Moment]:
    """Each expectation beside what it is about, which is taken from what was seen; what fits best goes first."""
    found: dict[Expectation, Moment] = {}
    for fits in (_is_met, _is_of_its_time, _is_of_another_time):
        for each in (each for each in expected if each not in found):
            at = each.at or timedelta()
            fitting = (there for there in seen if there.event.key == each.key and fits(each, there))
            if there := min(fitting, key=lambda there: abs(there.at - at), default=None):
                seen.remove(there)
                found[each] = _moment(each, there)
    return [
        found.get(each) or Moment(each.at, each.key, str(each), _NOTHING, "missing", each.line) for each in expected
    ]


def _is_met(expected: Expectation, there: _Seen) -> bool:
    return _is_of_its_time(expected, there) and not expected.miss(there.event, there.cycle)


def _is_of_its_time(expected: Expectation, there: _Seen) -> bool:
    return there.at == expected.at and there.event.kind is expected.kind


def _is_of_another_time(expected: Expectation, there: _Seen) -> bool:
    return there.event.kind is expected.kind and not expected.miss(there.event, there.cycle)


def _moment(expected: Expectation, there: _Seen) -> Moment:
    text = expected.seen(there.event, there.cycle)
    if expected.at is None or there.at == expected.at:
        miss = expected.miss(there.event, there.cycle)
        return Moment(expected.at, expected.key, str(expected), text, miss, expected.line)
    miss = "late" if there.at > expected.at else "early"
    return Moment(expected.at, expected.key, str(expected), f"{text} at {duration_text(there.at)}", miss, expected.line)


def _quiet(expected: Expectation, seen: list[_Seen]) -> list[Moment]:
    """The moments of an expectation that nothing happens."""
    there = [each for each in seen if each.event.key == expected.key and expected.at in {None, each.at}]
    for each in there:
        seen.remove(each)
    if not there:
        return [Moment(expected.at, expected.key, str(expected), _NOTHING, "", expected.line)]
    return [
        Moment(each.at, expected.key, str(expected), happened(each.event), "extra", expected.line) for each in there
    ]
