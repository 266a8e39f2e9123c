"""Which sub-accounts there are: pages of a list → Listing; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from guard.agentphone.body import not_usage, quote, read_json
from guard.model import Failure

LIMIT: Final = 100
"""How many entries a page is asked to hold."""

MOST_IDS: Final = 10_000
MOST_PAGES: Final = 200

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what a rule file may name, and an account's name can hold


@dataclass(frozen=True, slots=True)
class Listing:
    """The sub-accounts as the API listed them.

    `ids` are in its order, each once; at most 10,000. An incomplete listing proves of nobody that it is gone.
    `left_out` counts the entries without an id of at most 64 letters, digits, dots, hyphens and underscores, which is
    what an account's name can hold. `notes` say for people what is amiss, in clean words; empty if nothing is.
    """

    ids: tuple[str, ...]
    is_complete: bool
    left_out: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its good ids, the odd ones quoted, how many entries have none, and what it says of the rest."""

    ids: tuple[str, ...]
    odd: tuple[str, ...] = ()
    nameless: int = 0
    total: int | None = None
    has_more: bool | None = None

    @property
    def entries(self) -> int:
        """How many entries the page holds in all."""
        return len(self.ids) + len(self.odd) + self.nameless


def read_page(_headers: Mapping[str, str], body: bytes, *, key: str) -> Page | Failure:
    """Reads `{"data": [{"id": "…"}]}`, with `total` and `hasMore` where they stand beside it, or a bare list.

    The published type is open, so everything else in it is passed over. Never raises.
    """
    match read_json(body, key=key):
        case Failure() as failure:
            return failure
        case [*entries]:
            return _page(entries, {}, key=key)
        case {"data": [*entries], **beside}:
            return _page(entries, beside, key=key)
        case _:
            return not_usage(body, key=key, what="no list of sub-accounts")


def _page(entries: list[object], beside: Mapping[object, object], *, key: str) -> Page:
    named = [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    total, has_more = beside.get("total"), beside.get("hasMore")
    return Page(
        ids=tuple(text for text in named if _ID.fullmatch(text)),
        odd=tuple(quote(text, key=key) for text in named if not _ID.fullmatch(text)),
        nameless=len(entries) - len(named),
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        has_more=has_more if isinstance(has_more, bool) else None,
    )


class Pages:
    """Pages as they come, each asked for from entry number `entries` on, until no more is wanted.

    A short page is the last one unless it says that there is more, and so is any page without anything new: a server
    may know no offset, and answer the same for ever.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.wants_more = True
        self.count = 0
        self.entries = 0
        self._ids: dict[str, None] = {}
        self._odd: dict[str, None] = {}
        self._nameless = 0
        self._last = Page(())

    def add(self, page: Page) -> None:
        """Takes the next page."""
        before = len(self._ids) + len(self._odd)
        self._ids.update(dict.fromkeys(page.ids))
        self._odd.update(dict.fromkeys(page.odd))
        brings_new = len(self._ids) + len(self._odd) > before
        if brings_new or not self.count:
            self._nameless += page.nameless
        self.count += 1
        self.entries += page.entries
        self._last = page
        self.wants_more = brings_new and (page.entries >= LIMIT or self._says_more) and not self._is_cut

    def listing(self) -> Listing:
        """All that has come, once no more is wanted."""
        gaps = tuple(self._gaps())
        left_out = len(self._odd) + self._nameless
        such_as = f", such as {next(iter(self._odd))!r}" if self._odd else ""
        odd = (f"{left_out:,} left out, for their ids can be no part of a name{such_as}",) if left_out else ()
        return Listing(tuple(self._ids)[:MOST_IDS], not gaps, left_out, gaps + odd)

    @property
    def _seen(self) -> int:
        return len(self._ids) + len(self._odd) + self._nameless

    @property
    def _says_more(self) -> bool:
        return self._last.has_more is True or (self._last.total or 0) > self._seen

    @property
    def _is_cut(self) -> bool:
        return len(self._ids) > MOST_IDS or self.count >= MOST_PAGES

    def _gaps(self) -> list[str]:
        """Why the listing is not known to be whole; empty if it is."""
        last, gaps = self._last, []
        if self._is_cut:
            gaps.append(f"only the first {min(len(self._ids), MOST_IDS):,} were listed, which is the most")
        if last.has_more:
            gaps.append("the API says that there are more than it gave")
        if last.total not in {None, self._seen}:
            gaps.append(f"the API says that there are {last.total:,}, and gave {self._seen:,}")
        if last.entries == LIMIT and not self._is_cut and last.total is None and last.has_more is None:
            gaps.append("the API gave one page again and again")  # it ended by no short page, so by nothing new
        return gaps
