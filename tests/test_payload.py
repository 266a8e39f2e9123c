import json
import math
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.model import Answer, Snapshot
from guard.payload import clean, snapshot

NOW = datetime(2026, 11, 16, tzinfo=UTC)


def taken(payload: Mapping[str, object], *, server_at: datetime | None = None) -> Snapshot:
    return snapshot(Answer(payload, json.dumps(payload), server_at), account="main", at=NOW)


def values(**payload: object) -> Mapping[str, float | str]:
    return taken(payload).values


# --- fields --------------------------------------------------------------------------------------------------------


def test_a_whole_answer_becomes_dotted_names() -> None:
    read = taken(
        {
            "plan": {"name": "growth", "limits": {"numbers": 12, "messagesPerMonth": 20000}},
            "numbers": {"used": 9, "limit": 12, "remaining": 3},
            "stats": {"totalMessages": 81240, "messagesLast24h": 0},
            "periodStart": "2026-11-01T00:00:00Z",
            "periodEnd": "2026-12-01T00:00:00Z",
        }
    )
    assert read == Snapshot(
        account="main",
        at=NOW,
        values={
            "plan.name": "growth",
            "plan.limits.numbers": 12.0,
            "plan.limits.messagesPerMonth": 20000.0,
            "numbers.used": 9.0,
            "numbers.limit": 12.0,
            "numbers.remaining": 3.0,
            "stats.totalMessages": 81240.0,
            "stats.messagesLast24h": 0.0,
            "periodStart": "2026-11-01T00:00:00Z",
            "periodEnd": "2026-12-01T00:00:00Z",
            "period.elapsed": 0.5,
        },
        period_start_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("odd", ["81240", "many", "", True, False, None, -1, -0.5, [], [3], {}, math.nan, math.inf])
def test_a_count_that_makes_no_sense_is_absent_and_the_others_are_not(odd: object) -> None:
    read = values(stats={"totalMessages": odd, "totalCalls": 4120}, numbers={"used": odd})
    assert read == {"stats.totalCalls": 4120.0}


@pytest.mark.parametrize("odd", [0, -1, None, "unlimited", True, 999_999_999, 2**31 - 1, 2**63, [], {}])
def test_a_limit_that_is_none_is_absent_and_so_is_what_remains_of_it(odd: object) -> None:
    read = values(numbers={"used": 9, "limit": odd, "remaining": 3}, plan={"limits": {"numbers": odd, "faxes": odd}})
    assert read == {"numbers.used": 9.0}


def test_a_number_beyond_a_float_is_absent() -> None:
    assert values(x=10**400, y=1) == {"y": 1}


def test_an_absent_limit_leaves_what_remains() -> None:
    assert values(numbers={"remaining": 3}) == {"numbers.remaining": 3.0}


def test_a_zero_that_remains_is_a_number() -> None:
    assert values(numbers={"remaining": 0, "limit": 12})["numbers.remaining"] == 0


@pytest.mark.parametrize("odd", [None, 3, "x", [], True])
def test_a_part_that_is_no_object_costs_only_itself(odd: object) -> None:
    read = values(numbers=odd, plan={"name": "growth", "limits": odd}, stats={"totalCalls": 1})
    assert read["stats.totalCalls"] == 1
    assert read["plan.name"] == "growth"
    assert "numbers.remaining" not in read


def test_a_plan_whose_name_is_no_text_has_no_name() -> None:
    assert values(plan={"name": 3}) == {}


def test_names_that_are_not_listed_are_kept() -> None:
    read = values(stats={"faxesLast24h": 3, "lastCall": "today", "drift": -2}, region={"near": {"code": "eu"}}, on=True)
    assert read == {"stats.faxesLast24h": 3, "stats.lastCall": "today", "stats.drift": -2, "region.near.code": "eu"}


@pytest.mark.parametrize("name", ["", "numbers.remaining", "numbers\x00", " numbers", "a\nb", "long" * 51])
def test_a_name_that_could_pose_as_another_is_passed_over(name: str) -> None:
    assert values(**{name: {"remaining": 3}, "x": 1}) == {"x": 1}
    assert values(**{name: 3, "x": 1}) == {"x": 1}


def test_texts_are_cleaned() -> None:
    assert values(plan={"name": "\x1b[31mgro\u202ewth\r\nplan\ud800"}) == {"plan.name": "growth plan"}


def test_a_flood_of_fields_is_cut_and_takes_no_listed_one_along() -> None:
    read = values(**{f"x{number}": number for number in range(5_000)}, numbers={"remaining": 3}, periodStart="2026")
    assert len(read) == 2_000
    assert read["numbers.remaining"] == 3
    assert read["periodStart"] == "2026"


def test_nesting_is_read_to_eight_levels() -> None:
    def nested(levels: int) -> object:
        return {"x": nested(levels - 1)} if levels else 1

    assert values(x=nested(7)) == {".".join("x" * 8): 1}
    assert values(x=nested(8)) == {}
    assert values(x=nested(500)) == {}


# --- the reporting period ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "elapsed"),
    [
        ("2026-11-09T00:00:00Z", "2026-11-16T00:00:00Z", 1.0),
        ("2026-11-13T00:00:00+00:00", "2026-11-20T00:00:00Z", 3 / 7),
        ("2026-11-15T19:00:00-05:00", "2026-11-17T00:00:00Z", 0.0),
        ("2026-11-15T00:00:00", "2026-11-17T00:00:00", 0.5),
        ("2026-11-15", "2026-11-17", 0.5),
        ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", 1.0),
        ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", 0.0),
        ("2026-11-17T00:00:00Z", "2026-11-17T00:00:00Z", None),
        ("2026-11-18T00:00:00Z", "2026-11-11T00:00:00Z", None),
        ("soon", "2026-11-17T00:00:00Z", None),
        ("2026-11-15T00:00:00Z", "0000-01-01T00:00:00Z", None),
        ("2026-11-15T00:00:00Z", "9999-12-31T23:59:59-12:00", None),
        ("0001-01-01T00:00:00+12:00", "2026-11-17T00:00:00Z", None),
        ("2026-02-30T00:00:00Z", "2026-11-17T00:00:00Z", None),
        ("2026-11-15T00:00:00Z", 1794873600, None),
        (None, "2026-11-17T00:00:00Z", None),
        ("2026-11-15T00:00:00Z", None, None),
    ],
)
def test_how_much_of_the_period_has_passed(start: object, end: object, elapsed: float | None) -> None:
    assert values(periodStart=start, periodEnd=end).get("period.elapsed") == elapsed


