"""A master account and its sub-accounts: who is told, how often, and who belongs."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.agency import MASTER, REFUSAL, UNKNOWN, Agency, short
from tests.acceptance.exchange import document, page
from tests.acceptance.home import Home
from tests.acceptance.post_office import ANN, BEN, PostOffice
from tests.acceptance.rule_file import bot_and_mail, rule_file
from tests.acceptance.workspace import Workspace

FAKETIME: Final = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
EVERYBODY: Final = 'sub_accounts = "all"'
MANY: Final = 1_000
FEW: Final = 10  # messages that a thousand alerts may be: they come in two passes, or more on a busy machine


@pytest.fixture
def agency() -> Iterator[Agency]:
    with Agency("acme", "beta", "core") as server:
        yield server


def _written(home: Home, agency: Agency, workspace: Workspace, office: PostOffice, account: str = EVERYBODY) -> Home:
    channels = bot_and_mail(workspace.base_url, office.port)
    home.write(rule_file(agency.url, channels=channels, account=account))
    return home


# --- who is told ---------------------------------------------------------------------------------------------------


def test_a_dip_of_one_sub_account_is_told_by_its_name_and_of_no_other(
    home: Home, agency: Agency, workspace: Workspace, office: PostOffice
) -> None:
    with _written(home, agency, workspace, office).run() as service:
        agency.remaining["beta"] = 1
        workspace.until_story(("critical", []))
        office.until_marks("critical")
        assert "main:beta / numbers-remaining" in workspace.roots[0].texts[0]
        agency.remaining["beta"] = 5
        workspace.until_story(("resolved", ["resolved"]))
        office.until_marks("critical", "resolved")
        assert service.end() == 0


def test_a_thousand_that_fire_at_once_and_end_at_once_are_a_few_messages_and_digests(
    home: Home, agency: Agency, workspace: Workspace, office: PostOffice
) -> None:
    agency.listed = [f"client-{number:04}" for number in range(MANY)]
    agency.remaining = dict.fromkeys(agency.listed, 1)
    home.write(_written(home, agency, workspace, office).rules.read_text().replace('every = "1s"', 'every = "10s"'))
    with home.run() as service:
        _until_all_heard(workspace, office, "critical")
        agency.remaining = {}
        _until_all_heard(workspace, office, "resolved")
        assert agency.until(lambda: agency.asked_for("client-0999") >= 3)
        assert service.end() == 0
    people = [[each.subject for each in office.to(person)] for person in (ANN, BEN)]
    for texts in ([each.texts[0] for each in workspace.messages], *people):
        for word in ("critical", "resolved"):
            assert _heard(texts, word) == MANY
            assert any(text.startswith(f"[digest {word}]") for text in texts)
        assert len(texts) <= 2 * FEW
    assert {each.mark for each in workspace.roots} <= {"resolved", "digest critical", "digest resolved"}


def _until_all_heard(workspace: Workspace, office: PostOffice, word: str) -> None:
    def workspace_heard() -> bool:
        return _heard((each.texts[0] for each in workspace.messages), word) == MANY

    def office_heard() -> bool:
        return all(_heard((each.subject for each in office.to(person)), word) == MANY for person in (ANN, BEN))

    assert workspace.until(workspace_heard, within_s=60), [each.texts for each in workspace.messages]
    assert office.until(office_heard), [each.subject for each in office.mails]


def _heard(texts: Iterable[str], word: str) -> int:
    """Of how many alerts messages and digests with this mark tell."""
    counts = (re.match(rf"\[(?:digest )?{word}\] .*?(?:: (\d+) alerts|$)", text) for text in texts)
    return sum(int(each[1] or 1) for each in counts if each)


def test_a_key_that_is_refused_is_one_message_and_nobody_is_asked_any_more(
    home: Home, agency: Agency, workspace: Workspace, office: PostOffice
) -> None:
    with _written(home, agency, workspace, office).run() as service:
        assert agency.until(lambda: agency.asked_for("core") >= 2)
        agency.answer = REFUSAL
        workspace.until_story(("critical", []))
        office.until_marks("critical")
        assert "main / guard.no_data" in workspace.roots[0].texts[0]
        before = agency.asked
        assert not agency.until(lambda: agency.asked > before, within_s=4)
        assert service.end() == 0
    agency.answer = agency.route
    agency.remaining["acme"] = 1
    with home.run() as service:  # a start tries the key once more
        workspace.until_story(("resolved", ["resolved"]), ("critical", []))
        assert "main:acme / numbers-remaining" in workspace.roots[1].texts[0]
        assert service.end() == 0


def test_an_outage_of_all_is_one_message_and_who_fails_alone_is_told_by_name(
    home: Home, agency: Agency, workspace: Workspace, office: PostOffice
) -> None:
    _written(home, agency, workspace, office, f'{EVERYBODY}\nno_data_after = "3s"')
    over = ("resolved", ["resolved"])
    with home.run() as service:
        assert agency.until(lambda: agency.asked_for("core") >= 1)
        agency.answer = page(503)
        workspace.until_story(("critical", []))
        agency.answer = agency.route
        workspace.until_story(over)
        agency.answers = {"beta": page(500), "core": UNKNOWN}
        workspace.until_story(over, ("critical", []), ("critical", []))
        agency.answers = {}
        workspace.until_story(over, over, over)
        assert office.until(lambda: [len(office.to(each)) for each in (ANN, BEN)] == [6, 6])
        assert service.end() == 0
    told = [root.texts[0].partition(" / guard.no_data")[0] for root in workspace.roots]
    assert (told[0], sorted(told[1:])) == ("[critical] main", ["[critical] main:beta", "[critical] main:core"])


# --- who belongs ---------------------------------------------------------------------------------------------------

if FAKETIME is not None:  # a package of its own: libfaketime. A listing is asked for every five minutes.

    def _once(home: Home, *, minutes: int) -> int:
        """One pass, so long after the first one."""
        clock = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"+{minutes}m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return home.call("once", **clock).returncode

    def test_a_sub_account_that_is_closed_is_told_as_ended_after_three_listings_without_it(
        home: Home, agency: Agency, workspace: Workspace, office: PostOffice
    ) -> None:
        _written(home, agency, workspace, office)
        agency.remaining["beta"] = 1
        assert _once(home, minutes=0) == 2
        agency.listed.remove("beta")
        agency.answers["beta"] = UNKNOWN
        for minutes in (6, 12):
            assert _once(home, minutes=minutes) == 2
        assert workspace.story == [("critical", [])]
        assert _once(home, minutes=18) == 0
        assert workspace.story == [("resolved", ["resolved"])]
        assert "account removed" in workspace.messages[1].whole
        office.until_marks("critical", "resolved")
        before = agency.asked_for("beta")
        agency.listed.append("beta")
        del agency.answers["beta"]
        assert _once(home, minutes=24) == 2  # it is back, and begins anew
        assert (agency.asked_for("beta"), workspace.story[-1]) == (before + 1, ("critical", []))

    def test_listings_that_are_empty_or_short_or_broken_take_nobody_away(
        home: Home, agency: Agency, workspace: Workspace, office: PostOffice
    ) -> None:
        _written(home, agency, workspace, office)
        agency.remaining["beta"] = 1
        assert _once(home, minutes=0) == 2
        bad = (document({"data": []}), short("acme", total=3), page(200), page(503))
        for number, listing in enumerate(bad):
            agency.listing = listing
            assert _once(home, minutes=6 * number + 6) == 2
        assert workspace.story == [("critical", [])]
        assert {agency.asked_for(each) for each in (MASTER, *agency.listed)} == {1 + len(bad)}
        agency.listing = None
        agency.remaining = {}
        assert _once(home, minutes=30) == 0
        assert workspace.story == [("resolved", ["resolved"])]
