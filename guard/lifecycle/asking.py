"""When no data is an alert itself: how the asking goes, when to ask again, and the built-in rule guard.no_data."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from guard.lifecycle.backoff import backoff
from guard.model import (
    NO_DATA,
    Account,
    Alert,
    AlertKey,
    Evaluation,
    Failure,
    FailureKind,
    Level,
    Reading,
    Snapshot,
    is_sub_account,
)
from guard.units import duration_text

GOOD_ANSWERS_NEEDED: Final = 2
LAGGING_ANSWERS_NEEDED: Final = 3
UNKNOWN_FOR: Final = timedelta(minutes=15)
REFUSALS: Final = frozenset({FailureKind.UNAUTHORIZED, FailureKind.FORBIDDEN})
_OF_THE_KEY: Final = frozenset(
    {
        FailureKind.UNREACHABLE,
        FailureKind.TIMEOUT,
        FailureKind.UNAUTHORIZED,
        FailureKind.RATE_LIMITED,
        FailureKind.SERVER,
    }
)
_REFUSED_WAIT: Final = timedelta(minutes=5)
_LISTED: Final = 5
_NEW_KEY: Final = (
    "Give the account a key that works: a new file behind NAME_FILE is read by itself, a variable at a start."
)


def heard(account: Account, snapshot: Snapshot, *, now: datetime) -> Account:
    """The account after a good answer."""
    streak = account.good_streak + 1
    return _note_period(
        replace(
            account,
            cycled_at=now,
            good_at=now,
            outage=timedelta(),
            lost=account.lost and streak < GOOD_ANSWERS_NEEDED,
            good_streak=streak,
            failures=0,
            failure=None,
            ask_at=None,
        ),
        snapshot.period_start_at,
    )


def unheard(
    account: Account,
    failure: Failure | None,
    *,
    now: datetime,
    every: timedelta,
    no_data_after: timedelta,
    jitter: float,
    outage_counts: bool = True,
) -> Account:
    """The account after a cycle without a good answer; `failure` is None where it was not asked, as `ask_at` says.

    `jitter` is a random share, 0 to 1. An account that was never heard of counts from its first cycle. Where its
    outage does not count, since its master account fails too or no longer lists it, the account is not lost by it.
    """
    gap = now - account.cycled_at if account.cycled_at else timedelta()
    counted = outage_counts and timedelta() <= gap <= 3 * every
    outage = account.outage + (gap if counted else timedelta())
    failures = account.failures + (failure is not None)
    refused = outage_counts and failure is not None and _is_refused(account, failure)
    ask_at = now + _wait(failure, failures, every=every, jitter=jitter) if failure else account.ask_at
    return replace(
        account,
        cycled_at=now,
        outage=outage,
        lost=account.lost or refused or (outage_counts and outage >= no_data_after),
        good_streak=0,
        failures=failures,
        failure=failure or account.failure,
        ask_at=ask_at,
    )


def is_of_the_key(failure: Failure) -> bool:
    """Whether a failure is likely to meet every account that is asked with the same key."""
    return failure.kind in _OF_THE_KEY


def may_ask(account: Account, *, now: datetime) -> bool:
    """Whether the account may be asked now. After the clock went back, what it was told to wait for means nothing."""
    went_back = account.cycled_at is not None and account.cycled_at > now
    return account.ask_at is None or account.ask_at <= now or went_back


def in_period(account: Account, snapshot: Snapshot) -> Snapshot:
    """The snapshot, less the fields of its reporting period where it speaks of another one than the period in force.

    Answers that alternate between two periods, as replicas that lag do, thus neither fire nor resolve anything.
    """
    if snapshot.period_start_at == account.period_start_at:
        return snapshot
    values = {name: value for name, value in snapshot.values.items() if not name.startswith("period.")}
    return replace(snapshot, values=values, period_start_at=None)


def evaluate_no_data(account: Account, alerts: Iterable[Alert], *, now: datetime) -> Evaluation:
    """The built-in rule guard.no_data, evaluated after all other rules; `alerts` are the account's, after their step.

    Critical: the account is lost. Warning: a rule has been unknown for 15 minutes although answers are good.
    """
    overdue = sorted(
        (alert for alert in alerts if alert.unknown and alert.unknown.total >= UNKNOWN_FOR), key=lambda alert: alert.key
    )
    holds = {Level.WARNING: account.lost or bool(overdue), Level.CRITICAL: account.lost}
    return Evaluation(
        key=AlertKey(account.name, NO_DATA),
        holds=holds,
        clear=not holds[Level.WARNING],
        reading=Reading(at=account.good_at or now, summary=_summary(account, overdue), description=_advice(account)),
    )


def _is_refused(account: Account, failure: Failure) -> bool:
    """Whether nothing will come of asking again: then nobody waits for the outage to grow long.

    That the key is refused is its master account's to tell; a sub-account waits whether that is told.
    """
    if failure.kind is FailureKind.UNAUTHORIZED:
        return not is_sub_account(account.name)
    return failure.kind is FailureKind.FORBIDDEN


def _wait(failure: Failure, failures: int, *, every: timedelta, jitter: float) -> timedelta:
    if failure.retry_after is not None:
        return failure.retry_after
    if failure.kind in REFUSALS:
        return _REFUSED_WAIT
    return backoff(failures, longest=every, jitter=jitter)


def _note_period(account: Account, start_at: datetime | None) -> Account:
    """A later period is in force at once, an earlier one after three answers in a row that speak of it."""
    if start_at is None or start_at == account.period_start_at:
        return replace(account, period_lag=0)
    lag = account.period_lag + 1
    if account.period_start_at is None or start_at > account.period_start_at or lag >= LAGGING_ANSWERS_NEEDED:
        return replace(account, period_start_at=start_at, period_lag=0)
    return replace(account, period_lag=lag)


def _summary(account: Account, overdue: list[Alert]) -> str:
    if account.lost and account.failure is not None:
        return _lost_text(account, account.failure)
    if account.lost:
        return "AgentPhone answers again; one more good answer is awaited"
    if overdue:
        first = {
            alert.key.rule: alert.unknown_why for alert in reversed(overdue)
        }  # of each rule, however many subjects
        named = [f"{rule} ({first[rule]})" for rule in sorted(first)[:_LISTED]]
        more = [f"and {len(first) - _LISTED} more"] if len(first) > _LISTED else []
        return f"cannot be evaluated for {duration_text(UNKNOWN_FOR)} or longer: {', '.join(named + more)}"
    return "every rule can be evaluated again" if account.failures else "AgentPhone answers, and every rule is known"


def _advice(account: Account) -> str:
    """What to do about it, where there is something; else empty."""
    is_refused = account.lost and account.failure is not None and account.failure.kind in REFUSALS
    return _NEW_KEY if is_refused else ""


def _lost_text(account: Account, failure: Failure) -> str:
    if failure.kind in REFUSALS:
        return f"nothing is watched: {failure.text}"
    return f"no good answer for {duration_text(account.outage)}, so nothing is watched: {failure.text}"
