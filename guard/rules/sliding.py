"""What sums up a window that slides on, its mean and its extremes: each answer comes in once, and goes out once."""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Sequence


class Sliding(ABC):
    """One number of a window that ends with the newest value. Places are counted from the first value there ever was.

    Where the window moves on by an answer or two, as it does with each poll, that costs the same however long it is.
    Where it was not asked for in so long that values are gone which it holds, it begins anew.
    """

    __slots__ = ("_begin", "_end")

    def __init__(self) -> None:
        """Holds no value yet."""
        self._begin = self._end = 0
        self._empty()

    def over(self, values: Sequence[float], *, begin: int, gone: int) -> float:
        """The number of all values from the place `begin` on, of which there is one at the least.

        `values` are all that are kept, oldest first; `gone` is how many there were before them.
        """
        if self._begin < gone or not self._begin <= begin < self._end:
            self._empty()
            self._begin = self._end = begin
        for place in range(self._begin, begin):
            self._drop(values[place - gone], place)
        end = gone + len(values)
        for place in range(self._end, end):
            self._take(values[place - gone], place)
        self._begin, self._end = begin, end
        return self._found()

    @abstractmethod
    def _empty(self) -> None:
        """Drops all."""

    @abstractmethod
    def _drop(self, value: float, place: int) -> None:
        """Drops the oldest value."""

    @abstractmethod
    def _take(self, value: float, place: int) -> None:
        """Takes one more."""

    @abstractmethod
    def _found(self) -> float:
        """The number of one value or more."""


class Mean(Sliding):
    """The mean, correctly rounded: its running sum is a fraction, since floats that come and go would leave errors.

    >>> [Mean().over(values, begin=0, gone=0) for values in ([1, 2, 6], [0.1, 0.2, 0.3], [1e308, 1e308])]
    [3.0, 0.2, 1e+308]
    """

    __slots__ = ("_denominator", "_numerator")

    def _empty(self) -> None:
        self._numerator, self._denominator = 0, 1  # the latter is a power of two, as that of each float is

    def _drop(self, value: float, place: int) -> None:
        self._take(-value, place)

    def _take(self, value: float, place: int) -> None:  # noqa: ARG002 - which of the values it is does not matter
        numerator, denominator = value.as_integer_ratio()
        if denominator > self._denominator:
            self._numerator *= denominator // self._denominator
            self._denominator = denominator
        self._numerator += numerator * (self._denominator // denominator)

    def _found(self) -> float:
        return self._numerator / (self._denominator * (self._end - self._begin))


class Highest(Sliding):
    """The highest value: the first of those that are higher than all after them.

    A value that is no higher than a newer one will never be the highest, and goes at once; so few are kept at a time of
    a field that rises and falls, 12 bytes of each.

    >>> Highest().over([5, 9, 4], begin=0, gone=0)
    9.0
    """

    __slots__ = ("_first", "_places", "_values")

    def _empty(self) -> None:
        self._values, self._places = array("d"), array("I")
        self._first = 0  # those before it are out of the window

    def _drop(self, value: float, place: int) -> None:  # noqa: ARG002 - the place says all
        if self._places[self._first] == place:
            self._first += 1
        if 2 * self._first > len(self._places):
            del self._places[: self._first], self._values[: self._first]
            self._first = 0

    def _take(self, value: float, place: int) -> None:
        while len(self._values) > self._first and self._values[-1] <= value:
            self._values.pop()
            self._places.pop()
        self._values.append(value)
        self._places.append(place)

    def _found(self) -> float:
        return self._values[self._first]


class Lowest(Highest):
    """The lowest value.

    >>> Lowest().over([5, 9, 4], begin=0, gone=0)
    4.0
    """

    __slots__ = ()

    def _take(self, value: float, place: int) -> None:
        super()._take(-value, place)

    def _found(self) -> float:
        return -super()._found()
