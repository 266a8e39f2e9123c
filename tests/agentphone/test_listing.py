import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.agentphone.listing import LIMIT, MOST_IDS, MOST_PAGES, Listing, Page, Pages, read_page
from guard.model import Failure, FailureKind

KEY = "sk_live_4f9b2c81d07e"


def ids(count: int, *, start: int = 0) -> tuple[str, ...]:
    return tuple(f"sub{number}" for number in range(start, start + count))


def listed(*pages: Page) -> Listing:
    """What becomes of pages as far as they are wanted; the last one comes again and again."""
    gathered = Pages()
    while gathered.wants_more:
        gathered.add(pages[min(gathered.count, len(pages) - 1)])
    return gathered.listing()


def asked(*pages: Page) -> int:
    """How many pages are asked for; the last one comes again and again."""
    gathered = Pages()
    while gathered.wants_more:
        gathered.add(pages[min(gathered.count, len(pages) - 1)])
    return gathered.count


# --- a page --------------------------------------------------------------------------------------------------------


def read(value: object) -> Page | Failure:
    return read_page({}, json.dumps(value).encode(), key=KEY)


@pytest.mark.parametrize(
    ("value", "page"),
    [
        ({"data": []}, Page(())),
        ([], Page(())),
        ({"data": [{"id": "b", "name": "B"}, {"id": "a"}]}, Page(("b", "a"))),
        ([{"id": "b", "createdAt": None}], Page(("b",))),
        ({"data": [{"id": "a"}], "total": 7, "hasMore": True, "cursor": "x"}, Page(("a",), total=7, has_more=True)),
        ({"data": [{"id": "a"}], "total": "7", "hasMore": "no"}, Page(("a",))),
        ({"data": [{"id": "a"}], "total": True, "hasMore": 0}, Page(("a",))),
        ({"data": [{"id": "a"}], "total": None, "hasMore": None}, Page(("a",))),
        ([{"id": "A.b-c_9"}, {"id": "x" * 64}], Page(("A.b-c_9", "x" * 64))),
        ([{"id": "a b"}, {"id": ""}, {"id": "a"}], Page(("a",), odd=("a b", ""))),
        ([{"id": "a:b"}, {"id": "a/b"}, {"id": "é"}], Page((), odd=("a:b", "a/b", "é"))),
        ([{"id": "a\n"}, {"id": "a\u202eb"}, {"id": "\x1b[31ma"}], Page((), odd=("a", "ab", "a"))),
        ([{"id": 7}, {"id": None}, {"name": "x"}, "acme", None, []], Page((), nameless=6)),
        ([{"id": KEY}], Page((), odd=("***",))),
        ([{"id": KEY[:4] + "\x00" + KEY[4:]}], Page((), odd=("***",))),
    ],
)
def test_a_page_is_read_tolerantly_and_its_ids_strictly(value: object, page: Page) -> None:
    assert read(value) == page


def test_an_odd_id_of_any_length_is_kept_short() -> None:
    page = read([{"id": "x" * 65}, {"id": "é" * 90_000}])
    assert isinstance(page, Page)
    assert [len(text.encode()) <= 200 for text in page.odd] == [True, True]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data": [{"id": "a"',
        b"{}",
        b'{"data": {"id": "a"}}',
        b'{"data": null}',
        b"null",
        b"7",
        b'"a"',
    ],
)
def test_what_is_no_list_of_sub_accounts_is_a_failure(body: bytes) -> None:
    page = read_page({}, body, key=KEY)
    assert isinstance(page, Failure)
    assert page.kind is FailureKind.NOT_USAGE


def test_what_came_in_place_of_a_list_is_quoted_without_the_key() -> None:
    page = read({"error": f"Bearer {KEY}"})
    assert page == Failure(FailureKind.NOT_USAGE, 'not the usage API: no list of sub-accounts: {"error": "Bearer ***"}')


def test_a_page_with_a_number_or_a_nesting_that_is_too_large_is_a_failure() -> None:
    for body in (b'[{"id": "a", "n": 1e999}]', b"[" * 40 + b"]" * 40):
        page = read_page({}, body, key=KEY)
        assert isinstance(page, Failure)
        assert page.kind is FailureKind.TOO_LARGE


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pages", "count", "listing"),
    [
        pytest.param([Page(())], 1, Listing((), is_complete=True), id="none"),
        pytest.param([Page(ids(3))], 1, Listing(ids(3), is_complete=True), id="one short page"),
        pytest.param(
            [Page(ids(LIMIT)), Page(ids(7, start=LIMIT))], 2, Listing(ids(LIMIT + 7), is_complete=True), id="two pages"
        ),
        pytest.param([Page(ids(LIMIT)), Page(())], 2, Listing(ids(LIMIT), is_complete=True), id="an empty page behind"),
        pytest.param(
            [Page(ids(250)), Page(ids(250))],
            2,
            Listing(ids(250), is_complete=True),
            id="all at once, whatever is asked",
        ),
        pytest.param([Page(ids(250)), Page(())], 2, Listing(ids(250), is_complete=True), id="a page of its own size"),
        pytest.param(
            [Page(ids(2), total=2, has_more=False)], 1, Listing(ids(2), is_complete=True), id="a total that agrees"
        ),
        pytest.param(
            [Page(ids(20), has_more=True), Page(ids(5, start=20), has_more=False)],
            2,
            Listing(ids(25), is_complete=True),
            id="short pages that say that there is more",
        ),
        pytest.param(
            [Page(ids(20), total=25), Page(ids(5, start=20), total=25)],
            2,
            Listing(ids(25), is_complete=True),
            id="short pages beside a total",
        ),
        pytest.param(
            [Page(ids(LIMIT), total=LIMIT)], 2, Listing(ids(LIMIT), is_complete=True), id="the same page, and all of it"
        ),
        pytest.param(
            [Page(ids(LIMIT), has_more=False)],
            2,
            Listing(ids(LIMIT), is_complete=True),
            id="the same page, and no more",
        ),
        pytest.param(
            [Page(ids(LIMIT)), Page(("sub99", "sub100", "sub99"))],
            2,
            Listing(ids(LIMIT + 1), is_complete=True),
            id="one id twice",
        ),
    ],
)
def test_a_listing_ends_with_a_short_page_or_with_one_that_brings_nothing_new(
    pages: list[Page], count: int, listing: Listing
) -> None:
    assert listed(*pages) == listing
    assert asked(*pages) == count


