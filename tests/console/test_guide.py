"""The guide to the console says what is so."""

import re
from pathlib import Path

import pytest

from guard.console.door import CHALLENGES
from guard.console.overview import MOST
from guard.console.pages import READ_S, REFRESH_S, _key_at
from guard.message.link import alert_url
from guard.settings import Settings, unknown_variables

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "console.md").read_text()


def test_every_variable_in_it_is_read() -> None:
    named = set(re.findall(r"\bGUARD_\w+", GUIDE))
    assert {"GUARD_CONSOLE_URL", "GUARD_CONSOLE_TOKEN", "GUARD_LISTEN"} <= named
    assert unknown_variables(dict.fromkeys(named, "x")) == {}


@pytest.mark.parametrize("url", re.findall(r"GUARD_CONSOLE_URL=([^\s`]+)", GUIDE))
def test_every_url_in_it_is_one_that_can_be_set(url: str) -> None:
    assert Settings.from_environ({"HOME": "/", "GUARD_CONSOLE_URL": url}).console_url == url


@pytest.mark.parametrize("path", re.findall(r"`(/alerts/[^`]+)`", GUIDE))
def test_every_address_in_it_is_an_alerts(path: str) -> None:
    key = _key_at(path.encode())
    assert key is not None
    assert alert_url("", key) == path


@pytest.mark.parametrize(("file", "anchor"), re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", GUIDE))
def test_every_link_leads_somewhere(file: str, anchor: str) -> None:
    headings = re.findall(r"^#+ (.*)$", (DOCS / file).read_text(), re.MULTILINE)
    assert not anchor or anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_its_numbers_are_the_codes() -> None:
    assert f"refresh themselves every {REFRESH_S} seconds" in GUIDE
    assert f"within {READ_S:.0f} seconds" in GUIDE
    assert f"({MOST} at most)" in GUIDE
    assert [each.partition(" ")[0] for each in CHALLENGES] == ["Basic", "Bearer"]
