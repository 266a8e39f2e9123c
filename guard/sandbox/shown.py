"""A ledger as one answer shows it: bent so that its sums are the numbers that the answer gives; pure."""

from dataclasses import dataclass

from guard.sandbox.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Anchor:
    """A second, how many the ledger counts by then, and how many the answer shows by then."""

    at_s: int
    counted: int
    shown: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A ledger seen from one moment, up to which it is asked; never falls from one second to a later one.

    Where an answer shows what the ledger counts, they are the same. Where a script or a hand has set another number,
    it holds at each anchor, and what lies between two of them is stretched to fit; of the newest stretch, what is more
    than counted has only just come.
    """

    ledger: Ledger
    anchors: tuple[Anchor, ...]  # in the order of time; the last is the present

    @property
    def total(self) -> int:
        """All until now."""
        return self.anchors[-1].shown

    def count(self, at_s: int) -> int:
        """How many are shown by that second, which is none after the present."""
        before = Anchor(0, 0, 0)
        for anchor in self.anchors:
            if at_s == anchor.at_s:
                return anchor.shown
            if at_s < anchor.at_s:
                part = self.ledger.count(at_s) - before.counted
                return before.shown + self._bent(part, before, anchor)
            before = anchor
        return before.shown

    def between(self, start_s: int, end_s: int) -> int:
        """How many are shown from one second to a later one."""
        return self.count(end_s) - self.count(start_s)

    def _bent(self, part: int, before: Anchor, after: Anchor) -> int:
        counted, shown = after.counted - before.counted, after.shown - before.shown
        if counted == shown or (shown > counted and after is self.anchors[-1]):
            return part
        return part * shown // counted if counted else 0
