"""From a channel of the rule file to what delivers to it."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from guard.config import (
    AppriseConfig,
    ChannelConfig,
    EmailConfig,
    SlackBotConfig,
    SlackConfig,
    TerminalConfig,
    WebhookConfig,
)
from guard.notify.notifier import Notifier

if TYPE_CHECKING:
    from guard.notify.slack_socket import Handler, SlackSocket


def notifier_for(channel: ChannelConfig, *, now: Callable[[], datetime]) -> Notifier:
    """The notifier of one channel; it connects to nothing yet. `now` tells the time that is shown.

    Of slack-sdk, aiosmtplib and Rich is imported what the channel needs, so that the first poll does not wait for more.
    """
    match channel:
        case SlackConfig():
            from guard.notify.slack_webhook import SlackWebhookNotifier  # noqa: PLC0415 - see above

            return SlackWebhookNotifier(channel.webhook_url.value, mention=channel.mention)
        case SlackBotConfig():
            return _slack_bot(channel)
        case EmailConfig():
            return _email(channel, now=now)
        case WebhookConfig():
            from guard.notify.webhook import WebhookNotifier  # noqa: PLC0415 - see above

            return WebhookNotifier(channel.url.value, secrets=channel.secret.value, now=now)
        case AppriseConfig():
            from guard.notify.apprise_url import AppriseNotifier  # noqa: PLC0415 - see above

            return AppriseNotifier(channel.url.value)
        case TerminalConfig():
            from guard.notify.terminal import TerminalNotifier  # noqa: PLC0415 - see above

            return TerminalNotifier(channel.name, stream=sys.stdout, now=now)
        case _:
            assert_never(channel)


def _slack_bot(channel: SlackBotConfig) -> Notifier:
    from guard.notify.slack_bot import SlackBotNotifier  # noqa: PLC0415 - as above

    return SlackBotNotifier(
        channel.token.value,
        channel=channel.channel,
        base_url=channel.base_url,
        mention=channel.mention,
        has_buttons=channel.app_token is not None,
    )


def _email(channel: EmailConfig, *, now: Callable[[], datetime]) -> Notifier:
    from guard.notify.mail import EmailNotifier  # noqa: PLC0415 - as above

    return EmailNotifier(
        host=channel.host,
        port=channel.port,
        security=channel.security,
        username=channel.username,
        password=channel.password.value if channel.password else "",
        sender=channel.sender,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class SlackApp:
    """An app of Slack that tells of presses, by its app-level token, which is a secret, and where that is good."""

    token: str = field(repr=False)
    base_url: str


def slack_apps(channels: Iterable[ChannelConfig]) -> dict[SlackApp, tuple[str, ...]]:
    """The apps whose buttons may be pressed, each with the names of its channels.

    A channel whose variable is not set is left out.
    """
    apps: dict[SlackApp, tuple[str, ...]] = {}
    for each in channels:
        if isinstance(each, SlackBotConfig) and each.app_token and each.app_token.value:
            app = SlackApp(each.app_token.value, each.base_url)
            apps[app] = (*apps.get(app, ()), each.name)
    return apps


def socket_for(app: SlackApp, *, press: "Handler", now: Callable[[], datetime]) -> "SlackSocket":
    """What listens for presses of one app's buttons; it connects to nothing yet. `press` does what they ask for."""
    from guard.notify.slack_socket import SlackSocket  # noqa: PLC0415 - as above

    return SlackSocket(app.token, base_url=app.base_url, press=press, now=now)


def unfit(channels: Iterable[ChannelConfig]) -> Iterator[str]:
    """A sentence for each channel that cannot work on this machine; takes half a second for each of Apprise.

    A channel whose variable is not set is left out: that is told elsewhere.
    """
    for channel in channels:
        if isinstance(channel, AppriseConfig) and channel.url.value:
            from guard.notify.apprise_url import url_fault  # noqa: PLC0415 - see above

            if fault := url_fault(channel.url.value):
                yield f"channel {channel.name}: {fault}"
