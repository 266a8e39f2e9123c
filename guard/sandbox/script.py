"""A story as its ledgers need it: every series that moves one, in steps of whole seconds; made once, used by many."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from guard.sandbox.fields import NUMBERS, WEBHOOKS
from guard.sandbox.scenario import Scenario
from guard.sandbox.steps import Steps, known

_SECOND: Final = timedelta(seconds=1)
_SUCCESSFUL, _FAILED, _ALL = WEBHOOKS

_Series = Mapping[str, Sequence[int | None]]


class Script:
    """The series of one story in which a number is known at all, by field, as steps."""

    def __init__(self, story: Scenario, *, failed: int) -> None:
        """Takes a story; `failed` is the usual count of failed deliveries, for a story that gives their total alone."""
        every_s, length_s = story.interval // _SECOND, story.length // _SECOND
        lap_s = length_s if story.repeat else 0
        series = dict(story.series) | _deliveries(story.series, failed=failed)
        self._steps = {
            name: Steps(items, every_s=every_s, lap_s=lap_s) for name, items in series.items() if known(items)
        }

    def steps(self, name: str) -> Steps | None:
        """The steps of that field, None where the story leaves it to the sandbox."""
        return self._steps.get(name)

    def peak(self, names: Sequence[str]) -> int:
        """The highest value that any of these fields ever shows by the story; 0 when it has none of them."""
        return max((max(self._steps[name].values) for name in names if name in self._steps), default=0)

    def extreme_numbers(self) -> dict[str, int]:
        """The three NUMBERS as far as the story has them, at the values with which the fewest are in use."""
        picks = zip(NUMBERS, (min, max, min), strict=True)
        return {name: pick(steps.values) for name, pick in picks if (steps := self._steps.get(name))}


def _deliveries(series: _Series, *, failed: int) -> dict[str, Sequence[int]]:
    """Successful and failed deliveries where their total is scripted, and one of the two is not, or neither is."""
    whole, one, two = (known(series.get(name, ())) for name in (_ALL, _SUCCESSFUL, _FAILED))
    if not whole or (one and two):
        return {}
    if one:
        return {_FAILED: _minus(whole, one)}
    two = two or (min(failed, whole[0]),)
    return {_SUCCESSFUL: _minus(whole, two), _FAILED: two}


def _minus(whole: Sequence[int], part: Sequence[int]) -> list[int]:
    """What the part leaves of the whole, item by item; the shorter one holds its last item."""
    length = max(len(whole), len(part))
    pairs = ((whole[min(at, len(whole) - 1)], part[min(at, len(part) - 1)]) for at in range(length))
    return [max(all_of_it - some, 0) for all_of_it, some in pairs]
