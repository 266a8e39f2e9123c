"""An API, a Slack by webhook and one by its Web API, a mail server, and a home for them, afresh for each test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import KEY, Home
from tests.acceptance.post_office import PostOffice
from tests.acceptance.slack import Slack
from tests.acceptance.workspace import TOKEN, Workspace

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
def office() -> Iterator[PostOffice]:
    with PostOffice() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, slack: Slack) -> Home:
    """A home whose variables are set; the test writes the rules."""
    environ = {"AGENTPHONE_API_KEY": KEY, "SLACK_WEBHOOK_URL": slack.webhook_url}
    return Home(tmp_path, environ)


@pytest.fixture
def workspace(home: Home) -> Iterator[Workspace]:
    """A workspace, for whose bot the home has the token."""
    home.environ["SLACK_BOT_TOKEN"] = TOKEN
    with Workspace() as server:
        yield server
