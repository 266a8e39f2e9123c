"""What is said of a channel that fails."""

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from guard.config import Config, load
from guard.config.failing import evaluate_failing, failing_key, failing_policy, failing_text
from guard.lifecycle.strait import Strait
from guard.model import Level
from tests.builders import NOW
from tests.config.files import ENVIRON

FILE = """
[accounts.main]
api_key = "${AGENTPHONE_API_KEY}"
[channels.hook]
kind = "slack"
webhook_url = "${SLACK_WEBHOOK_URL}"
[channels.bot]
kind = "slack"
token = "${SLACK_BOT_TOKEN}"
channel = "#ops"
[channels.mail]
kind = "email"
host = "smtp.example.com"
from = "guard@example.com"
to = ["ann@example.com", "ben@example.com", "cy@example.com"]
[channels.pager]
kind = "webhook"
url = "https://example.com/hook"
secret = "${WEBHOOK_SECRET}"
[channels.any]
kind = "apprise"
url = "${APPRISE_URL}"
[channels.screen]
kind = "terminal"
[defaults]
notify = ["hook"]
"""


def config() -> Config:
    found = load(FILE, path="rules.toml", secret=ENVIRON.get).config
    assert found is not None
    return found


def refused(channel: str, *recipients: str) -> Strait:
    to = recipients or ("",)
    return Strait(channel, refused=to, tried=frozenset(to), alerts=2, dead=2, is_clear=False, why="no")


def advice(strait: Strait) -> str:
    channel, key = config().channels[strait.channel], failing_key(config(), strait.channel)
    reading = evaluate_failing(key, channel, strait, now=NOW).reading
    assert reading is not None
    return reading.description


@pytest.mark.parametrize(
    ("channel", "keys"),
    [
        ("hook", "the webhook_url"),
        ("bot", "the token and the channel"),
        ("mail", "to, from and the login"),
        ("pager", "the url and the secret"),
        ("any", "the url"),
        ("screen", "the kind"),
    ],
)
def test_what_to_check_is_named(channel: str, keys: str) -> None:
    said = f"Check {keys} of [channels.{channel}], then run `guard send-test {channel}`: all is tried again then."
    assert advice(refused(channel)) == f"2 alerts wait there.\n{said}"


def test_what_is_behind_is_tried_again_by_itself() -> None:
    late = Strait(
        "hook", late=("",), alerts=1, is_clear=False, oldest_at=NOW - timedelta(minutes=16), why="it answered 503"
    )
    assert failing_text(late, now=NOW) == snapshot("hook is 16 min behind: it answered 503")
    assert advice(late) == (
        "1 alert waits there.\n"
        "It is tried again every 5 minutes at the latest; `guard send-test hook` says whether it can be reached."
    )


def test_recipients_are_named_and_more_of_them_counted() -> None:
    assert failing_text(refused("mail", "ann@example.com"), now=NOW) == snapshot(
        "mail refuses messages to ann@example.com for good: no"
    )
    late = Strait("mail", late=("ann@example.com", "ben@example.com"), oldest_at=NOW - timedelta(hours=3))
    assert failing_text(late, now=NOW) == snapshot("mail is 3 h behind with messages to ann@example.com and 1 more")
    assert failing_text(Strait("mail"), now=NOW) == "mail takes messages again"


def test_everyone_is_told_but_who_fails() -> None:
    policy = failing_policy(config(), refused("mail", "ben@example.com"))
    assert set(policy.routes[Level.WARNING]) == set(config().channels)
    assert policy.recipients["mail"] == ("ann@example.com", "cy@example.com")
    assert "hook" not in failing_policy(config(), refused("hook")).routes[Level.CRITICAL]


@pytest.mark.parametrize(
    ("strait", "warning", "critical", "clear"),
    [
        (Strait("hook"), False, False, True),
        (refused("hook"), True, True, False),
        (Strait("hook", late=("",), is_clear=False), True, None, False),
        (Strait("hook", is_clear=False), None, None, None),
    ],
    ids=["clear", "refused", "behind", "being tried"],
)
def test_what_is_being_tried_is_unknown(
    strait: Strait,
    warning: bool | None,
    critical: bool | None,
    clear: bool | None,
) -> None:
    key = failing_key(config(), "hook")
    found = evaluate_failing(key, config().channels["hook"], strait, now=NOW)
    assert (found.holds[Level.WARNING], found.holds[Level.CRITICAL], found.clear) == (warning, critical, clear)
    assert (found.reading is None) is (warning is None)