def test_the_periods_start_is_known_without_its_end() -> None:
    read = taken({"periodStart": "2026-11-01T02:00:00+02:00"})
    assert read.period_start_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert read.period_start_at.tzinfo is UTC


@pytest.mark.parametrize("odd", ["soon", "0000-01-01T00:00:00Z", 3, None, {"at": 1}])
def test_a_nonsense_start_is_no_start(odd: object) -> None:
    assert taken({"periodStart": odd, "stats": {"totalCalls": 1}}).period_start_at is None


def test_a_period_elapsed_of_the_apis_own_is_not_taken_for_ours() -> None:
    assert values(period={"elapsed": 7, "name": "week"}) == {"period.name": "week"}


# --- the report's age ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("generated", "server_at", "age"),
    [
        ("2026-11-15T23:40:00Z", None, timedelta(minutes=20)),
        ("2026-11-15T23:40:00", None, timedelta(minutes=20)),
        ("2026-11-15T23:40:00Z", NOW - timedelta(minutes=15), timedelta(minutes=5)),
        ("2026-11-15T23:40:00Z", NOW - timedelta(hours=1), timedelta()),
        ("2026-11-17T00:00:00Z", None, timedelta()),
        ("yesterday", None, timedelta()),
        ("0000-00-00", None, timedelta()),
        (1794873600, None, timedelta()),
        (None, None, timedelta()),
    ],
)
def test_a_report_is_as_old_as_the_servers_clock_says(
    generated: object, server_at: datetime | None, age: timedelta
) -> None:
    assert taken({"reportGeneratedAt": generated}, server_at=server_at).age == age


# --- cleaning ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Support", "Support"),
        ("  two\t lines\r\nor\u2028three\x85 ", "two lines or three"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]never ends", ""),
        ("\x1b(Bplain\x1b7\x1b", "plain"),
        ("a\x00b\x08c\x7fd", "abcd"),
        ("\u202eevil\u2066\u200f", "evil"),
        ("soft\xadhyphen\ufeff\u2060", "softhyphen"),
        ("lone \ud83d", "lone"),
        ("👩\u200d💻 می\u200cشود é", "👩\u200d💻 می\u200cشود é"),
        ("<!here> *bold* & <b>", "<!here> *bold* & <b>"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("", ""),
    ],
)
def test_what_a_text_from_outside_becomes(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize("part", ["\x1b[", "\x1b]", "\x1b ", "0", " ", "\u202e"])
def test_no_text_makes_cleaning_slow(part: str) -> None:
    assert len(clean("\x1b[" + part * 500_000)) <= 200


def is_clean(text: str) -> bool:
    bad = {"Cc", "Cs", "Zl", "Zp"}
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return not any(unicodedata.category(letter) in bad or unicodedata.bidirectional(letter) in bidi for letter in text)


@given(st.text(st.characters(), max_size=400), st.integers(1, 300))
def test_a_cleaned_text_is_clean_bounded_and_stays_as_it_is(text: str, at_most: int) -> None:
    cleaned = clean(text, at_most=at_most)
    assert is_clean(cleaned)
    assert len(cleaned) <= at_most
    assert clean(cleaned, at_most=at_most) == cleaned


@given(st.text(st.characters(max_codepoint=127), max_size=220))
def test_a_text_with_nothing_to_clean_takes_a_shortcut_to_the_same(text: str) -> None:
    assert clean(text) == clean("\x1b[0m" + text)


# --- whatever comes ------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["numbers", "stats", "plan", "limits", "limit", "remaining", "periodStart", "periodEnd", "reportGeneratedAt"]
)
EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
INSTANTS = st.datetimes(timezones=st.sampled_from([None, UTC, EAST, WEST])).map(datetime.isoformat)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | INSTANTS
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text(st.characters()), inner), max_leaves=30
)


@given(
    payload=st.dictionaries(NAMES | st.text(), TREES),
    server_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_no_json_breaks_a_snapshot_and_every_value_is_finite_or_clean(
    payload: dict[str, object], server_at: datetime | None, at: datetime
) -> None:
    read = snapshot(Answer(payload, "", server_at), account="main", at=at)
    for name, value in read.values.items():
        assert is_clean(name)
        assert is_clean(value) if isinstance(value, str) else math.isfinite(value)
    assert read.age >= timedelta()
    assert 0 <= float(read.values.get("period.elapsed", 0)) <= 1
    assert read.period_start_at is None or read.period_start_at.tzinfo is UTC
