"""Who belongs to a master account, by its listings."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.lifecycle.roster import GONE_AFTER, Roster, listed
from guard.model import SubAccount

IDS = st.lists(st.sampled_from("abcde"), unique=True)


def subs(**absent: int) -> tuple[SubAccount, ...]:
    return tuple(SubAccount("main", name, times) for name, times in absent.items())


@pytest.mark.parametrize(
    ("known", "ids", "members", "gone"),
    [
        (subs(), ["a", "b"], subs(a=0, b=0), ()),
        (subs(a=0), ["b", "a"], subs(a=0, b=0), ()),
        (subs(a=0, b=0), ["a"], subs(a=0, b=1), ()),
        (subs(a=0, b=1), ["a"], subs(a=0, b=2), ()),
        (subs(a=0, b=2), ["a"], subs(a=0), subs(b=3)),
        (subs(a=0, b=2), ["a", "b"], subs(a=0, b=0), ()),
        (subs(a=0, b=2), [], subs(a=0, b=2), ()),
        (subs(a=2), ["b"], subs(b=0), subs(a=3)),
    ],
    ids=[
        "the first listing",
        "a new one",
        "absent once",
        "absent twice",
        "absent three times",
        "back in time",
        "an empty listing",
        "one goes and one comes",
    ],
)
def test_a_listing_moves_the_roster(
    known: Sequence[SubAccount], ids: list[str], members: Sequence[SubAccount], gone: Sequence[SubAccount]
) -> None:
    assert listed("main", known, ids) == Roster(tuple(members), tuple(gone))


@given(listings=st.lists(IDS, max_size=12))
def test_who_is_gone_was_missing_in_three_listings_in_a_row_that_were_not_empty(listings: list[list[str]]) -> None:
    members: tuple[SubAccount, ...] = ()
    good: list[list[str]] = []
    for ids in listings:
        roster = listed("main", members, ids)
        good += [ids] if ids else []
        for each in roster.gone:
            assert all(each.id not in seen for seen in good[-GONE_AFTER:])
        members = roster.members


@given(listings=st.lists(IDS.filter(bool), min_size=GONE_AFTER, max_size=12))
def test_who_was_missing_in_three_listings_in_a_row_is_no_member(listings: list[list[str]]) -> None:
    members: tuple[SubAccount, ...] = subs(a=0, b=0, c=0, d=0, e=0)
    for ids in listings:
        members = listed("main", members, ids).members
    recent = set().union(*listings[-GONE_AFTER:])
    assert {each.id for each in members} == recent


@given(listings=st.lists(st.tuples(IDS, st.booleans()), max_size=12))
def test_an_incomplete_listing_takes_nobody_away_and_brings_whom_it_shows(
    listings: list[tuple[list[str], bool]],
) -> None:
    members: tuple[SubAccount, ...] = ()
    for ids, is_complete in listings:
        before = {each.id: each.absent for each in members}
        roster = listed("main", members, ids, is_complete=is_complete)
        members = roster.members
        assert set(ids) <= {each.id for each in members}
        if not is_complete:
            assert roster.gone == ()
            assert all(each.absent == before.get(each.id, 0) or each.id in ids for each in members)


def test_who_cannot_go_now_goes_after_the_next_listing() -> None:
    first = listed("main", subs(a=2, b=0), ["b"], keep=["a"])
    assert first == Roster(subs(a=3, b=0))
    assert listed("main", first.members, ["b"]) == Roster(subs(b=0), gone=subs(a=4))
    assert listed("main", first.members, ["a", "b"]) == Roster(subs(a=0, b=0))
