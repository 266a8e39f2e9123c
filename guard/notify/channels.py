"""From a channel of the rule file to what delivers to it."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from guard.config import ChannelConfig, EmailConfig, SlackBotConfig, SlackConfig, TerminalConfig
from guard.notify.mail import EmailNotifier
from guard.notify.notifier import Notifier
from guard.notify.slack_bot import SlackBotNotifier
from guard.notify.slack_webhook import SlackWebhookNotifier
from guard.notify.terminal import TerminalNotifier


def notifier_for(channel: ChannelConfig, *, now: Callable[[], datetime]) -> Notifier:
    """The notifier of one channel; it connects to nothing yet. `now` tells the time that is shown."""
    match channel:
        case SlackConfig():
            return SlackWebhookNotifier(channel.webhook_url.value, mention=channel.mention)
        case SlackBotConfig():
            return SlackBotNotifier(
                channel.token.value, channel=channel.channel, base_url=channel.base_url, mention=channel.mention
            )
        case EmailConfig():
            return EmailNotifier(
                host=channel.host,
                port=channel.port,
                security=channel.security,
                username=channel.username,
                password=channel.password.value if channel.password else "",
                sender=channel.sender,
                now=now,
            )
        case TerminalConfig():
            return TerminalNotifier(channel.name, stream=sys.stdout, now=now)
        case _:
            assert_never(channel)
