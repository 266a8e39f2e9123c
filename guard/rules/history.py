"""One account's recent snapshots as windows in memory, and those of its subjects, which functions look back on."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from guard.fields import Kind, field_named
from guard.model import Each, Endpoint, Fields, Snapshot
from guard.rules.points import ANSWERS_NEEDED, Counter, Points
from guard.rules.rule import Rule, longest
from guard.rules.sliding import Highest, Lowest, Mean, Sliding
from guard.rules.trend import median

SLOW_EVERY: Final = timedelta(minutes=5)
"""How far apart the answers of all endpoints but usage are at the least."""

_SLOW_S: Final = SLOW_EVERY.total_seconds()
_NEAR_S: Final = 15 * 60  # how old the answer may be that stands for a time of day
_LISTINGS: Final = {Each.NUMBER: Endpoint.BY_NUMBER, Each.AGENT: Endpoint.BY_AGENT}

Past = dict[str, Points]
"""The points of fields, by name."""


def needs(rules: Iterable[Rule]) -> dict[str, timedelta]:
    """How far back rules look, by field: what a History is made for. Fields that no function reads are absent."""
    return longest(window for rule in rules for window in rule.looks_back.items())


class History:
    """The windows of one account and its subjects. Each good snapshot is added once, in order of time, before use.

    It keeps 16 bytes for each answer and field within the longest window of that field, 24 where it is a lifetime
    counter, and an eighth more. A field of a subject, such as `number.messages`, has a past for each subject.
    """

    __slots__ = ("_account", "_at", "_each", "_subjects")

    def __init__(self, needs: Mapping[str, timedelta]) -> None:
        """Takes the fields that are looked back on, each with its longest window."""
        roots = {name: name.partition(".")[0] for name in needs}
        needs_of = {each: {name: needs[name] for name, root in roots.items() if root == each} for each in Each}
        self._each = {each: needed for each, needed in needs_of.items() if needed}
        self._account = _past({name: needs[name] for name, root in roots.items() if root not in set(Each)})
        self._subjects: dict[tuple[Each, str], Past] = {}
        self._at = datetime.min.replace(tzinfo=UTC)

    def add(self, snapshot: Snapshot) -> None:
        """Appends a snapshot; a field that is missing in it, or whose endpoint was not asked now, gets no point.

        Where the clock went back, the windows begin anew: how long ago the older answers were is no longer known, and
        growth over more time than a window says could fire what should not.
        """
        if snapshot.at < self._at:
            self._forget()
        self._at = snapshot.at
        at_s = snapshot.at.timestamp()
        _add(self._account, snapshot.values, at_s, snapshot.fresh)
        for each, needed in self._each.items():
            if _LISTINGS[each] in snapshot.fresh:
                self._add_subjects(each, needed, snapshot, at_s)

    def _add_subjects(self, each: Each, needed: Mapping[str, timedelta], snapshot: Snapshot, at_s: float) -> None:
        for subject, fields in snapshot.subjects.get(each, {}).items():
            past = self._subjects.get((each, subject))
            if past is None:
                past = self._subjects[each, subject] = _past(needed)
            _add(past, fields, at_s, snapshot.fresh)
        gone = [key for key, past in self._subjects.items() if all(points.is_past(at_s) for points in past.values())]
        for key in gone:
            del self._subjects[key]

    def _forget(self) -> None:
        for past in (self._account, *self._subjects.values()):
            for points in past.values():
                points.forget()

    def span(self, *, every: timedelta) -> timedelta:
        """How far back it wants to be filled where answers come `every` so often; zero if it needs nothing."""
        return max(self.spans(every=every).values(), default=timedelta())

    def spans(self, *, every: timedelta) -> dict[Endpoint, timedelta]:
        """The same by endpoint; those of whose answers it needs none are absent.

        The longest window, as much older as its beginning may be, and enough answers more to tell a dip from a fall.
        """
        windows = [(points.window_s, points.endpoint) for points in self._account.values()]
        for needed in self._each.values():
            windows += ((window.total_seconds(), _endpoint(name)) for name, window in needed.items())
        usage_s = every.total_seconds()
        slow_s = max(usage_s, _SLOW_S)
        found: dict[Endpoint, timedelta] = {}
        for window_s, endpoint in windows:
            span = _span(window_s, usage_s if endpoint is Endpoint.USAGE else slow_s)
            found[endpoint] = max(span, found.get(endpoint, span))
        return found

    def windows(
        self, *, every: timedelta, tz: tzinfo = UTC, subject: tuple[Each, str] | None = None
    ) -> "RecentWindows":
        """What functions see of it at the last snapshot that was added, where answers come `every` so often.

        `tz` is where the times of day of `usual` are. With a subject its own fields are seen too.
        """
        own = self._subjects.get(subject) if subject else None
        return RecentWindows({**self._account, **own} if own else self._account, at=self._at, every=every, tz=tz)


class RecentWindows:
    """The windows that end with the last snapshot; valid until the next one is added.

    A window whose beginning has no answer is unknown: the last one at or before it must not be older than it by more
    than 3 × every and a tenth of the window.
    """

    __slots__ = ("_at", "_at_s", "_past", "_slow_s", "_tz", "_usage_s")

    def __init__(self, past: Mapping[str, Points], *, at: datetime, every: timedelta, tz: tzinfo) -> None:
        """Takes the points of fields by name, the present, and how far apart answers are."""
        self._past, self._at, self._at_s, self._tz = past, at, at.timestamp(), tz
        self._usage_s = every.total_seconds()
        self._slow_s = max(self._usage_s, _SLOW_S)

    def increase(self, name: str, window_s: float) -> float | None:
        """Growth since the last answer at or before the window's beginning; nothing is extrapolated. A fall is none."""
        points = self._past.get(name)
        if not isinstance(points, Counter):
            return None
        return points.increase(self._at_s, window_s, tolerance_s=self._tolerance_s(points, window_s))

    def ago(self, name: str, window_s: float) -> float | None:
        """The value at the last answer at or before the window's beginning."""
        points = self._past.get(name)
        if points is None:
            return None
        return points.at(self._at_s - window_s, tolerance_s=self._tolerance_s(points, window_s))

    def mean(self, name: str, window_s: float) -> float | None:
        """The mean of the values at all answers within the window, correctly rounded."""
        return self._over(Mean, name, window_s)

    def lowest(self, name: str, window_s: float) -> float | None:
        """The lowest of them."""
        return self._over(Lowest, name, window_s)

    def highest(self, name: str, window_s: float) -> float | None:
        """The highest of them."""
        return self._over(Highest, name, window_s)

    def slope(self, name: str, window_s: float) -> float | None:
        """The robust slope of the window, per second; None also where it holds fewer than two answers."""
        points = self._past.get(name)
        if points is None:
            return None
        return points.slope(self._at_s, window_s, tolerance_s=self._tolerance_s(points, window_s))

    def usual(self, name: str, days: int) -> float | None:
        """The median of the values at this time of day on each of the last days, where half of them are known.

        The value at a time of day is that of the last answer at or before it, older by at most 15 minutes or 3 × every.
        """
        points = self._past.get(name)
        if points is None:
            return None
        tolerance_s = max(self._tolerance_s(points, 0), _NEAR_S)
        values = [points.at(at_s, tolerance_s=tolerance_s) for at_s in _same_time(self._at.astimezone(self._tz), days)]
        known = [value for value in values if value is not None]
        return median(known) if 2 * len(known) >= days else None

    def _over(self, kind: type[Sliding], name: str, window_s: float) -> float | None:
        points = self._past.get(name)
        if points is None:
            return None
        return points.over(kind, self._at_s, window_s, tolerance_s=self._tolerance_s(points, window_s))

    def _tolerance_s(self, points: Points, window_s: float) -> float:
        return _tolerance_s(window_s, self._slow_s if points.is_slow else self._usage_s)


