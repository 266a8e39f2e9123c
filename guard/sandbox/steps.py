"""A series as steps in time: what it shows, and by how much it has risen and fallen until then; pure."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise


class Steps:
    """The items of one series, each shown for `every_s` whole seconds from the story's start on.

    A series that is over holds its last item, or starts again every `lap_s` seconds where that is not 0. Gaps show the
    item before them; those in front, the first one that is known.
    """

    def __init__(self, items: Sequence[int | None], *, every_s: int, lap_s: int = 0) -> None:
        """Takes a series with at least one known item."""
        self.values = known(items)
        self.every_s = every_s
        self.lap_s = lap_s
        changes = [after - before for before, after in pairwise(self.values)]
        self._risen = (0, *accumulate(max(change, 0) for change in changes))
        self._fallen = (0, *accumulate(max(-change, 0) for change in changes))

    @property
    def length_s(self) -> int:
        """How long it takes from the first item's start to the last one's end, once."""
        return len(self.values) * self.every_s

    def value(self, story_s: int) -> int:
        """What it shows, so many seconds (0 or more) after the start."""
        return self.values[self._index(story_s)]

    def risen(self, story_s: int) -> int:
        """All rises from the start until then, added up: a counter that never falls."""
        laps = story_s // self.lap_s if self.lap_s else 0
        back_to_the_start = max(self.values[0] - self.values[-1], 0)
        return laps * (self._risen[-1] + back_to_the_start) + self._risen[self._index(story_s)]

    def fallen(self, story_s: int) -> int:
        """All falls of the first lap until then, added up."""
        return self._fallen[min(story_s // self.every_s, len(self.values) - 1)]

    def _index(self, story_s: int) -> int:
        within = story_s % self.lap_s if self.lap_s else story_s
        return min(within // self.every_s, len(self.values) - 1)


def known(items: Iterable[int | None]) -> tuple[int, ...]:
    """The items with each gap filled from the left, and gaps in front from the right; empty where nothing is known.

    >>> known((None, 5, None, 4))
    (5, 5, 5, 4)
    """
    filled: list[int] = []
    waiting = 0
    for item in items:
        if item is not None:
            filled += [item] * (waiting + 1)
            waiting = 0
        elif filled:
            filled.append(filled[-1])
        else:
            waiting += 1
    return tuple(filled)
