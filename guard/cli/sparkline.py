"""A rule's value over time as one line of blocks, with its thresholds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from guard.model import Level, Snapshot
from guard.replay import Cycle, Replay
from guard.rules.evaluate import Facts
from guard.rules.rule import Rule
from guard.rules.values import Unknown
from guard.units import value_text

COLUMNS: Final = 60
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_GAP: Final = "·"
_SAMPLES: Final = 8  # in each column, so that a year is not evaluated twice


def sparkline(values: Sequence[float | None], *, low: float, high: float) -> str:
    """One block for each value between two bounds, `·` where there is none.

    >>> sparkline((0, None, 5, 10), low=0, high=10)
    '▁·▅█'
    """
    span = (high - low) or 1
    return "".join(
        _GAP if each is None else _BLOCKS[round((each - low) / span * (len(_BLOCKS) - 1))] for each in values
    )


@dataclass(slots=True)
class Curve:
    """One rule's value in equal parts of a time: of each the one furthest to the side on which it fires."""

    rule: Rule
    values: list[float | None]
    bounds: dict[Level, str] = field(default_factory=dict)  # as they stood last: `< 2`
    _numbers: list[float] = field(default_factory=list)

    def note(self, column: int, value: float, facts: Facts) -> None:
        """Takes one value, and the thresholds as they stand."""
        before = self.values[column]
        falls = next(iter(self.rule.conditions.values())).operator.startswith("<")
        self.values[column] = value if before is None else (min if falls else max)(value, before)
        self._numbers = []
        for level, condition in self.rule.conditions.items():
            bound = condition.bound.number(facts.values, facts.windows)
            if not isinstance(bound, Unknown):
                self.bounds[level] = f"{condition.operator} {value_text(bound, self.rule.value_unit)}"
                self._numbers.append(bound)

    @property
    def drawn(self) -> str:
        """The line; the thresholds lie between its lowest and its highest block."""
        known = [each for each in self.values if each is not None] + self._numbers
        return sparkline(self.values, low=min(known, default=0), high=max(known, default=0))

    @property
    def legend(self) -> str:
        """Gives `1 to 5; warning < 3, critical < 2`."""
        known = [each for each in self.values if each is not None]
        if not known:
            return "unknown all the time"
        low, high = (value_text(each, self.rule.value_unit) for each in (min(known), max(known)))
        return "; ".join((f"{low} to {high}", ", ".join(f"{level.word} {text}" for level, text in self.bounds.items())))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        bounds = {level.word: text for level, text in self.bounds.items()}
        return {"rule": self.rule.name, "values": self.values, "bounds": bounds, "drawn": self.drawn}


@dataclass(slots=True)
class Curves:
    """The curves of an account's rules from one instant to a later one; rules with `each` have none."""

    replay: Replay
    begins_at: datetime
    ends_at: datetime
    _curves: list[Curve] = field(init=False)
    _columns: int = field(init=False)
    _next_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Has seen nothing yet."""
        config = self.replay.config
        self._columns = min(COLUMNS, max(1, (self.ends_at - self.begins_at) // config.every))
        self._curves = [Curve(rule, [None] * self._columns) for rule in config.rules if rule.each is None]
        self._next_at = self.begins_at

    def __iter__(self) -> Iterator[Curve]:
        """The curves in the order of the rules."""
        return iter(self._curves)

    def share(self, at: datetime) -> float:
        """How much of the time has passed by then."""
        return min(max((at - self.begins_at) / (self.ends_at - self.begins_at), 0), 1)

    def note(self, cycle: Cycle) -> None:
        """Takes the values of a cycle, now and then, and whenever something happens."""
        if not isinstance(cycle.seen, Snapshot) or (cycle.at < self._next_at and not cycle.events):
            return
        self._next_at = cycle.at + (self.ends_at - self.begins_at) / (self._columns * _SAMPLES)
        column = min((cycle.at - self.begins_at) * self._columns // (self.ends_at - self.begins_at), self._columns - 1)
        facts = self.replay.facts(cycle.seen)
        for curve in self._curves:
            value = curve.rule.value.number(facts.values, facts.windows)
            if not isinstance(value, Unknown):
                curve.note(column, value, facts)