def _same_time(now: datetime, days: int) -> Iterator[float]:
    """This time of day on each of the last days, as seconds; by the clock on the wall, also where summer time began."""
    return ((now - timedelta(days=day)).timestamp() for day in range(1, days + 1))


def _add(past: Past, fields: Fields, at_s: float, fresh: frozenset[Endpoint]) -> None:
    for name, points in past.items():
        if not points.is_slow or points.endpoint in fresh:
            value = fields.get(name)
            if value is not None and not isinstance(value, str):
                points.add(at_s, value)


def _past(needs: Mapping[str, timedelta]) -> Past:
    return {name: _points(name, window.total_seconds()) for name, window in needs.items()}


def _points(name: str, window_s: float) -> Points:
    field = field_named(name)
    is_counter = field is None or field.kind is Kind.LIFETIME  # an unlisted field may be one
    return (Counter if is_counter else Points)(window_s, _endpoint(name))


def _endpoint(name: str) -> Endpoint:
    field = field_named(name)
    return field.endpoint if field else Endpoint.USAGE  # only usage brings fields that are not listed


def _tolerance_s(window_s: float, every_s: float) -> float:
    return max(3 * every_s, window_s / 10)


def _span(window_s: float, every_s: float) -> timedelta:
    return timedelta(seconds=window_s + _tolerance_s(window_s, every_s) + ANSWERS_NEEDED * every_s)
