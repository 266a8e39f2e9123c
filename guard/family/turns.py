"""One pass over the sub-accounts of a master account: who had no turn yet, and when the next one comes."""

from collections import deque
from collections.abc import Collection, Iterable

from guard.cycle import Cycles


class Pass:
    """One pass over sub-accounts: those who had no turn yet, and when the next one comes."""

    def __init__(self, waiting: Iterable[Cycles] = (), *, now_s: float = 0.0, length_s: float = 0.0) -> None:
        """Spreads the turns evenly over `length_s`; the first is now."""
        self.waiting = deque(waiting)
        self._next_s = now_s
        self._step_s = length_s / max(1, len(self.waiting))

    def is_due(self, now_s: float) -> bool:
        """Whether somebody's turn has come."""
        return bool(self.waiting) and self._next_s <= now_s

    def take(self, now_s: float) -> Cycles | None:
        """Whose turn has come, if anybody's; who is late is taken without a break, until it is no longer late."""
        if not self.is_due(now_s):
            return None
        self._next_s += self._step_s
        return self.waiting.popleft()

    def hold(self, now_s: float) -> None:
        """Nobody's turn has come yet; from now on the turns are as far apart as before."""
        self._next_s = max(self._next_s, now_s)

    def drop(self, names: Collection[str]) -> None:
        """Takes the turns of these accounts away."""
        self.waiting = deque(each for each in self.waiting if each.config.name not in names)
