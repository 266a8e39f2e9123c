"""A name server that is silent, so that every look-up hangs."""

import time
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.agentphone import AgentPhone
from tests.acceptance.home import Home
from tests.acceptance.rule_file import rule_file
from tests.acceptance.slack import Slack

SILENCE: Final = """
import socket, threading
socket.getaddrinfo = lambda *_, **__: threading.Event().wait(60)
"""


@pytest.fixture
def silent(home: Home, slack: Slack, tmp_path: Path) -> Home:
    """A home in which no name is ever resolved; Slack has a name, the API an address."""
    (tmp_path / "sitecustomize.py").write_text(SILENCE, encoding="utf-8")
    home.environ["PYTHONPATH"] = str(tmp_path)
    home.environ["SLACK_WEBHOOK_URL"] = slack.webhook_url.replace("127.0.0.1", "localhost")
    return home


def test_once_ends_when_its_time_is_over_although_a_look_up_hangs(silent: Home, api: AgentPhone) -> None:
    silent.write(rule_file(api.url))
    api.say(1)
    began_s = time.monotonic()
    with silent.run("once") as once:
        assert once.wait(30) == 2
    assert time.monotonic() - began_s <= 30
    assert "no connection within 10 s" in once.log.text
