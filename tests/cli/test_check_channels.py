"""What `guard check` says of channels that need more than the rule file."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

CHANNEL = '\n[channels.any]\nkind = "apprise"\nurl = "${APPRISE_URL}"\n'


@pytest.fixture
def _any(rules: Path) -> None:
    rules.write_text(rules.read_text(encoding="utf-8") + CHANNEL, encoding="utf-8")


@pytest.mark.usefixtures("_any")
def test_a_url_that_apprise_does_not_know_is_a_warning(guard: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPRISE_URL", "jsn://s3cret")
    done = guard("check")
    why = "Apprise knows no such URL; https://appriseit.com/services/ lists those it does"
    assert (done.code, done.err) == (0, f"guard: warning: channel any: {why}\n")
    assert "s3cret" not in done.out


@pytest.mark.usefixtures("_any")
def test_a_url_that_apprise_knows_is_good(guard: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPRISE_URL", "json://localhost")
    assert guard("check").err == ""
