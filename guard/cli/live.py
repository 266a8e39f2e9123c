"""`guard check --live`: what each rule makes of each account now, and how far it is from the next level."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from guard.cli.output import print_table, say
from guard.cli.rule_file import secret
from guard.cli.seen import Seen, read_history
from guard.clock import Clock
from guard.errors import ExitCode, StorageError
from guard.model import AlertKey, Answer, Bound, Failure, FailureKind, Level, Snapshot
from guard.rules.history import History, needs
from guard.rules.rule import Rule
from guard.rules.trace import Trace
from guard.rules.values import Unknown
from guard.units import duration_text, iso, value_text

if TYPE_CHECKING:
    from guard.agentphone import UsageClient
    from guard.config import AccountConfig, Config

_COLUMNS: Final = ("ALERT", "VALUE", "LEVEL", "NEXT")


@dataclass(frozen=True, slots=True)
class LiveRule:
    """One rule on an account, or on a subject of it, by an answer of this moment."""

    key: AlertKey
    rule: Rule
    trace: Trace

    @property
    def value(self) -> float | None:
        """What the value is; None where that is unknown."""
        number = self.trace.number
        return None if isinstance(number, Unknown) else number

    @property
    def level(self) -> Level | None:
        """The level that holds, whatever the rule's `for`; None also where it is unknown or does not apply."""
        return None if self.trace.applies is not True else self.trace.level

    @property
    def next(self) -> tuple[Level, Bound] | None:
        """The next worse level; None where there is none, or something is unknown, or the rule does not apply."""
        if self.trace.applies is not True or self.trace.unknown:
            return None
        worse = (level for level in self.trace.levels if level > (self.level or 0))
        level = min(worse, default=None)
        if level is None:
            return None
        judged = self.trace.levels[level]
        return None if isinstance(judged.bound, Unknown) else (level, Bound(judged.condition.operator, judged.bound))


@dataclass(frozen=True, slots=True)
class LiveAccount:
    """One account, asked just now: what its rules make of its answer, or why there was none."""

    name: str
    at: datetime
    failures: tuple[str, ...] = ()  # why an endpoint gave no good answer; without /v1/usage there are no rules
    rules: tuple[LiveRule, ...] = ()  # in the order of the file
    empty: tuple[Rule, ...] = ()  # with `each`, of which there is none


async def ask_all(config: "Config", *, database: str, then: Callable[[Sequence[LiveAccount]], ExitCode]) -> ExitCode:
    """Asks each master account once, and gives what came of it to `then`, whose exit code it gives.

    A failure to ask is a result like others.
    Functions that look back see the history in the database, where there is one that can be read.
    """
    clock = Clock()
    histories = _histories(config, database, now=clock.now())
    return then(await asyncio.gather(*(_ask(each, histories[each.name], clock) for each in config.accounts)))


def _histories(config: "Config", database: str, *, now: datetime) -> dict[str, History]:
    """What the rules of each account look back on, by account; empty ones without a database."""
    from guard.store import Reader

    try:
        with Reader.open(database) as reader:
            return {each.name: read_history(reader, each, until=now) for each in config.accounts}
    except StorageError:
        return {each.name: History(needs(each.rules)) for each in config.accounts}


async def _ask(config: "AccountConfig", history: History, clock: Clock) -> LiveAccount:
    from guard.agentphone import UsageClient

    key = config.api_key
    if not key.value:
        return LiveAccount(config.name, clock.now(), (f"not asked: {key.variable} is not set in the environment",))
    client = UsageClient(base_url=config.base_url, key=key.value, read_key=lambda: secret(key.variable))
    try:
        usage = await _usage(client, config, clock)
        if isinstance(usage, Failure):
            return LiveAccount(config.name, clock.now(), (usage.text,))
        snapshot, failures = await _joined(client, config, usage)
    finally:
        await client.close()
    history.add(snapshot)
    seen = Seen(config, snapshot, history)
    empty = tuple(rule for rule in config.rules if not seen.subjects(rule))
    return LiveAccount(config.name, snapshot.at, failures, tuple(_rules(seen)), empty)


