"""An API, a Slack, and a home with rules for them, afresh for each test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import KEY, Home
from tests.acceptance.slack import Slack

IN_EVERY_RUN: Final = "test_notified_once.py"  # the others are minutes long together


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name != IN_EVERY_RUN:
            item.add_marker("acceptance")


@pytest.fixture
def api() -> Iterator[AgentPhone]:
    with AgentPhone() as server:
        yield server


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, api: AgentPhone, slack: Slack) -> Home:
    """A home whose variables are set; the test writes the rules."""
    environ = {"AGENTPHONE_API_KEY": KEY, "SLACK_WEBHOOK_URL": slack.webhook_url}
    return Home(tmp_path, environ)
