"""What the rolling counters of a rule fall to by themselves: the growth of their lifetime counters, as it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from guard.cli.seen import Seen
from guard.forecast import roll_off
from guard.payload import snapshot
from guard.rules.rule import Rule

if TYPE_CHECKING:
    from guard.store import View


class _Window(NamedTuple):
    length: timedelta
    horizons: tuple[timedelta, ...]  # ascending, all shorter than the window


_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_WINDOWS: Final = {
    "Last24h": _Window(_DAY, (6 * _HOUR, 12 * _HOUR)),
    "Last7d": _Window(7 * _DAY, (_DAY, 3 * _DAY)),
    "Last30d": _Window(30 * _DAY, (7 * _DAY, 14 * _DAY)),
}
_ROLLING: Final = {
    f"stats.{what}{end}": (f"stats.total{what.capitalize()}", window)
    for what in ("messages", "calls")
    for end, window in _WINDOWS.items()
}
"""Each rolling counter whose events a lifetime counter counts too, with that counter."""

_POLLS_LATE: Final = 3  # an answer as old as so many polls, or a tenth of the horizon, still stands for an instant
_SHARE_LATE: Final = 10


@dataclass(frozen=True, slots=True)
class Fall:
    """What a rolling counter will be after a while if nothing more happens."""

    field: str
    after: timedelta
    value: float


def falls(view: "View", seen: Seen, rule: Rule) -> tuple[Fall, ...]:
    """Those of each rolling counter that a rule decides by, by name, then by time; only as far as history suffices."""
    return tuple(fall for name in sorted(rule.reads & _ROLLING.keys()) for fall in _falls(view, seen, name))


def _falls(view: "View", seen: Seen, name: str) -> Iterator[Fall]:
    counter, (length, horizons) = _ROLLING[name]
    now, value, total = seen.snapshot.at, seen.snapshot.values.get(name), seen.snapshot.values.get(counter)
    if not isinstance(value, int | float) or not isinstance(total, int | float):
        return
    begins_at = now - length
    since, until = begins_at - _late(seen, horizons[-1]), begins_at + horizons[-1]
    totals = [*_totals(view, seen, counter, since=since, until=until), (now, total)]
    if any(late < early for (_, early), (_, late) in pairwise(totals)):
        return  # after a reset, or an odd answer, its growth is not what the window holds
    for horizon in horizons:
        left = roll_off(value, totals, window=length, horizon=horizon)
        late = _late(seen, horizon)
        is_known = all(_is_known(totals, at, late=late) for at in (begins_at, begins_at + horizon))
        if left is not None and is_known:
            yield Fall(name, horizon, left)


def _late(seen: Seen, horizon: timedelta) -> timedelta:
    return max(_POLLS_LATE * seen.config.every, horizon / _SHARE_LATE)


def _totals(
    view: "View", seen: Seen, counter: str, *, since: datetime, until: datetime
) -> Iterator[tuple[datetime, float]]:
    """The counter at each stored answer of that time, oldest first; what was stored later is not even parsed."""
    name = seen.config.name
    stored = takewhile(lambda each: each[0] <= until, view.answers(name, since=since))
    said = ((at, snapshot(answer, account=name, at=at).values.get(counter)) for at, answer in stored)
    return ((at, total) for at, total in said if isinstance(total, int | float))


def _is_known(totals: list[tuple[datetime, float]], at: datetime, *, late: timedelta) -> bool:
    """Whether there is an answer for an instant: at it, or not too long before."""
    return any(at - late <= each <= at for each, _ in totals)
