"""The answer of /v1/webhooks/deliveries/stats: by how much the counters of deliveries have grown; pure."""

from itertools import pairwise
from typing import Final

from guard.sandbox.deal import Deal
from guard.sandbox.instant import instant
from guard.sandbox.rhythm import HOUR_S
from guard.sandbox.statement import Statement

_EVENTS: Final = ("agent.message", "agent.call_ended")
_EVENT_DEAL: Final = Deal((10, 1))


def delivery_stats(of: Statement, *, hours: int) -> dict[str, object]:
    """The last so many hours, up to this second; nothing is ever pending, so successes and failures are the total."""
    start_s = of.at_s - hours * HOUR_S
    sums = _sums(of, start_s, of.at_s)
    total, success = sums["total"], sums["success"]
    return {
        **sums,
        "pending": 0,
        "successRate": round(100 * success / total, 2) if total else 0.0,
        "byEventType": {event: _event(of, holder, since_s=start_s) for holder, event in enumerate(_EVENTS)},
        "byHour": _by_hour(of, start_s),
    }


def _sums(of: Statement, start_s: int, end_s: int) -> dict[str, int]:
    success, failed = of.successful.between(start_s, end_s), of.failed.between(start_s, end_s)
    return {"total": success + failed, "success": success, "failed": failed}


def _event(of: Statement, holder: int, *, since_s: int) -> dict[str, int]:
    success, failed = (
        _EVENT_DEAL.held(holder, dealt=shown.total) - _EVENT_DEAL.held(holder, dealt=shown.count(since_s))
        for shown in (of.successful, of.failed)
    )
    return {"total": success + failed, "success": success, "failed": failed}


def _by_hour(of: Statement, start_s: int) -> list[dict[str, object]]:
    """A row for each hour of the clock that the time touches, the first and the last of which may be parts."""
    first_s = start_s - start_s % HOUR_S
    bounds_s = [start_s, *range(first_s + HOUR_S, of.at_s, HOUR_S), of.at_s]
    return [
        {"hour": instant(begin_s - begin_s % HOUR_S), **_sums(of, begin_s, end_s)}
        for begin_s, end_s in pairwise(bounds_s)
    ]
