"""One figure beside its yardstick, and the table of them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_TEN: Final = 10
_HUNDRED: Final = 100
_COLUMNS: Final = ("", "measured", "×", "yardstick of the same run", "aim", "")


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What a figure is held against: something that does the same with less, measured beside it."""

    what: str
    value: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured. Value and yardstick are in `unit`, and so is the aim unless it is a ratio."""

    what: str
    value: float
    unit: str
    yardstick: Yardstick | None = None
    beside: str = ""  # what else was seen, in words
    at_most: float | None = None  # the aim, in `unit`
    at_most_times: float | None = None  # the aim, in yardsticks

    @property
    def ratio(self) -> float | None:
        """How many yardsticks it is."""
        return self.value / self.yardstick.value if self.yardstick and self.yardstick.value else None

    @property
    def is_met(self) -> bool | None:
        """Whether it meets its aim; None if it has none.

        >>> Figure("x", 3.0, "ms", at_most=2.0).is_met
        False
        """
        if self.at_most_times is not None and self.ratio is not None:
            return self.ratio <= self.at_most_times
        return None if self.at_most is None else self.value <= self.at_most


def table(figures: Iterable[Figure]) -> str:
    """All figures as lines of text, in columns.

    >>> print(table([Figure("a cycle", 0.9, "ms", Yardstick("by hand", 0.3), at_most=1.5)]))
             measured  ×    yardstick of the same run  aim
    a cycle  0.900 ms  3.0  by hand 0.300 ms           ≤ 1.5 ms  met
    """
    rows = [_COLUMNS, *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(figure: Figure) -> tuple[str, ...]:
    ratio, yardstick = figure.ratio, figure.yardstick
    return (
        figure.what,
        _quantity(figure.value, figure.unit) + (f", {figure.beside}" if figure.beside else ""),
        "" if ratio is None else f"{ratio:.1f}",
        f"{yardstick.what} {_quantity(yardstick.value, figure.unit)}" if yardstick else "",
        _aim(figure),
        {None: "", True: "met", False: "MISSED"}[figure.is_met],
    )


def _aim(figure: Figure) -> str:
    if figure.at_most_times is not None:
        return f"≤ {figure.at_most_times:g} ×"
    return "" if figure.at_most is None else f"≤ {figure.at_most:g} {figure.unit}"


def _quantity(value: float, unit: str) -> str:
    """Three digits of it at the least, as more would be noise.

    >>> _quantity(1234.5, "bytes"), _quantity(85.04, "MiB"), _quantity(0.1234, "ms")
    ('1,234 bytes', '85.0 MiB', '0.123 ms')
    """
    places = 0 if value >= _HUNDRED else 1 if value >= _TEN else 3
    return f"{value:,.{places}f} {unit}"
