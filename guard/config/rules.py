"""`[rules.*]`: from a table to what is evaluated, account by account."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Final

from guard.config.address import address_fault
from guard.config.keys import RULE
from guard.config.routes import Reminders, Routes, read_notify_by_level, read_remind
from guard.config.table import Table
from guard.model import Level
from guard.rules.complaint import Complaint
from guard.rules.expression import Condition, Expression, read_condition, read_expression
from guard.rules.kinds import Kind
from guard.rules.template import Template, read_template

_LONGEST_UNIT: Final = 32
_MEANT: Final = {
    **dict.fromkeys(("%", "percent", "shares"), "share"),
    **dict.fromkeys(("$", "dollar", "usd", "USD"), "dollars"),
    **dict.fromkeys(("s", "sec", "second"), "seconds"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as the file says it, before an account's routes, zone and budgets."""

    table: Table  # where it stands, for what shows only later to be wrong
    value: Expression
    conditions: Mapping[Level, Condition]
    clear: Condition | None
    when: Expression | None
    hold: timedelta | None
    keep_firing_for: timedelta
    unit: str
    summary: Template
    description: Template
    runbook: str
    notify: Routes | None
    remind: Reminders | None
    enabled: bool


def read_rule(table: Table, *, budgets: Collection[str], channels: Collection[str]) -> Draft | None:
    """Reads one rule; `budgets` are all names that any account has one for. None when an expression is wrong."""
    table.check_keys(RULE)
    value = _expression(table, "value", budgets, Kind.NUMBER)
    conditions = {level: found for level in Level if (found := _condition(table, level.word, budgets))}
    draft = Draft(
        table=table,
        value=value or _NOTHING,
        conditions=conditions,
        clear=_condition(table, "clear", budgets),
        when=_expression(table, "when", budgets, Kind.CONDITION),
        hold=table.duration("for"),
        keep_firing_for=table.duration("keep_firing_for") or timedelta(),
        unit=_unit(table),
        summary=_template(table, "summary", budgets),
        description=_template(table, "description", budgets),
        runbook=_runbook(table),
        notify=read_notify_by_level(table, channels),
        remind=read_remind(table),
        enabled=table.boolean("enabled") is not False,
    )
    _check_present(table)
    return draft if value and conditions else None
