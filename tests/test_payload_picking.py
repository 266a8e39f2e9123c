"""A few fields that are picked out of an answer are those that the whole snapshot has."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guard.model import Answer, Snapshot
from guard.payload import Picking, snapshot

NOW = datetime(2026, 11, 16, tzinfo=UTC)
AGE = timedelta(minutes=3)
PARTS = ("numbers", "limit", "remaining", "stats", "totalMessages", "plan", "name", "limits", "period", "elapsed", "x")
NAMES = (
    "numbers.limit",
    "numbers.remaining",
    "stats.totalMessages",
    "stats.x",
    "plan.name",
    "plan.limits.numbers",
    "plan.limits.x",
    "period.elapsed",
    "periodStart",
    "today.messages",
    "limit",
    "x",
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 10**8 - 1, 10**8, 999_999_999, 10**400, -1, 2.5, -0.5, 1e300])
    | st.sampled_from(["", "growth", "\x1b[31mred", "2026-11-01", "2026-12-01T00:00:00+02:00", "0001-01-01"])
    | st.lists(st.integers(), max_size=1)
)
TREES = st.recursive(
    VALUES, lambda inner: st.dictionaries(st.sampled_from([*PARTS, "a.b", " x"]), inner, max_size=5), max_leaves=12
)
USUAL = st.fixed_dictionaries(
    {},
    optional={
        "numbers": st.dictionaries(st.sampled_from(["limit", "remaining"]), VALUES),
        "stats": st.dictionaries(st.sampled_from(["totalMessages", "x"]), VALUES),
        "plan": st.fixed_dictionaries(
            {}, optional={"name": VALUES, "limits": st.dictionaries(st.sampled_from(["numbers", "x"]), VALUES)}
        ),
        "period": TREES,
        "today": st.fixed_dictionaries({"messages": VALUES}),
        "periodStart": VALUES,
        "periodEnd": VALUES,
        "x": TREES,
        "limit": TREES,
    },
)


def both(payload: Mapping[str, object], names: tuple[str, ...] = NAMES) -> tuple[Snapshot, Snapshot]:
    answer = Answer(payload, json.dumps(payload))
    return (
        Picking(names).snapshot(answer, account="main", at=NOW, age=AGE),
        snapshot(answer, account="main", at=NOW),
    )


def of_the_names(read: Snapshot, names: tuple[str, ...] = NAMES) -> tuple[Mapping[str, float | str], datetime | None]:
    return {name: read.values[name] for name in names if name in read.values}, read.period_start_at


@example({"numbers": {"limit": None, "remaining": 0}})
@example({"numbers": {"limit": 0, "remaining": 0}})
@example({"numbers": {"remaining": 0}})
@given(USUAL | st.dictionaries(st.sampled_from(PARTS), TREES))
def test_what_is_picked_is_what_the_snapshot_has(payload: Mapping[str, object]) -> None:
    picked, whole = both(payload)
    assert of_the_names(picked) == of_the_names(whole)
    assert (picked.account, picked.at, picked.age, picked.fresh) == ("main", NOW, AGE, whole.fresh)


@given(USUAL, st.sampled_from(NAMES))
def test_one_name_alone_reads_the_same(payload: Mapping[str, object], name: str) -> None:
    picked, whole = both(payload, (name,))
    assert of_the_names(picked, (name,)) == of_the_names(whole, (name,))


def test_of_a_flood_of_fields_the_same_are_left_out() -> None:
    payload = {f"f{number}": number for number in range(3_000)}
    names = ("f0", "f1999", "f2000", "f2999")
    picked, whole = both(payload, names)
    assert of_the_names(picked, names) == of_the_names(whole, names)
    assert of_the_names(picked, names)[0].keys() == {"f0", "f1999"}
    assert picked.age == AGE


@pytest.mark.parametrize("name", ["a.b.c.d.e.f.g.h", "a.b.c.d.e.f.g.h.i", " x", "", "a..b"])
def test_a_name_that_no_answer_can_say_is_never_there(name: str) -> None:
    payload: dict[str, object] = {}
    tree = payload
    *path, leaf = name.split(".")
    for part in path:
        inner: dict[str, object] = {}
        tree[part] = inner
        tree = inner
    tree[leaf] = 7
    picked, whole = both(payload, (name,))
    assert of_the_names(picked, (name,)) == of_the_names(whole, (name,))
