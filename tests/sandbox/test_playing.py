"""A scenario without HTTP answers as the sandbox does, and what it does not know it says."""

from datetime import UTC, datetime, timedelta

import pytest

from guard.sandbox.answers import faulty
from guard.sandbox.fields import SUB_ACCOUNTS, USAGE
from guard.sandbox.playing import Playing, UnknownAccountError
from guard.sandbox.query import Query
from guard.sandbox.scenario import Body, Fault
from guard.sandbox.scenario_file import load_scenario

START = datetime(2026, 11, 23, tzinfo=UTC)


def test_each_moment_has_its_numbers_and_an_unknown_account_has_none() -> None:
    playing = Playing(load_scenario("numbers"), starts_at=START)
    shown = [playing.body(USAGE, Query(()), elapsed=timedelta(minutes=minute))["numbers"] for minute in (0, 5, 15)]
    assert [each["remaining"] for each in shown if isinstance(each, dict)] == [5, 2, 1]
    with pytest.raises(UnknownAccountError):
        playing.body(USAGE, Query(()), elapsed=timedelta(), account="nobody")


def test_only_the_master_account_lists_sub_accounts() -> None:
    playing = Playing(load_scenario("agency"), starts_at=START)
    listings = [playing.body(SUB_ACCOUNTS, Query(()), elapsed=timedelta(), account=each)["data"] for each in ("", "x")]
    assert listings[0]
    assert listings[1] == []


def test_of_a_truncated_answer_half_arrives() -> None:
    response = faulty(Fault(status=200, body=Body.TRUNCATED), whole=lambda: {"numbers": {"remaining": 5}})
    assert response.body == b'{"numbers": {"'
