"""An API, a Slack, and a home with rules for them, afresh for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import KEY, Home
from tests.acceptance.slack import Slack


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
