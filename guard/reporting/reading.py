"""What a report says, read from the database: nothing of it is kept but what everything else needs anyway."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from guard.config import AccountConfig, Config
from guard.fields import FIELDS, Kind
from guard.message.report import Limit, Mover, Pace, Quality, Report, Untold
from guard.model import (
    REPORT,
    Alert,
    AlertKey,
    Bound,
    Endpoint,
    Event,
    EventKind,
    Incident,
    Snapshot,
    State,
    is_sub_account,
)
from guard.payload import joined, part, snapshot
from guard.reporting.period import Period
from guard.rules.evaluate import Facts
from guard.rules.rule import Rule
from guard.rules.values import Unknown
from guard.siblings import needed
from guard.store import View
from guard.store.asking import Asking

_MASTERS: Final = 20  # accounts that are looked at one by one
_COUNTED: Final = 300  # and with their sub-accounts, of those that counters grew most on
_EVENTS: Final = 20_000  # of one period that are looked through
_COUNTERS: Final = tuple(
    name for name, field in FIELDS.items() if field.kind is Kind.LIFETIME and field.endpoint is Endpoint.USAGE
)
_PROJECTED: Final = {"messages": "month.projectedMessages", "calls": "month.projectedCalls"}
_TOLD_BY_NOW: Final = frozenset({EventKind.RELEASED, EventKind.DELIVERED})
_NOT_TOLD: Final = {
    EventKind.HELD: "held back",
    EventKind.DIED: "given up",
    EventKind.DROPPED: "dropped",
    EventKind.FLAPPING: "flapping, told once for all of its incidents",
}


def read_report(view: View, config: Config, period: Period) -> Report:
    """Reads it for a period; what stands now, as limits and what fires do, is as of now."""
    masters = config.accounts[:_MASTERS]
    alerts = view.alerts()
    incidents = [each for each in view.incidents_within(period.start_at, period.end_at) if each.key.rule != REPORT]
    begun, over = (
        (each.started_at >= period.start_at for each in incidents),
        (_is_over(each, period) for each in incidents),
    )
    usages = [(account, usage) for account in masters if (usage := _last(view, account))]
    return Report(
        start_at=period.start_at,
        end_at=period.end_at,
        accounts=tuple(account.name for account in config.accounts),
        fired=sum(begun),
        resolved=sum(over),
        longest=max(incidents, key=lambda each: _length(each, period), default=None),
        firing=tuple(sorted((each for each in alerts.values() if each.level is not None), key=_urgency)),
        limits=tuple(sorted(_limits(usages, alerts), key=_nearness)),
        paces=tuple(pace for account, usage in usages for pace in _paces(account.name, usage)),
        movers=tuple(sorted(_movers(view, period), key=_growth, reverse=True)),
        untold=tuple(_untold(view, period)),
        quality=_quality(view, masters, period),
    )


def _is_over(incident: Incident, period: Period) -> bool:
    return incident.ended_at is not None and incident.ended_at < period.end_at


def _length(incident: Incident, period: Period) -> timedelta:
    return min(incident.ended_at or period.end_at, period.end_at) - incident.started_at


def _urgency(alert: Alert) -> tuple[int, AlertKey]:
    return -(alert.level or 0), alert.key


# --- limits and pace, of the last answer ----------------------------------------------------------------------------


def _last(view: View, account: AccountConfig) -> Snapshot | None:
    for at, answer in view.recent_answers(account.name, count=1):
        usage = snapshot(answer, account=account.name, at=at)
        said = (
            part(endpoint, found, at=found_at)
            for endpoint in needed(account.rules)
            for found_at, found in view.recent_answers(account.name, count=1, endpoint=endpoint)
        )
        return joined(usage, said, stale_after=account.stale_after)
    return None


def _limits(usages: Iterable[tuple[AccountConfig, Snapshot]], alerts: Mapping[AlertKey, Alert]) -> Iterator[Limit]:
    """What is left until the next worse level of each rule at rest that looks at the present alone.

    What looks back would need the whole history to be read, which takes longer than a report may hold up the service.
    """
    for account, usage in usages:
        facts = Facts.of(usage, budgets=account.budgets)
        for rule in account.rules:
            alert = alerts.get(facts.key(rule))
            is_busy = alert is not None and alert.state is not State.OK
            if rule.each is None and not rule.looks_back and not is_busy and (limit := _limit(rule, facts)):
                yield limit


def _limit(rule: Rule, facts: Facts) -> Limit | None:
    value = rule.value.number(facts.values)
    if isinstance(value, Unknown) or (rule.when is not None and rule.when.run(facts.values, facts.windows) is not True):
        return None
    for level, condition in rule.conditions.items():
        number = condition.bound.number(facts.values)
        if not isinstance(number, Unknown) and condition.holds(value, number) is False:
            bound = Bound(condition.operator, number)
            return Limit(facts.key(rule), value, level, bound, abs(number - value), rule.value_unit)
    return None


def _nearness(limit: Limit) -> tuple[float, AlertKey]:
    """Sorts what is nearest to its bound first, in shares of the larger of both numbers."""
    largest = max(abs(limit.bound.number), abs(limit.value))
    return limit.left / largest if largest else 0.0, limit.key


def _paces(account: str, usage: Snapshot) -> Iterator[Pace]:
    for what, name in _PROJECTED.items():
        middle, low, high = (usage.values.get(name + end) for end in ("", "Low", "High"))
        limit = usage.values.get(FIELDS[name].limit)
        if isinstance(middle, float | int) and isinstance(low, float | int) and isinstance(high, float | int):
            may = limit if isinstance(limit, float | int) and limit > 0 else None
            yield Pace(account, what, middle, low, high, may)


# --- what grew ------------------------------------------------------------------------------------------------------


def _movers(view: View, period: Period) -> Iterator[Mover]:
    before_at = period.start_at - (period.end_at - period.start_at)
    names = sorted(view.accounts(), key=lambda name: (is_sub_account(name), name))
    for name in names[:_COUNTED]:
        counted = [_counters(view, name, at) for at in (before_at, period.start_at, period.end_at)]
        first, begin, end = counted
        for counter in _COUNTERS:
            if grown := _grown(begin, end, counter):
                yield Mover(name, counter, grown, _grown(first, begin, counter))


def _counters(view: View, account: str, at: datetime) -> Mapping[str, float | str]:
    found = view.answer_at(account, at)
    return {} if found is None else snapshot(found[1], account=account, at=found[0]).values


def _grown(early: Mapping[str, float | str], late: Mapping[str, float | str], counter: str) -> float | None:
    """None where it is not known; a fall is no growth."""
    before, after = early.get(counter), late.get(counter)
    if isinstance(before, str | None) or isinstance(after, str | None):
        return None
    return max(0.0, after - before)


def _growth(mover: Mover) -> tuple[float, float]:
    """Sorts what grew most against the period before last; what was not known before by what it grew."""
    return mover.grown - (mover.before or 0.0), mover.grown


# --- what was not told, and how the asking went -----------------------------------------------------------------------


def _untold(view: View, period: Period) -> Iterator[Untold]:
    """The last thing that is known of each alert and channel, where that is that it was not told; the newest first."""
    seen = set[tuple[AlertKey, str]]()
    for event in view.events(limit=_EVENTS, since=period.start_at):
        kind, place = event.kind, (event.key, event.channel)
        if event.at >= period.end_at or place in seen or event.key.rule == REPORT:
            continue
        if kind in _TOLD_BY_NOW:
            seen.add(place)
        elif kind in _NOT_TOLD:
            seen.add(place)
            yield Untold(event.key, event.channel or "all channels", _why(event))


def _why(event: Event) -> str:
    said = _NOT_TOLD[event.kind]
    return f"{said}: {event.text}" if event.text else said


def _quality(view: View, accounts: Iterable[AccountConfig], period: Period) -> Quality:
    asked = {each.name: view.asking(each.name, begin=period.start_at, end=period.end_at) for each in accounts}
    gaps = ((_gap(view, name, asking, period), name) for name, asking in asked.items())
    longest, longest_of = max(gaps)
    polls, failed = sum(each.polls for each in asked.values()), sum(each.failed for each in asked.values())
    return Quality(polls, failed, longest, longest_of)


def _gap(view: View, account: str, asking: Asking, period: Period) -> timedelta:
    """The longest time without an answer; where there was none before the period, from the first one in it on."""
    known_before = view.answer_at(account, period.start_at) is not None
    return asking.gap(period.start_at if known_before else asking.first_at or period.start_at, period.end_at)
