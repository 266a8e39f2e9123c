"""A scenario: what the pretend accounts show and how the API fails, at each moment; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from guard.sandbox.errors import suggestion
from guard.sandbox.fields import LISTS, PATHS, USAGE

EVERYTHING: Final = "*"
"""The path of a fault that breaks them all."""

_OK: Final = 200
_FAILURES: Final = range(400, 600)


class Kind(StrEnum):
    """What a faulty request meets."""

    ANSWER = "answer"  # a status and a body
    HANG = "hang"  # the connection stays open and says nothing
    RESET = "reset"  # the connection is torn down


class Body(StrEnum):
    """What a faulty answer holds."""

    ERROR = "error"  # the API's own error body for the status
    HTML = "html"  # a gateway's page
    EMPTY = "empty"
    TRUNCATED = "truncated"  # half of the good answer; the connection ends before the promised length
    LIST = "list"  # good JSON, but an empty list
    SHORT = "short"  # the good answer, but the second half of its list is missing
    NONE = "none"  # the good answer, but its list is empty
    BARE = "bare"  # the good answer's list, with nothing around it


_OF_A_LIST: Final = frozenset({Body.SHORT, Body.NONE, Body.BARE})


@dataclass(frozen=True, slots=True)
class Fault:
    """How requests go wrong from `start` up to, and not at, `end`, both counted from the scenario's start.

    Raises ValueError for what cannot be played.
    """

    start: timedelta = timedelta()
    end: timedelta | None = None  # None: for good
    path: str = USAGE  # or another of PATHS, or EVERYTHING
    kind: Kind = Kind.ANSWER
    status: int = 503
    body: Body = Body.ERROR
    retry_after: str = ""  # the header Retry-After, word for word; empty: none

    def __post_init__(self) -> None:
        """Refuses what would not be a fault, or not be HTTP."""
        if self.end is not None and self.end <= self.start:
            raise ValueError("a fault must end after it starts")
        if self.path not in {*PATHS, EVERYTHING}:
            known = f"it is {', '.join(PATHS)}, or {EVERYTHING} for all"
            raise ValueError(f"{self.path!r} is no path of the API{suggestion(self.path, PATHS)}; {known}")
        if self.status != _OK and self.status not in _FAILURES:
            raise ValueError(f"status {self.status} is no fault; it is 400 to 599, or 200 with another body")
        if self.status == _OK and self.body is Body.ERROR and self.kind is Kind.ANSWER:
            bodies = ", ".join(body for body in Body if body is not Body.ERROR)
            raise ValueError(f"status 200 alone is no fault; say which body: {bodies}")
        if self.body in _OF_A_LIST and self.path not in LISTS:
            raise ValueError(f"body {self.body.value!r} is for a path that answers a list: {', '.join(sorted(LISTS))}")
        if not (self.retry_after.isascii() and self.retry_after.isprintable()) and self.retry_after:
            raise ValueError("retry_after must be one line of plain ASCII, as HTTP headers are")

    def covers(self, elapsed: timedelta) -> bool:
        """Whether the fault is on, so long after the scenario's start."""
        return self.start <= elapsed and (self.end is None or elapsed < self.end)

    def meets(self, path: str) -> bool:
        """Whether a request for that path goes wrong."""
        return self.path in {path, EVERYTHING}


@dataclass(frozen=True, slots=True)
class SubAccount:
    """A sub-account with a story of its own; what it is called in the listing."""

    name: str
    story: "Scenario"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story: one series a field (at least one item each), one item an interval, and faults by time.

    A series that is over holds its last item, unless the whole scenario repeats. The series are the master account's;
    the faults are everybody's, beside those of a sub-account's own story.
    """

    name: str
    about: str = ""  # one sentence for people
    interval: timedelta = timedelta(minutes=1)
    series: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)  # by the API's dotted names
    faults: tuple[Fault, ...] = ()  # where two overlap, the earlier in the tuple counts
    repeat: bool = False
    start: datetime | None = None  # in whole seconds, aware; None: the present
    subs: Mapping[str, SubAccount] = field(default_factory=dict)  # by their ids
    more_subs: int = 0  # so many sub-accounts beside those
    more_subs_rest: bool = False  # they show an ordinary account; else the master's series

    @property
    def length(self) -> timedelta:
        """How long the story takes: until nothing changes any more, or until it starts again."""
        series = [len(items) * self.interval for items in self.series.values()]
        faults = [fault.start + self.interval if fault.end is None else fault.end for fault in self.faults]
        return max([*series, *faults], default=timedelta())

    def values_at(self, elapsed: timedelta) -> dict[str, int | None]:
        """The scripted fields so long after the start; None asks for a failed poll."""
        number = self._within(elapsed) // self.interval
        return {name: items[min(number, len(items) - 1)] for name, items in self.series.items()}

    def fault_at(self, elapsed: timedelta, *, path: str = USAGE) -> Fault | None:
        """The fault that meets a path so long after the start, if any; gaps of series are not among them."""
        within = self._within(elapsed)
        return next((fault for fault in self.faults if fault.meets(path) and fault.covers(within)), None)

    def _within(self, elapsed: timedelta) -> timedelta:
        since = max(elapsed, timedelta())  # a wall clock that was set back shows the start
        return since % self.length if self.repeat and self.length else since
