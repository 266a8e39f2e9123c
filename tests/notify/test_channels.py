import io

import pytest
from standardwebhooks import Webhook

from guard.clock import Clock
from guard.config import (
    AppriseConfig,
    ChannelConfig,
    Secret,
    SlackBotConfig,
    SlackConfig,
    TerminalConfig,
    WebhookConfig,
)
from guard.message import Firing
from guard.model import AlertKey, Level
from guard.notify.channels import SlackApp, notifier_for, slack_apps
from guard.notify.notifier import Post, Sent
from tests.builders import NOW
from tests.notify.examples import message
from tests.stand_ins.receiver import Receiver
from tests.stand_ins.slack import Answer, SlackStandIn
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


def bot(name: str, app_token: str | None, *, base_url: str = "https://slack.com/api/") -> SlackBotConfig:
    secret = None if app_token is None else Secret("SLACK_APP_TOKEN", app_token)
    return SlackBotConfig(name, Secret("SLACK_BOT_TOKEN", TOKEN), "#ops", base_url, {}, "f1", secret)


def test_channels_of_one_app_share_it_and_those_without_buttons_have_none() -> None:
    channels: list[ChannelConfig] = [
        bot("ops", "xapp-1"),
        bot("dev", "xapp-1"),
        bot("quiet", None),
        bot("unset", ""),
        bot("other", "xapp-2"),
        TerminalConfig("t", "f"),
    ]
    apps = {(app.token, names) for app, names in slack_apps(channels).items()}
    assert apps == {("xapp-1", ("ops", "dev")), ("xapp-2", ("other",))}


def test_what_an_app_is_printed_as_holds_no_token() -> None:
    assert "xapp-1" not in repr(SlackApp("xapp-1", "https://slack.com/api/"))


@pytest.mark.parametrize(("app_token", "shown"), [(None, False), ("xapp-1", True)])
async def test_a_channel_whose_app_listens_shows_buttons_and_the_way_to_the_console(
    app_token: str | None, shown: bool
) -> None:
    firing = Firing(AlertKey("main", "numbers-remaining"), "inc_1")
    with Workspace() as slack:
        notifier = notifier_for(bot("ops", app_token, base_url=slack.api_url), now=lambda: NOW)
        told = message(firing=firing, link="https://guard.example.com/alerts/main/numbers-remaining")
        assert isinstance(await notifier.deliver(Post(told), key="k1"), Sent)
        kinds = [each["type"] for each in slack.ops.roots[0].blocks[-1]]
    assert ("actions" in kinds) is shown
    text = str(slack.ops.roots[0].blocks)
    assert "<https://guard.example.com/alerts/main/numbers-remaining|Console>" in text
    assert ("'url': 'https://guard.example.com/alerts/main/numbers-remaining'" in text) is shown


async def test_a_webhook_channel_posts_to_its_address_signed_with_its_secret() -> None:
    async with Receiver() as receiver:
        url, secret = Secret("", f"{receiver.origin}/hook"), Secret("S", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        channel = notifier_for(WebhookConfig("hook", url, secret, "f1"), now=Clock().now)
        assert await channel.deliver(Post(message()), key="k1") == Sent()
    (post,) = receiver.posts
    Webhook(secret.value).verify(post.body, dict(post.headers))


async def test_an_apprise_channel_has_apprise_send() -> None:
    async with Receiver(Answer(200)) as receiver:
        url = Secret("APPRISE_URL", receiver.origin.replace("http:", "json:"))
        channel = notifier_for(AppriseConfig("any", url, "f1"), now=lambda: NOW)
        assert await channel.deliver(Post(message()), key="k1") == Sent()
    assert len(receiver.posts) == 1
