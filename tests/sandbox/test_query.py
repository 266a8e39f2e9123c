from datetime import UTC
from typing import Any

import pytest
from inline_snapshot import snapshot

from guard.sandbox.query import BadQueryError, Query


def number(text: str | None) -> int:
    query = Query([] if text is None else [("days", text)])
    found = query.number("days", least=1, most=365, usual=30)
    query.check()
    return found


def refused(query: Query) -> list[dict[str, Any]]:
    with pytest.raises(BadQueryError) as caught:
        query.check()
    return caught.value.detail


@pytest.mark.parametrize(("text", "expected"), [(None, 30), ("1", 1), ("365", 365), ("+7", 7), (" 7 ", 7), ("007", 7)])
def test_a_number_within_bounds_is_read(text: str | None, expected: int) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0", "greater_than_equal"),
        ("-1", "greater_than_equal"),
        ("366", "less_than_equal"),
        ("", "int_parsing"),
        ("7.5", "int_parsing"),
        ("week", "int_parsing"),
        ("٣", "int_parsing"),
        ("9" * 5_000, "int_parsing"),
    ],
)
def test_any_other_number_is_refused(text: str, kind: str) -> None:
    with pytest.raises(BadQueryError) as caught:
        number(text)
    [entry] = caught.value.detail
    assert (entry["loc"], entry["type"]) == (["query", "days"], kind)


def test_the_last_of_two_counts() -> None:
    query = Query([("days", "x"), ("days", "7")])
    assert query.number("days", least=1, most=365, usual=30) == 7
    query.check()


def test_every_mistake_of_a_request_is_told_at_once() -> None:
    query = Query([("tz", "Mars"), ("hours", "0")])
    query.choice("period", ("week", "month", "year"))
    query.zone("tz")
    query.number("hours", least=1, most=720, usual=24)
    assert refused(query) == snapshot(
        [
            {"loc": ["query", "period"], "msg": "Field required", "type": "missing"},
            {"loc": ["query", "tz"], "msg": "Input should be an IANA time zone", "type": "value_error"},
            {
                "loc": ["query", "hours"],
                "msg": "Input should be greater than or equal to 1",
                "type": "greater_than_equal",
            },
        ]
    )


def test_a_word_that_is_not_known_is_refused_with_those_that_are() -> None:
    query = Query([("period", "day")])
    query.choice("period", ("week", "month", "year"))
    assert refused(query) == snapshot(
        [{"loc": ["query", "period"], "msg": "Input should be 'week', 'month' or 'year'", "type": "literal_error"}]
    )


def test_a_known_word_and_a_zone_are_read() -> None:
    query = Query([("period", "year"), ("tz", "America/New_York")])
    assert query.choice("period", ("week", "month", "year")) == "year"
    assert str(query.zone("tz")) == "America/New_York"
    assert query.zone("other") is UTC
    query.check()


@pytest.mark.parametrize("text", ["", "America", "/etc/passwd", "../UTC", "a\0b", "x" * 10_000, "Europe/München"])
def test_what_is_no_zone_is_refused(text: str) -> None:
    query = Query([("tz", text)])
    query.zone("tz")
    assert refused(query)[0]["loc"] == ["query", "tz"]
