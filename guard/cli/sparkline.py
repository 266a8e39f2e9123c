"""A rule's value over time as one line of blocks, with its thresholds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import inf
from typing import Any, Final

from guard.message.blocks import line_of
from guard.model import Level, Snapshot
from guard.replay import Cycle, Replay
from guard.rules.evaluate import Facts
from guard.rules.rule import Rule
from guard.rules.values import Unknown
from guard.units import NEVER_S, value_text

COLUMNS: Final = 60
"""How wide a line is at the most."""

SUBJECTS: Final = 3
"""Of how many subjects of a rule with `each` there is a line at the most."""

_CELLS: Final = 4 * COLUMNS  # kept, so that a narrower line has equal parts too
_SAMPLES: Final = 4  # in each cell, so that a year is not evaluated twice


@dataclass(slots=True)
class Curve:
    """The value of one rule, or of one subject of it, in equal parts of a time.

    Of each part it is the value furthest to the side on which the rule fires.
    """

    rule: Rule
    cells: list[float | None]
    subject: str = ""  # its id
    bounds: dict[Level, str] = field(default_factory=dict)  # as they stood last: `< 2`
    distance: float = inf  # how near the lowest level was, in the value's unit; below 0 it was past it
    why: str = ""  # it was unknown last
    _low: float = inf
    _high: float = -inf
    _numbers: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The rule, and the subject behind a slash."""
        return f"{self.rule.name}/{self.subject}" if self.subject else self.rule.name

    @property
    def _falls(self) -> bool:
        return next(iter(self.rule.conditions.values())).operator.startswith("<")

    def note(self, cell: int, facts: Facts) -> None:
        """Takes the value of one moment, and the thresholds as they stand; nothing where it is unknown."""
        value = self.rule.value.number(facts.values, facts.windows)
        if isinstance(value, Unknown):
            self.why = value.why
            return
        before = self.cells[cell]
        self.cells[cell] = value if before is None else (min if self._falls else max)(value, before)
        self._low, self._high = min(value, self._low), max(value, self._high)
        self._numbers = []
        for level, condition in self.rule.conditions.items():
            bound = condition.bound.number(facts.values, facts.windows)
            if not isinstance(bound, Unknown):
                self.bounds[level] = f"{condition.operator} {value_text(bound, self.rule.value_unit)}"
                self._numbers.append(bound)
        if self._numbers and (self.rule.when is None or self.rule.when.run(facts.values, facts.windows) is True):
            lowest = self._numbers[0]
            self.distance = min(self.distance, value - lowest if self._falls else lowest - value)

    def values(self, columns: int = COLUMNS) -> list[float | None]:
        """In so many parts at the most."""
        count = min(columns, len(self.cells))
        edges = [number * len(self.cells) // count for number in range(count + 1)]
        return [self._worst(self.cells[start:end]) for start, end in pairwise(edges)]

    def _worst(self, values: Sequence[float | None]) -> float | None:
        known = [each for each in values if each is not None]
        return (min if self._falls else max)(known, default=None)

    def drawn(self, columns: int = COLUMNS) -> str:
        """The line; the thresholds lie between its lowest and its highest block."""
        values = self.values(columns)
        known = [*(each for each in values if each is not None), *self._numbers]
        scaled = [each for each in known if each < NEVER_S]  # beside never all others would look the same
        low, high = min(scaled, default=0), max(scaled, default=0)
        return line_of([each if each is None else min(each, high) for each in values], low=low, high=high)

    @property
    def legend(self) -> str:
        """Gives `1 to 5; warning < 3, critical < 2`: all that the value was, and the thresholds."""
        if self._low > self._high:
            return f"unknown all the time: {self.why}"
        low, high = (value_text(each, self.rule.value_unit) for each in (self._low, self._high))
        span = low if low == high else f"{low} to {high}"
        return "; ".join(filter(None, (span, ", ".join(f"{level.word} {text}" for level, text in self.bounds.items()))))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        bounds = {level.word: text for level, text in self.bounds.items()}
        named = {"rule": self.rule.name, "subject": self.subject}
        return {**named, "values": self.values(), "bounds": bounds, "drawn": self.drawn()}


@dataclass(slots=True)
class Curves:
    """The curves of an account's rules from one instant to a later one; of a rule with `each` those of its subjects."""

    replay: Replay
    begins_at: datetime
    ends_at: datetime
    _curves: dict[str, dict[str, Curve]] = field(init=False)  # by rule and subject
    _cells: int = field(init=False)
    _next_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Has seen nothing yet."""
        config = self.replay.config
        self._cells = min(_CELLS, max(1, (self.ends_at - self.begins_at) // config.every))
        self._curves = {rule.name: {} if rule.each else {"": self._empty(rule)} for rule in config.rules}
        self._next_at = self.begins_at

    def _empty(self, rule: Rule, subject: str = "") -> Curve:
        return Curve(rule, [None] * self._cells, subject)

    def __iter__(self) -> Iterator[Curve]:
        """The curves in the order of the rules; of a rule with `each` those subjects that came nearest, nearest first.

        Where it had no subject there is an empty one.
        """
        for rule in self.replay.config.rules:
            found = sorted(self._curves[rule.name].values(), key=lambda curve: (curve.distance, curve.subject))
            yield from found[:SUBJECTS] or [Curve(rule, [None] * self._cells, why=f"no {rule.each} was listed")]

    @property
    def left_out(self) -> dict[str, int]:
        """How many more subjects a rule had, by its name; only where there are more."""
        more = {name: len(curves) - SUBJECTS for name, curves in self._curves.items()}
        return {name: count for name, count in more.items() if count > 0}

    def share(self, at: datetime) -> float:
        """How much of the time has passed by then."""
        return min(max((at - self.begins_at) / (self.ends_at - self.begins_at), 0), 1)

    def note(self, cycle: Cycle) -> None:
        """Takes the values of a cycle, now and then, and whenever something happens."""
        if not isinstance(cycle.seen, Snapshot) or (cycle.at < self._next_at and not cycle.events):
            return
        self._next_at = cycle.at + (self.ends_at - self.begins_at) / (self._cells * _SAMPLES)
        cell = min((cycle.at - self.begins_at) * self._cells // (self.ends_at - self.begins_at), self._cells - 1)
        facts = self.replay.facts(cycle.seen)
        for rule in self.replay.config.rules:
            if rule.each is None:
                self._curves[rule.name][""].note(cell, facts)
            else:
                self._note_subjects(rule, cell, facts)

    def _note_subjects(self, rule: Rule, cell: int, facts: Facts) -> None:
        assert rule.each is not None  # noqa: S101 - it has subjects
        curves, sight = self._curves[rule.name], self.replay.sight
        for subject in facts.snapshot.subjects.get(rule.each, {}):
            if subject not in curves:
                curves[subject] = self._empty(rule, subject)
            curves[subject].note(cell, facts.about(rule.each, subject, windows=sight.windows_of(rule.each, subject)))
