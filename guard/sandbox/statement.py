"""A statement: every number of one account at one moment, scripted or filled in so that the whole adds up; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from guard.sandbox.fields import CALLS, MESSAGES, NUMBERS, PLAN, SEGMENTS, WEBHOOKS
from guard.sandbox.ledger import Ledger
from guard.sandbox.rhythm import DAY_S
from guard.sandbox.shown import Anchor, Shown

_NUMBERS: Final = 12
_NUMBERS_USED: Final = 7
_WEEK: Final = 7
_MONTH: Final = 30


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What one account counts."""

    messages: Ledger
    calls: Ledger
    successful: Ledger  # webhook deliveries
    failed: Ledger


@dataclass(frozen=True, slots=True)
class Statement:
    """One account at one moment; from it every path is answered, so that no two contradict each other."""

    account: str  # a sub-account's id; empty: the master
    at_s: int  # Unix time
    numbers: Mapping[str, int]  # the fields NUMBERS
    stats: Mapping[str, int]  # the fields that start with `stats.`
    limits: Mapping[str, int]  # of the plan, by the last part of their names
    busy_numbers: int  # so many phone numbers had all the traffic
    messages: Shown
    calls: Shown
    successful: Shown
    failed: Shown

    @property
    def midnight_s(self) -> int:
        """When the present day began, in UTC."""
        return self.at_s - self.at_s % DAY_S


def statement(
    scripted: Mapping[str, int], *, account: str, at_s: int, ledgers: Ledgers, busy_numbers: int
) -> Statement:
    """The statement at a second of Unix time; nothing in it is negative.

    `scripted` holds names of FIELDS and numbers from 0 up, which are shown as they are. All else comes from the
    ledgers and is made to fit: used and remaining add up to the limit, successful and failed to the total, and no
    window shows more than a wider one. Where scripted numbers contradict each other, the wider one gives way. The last
    24 hours end at this second; the last 7 and 30 days are calendar days of UTC, the present one among them.
    """
    numbers = phone_numbers(scripted)
    message_stats, messages = _windows(scripted, MESSAGES, ledger=ledgers.messages, at_s=at_s)
    call_stats, calls = _windows(scripted, CALLS, ledger=ledgers.calls, at_s=at_s)
    counted = ledgers.successful.count(at_s), ledgers.failed.count(at_s)
    webhooks = _sum(scripted, WEBHOOKS, usual=counted)
    successful, failed = (webhooks[name] for name in WEBHOOKS[:2])
    segments = message_stats[MESSAGES[2]] * 6 // 5  # every fifth message takes two
    return Statement(
        account=account,
        at_s=at_s,
        numbers=numbers,
        stats={**message_stats, SEGMENTS: scripted.get(SEGMENTS, segments), **call_stats, **webhooks},
        limits=_limits(scripted, numbers=numbers[NUMBERS[2]]),
        busy_numbers=busy_numbers,
        messages=messages,
        calls=calls,
        successful=Shown(ledgers.successful, (Anchor(at_s, counted[0], successful),)),
        failed=Shown(ledgers.failed, (Anchor(at_s, counted[1], failed),)),
    )


def phone_numbers(scripted: Mapping[str, int]) -> dict[str, int]:
    """The three NUMBERS: what is scripted of them, and the rest so that they add up.

    >>> phone_numbers({"numbers.remaining": 1})
    {'numbers.used': 11, 'numbers.remaining': 1, 'numbers.limit': 12}
    """
    used, remaining = (scripted.get(name) for name in NUMBERS[:2])
    usual_used = _NUMBERS_USED if remaining is None else max(0, _NUMBERS - remaining)
    usual_remaining = _NUMBERS - _NUMBERS_USED if used is None else max(0, _NUMBERS - used)
    return _sum(scripted, NUMBERS, usual=(usual_used, usual_remaining))


def _windows(
    scripted: Mapping[str, int], names: tuple[str, str, str, str], *, ledger: Ledger, at_s: int
) -> tuple[dict[str, int], Shown]:
    """Windows from narrow to wide and the whole life, each at least the one before it; and the ledger to match."""
    midnight_s = at_s - at_s % DAY_S
    starts_s = (at_s - DAY_S, midnight_s - (_WEEK - 1) * DAY_S, midnight_s - (_MONTH - 1) * DAY_S)
    total = ledger.count(at_s)
    counted = [ledger.count(start_s) for start_s in starts_s]
    more = [wide - narrow for narrow, wide in zip(counted, [total, *counted], strict=False)]
    found: dict[str, int] = {}
    least = 0
    for number, name in enumerate(names):
        usual = max(least, total) if number == len(more) else least + more[number]
        wider = (scripted[other] for other in names[number + 1 :] if other in scripted)
        least = max(least, scripted.get(name, min([usual, *wider])))
        found[name] = least
    *windows, shown = found.values()
    past = [
        Anchor(start_s, count, shown - window)
        for start_s, count, window in zip(starts_s, counted, windows, strict=True)
    ]
    return found, Shown(ledger, (*reversed(past), Anchor(at_s, total, shown)))


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
    usual = {"numbers": numbers, **PLAN}
    return {name: scripted.get(f"plan.limits.{name}", limit) for name, limit in usual.items()}
