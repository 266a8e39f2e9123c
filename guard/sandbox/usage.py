"""The body of /v1/usage: what is scripted, and everything else so that the whole adds up; pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

_DAY: Final = timedelta(days=1)

# What an ordinary account shows: by rolling window how much more than in the next narrower one, then the whole life.
_MESSAGES: Final = {"stats.messagesLast24h": 620, "stats.messagesLast7d": 3_720, "stats.messagesLast30d": 12_800}
_CALLS: Final = {"stats.callsLast24h": 61, "stats.callsLast7d": 316, "stats.callsLast30d": 1_089}
_TOTAL_MESSAGES: Final = 81_240
_TOTAL_CALLS: Final = 4_120
_SUCCESSFUL: Final = 84_490
_FAILED: Final = 612
_FAILED_A_DAY: Final = 7
_NUMBERS: Final = 12
_NUMBERS_USED: Final = 7

_LIMITS: Final = {
    "messagesPerMonth": 25_000,
    "voiceMinutesPerMonth": 900,
    "maxCallDurationMinutes": 45,
    "concurrentCalls": 6,
}
_SEGMENTS: Final = "stats.smsSegmentsLast30d"

NUMBERS: Final = ("numbers.used", "numbers.remaining", "numbers.limit")
"""The first two add up to the third, always."""

WEBHOOKS: Final = (
    "stats.successfulWebhookDeliveries",
    "stats.failedWebhookDeliveries",
    "stats.totalWebhookDeliveries",
)
"""The first two add up to the third, always."""

FIELDS: Final = (
    *NUMBERS,
    *_MESSAGES,
    "stats.totalMessages",
    _SEGMENTS,
    *_CALLS,
    "stats.totalCalls",
    *WEBHOOKS,
    "plan.limits.numbers",
    *(f"plan.limits.{name}" for name in _LIMITS),
)
"""Every number of the answer, by its dotted name: what a scenario can script."""


def usage(scripted: Mapping[str, int], *, at: datetime, elapsed: timedelta) -> dict[str, object]:
    """The answer of /v1/usage at an instant (aware UTC), so long after the sandbox started; never negative.

    `scripted` holds names of FIELDS and numbers from 0 up, which are shown as they are. All else is made to fit: used
    and remaining add up to the limit, successful and failed to the total, and no window shows more than a wider one.
    Where scripted numbers contradict each other, the wider one gives way. Counters of the whole life grow with time.
    """
    numbers = _numbers(scripted)
    return {
        "plan": {"name": "growth", "limits": _limits(scripted, numbers=numbers["numbers.limit"])},
        "numbers": {name.removeprefix("numbers."): number for name, number in numbers.items()},
        "stats": {name.removeprefix("stats."): number for name, number in _stats(scripted, elapsed=elapsed).items()},
        **_period(at),
        "reportGeneratedAt": _instant(at),
    }


def _numbers(scripted: Mapping[str, int]) -> dict[str, int]:
    used, remaining = (scripted.get(name) for name in NUMBERS[:2])
    usual_used = _NUMBERS_USED if remaining is None else max(0, _NUMBERS - remaining)
    usual_remaining = _NUMBERS - _NUMBERS_USED if used is None else max(0, _NUMBERS - used)
    return _sum(scripted, NUMBERS, usual=(usual_used, usual_remaining))


def _stats(scripted: Mapping[str, int], *, elapsed: timedelta) -> dict[str, int]:
    days = elapsed / _DAY
    messages_a_day, calls_a_day = _MESSAGES["stats.messagesLast24h"], _CALLS["stats.callsLast24h"]
    messages = _windows(
        scripted, _MESSAGES, total=("stats.totalMessages", _TOTAL_MESSAGES + int(days * messages_a_day))
    )
    segments = messages["stats.messagesLast30d"] * 6 // 5  # every fifth message takes two
    calls = _windows(scripted, _CALLS, total=("stats.totalCalls", _TOTAL_CALLS + int(days * calls_a_day)))
    successful = _SUCCESSFUL + int(days * (messages_a_day + calls_a_day))
    failed = _FAILED + int(days * _FAILED_A_DAY)
    webhooks = _sum(scripted, WEBHOOKS, usual=(successful, failed))
    return {**messages, _SEGMENTS: scripted.get(_SEGMENTS, segments), **calls, **webhooks}


def _windows(scripted: Mapping[str, int], extra: Mapping[str, int], *, total: tuple[str, int]) -> dict[str, int]:
    """Windows from narrow to wide, and the whole life, each at least the one before it."""
    names = (*extra, total[0])
    found: dict[str, int] = {}
    least = 0
    for number, name in enumerate(names):
        usual = least + extra[name] if name in extra else total[1]
        wider = (scripted[other] for other in names[number + 1 :] if other in scripted)
        least = max(least, scripted.get(name, min([usual, *wider])))
        found[name] = least
    return found


def _sum(scripted: Mapping[str, int], names: tuple[str, str, str], *, usual: tuple[int, int]) -> dict[str, int]:
    """Two parts and their whole; a part that the script leaves open is what the others leave it."""
    one, two, whole = (scripted.get(name) for name in names)
    if whole is None or (one is not None and two is not None):
        one = usual[0] if one is None else one
        two = usual[1] if two is None else two
    elif one is not None:
        two = max(whole - one, 0)
    else:
        two = min(usual[1], whole) if two is None else two
        one = max(whole - two, 0)
    return dict(zip(names, (one, two, one + two), strict=True))


def _limits(scripted: Mapping[str, int], *, numbers: int) -> dict[str, int]:
    usual = {"numbers": numbers, **_LIMITS}
    return {name: scripted.get(f"plan.limits.{name}", limit) for name, limit in usual.items()}


def _period(at: datetime) -> dict[str, str]:
    """The calendar month around an instant."""
    start = datetime(at.year, at.month, 1, tzinfo=UTC)
    end = (start + 31 * _DAY).replace(day=1)
    return {"periodStart": _instant(start), "periodEnd": _instant(end)}


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
