"""Durations, counts and shares: what fits, and what is said of what does not."""

import pytest

from guard.rules.complaint import Complaint
from guard.rules.expression import read_condition
from tests.rules.trees import BUDGETS, complaints, expression

ETA = "eta(stats.messagesLast24h, budgets.messages_per_day, 6h)"
SECONDS, MINUTES = "agents.totalSeconds", "plan.limits.voiceMinutesPerMonth"
ONLY = "only a duration, such as 3h, fits a duration"

MISFITS = [
    ("numbers.remaining < 3h", "a count compared with a duration; write 3 without its unit"),
    ("3h > numbers.remaining", "a duration compared with a count; write 3 without its unit"),
    ("stats.messagesLast24h + 3h", "a count added to a duration; write 3 without its unit"),
    ("3h - numbers.used", "a count taken from a duration; write 3 without its unit"),
    (f"numbers.used - {ETA} * 80%", f"a duration taken from a count; {ONLY}"),
    ("period.elapsed > 5h", "a share compared with a duration; write a share, such as 5%"),
    (f"{ETA} < 80%", f"a duration compared with a share; {ONLY}"),
    ("80% > 5h", "a share compared with a duration; write a share, such as 5%"),
    (f"{ETA} < numbers.remaining", f"a duration compared with a count; {ONLY}"),
    (f"-{ETA} < numbers.remaining", f"a duration compared with a count; {ONLY}"),
    (f"{ETA} + 5m < 3", "a duration compared with a plain number; write a unit behind 3, as in 90s, 15m, 5h, 7d"),
    (
        f"{ETA} < 60 * 60",
        "a duration compared with a plain number; write a unit behind 60 * 60, as in 90s, 15m, 5h, 7d",
    ),
    (
        f"{SECONDS} > 80% * {MINUTES}",
        f"a duration compared with a number of minutes; write 80% * {MINUTES} * 60, which is seconds",
    ),
    (
        f"{MINUTES} == {SECONDS}",
        f"a number of minutes compared with a duration; write {MINUTES} * 60, which is seconds",
    ),
    (f"{SECONDS} > 80% * numbers.used", f"a duration compared with a count; {ONLY}"),
    ("delta(numbers.used, 1d) > 1h", "a count compared with a duration; write 1 without its unit"),
    (
        f"ago({SECONDS}, 1d) > 90",
        "a duration compared with a plain number; write a unit behind 90, as in 90s, 15m, 5h, 7d",
    ),
]


@pytest.mark.parametrize(("text", "complaint"), MISFITS)
def test_sides_that_measure_different_things_are_a_mistake(text: str, complaint: str) -> None:
    assert complaints(text) == [(text, complaint)]


@pytest.mark.parametrize(
    "text",
    [
        f"{ETA} < 3h",
        f"{ETA} < 3h + 5m",
        f"{ETA} - 60 < 3h",
        f"60 + {ETA} < 3h",
        f"{ETA} <= 0",
        f"{ETA} / 1h < 3",
        f"{ETA} < budgets.dollars",
        f"{SECONDS} / 60 > 80% * {MINUTES}",
        f"{SECONDS} > {MINUTES} * 60",
        f"{SECONDS} / agents.calls > 5m",
        "120 * stats.callsLast24h > 5h",
        "numbers.remaining < 3",
        "numbers.remaining < 20%",
        "stats.newSeconds > 5h",
        "period.elapsed * 30d > 5d",
        "period.elapsed * 2592000 > 5d",
        "numbers.used / numbers.limit > 80%",
        "numbers.used + 20% > 3",
        "80% * 50% < 1",
        "budgets.dollars - 3h < 5",
        "3 + numbers.used > 5",
        "plan.name == 'growth'",
        f"eta({SECONDS}, 600 * {MINUTES} / 10, 7d) < 1d",
        f"eta({SECONDS}, 5h, 7d) < 1d",
        "eta(numbers.remaining, 0, 7d) < 1d",
    ],
)
def test_what_fits_and_what_nobody_can_be_sure_of_is_none(text: str) -> None:
    warned = [said for _, said in complaints(text) if "does not list" not in said]
    assert warned == []


def test_a_target_measures_what_its_field_does() -> None:
    assert complaints("eta(numbers.used, 5h, 1d) < 3h") == [
        ("eta", "a count compared with a duration; write 5 without its unit")
    ]
    said = "a duration compared with a plain number; write a unit behind 90, as in 90s, 15m, 5h, 7d"
    assert complaints(f"eta({SECONDS}, 90, 1d)") == [("eta", said)]


@pytest.mark.parametrize(
    "text", ["nope(1) + 3h", "nope(1) < 3h", "avg(nope(1), 1h) < 3h", "(nope(1) + 1) < 3h", "avg() < 3h"]
)
def test_what_is_broken_anyway_measures_nothing(text: str) -> None:
    assert all("duration compared" not in said for _, said in complaints(text))


@pytest.mark.parametrize(
    ("value", "level", "said"),
    [
        (ETA, "< 5", [("5", "a duration compared with a plain number; write a unit behind 5, as in 90s, 15m, 5h, 7d")]),
        (ETA, "< numbers.used", [("numbers.used", f"a duration compared with a count; {ONLY}")]),
        (ETA, "< 5h", []),
        ("numbers.remaining", "< 3h", [("3h", "a count compared with a duration; write 3 without its unit")]),
        ("numbers.remaining", "< 3h + nope", [("nope", "unknown field 'nope'")]),
        (
            SECONDS,
            f"> {MINUTES}",
            [(MINUTES, f"a duration compared with a number of minutes; write {MINUTES} * 60, which is seconds")],
        ),
    ],
)
def test_a_level_measures_what_its_value_does(value: str, level: str, said: list[tuple[str, str]]) -> None:
    found = list[Complaint]()
    read = read_condition(level, budgets=BUDGETS, complain=found.append, of=expression(value))
    assert [(level[each.span.start : each.span.end], each.text) for each in found] == said
    assert (read is None) == bool(said)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("numbers.used", "count"),
        ("period.elapsed", "share"),
        (MINUTES, "minutes"),
        (SECONDS, "seconds"),
        (ETA, "seconds"),
        (f"max({SECONDS}, 1d)", "seconds"),
        ("80% * period.elapsed", "share"),
        ("numbers.used / numbers.limit", ""),
        ("numbers.used + 1", ""),
        ("'a'", ""),
        ("not 1 < 2", ""),
    ],
)
def test_an_expression_is_written_in_its_fields_unit_or_in_one_that_is_sure(text: str, unit: str) -> None:
    assert expression(text).unit == unit