async def _usage(client: "UsageClient", config: "AccountConfig", clock: Clock) -> Snapshot | Failure:
    from guard.payload import snapshot

    outcome = await client.usage(now=clock.now())
    if isinstance(outcome, Failure):
        return outcome
    usage = snapshot(outcome, account=config.name, at=clock.now())
    if usage.age <= config.stale_after:
        return usage
    stale_after = duration_text(config.stale_after)
    text = f"the report is {duration_text(usage.age)} old, older than stale_after ({stale_after})"
    return Failure(FailureKind.STALE, text)


async def _joined(client: "UsageClient", config: "AccountConfig", usage: Snapshot) -> tuple[Snapshot, tuple[str, ...]]:
    """The snapshot with what the sibling endpoints say that the rules read, and why some of them say nothing."""
    from guard.payload import joined, part
    from guard.siblings import needed

    at, endpoints = usage.at, sorted(needed(config.rules))
    outcomes = await asyncio.gather(*(client.sibling(each, now=at) for each in endpoints))
    asked = list(zip(endpoints, outcomes, strict=True))
    parts = [part(each, outcome, at=at) for each, outcome in asked if isinstance(outcome, Answer)]
    failures = tuple(f"endpoint {each}: {outcome.text}" for each, outcome in asked if isinstance(outcome, Failure))
    return joined(usage, parts, stale_after=config.stale_after), failures


def _rules(seen: Seen) -> Iterator[LiveRule]:
    for rule in seen.config.rules:
        for subject in seen.subjects(rule):
            if found := seen.traced(rule, subject):
                yield LiveRule(AlertKey(seen.config.name, rule.name, subject), rule, found)


# --- for people ----------------------------------------------------------------------------------------------------


def print_live(accounts: Sequence[LiveAccount]) -> None:
    """Prints a table of all alerts that there would be, then the accounts that could not be asked."""
    rows = [_row(each) for account in accounts for each in account.rules]
    if rows:
        say("")
        print_table(_COLUMNS, rows)
    if failed := [line for account in accounts for line in _without_rows(account)]:
        say("\n".join(["", *failed]))


def _without_rows(account: LiveAccount) -> Iterator[str]:
    for text in account.failures:
        yield f"{account.name}: {text}"
    for rule in account.empty:
        yield f"{account.name}/{rule.name}: no answer shows any {rule.each}"


def _row(live: LiveRule) -> Sequence[str]:
    value = "" if live.value is None else value_text(live.value, live.rule.value_unit)
    return str(live.key), value, _level_word(live), _next_text(live)


def _level_word(live: LiveRule) -> str:
    if live.trace.unknown:
        return "unknown"
    return live.level.word if live.level else "ok"


def _next_text(live: LiveRule) -> str:
    """How far it is to the next level, or why nobody knows."""
    unknown = live.trace.unknown
    if unknown:
        return f"needs history: {unknown.why}" if unknown.is_young else unknown.why
    if live.trace.applies is False:
        return f"does not apply: {live.trace.when[0].text} is false"
    if live.next is None or live.value is None:
        return ""
    level, bound = live.next
    unit = live.rule.value_unit
    left = abs(live.value - bound.number)
    away = f"{value_text(left, unit)} away" if left else "on its edge"
    return f"{level.word} {bound.operator} {value_text(bound.number, unit)}, {away}"


# --- for machines --------------------------------------------------------------------------------------------------


def live_document(accounts: Sequence[LiveAccount]) -> list[dict[str, Any]]:
    """The same as JSON has it."""
    return [
        {
            "account": each.name,
            "asked_at": iso(each.at),
            "failures": list(each.failures),
            "alerts": [_rule_document(rule) for rule in each.rules],
        }
        for each in accounts
    ]


def _rule_document(live: LiveRule) -> dict[str, Any]:
    unknown, following = live.trace.unknown, live.next
    return {
        "alert": str(live.key),
        "rule": live.key.rule,
        "subject": live.key.subject,
        "value": live.value,
        "unit": live.rule.value_unit,
        "applies": None if isinstance(live.trace.applies, Unknown) else live.trace.applies,
        "level": live.level.word if live.level else None,
        "unknown": unknown.why if unknown else None,
        "needs_history": unknown.is_young if unknown else False,
        "next": {
            "level": following[0].word,
            "operator": following[1].operator,
            "bound": following[1].number,
        }
        if following
        else None,
    }
