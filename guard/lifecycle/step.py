"""An alert's next state, from its present one and an evaluation.

ok → pending → firing → recovering → ok. Each level has its own timer for the rule's `for`; the alert's level is the
highest whose time has come. Unknown leaves every timer as it is, so it never fires and never resolves.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from guard.model import (
    Alert,
    AlertKey,
    Bound,
    Evaluation,
    Event,
    EventKind,
    Incident,
    Level,
    Reason,
    State,
    Timer,
)
from guard.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Step:
    """What one evaluation did to one alert."""

    alert: Alert
    events: tuple[Event, ...] = ()
    closed: Incident | None = None  # the incident that ended here
    is_gone: bool = False  # whether nothing is to come any more, since its subject is gone


def step(alert: Alert, evaluation: Evaluation, policy: Policy, *, now: datetime, every: timedelta) -> Step:
    """Moves one alert by one evaluation; `every` is the account's polling interval.

    An alert at rest on which nothing holds is given back as it is, the very same object.
    """
    if is_at_rest(alert) and not evaluation.unknown and True not in evaluation.holds.values():
        return Step(alert)
    return _step_in_full(alert, evaluation, policy, now=now, every=every)


def is_at_rest(alert: Alert) -> bool:
    """Whether nothing goes on: no level holds, nothing fires, and nothing is unknown."""
    runs = alert.timers or alert.clear or alert.unknown or alert.unknown_why or alert.flapping
    return alert.state is State.OK and not runs


def _step_in_full(alert: Alert, evaluation: Evaluation, policy: Policy, *, now: datetime, every: timedelta) -> Step:
    noted = _note_unknown(alert, evaluation, now=now, every=every)
    changed = bool(alert.fingerprint) and alert.fingerprint != policy.fingerprint and not evaluation.unknown
    if evaluation.applies is False:
        moved = _stop_applying(noted.alert, policy, now=now)
    else:
        timed = _advance(noted.alert, evaluation, policy, now=now, every=every, changed=changed)
        moved = _move(timed, evaluation, policy, now=now, changed=changed)
    return replace(moved, events=noted.events + moved.events)


def close(alert: Alert, reason: Reason, *, now: datetime) -> Step:
    """Ends the alert's incident, or its pending, for a reason that lies outside any evaluation."""
    calm = replace(
        alert,
        state=State.OK,
        level=None,
        timers={},
        clear=None,
        unknown=None,
        unknown_why="",
        incident=None,
        flapping=None,
    )
    if alert.incident is None:
        events = (_event(calm, EventKind.CALMED, now, text=reason),) if alert.state is State.PENDING else ()
        return Step(calm, events)
    closed = replace(alert.incident, ended_at=now, reason=reason)
    return Step(calm, (_event(alert, EventKind.RESOLVED, now, text=reason),), closed)


def _note_unknown(alert: Alert, evaluation: Evaluation, *, now: datetime, every: timedelta) -> Step:
    if evaluation.is_young:
        # Time mends that by itself: no timer. One that ran for another reason is over, as that reason is.
        young = replace(alert, unknown=None, unknown_why=evaluation.unknown)
        return Step(young, (_event(young, EventKind.KNOWN, now, text=evaluation.unknown),) if alert.unknown else ())
    if evaluation.unknown:
        timer = alert.unknown.known(now, every=every) if alert.unknown else Timer(timedelta(), now)
        noted = replace(alert, unknown=timer, unknown_why=evaluation.unknown)
        return Step(noted, () if alert.unknown else (_event(noted, EventKind.UNKNOWN, now, text=evaluation.unknown),))
    if alert.unknown:
        noted = replace(alert, unknown=None, unknown_why="")
        return Step(noted, (_event(noted, EventKind.KNOWN, now),))
    return Step(_explained(alert, ""))


def _explained(alert: Alert, why: str) -> Alert:
    return alert if alert.unknown_why == why else replace(alert, unknown_why=why)


def _stop_applying(alert: Alert, policy: Policy, *, now: datetime) -> Step:
    if alert.state is State.OK:
        return Step(alert)
    ended = close(alert, Reason.NO_LONGER_APPLIES, now=now)
    return replace(ended, alert=replace(ended.alert, fingerprint=policy.fingerprint))


def _advance(
    alert: Alert, evaluation: Evaluation, policy: Policy, *, now: datetime, every: timedelta, changed: bool
) -> Alert:
    """The alert with its timers brought to `now`; its state is not looked at."""
    before: Mapping[Level, Timer] = {}
    if not changed:
        before = alert.timers
    elif alert.level is not None:  # what fires under the old rule and holds under the new one keeps its level
        before = {level: Timer(policy.hold, now) for level in policy.levels if level <= alert.level}
    timers = {
        level: timer
        for level in policy.levels
        if (timer := _timer(before.get(level), evaluation.holds[level], now=now, every=every))
    }
    clear = _timer(None if changed else alert.clear, evaluation.clear, now=now, every=every)
    return replace(alert, timers=timers, clear=clear)


def _timer(before: Timer | None, holds: bool | None, *, now: datetime, every: timedelta) -> Timer | None:  # noqa: FBT001 - a truth value is what it is about
    match holds:
        case None:
            return before
        case True:
            return before.known(now, every=every) if before else Timer(timedelta(), now)
        case False:
            return None


