"""The answer of /v1/usage; pure."""

from guard.sandbox.instant import instant, month_starts, next_month
from guard.sandbox.statement import Statement


def usage(of: Statement) -> dict[str, object]:
    """Every field of the API; the period is the calendar month of UTC."""
    return {
        "plan": {"name": "growth", "limits": dict(of.limits)},
        "numbers": {name.removeprefix("numbers."): number for name, number in of.numbers.items()},
        "stats": {name.removeprefix("stats."): number for name, number in of.stats.items()},
        "periodStart": instant(month_starts(of.at_s, months=1)[0]),
        "periodEnd": instant(next_month(of.at_s)),
        "reportGeneratedAt": instant(of.at_s),
    }
