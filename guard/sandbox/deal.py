"""A deal: things handed out in turn, so that the parts always add up and no part ever shrinks; pure."""

from collections.abc import Sequence
from itertools import accumulate


class Deal:
    """Deals one thing after another to holders 0, 1, …, to each as often in a round as its weight says.

    >>> deal = Deal((3, 1))
    >>> [deal.held(0, dealt=10), deal.held(1, dealt=10)]
    [8, 2]
    """

    def __init__(self, weights: Sequence[int], *, worths: Sequence[int] = (1,)) -> None:
        """Takes a weight above 0 a holder; things are worth as much as `worths` says in turn, from the first on."""
        spread = [((2 * nth + 1) / weight, holder) for holder, weight in enumerate(weights) for nth in range(weight)]
        turns = [(holder, worths[turn % len(worths)]) for turn, (_, holder) in enumerate(sorted(spread))]
        self._before = [
            (0, *accumulate(worth if who == holder else 0 for who, worth in turns)) for holder in range(len(weights))
        ]

    def held(self, holder: int, *, dealt: int) -> int:
        """What a holder's things are worth together, when so many have been dealt to all."""
        before = self._before[holder]
        rounds, turn = divmod(dealt, len(before) - 1)
        return rounds * before[-1] + before[turn]
