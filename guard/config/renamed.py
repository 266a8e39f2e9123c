"""`renamed_from`: the name that a rule had before, under which its alerts are stored."""

from collections.abc import Mapping

from guard.config.table import Table


def read_renamed_from(table: Table) -> str:
    """The former name; empty where there is none, or where it cannot be this rule's."""
    name = table.string("renamed_from", such_as='"numbers-low"') or ""
    fault = _fault(table, name) if name else None
    if fault:
        table.wrong("renamed_from", fault)
    return "" if fault else name


def _fault(table: Table, name: str) -> str | None:
    if name == table.name:
        return "renamed_from is the rule's own name; write the name that it had before, or leave the key out"
    if name.startswith("guard."):  # its alerts, such as that of missing data, would become this rule's
        return f"{name} is built in and was never a rule of this file; write the name that {table.name} had before"
    rules = _rules(table)
    if name in rules:
        return f"the rule {name!r} is still in this file, so {table.name} cannot have its alerts"
    first = next(each for each, values in rules.items() if _former(values) == name)
    return f"{name!r} cannot become two rules; {first} is renamed from it already" if first != table.name else None


def _rules(table: Table) -> Mapping[str, object]:
    """All rules of the file as it says them, in its order."""
    rules: Mapping[str, object] = table.document.values[str(table.path[0])]
    return rules


def _former(values: object) -> object:
    return values.get("renamed_from") if isinstance(values, dict) else None