@pytest.mark.parametrize(
    ("pages", "count", "note"),
    [
        ([Page(ids(LIMIT))], 2, "the API gave one page again and again"),
        ([Page(ids(3), total=4)], 2, "the API says that there are 4, and gave 3"),
        ([Page(ids(3), total=2)], 1, "the API says that there are 2, and gave 3"),
        ([Page((), total=1)], 1, "the API says that there are 1, and gave 0"),
        ([Page(ids(3), total=-1)], 1, "the API says that there are -1, and gave 3"),
        ([Page(ids(3), has_more=True)], 2, "the API says that there are more than it gave"),
        ([Page(ids(3), has_more=True), Page((), has_more=True)], 2, "the API says that there are more than it gave"),
    ],
)
def test_a_listing_that_is_not_known_to_be_whole_is_incomplete_and_says_why(
    pages: list[Page], count: int, note: str
) -> None:
    listing = listed(*pages)
    assert (listing.is_complete, listing.notes) == (False, (note,))
    assert listing.ids == pages[0].ids
    assert asked(*pages) == count


def test_ids_that_no_name_can_hold_are_left_out_counted_and_mentioned() -> None:
    listing = listed(Page(("a",), odd=("a b", "a b", "c:d"), nameless=2))
    assert listing == Listing(
        ("a",),
        is_complete=True,
        left_out=4,
        notes=("4 left out, for their ids can be no part of a name, such as 'a b'",),
    )


def test_entries_without_any_id_are_counted_once_however_often_they_come() -> None:
    listing = listed(Page(ids(LIMIT - 1), nameless=1, total=LIMIT), Page(ids(LIMIT - 1), nameless=1, total=LIMIT))
    assert (listing.is_complete, listing.left_out) == (True, 1)
    assert listing.notes == ("1 left out, for their ids can be no part of a name",)


def test_a_page_of_nothing_but_odd_ids_does_not_end_a_listing() -> None:
    odd = tuple(f"sub {number}" for number in range(LIMIT))
    listing = listed(Page((), odd=odd), Page(("a",)))
    assert (listing.ids, listing.is_complete, listing.left_out) == (("a",), True, LIMIT)


def endless(size: int) -> Iterable[Page]:
    for number in range(MOST_PAGES + 1):
        yield Page(ids(size, start=number * size), total=1_000_000)


def test_a_list_without_end_is_cut_at_so_many_ids() -> None:
    listing = listed(*endless(LIMIT))
    assert listing.ids == ids(MOST_IDS)
    assert not listing.is_complete
    assert listing.notes[0] == "only the first 10,000 were listed, which is the most"


def test_a_list_without_end_is_cut_at_so_many_pages() -> None:
    assert asked(*endless(10)) == MOST_PAGES
    assert listed(*endless(10)).notes[0] == "only the first 2,000 were listed, which is the most"


def test_just_so_many_ids_are_a_whole_list() -> None:
    pages = [Page(ids(LIMIT, start=LIMIT * number)) for number in range(MOST_IDS // LIMIT)]
    assert listed(*pages, Page(())) == Listing(ids(MOST_IDS), is_complete=True)


PAGES = st.builds(
    Page,
    ids=st.lists(st.sampled_from(ids(2 * LIMIT)), max_size=2 * LIMIT).map(tuple),
    odd=st.lists(st.sampled_from(["a b", "c d"]), max_size=3).map(tuple),
    nameless=st.integers(0, 3),
    total=st.none() | st.integers(),
    has_more=st.none() | st.booleans(),
)


@given(st.lists(PAGES, min_size=1, max_size=6))
def test_every_listing_ends_gives_each_id_once_and_is_complete_or_says_why_not(pages: list[Page]) -> None:
    listing = listed(*pages)
    assert asked(*pages) <= MOST_PAGES
    assert len(set(listing.ids)) == len(listing.ids) <= MOST_IDS
    assert listing.is_complete or listing.notes
    if listing.is_complete:
        assert pages[min(asked(*pages), len(pages)) - 1].total in {None, len(listing.ids) + listing.left_out}
