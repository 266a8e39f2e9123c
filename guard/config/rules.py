"""`[rules.*]`: from a table to a rule that still lacks what an account says."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from guard.config.address import address_fault
from guard.config.keys import RULE
from guard.config.quiet import read_quiet
from guard.config.reach import read_accounts
from guard.config.renamed import read_renamed_from
from guard.config.routes import Reminders, Routes, read_notify_by_level, read_remind
from guard.config.table import Table, kind
from guard.model import Each, Level
from guard.rules.complaint import Complaint, hint, nearest
from guard.rules.expression import Condition, Expression, read_condition, read_expression
from guard.rules.kinds import Kind
from guard.rules.policy import Policy
from guard.rules.rule import Rule
from guard.rules.template import Template, read_template

_LONGEST_UNIT: Final = 32
_LONGEST_ADDRESS: Final = 2_000
_MOST_LABELS: Final = 20
_LONGEST_LABEL: Final = 100
_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
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
    quiet: tuple[str, ...]  # names of windows, each once
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class _Names:
    """What a rule's expressions may read beside the fields of the account."""

    budgets: Collection[str]
    each: Each | None  # whose fields


def read_rule(
    table: Table, *, budgets: Collection[str], channels: Collection[str], windows: Collection[str]
) -> Draft | None:
    """Reads one rule; `budgets` are the names that some account has one for, `windows` those of the quiet ones.

    None when it cannot be evaluated.
    """
    if _is_split(table):
        return None
    table.check_keys(RULE)
    names = _Names(budgets, _each(table))
    value = _expression(table, "value", names, want=Kind.NUMBER)
    conditions = {level: found for level in Level if (found := _condition(table, level.word, names, of=value))}
    keep_firing_for = table.duration("keep_firing_for") or timedelta()
    rule = partial(
        Rule,
        policy=Policy(table.name, tuple(conditions), routes={}, keep_firing_for=keep_firing_for, labels=_labels(table)),
        conditions=conditions,
        clear=_condition(table, "clear", names, of=value),
        when=_expression(table, "when", names, want=Kind.CONDITION),
        unit=_unit(table),
        summary=_template(table, "summary", names, value=value),
        description=_template(table, "description", names, value=value),
        runbook=_runbook(table),
        each=names.each,
        accounts=read_accounts(table),
        renamed_from=read_renamed_from(table),
    )
    draft = partial(
        Draft,
        table,
        hold=table.duration("for"),
        notify=read_notify_by_level(table, channels),
        remind=read_remind(table),
        quiet=read_quiet(table, windows),
        is_enabled=table.boolean("enabled") is not False,
    )
    _check_present(table)
    return draft(rule=rule(value=value)) if value and conditions else None


def _is_split(table: Table) -> bool:
    """Notes a name with a point, which TOML reads as a table within another; whether it is one."""
    inner = next((key for key, value in table.values.items() if isinstance(value, dict) and key not in RULE.built), "")
    if not inner or "value" in table:
        return False
    path = (*table.path, inner)
    table.document.complain(path, f"a rule's name has no point; write [rules.{table.name}-{inner}]", on_key=True)
    return True


def _check_present(table: Table) -> None:
    if "value" not in table:
        table.document.miss(table.path, 'value is missing: write what to watch, such as value = "numbers.remaining"')
    if not any(level.word in table for level in Level):
        table.document.miss(
            table.path, 'no level: write at least one of info, warning, critical, as in warning = "< 3"'
        )


def _complain(table: Table, key: str) -> Callable[[Complaint], None]:
    return partial(table.document.complain_about, (*table.path, key))


def _expression(table: Table, key: str, names: _Names, *, want: Kind) -> Expression | None:
    example = '"numbers.remaining"' if want is Kind.NUMBER else '"stats.callsLast24h >= 20"'
    text = table.literal(key, such_as=example)
    if text is None:
        return None
    complain = _complain(table, key)
    return read_expression(text, budgets=names.budgets, each=names.each, want=(want,), complain=complain)


def _condition(table: Table, key: str, names: _Names, *, of: Expression | None) -> Condition | None:
    text = table.literal(key, such_as='"< 3"')
    if text is None:
        return None
    return read_condition(text, budgets=names.budgets, each=names.each, of=of, complain=_complain(table, key))


def _template(table: Table, key: str, names: _Names, *, value: Expression | None) -> Template:
    text = table.string(key, such_as='"{numbers.remaining} numbers left"')
    if text is None:
        return Template()
    shown, complain = str(value) if value else "", _complain(table, key)
    return read_template(text, budgets=names.budgets, each=names.each, value=shown, complain=complain)


def _each(table: Table) -> Each | None:
    text = table.string("each", such_as='"number"')
    if text is None:
        return None
    by_value = {each.value: each for each in Each}
    if text not in by_value:
        near = hint(text, by_value) or f"; it is {' or '.join(by_value)}"
        table.wrong("each", f"there is no alert for each {text!r}{near}")
        # What was probably meant, so that its fields are not called wrong too.
        return by_value.get(nearest(text, by_value) or "")
    return by_value[text]


def _labels(table: Table) -> dict[str, str]:
    """The labels that are right, in the order of the file."""
    labels = table.table("labels", such_as='{ team = "support" }')
    if labels is None:
        return {}
    if len(labels.values) > _MOST_LABELS:
        table.wrong("labels", f"{len(labels.values):,} labels are too many; there may be {_MOST_LABELS}")
        return {}
    return {name: text for name in labels.values if (text := _label(labels, name)) is not None}


def _label(labels: Table, name: str) -> str | None:
    value = labels.values[name]
    if not _LABEL.fullmatch(name):
        labels.document.complain(
            (*labels.path, name), "a label's name is at most 64 letters, digits, - and _", on_key=True
        )
    elif not isinstance(value, str):
        labels.wrong(name, f"a label is a text in quotes, and this is {kind(value)}")
    elif not value.strip() or len(value) > _LONGEST_LABEL or not value.isprintable():
        labels.wrong(name, f"a label is a text on one line, of at most {_LONGEST_LABEL} characters, and not empty")
    else:
        return value
    return None


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
