import io

import pytest

from guard.config import Secret, SlackBotConfig, SlackConfig, TerminalConfig
from guard.model import Level
from guard.notify.channels import notifier_for
from guard.notify.notifier import Post, Sent
from tests.builders import NOW
from tests.notify.examples import message
from tests.stand_ins.slack import SlackStandIn
from tests.stand_ins.workspace import Workspace
from tests.stand_ins.workspace_state import OPS, TOKEN


async def test_a_slack_channel_posts_to_its_webhook_with_its_mentions() -> None:
    async with SlackStandIn() as slack:
        config = SlackConfig("ops", Secret("SLACK_WEBHOOK_URL", slack.url), {Level.CRITICAL: "<@U012ABCDE>"}, "f1")
        assert await notifier_for(config, now=lambda: NOW).deliver(Post(message()), key="k1") == Sent()
    assert slack.shown[0]["text"].endswith(" <@U012ABCDE>")


async def test_a_slack_channel_with_a_token_posts_as_its_bot_with_its_mentions() -> None:
    with Workspace() as slack:
        here = {Level.CRITICAL: "<!here>"}
        config = SlackBotConfig("ops", Secret("SLACK_BOT_TOKEN", TOKEN), "#ops", slack.api_url, here, "f1")
        outcome = await notifier_for(config, now=lambda: NOW).deliver(Post(message()), key="k1")
        (root,) = slack.ops.roots
    assert outcome == Sent(f"{OPS}:{root.ts}")
    assert root.text.endswith(" <!here>")


async def test_a_terminal_channel_prints_on_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    channel = notifier_for(TerminalConfig("screen", "f1"), now=lambda: NOW)
    assert await channel.deliver(Post(message()), key="k1") == Sent()
    assert "#screen  14:05:00 UTC" in stream.getvalue()
