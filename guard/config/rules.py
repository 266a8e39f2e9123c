"""`[rules.*]`: from a table to a rule that still lacks what an account says."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from guard.config.address import address_fault
from guard.config.keys import RULE
from guard.config.routes import Reminders, Routes, read_notify_by_level, read_remind
from guard.config.table import Table
from guard.model import Level
from guard.rules.complaint import Complaint
from guard.rules.expression import Condition, Expression, read_condition, read_expression
from guard.rules.kinds import Kind
from guard.rules.policy import Policy
from guard.rules.rule import Rule
from guard.rules.template import Template, read_template

_LONGEST_UNIT: Final = 32
_LONGEST_ADDRESS: Final = 2_000
_UNITS: Final = ("count", "share", "seconds", "duration", "dollars")
_MEANT: Final = {
    **dict.fromkeys(("%", "percent", "shares"), "share"),
    **dict.fromkeys(("$", "dollar", "usd"), "dollars"),
    **dict.fromkeys(("s", "sec", "second"), "seconds"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as the file says it; the routes, reminders and zone of `rule` are not laid over an account yet."""

    table: Table  # where it stands, for what turns out to be wrong only on an account
    rule: Rule
    hold: timedelta | None
    notify: Routes | None
    remind: Reminders | None
    is_enabled: bool


def read_rule(table: Table, *, budgets: Collection[str], channels: Collection[str]) -> Draft | None:
    """Reads one rule; `budgets` are the names that some account has one for. None when it cannot be evaluated."""
    table.check_keys(RULE)
    value = _expression(table, "value", budgets=budgets, want=Kind.NUMBER)
    conditions = {level: found for level in Level if (found := _condition(table, level.word, budgets))}
    keep_firing_for = table.duration("keep_firing_for") or timedelta()
    rule = partial(
        Rule,
        policy=Policy(table.name, tuple(conditions), routes={}, keep_firing_for=keep_firing_for),
        conditions=conditions,
        clear=_condition(table, "clear", budgets),
        when=_expression(table, "when", budgets=budgets, want=Kind.CONDITION),
        unit=_unit(table),
        summary=_template(table, "summary", budgets),
        description=_template(table, "description", budgets),
        runbook=_runbook(table),
    )
    draft = partial(
        Draft,
        table,
        hold=table.duration("for"),
        notify=read_notify_by_level(table, channels),
        remind=read_remind(table),
        is_enabled=table.boolean("enabled") is not False,
    )
    _check_present(table)
    return draft(rule=rule(value=value)) if value and conditions else None


def _check_present(table: Table) -> None:
    if "value" not in table:
        table.document.miss(table.path, 'value is missing: write what to watch, such as value = "numbers.remaining"')
    if not any(level.word in table for level in Level):
        table.document.miss(
            table.path, 'no level: write at least one of info, warning, critical, as in warning = "< 3"'
        )


def _complain(table: Table, key: str) -> Callable[[Complaint], None]:
    return partial(table.document.complain_about, (*table.path, key))


def _expression(table: Table, key: str, *, budgets: Collection[str], want: Kind) -> Expression | None:
    example = '"numbers.remaining"' if want is Kind.NUMBER else '"stats.callsLast24h >= 20"'
    text = table.literal(key, such_as=example)
    if text is None:
        return None
    return read_expression(text, budgets=budgets, want=(want,), complain=_complain(table, key))


def _condition(table: Table, key: str, budgets: Collection[str]) -> Condition | None:
    text = table.literal(key, such_as='"< 3"')
    return None if text is None else read_condition(text, budgets=budgets, complain=_complain(table, key))


def _template(table: Table, key: str, budgets: Collection[str]) -> Template:
    text = table.string(key, such_as='"{numbers.remaining} numbers left"')
    return Template() if text is None else read_template(text, budgets=budgets, complain=_complain(table, key))


def _unit(table: Table) -> str:
    unit = table.string("unit", such_as='"share"') or ""
    meant = _MEANT.get(unit.lower(), unit.lower() if unit.lower() in _UNITS else unit)
    if meant != unit:
        table.wrong("unit", f'write unit = "{meant}"')
    elif len(unit) > _LONGEST_UNIT or not unit.isprintable():
        table.wrong("unit", f"a unit is count, share, seconds, dollars or a noun of at most {_LONGEST_UNIT} characters")
    return unit


def _runbook(table: Table) -> str:
    runbook = table.string("runbook", such_as='"https://example.com/runbook"') or ""
    # Plain http is good enough for a page that is sent no secret.
    fault = address_fault(runbook.replace("http://", "https://", 1)) if runbook else None
    if fault or len(runbook) > _LONGEST_ADDRESS:
        table.wrong("runbook", f"runbook {fault or 'is too long for an address'}")
    return runbook