def _move(alert: Alert, evaluation: Evaluation, policy: Policy, *, now: datetime, changed: bool) -> Step:
    reached = [level for level in alert.timers if _is_reached(alert, level, evaluation, policy)]
    if alert.incident is not None:
        return _move_firing(alert, evaluation, policy, reached, now=now, changed=changed)
    known = _read(alert, evaluation, policy)
    if reached:
        return _fire(known, max(reached), now=now)
    if alert.timers:
        pending = replace(known, state=State.PENDING)
        events = (_event(pending, EventKind.PENDING, now),) if alert.state is State.OK else ()
        return Step(pending, events)
    if alert.state is State.PENDING:
        calm = replace(known, state=State.OK)
        return Step(calm, (_event(calm, EventKind.CALMED, now),))
    # Nothing to tell and nothing to remember: what an alert at rest reads is not kept, so its row is not written.
    return Step(replace(alert, clear=None))


def _is_reached(alert: Alert, level: Level, evaluation: Evaluation, policy: Policy) -> bool:
    """Whether the level's time has come. A level that is unknown now keeps what it had, and reaches nothing new.

    What fires and holds goes on, also under a longer `for`; what was over meanwhile has to wait for its time again.
    """
    had = alert.level is not None and level <= alert.level
    if had and alert.state is State.FIRING:
        return True
    return alert.timers[level].total >= policy.hold and (had or evaluation.holds[level] is True)


def _read(alert: Alert, evaluation: Evaluation, policy: Policy) -> Alert:
    """The alert with what this evaluation says to people, and with what a later one is compared with."""
    read = replace(
        alert,
        reading=evaluation.reading or alert.reading,
        fingerprint=alert.fingerprint if evaluation.unknown and alert.fingerprint else policy.fingerprint,
    )
    if evaluation.clear is not False:  # limits and period stay those under which it last fired
        return read
    return replace(read, limits=evaluation.limits, period_start_at=evaluation.period_start_at)


def _fire(alert: Alert, level: Level, *, now: datetime) -> Step:
    value = alert.reading.value if alert.reading else None
    incident = Incident(incident_id(alert.key, now), alert.key, now, level, value)
    fired = replace(alert, state=State.FIRING, level=level, incident=incident, clear=None)
    return Step(fired, (_event(fired, EventKind.FIRED, now),))


def _move_firing(  # noqa: PLR0911 - one return for each way on
    alert: Alert, evaluation: Evaluation, policy: Policy, reached: list[Level], *, now: datetime, changed: bool
) -> Step:
    known = _worsen(_read(alert, evaluation, policy))
    if alert.clear is not None:
        if changed:
            return close(known, Reason.RULE_CHANGED, now=now)
        if alert.clear.total >= policy.keep_firing_for and evaluation.clear:
            return close(known, _why_recovered(alert, evaluation), now=now)
        return _recover(known, _why_recovered(alert, evaluation), now=now)
    if changed and not reached and alert.level not in policy.levels:
        return close(known, Reason.RULE_CHANGED, now=now)
    level = max(reached, default=min(policy.levels[0], alert.level or policy.levels[0]))
    firing = _at_level(replace(known, state=State.FIRING), level)
    if alert.level is not None and level > alert.level:
        return Step(firing, (_event(firing, EventKind.ESCALATED, now),))
    if alert.state is State.RECOVERING:
        return Step(firing, (_event(firing, EventKind.REFIRED, now),))
    if alert.level is not None and level < alert.level:
        return Step(firing, (_event(firing, EventKind.LOWERED, now),))
    return Step(firing)


def _recover(alert: Alert, why: Reason, *, now: datetime) -> Step:
    """The alert while it is over, but not for long enough; why it is over is decided when it began to be."""
    if alert.state is State.RECOVERING:
        return Step(alert)
    recovering = replace(alert, state=State.RECOVERING)
    if why is Reason.RECOVERED:  # a limit or a period that changes from now on has nothing to do with it
        recovering = replace(recovering, limits={}, period_start_at=None)
    return Step(recovering, (_event(recovering, EventKind.RECOVERING, now),))


def _at_level(alert: Alert, level: Level) -> Alert:
    if alert.incident is None or level <= alert.incident.peak:
        return replace(alert, level=level)
    return replace(alert, level=level, incident=replace(alert.incident, peak=level))


def _worsen(alert: Alert) -> Alert:
    """The alert whose incident remembers the worst value so far, in the direction in which its levels lie."""
    if alert.incident is None or alert.reading is None or alert.reading.value is None:
        return alert
    worst = _worst(alert.incident.peak_value, alert.reading.value, alert.reading.bounds.values())
    return (
        alert
        if worst == alert.incident.peak_value
        else replace(alert, incident=replace(alert.incident, peak_value=worst))
    )


def _worst(before: float | None, value: float, bounds: Iterable[Bound]) -> float:
    operators = {bound.operator[0] for bound in bounds}
    if before is None or operators not in ({"<"}, {">"}):
        return value
    return min(before, value) if operators == {"<"} else max(before, value)


def _why_recovered(alert: Alert, evaluation: Evaluation) -> Reason:
    if alert.period_start_at and evaluation.period_start_at and alert.period_start_at != evaluation.period_start_at:
        return Reason.NEW_PERIOD
    if any(
        evaluation.limits.get(name, limit) > limit for name, limit in alert.limits.items()
    ):  # a lower one eases nothing
        return Reason.LIMIT_CHANGED
    return Reason.RECOVERED


def incident_id(key: AlertKey, started_at: datetime) -> str:
    """An incident's id: the same for the same alert and instant, so that a replay writes the very same log."""
    return hashlib.sha256(f"{key}\n{started_at.isoformat()}".encode()).hexdigest()[:16]


def _event(alert: Alert, kind: EventKind, now: datetime, *, text: str = "") -> Event:
    return Event(
        at=now,
        key=alert.key,
        kind=kind,
        incident_id=alert.incident.id if alert.incident else "",
        level=alert.level,
        value=alert.reading.value if alert.reading else None,
        text=text,
    )
