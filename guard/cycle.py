"""One cycle: fetch an account's usage, decide, commit poll, alerts, events and desired states in one transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from guard.agentphone import UsageClient
from guard.clock import Clock
from guard.config import AccountConfig
from guard.lifecycle.asking import may_ask
from guard.lifecycle.decide import Decision, Memory, Watched, decide, retire
from guard.logs import log
from guard.model import NO_DATA, Account, AlertKey, Failure, FailureKind, Reason, Snapshot, State
from guard.payload import snapshot
from guard.store import Poll, Store, Unit
from guard.units import duration_text

LONGEST_POLL: Final = timedelta(seconds=25)  # the client's deadline and some; what is longer was a suspended machine


async def run_cycle(
    config: AccountConfig,
    *,
    client: UsageClient,
    store: Store,
    clock: Clock,
    ask: bool,
    jitter: float,
    every: timedelta | None = None,
) -> Decision:
    """Runs one cycle of one account and gives what it decided, after it was committed.

    With `ask` False the API is left alone, as it wished, and only time passes. `jitter` is a random share for the
    backoff; `every` replaces the account's own interval where cycles come at other times, as from cron.

    Raises StorageError when nothing could be committed; then nothing was decided either.
    """
    began_at = clock.now()
    poll, seen = await _poll(config, client=client, clock=clock) if ask else (None, None)
    # Who answers more slowly than it is asked decides how far apart the answers are.
    took = min(clock.now() - began_at, LONGEST_POLL * clock.speed)
    watched = watched_on(config, every=max(every or config.every, took))
    # A crash before this commit forgets the answer; the next cycle asks again and decides.
    return await store.run(partial(_commit, watched=watched, poll=poll, seen=seen, now=clock.now(), jitter=jitter))


def watched_on(config: AccountConfig, *, every: timedelta) -> Watched:
    """What is watched on an account whose answers are `every` apart."""
    return Watched(
        name=config.name,
        rules=config.rules,
        no_data=config.no_data,
        budgets=config.budgets,
        every=every,
        no_data_after=config.no_data_after,
    )


def is_due(account: Account, client: UsageClient, *, now: datetime) -> bool:
    """Whether to ask now: nothing has to be waited for, or the key was refused and is another one by now."""
    refused = account.failure is not None and account.failure.kind is FailureKind.UNAUTHORIZED
    return may_ask(account, now=now) or (refused and client.has_untried_key())


async def _poll(config: AccountConfig, *, client: UsageClient, clock: Clock) -> tuple[Poll, Snapshot | Failure]:
    outcome = await client.usage(now=clock.now())
    at = clock.now()
    if isinstance(outcome, Failure):
        return Poll(config.name, at, outcome), outcome
    seen = snapshot(outcome, account=config.name, at=at)
    if seen.age <= config.stale_after:
        return Poll(config.name, at, outcome, age=seen.age), seen
    text = f"the report is {duration_text(seen.age)} old, older than stale_after ({duration_text(config.stale_after)})"
    stale = Failure(FailureKind.STALE, text)
    return Poll(config.name, at, stale, age=seen.age), stale


def _commit(
    unit: Unit, *, watched: Watched, poll: Poll | None, seen: Snapshot | Failure | None, now: datetime, jitter: float
) -> Decision:
    if poll is not None:
        unit.record_poll(poll)
    decision = decide(watched, recall(unit, watched.name), seen, now=now, jitter=jitter)
    save(unit, decision)
    return decision


def recall(unit: Unit, account: str) -> Memory:
    """All that is stored of one account; of an unknown one, its empty beginning."""
    return Memory(
        account=unit.account(account) or Account(account),
        alerts=unit.alerts(account),
        notifications=unit.notifications(account),
    )


def save(unit: Unit, decision: Decision) -> None:
    """Writes what a decision changes."""
    unit.save_account(decision.account)
    unit.save_incidents(decision.incidents)
    unit.save_alerts(decision.alerts)
    unit.add_events(decision.events)
    unit.save_desired(decision.notifications)


def retire_gone(unit: Unit, accounts: Mapping[str, AccountConfig], *, now: datetime) -> None:
    """Ends the alerts of rules and accounts that are no longer in the rule file.

    What was at rest is forgotten, so that a rule or an account that comes back begins anew.
    """
    for name in {key.account for key in unit.alerts()} | set(unit.accounts()):
        memory = recall(unit, name)
        gone = {key: reason for key in memory.alerts if (reason := _why_gone(key, accounts.get(name)))}
        live = {key: reason for key, reason in gone.items() if memory.alerts[key].state is not State.OK}
        save(unit, retire(memory, live, now=now))
        untold = {each.key for each in memory.notifications if each.desired != each.notified}
        unit.delete_alerts(gone.keys() - live.keys() - untold)
        if name not in accounts:
            unit.delete_account(name)


def _why_gone(key: AlertKey, config: AccountConfig | None) -> Reason | None:
    if config is None:
        return Reason.ACCOUNT_REMOVED
    if key.rule in config.disabled:
        return Reason.RULE_DISABLED
    live = {rule.name for rule in config.rules} | {NO_DATA}
    return None if key.rule in live else Reason.RULE_REMOVED


def log_decision(before: Account, decision: Decision) -> None:
    """Logs what a committed cycle saw and decided; `before` is the account as it stood until then."""
    account = decision.account
    if account.failure is not None and account.failures != before.failures:
        failure = account.failure
        log.warning("poll.failed", failure.text, account=account.name, kind=failure.kind, in_a_row=account.failures)
    elif before.failures and not account.failures:
        log.info("poll.recovered", "AgentPhone answers again", account=account.name, failures=before.failures)
    summaries = {alert.key: alert.reading.summary for alert in decision.alerts if alert.reading}
    for event in decision.events:
        level = {"alert_level": event.level.word} if event.level else {}
        value = {} if event.value is None else {"value": event.value}
        log.info(event.kind, event.text or summaries.get(event.key, ""), alert=event.key, **level, **value)
