"""The tables of the reference page, as the code's own tables say them."""

from guard.fields import FIELDS, Field, Kind
from guard.rules.functions import FUNCTIONS


def functions_table() -> str:
    """Every function: how it is written, what it gives, and an example."""
    rows = ((f"`{each.form}`", each.means, f"`{each.example}`") for each in FUNCTIONS.values())
    return _table("function", "gives", "example", rows=list(rows))


def fields_table() -> str:
    """Every listed field: how it moves, what it is counted in, and the limit behind it."""
    return _table("field", "kind", "unit", "limit behind it", rows=[_field_row(each) for each in FIELDS.values()])


def _field_row(field: Field) -> tuple[str, ...]:
    unit = field.unit if field.kind is not Kind.TEXT else ""
    return f"`{field.name}`", field.kind.value, unit, f"`{field.limit}`" if field.limit not in ("", field.name) else ""


def _table(*head: str, rows: list[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cells)} |\n".replace("|  |", "| |").replace("|  |", "| |") for cells in lines)
