"""`[budgets]`: numbers by name, for the file or for one account."""

import re
from collections.abc import Mapping
from typing import Final

from guard.config.table import Table

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def read_budgets(table: Table) -> Mapping[str, float]:
    """All budgets that are right, by name; finite and not below zero."""
    budgets = {}
    for name in table.values:
        if not _NAME.fullmatch(name):
            table.document.complain(
                (*table.path, name),
                f"a budget's name is small letters, digits and underscores, such as messages_per_day, not {name!r}",
                on_key=True,
            )
        elif (amount := table.amount(name)) is not None:
            budgets[name] = amount
    return budgets
