"""`sub_accounts` and `[accounts.NAME.sub.*]`: which sub-accounts are watched, and what some have of their own."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from guard.config.budgets import read_budgets
from guard.config.keys import SUB
from guard.config.routes import Routes, read_notify
from guard.config.table import Table, kind
from guard.rules.complaint import hint, nearest

MOST_SUBS: Final = 10_000
"""Of one account."""

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WHAT_AN_ID_IS: Final = "an id is at most 64 letters, digits, '.', '-' and '_'"
_ALL: Final = "all"
_MOST_COMPARED: Final = 200  # more would take long, and a file may have many mistakes
_EITHER: Final = '"all", or a list of ids such as ["acme"]'


@dataclass(frozen=True, slots=True)
class SubDraft:
    """One sub-account, and only what its own table says."""

    sub_id: str
    notify: Routes | None
    budgets: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SubsDraft:
    """The sub-accounts of one account as the file says them."""

    ids: tuple[str, ...] | None  # None: all
    own: tuple[SubDraft, ...]  # those with a table, in the order of the file


def read_subs(table: Table, *, channels: Collection[str]) -> SubsDraft | None:
    """What an account's table says of its sub-accounts; None when they are not watched."""
    if "sub_accounts" in table:
        ids = _ids(table)
        return SubsDraft(ids, tuple(_read_sub(each, channels) for each in _tables(table, ids)))
    if "sub" in table and not table.document.lost:  # perhaps it stands on a line that cannot be read
        text = f"sub goes with sub_accounts, which says what is watched: {_EITHER}"
        table.document.complain((*table.path, "sub"), text, on_key=True)
    return None


def _ids(table: Table) -> tuple[str, ...] | None:
    """The ids that are listed; None where all are meant, or where the value is wrong."""
    value = table.values["sub_accounts"]
    if isinstance(value, list):
        return _listed(table, value)
    if not isinstance(value, str):
        table.wrong("sub_accounts", f"sub_accounts is {_EITHER}, and this is {kind(value)}")
        return None
    text = table.string("sub_accounts", such_as=f'"{_ALL}"')
    if text not in (None, _ALL):
        table.wrong("sub_accounts", f"sub_accounts is {_EITHER}, and not {table.shown('sub_accounts')}")
    return None


def _listed(table: Table, values: list[object]) -> tuple[str, ...]:
    if not values:
        table.wrong("sub_accounts", f"sub_accounts names none; write {_EITHER}, or leave the key out")
    if len(values) > MOST_SUBS:
        table.wrong("sub_accounts", f"{len(values):,} sub-accounts are too many; there may be {MOST_SUBS:,}")
        return ()
    ids: dict[str, None] = {}
    for index, value in enumerate(values):
        fault = _fault(value, ids)
        if fault:
            table.document.complain((*table.path, "sub_accounts", index), fault)
        if isinstance(value, str):
            ids[value] = None
    return tuple(ids)


def _fault(value: object, before: Collection[str]) -> str | None:
    """What is wrong with an id in a list; `before` are those in front of it."""
    if not isinstance(value, str):
        return f"a sub-account's id is a text in quotes, and this is {kind(value)}"
    if value == _ALL:
        return 'for all sub-accounts write sub_accounts = "all", without a list'
    if not _ID.fullmatch(value):
        return f"{_WHAT_AN_ID_IS}, not {value!r}"
    return f"{value!r} is listed twice" if value in before else None


def _tables(table: Table, ids: tuple[str, ...] | None) -> list[Table]:
    """The tables of single sub-accounts; those that are not right so far are noted and left out."""
    header = f"[{'.'.join(map(str, table.path))}.sub.ID]"
    outer = table.table("sub", such_as=header)
    if outer is None:
        return []
    if len(outer.values) > MOST_SUBS:
        table.wrong("sub", f"{len(outer.values):,} sub-accounts are too many; there may be {MOST_SUBS:,}")
        return []
    named = {name: value for name, value in outer.values.items() if isinstance(value, dict) and name not in SUB.built}
    flat = next((name for name in outer.values if name not in named), None)
    if flat is not None:
        text = f"sub holds one table for each sub-account; head these lines {header}"
        outer.document.complain((*outer.path, flat), text, on_key=True)
    listed = None if ids is None else frozenset(ids)
    good = (sub_id for sub_id in named if _is_right(outer, sub_id, listed))
    return [inner for sub_id in good if (inner := outer.table(sub_id, such_as=header))]


def _is_right(outer: Table, sub_id: str, listed: Collection[str] | None) -> bool:
    fault = _table_fault(outer, sub_id, listed)
    if fault:
        outer.document.complain((*outer.path, sub_id), fault, on_key=True)
    return fault is None


def _table_fault(outer: Table, sub_id: str, listed: Collection[str] | None) -> str | None:
    """What is wrong with the name of a sub-account's table."""
    inner = outer.values[sub_id]
    if any(isinstance(inner[key], dict) and nearest(key, SUB.built) is None for key in inner):
        return f'an id that holds a point stands in quotes, as in [{".".join(map(str, outer.path))}."a.b"]'
    if not _ID.fullmatch(sub_id):
        return f"{_WHAT_AN_ID_IS}, not {sub_id!r}"
    if listed is None or sub_id in listed or outer.document.lost:
        return None
    near = hint(sub_id, listed) if len(listed) <= _MOST_COMPARED else ""
    return f"{sub_id!r} is not in sub_accounts{near}"


def _read_sub(table: Table, channels: Collection[str]) -> SubDraft:
    table.check_keys(SUB, where=" for a sub-account")
    own = table.table("budgets", such_as="{ messages_per_day = 300 }")
    return SubDraft(table.name, read_notify(table, channels), read_budgets(own) if own else {})
